import ProcessModel
import Values

/// Throw events and end events with a definition (BPMN 2.0.2 clause 13.5.2, 13.5.6).
extension PartitionEngine {
    /// A token that reaches a throw event yields until the other tokens of the segment have come to rest; then the event
    /// is delivered before the thrower moves on, so that an interrupting catcher can still end it.
    func yield(thrower ordinal: UInt32, of instance: ProcessInstance) {
        emit(.elementEntered(ordinal: ordinal), on: instance)
        throwers.append((instance, ordinal))
    }

    /// Throws what the event at an element throws, and leaves the element if it is still there.
    func performThrow(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard state.instances[instance.key] === instance, let position = instance.position(of: ordinal) else { return }
        let node = instance.process.nodes[Int(instance.elements[position].node)]
        do {
            let definitions = node.triggers.isEmpty ? [node] : node.triggers.map { instance.process.nodes[$0] }
            var events: [Thrown] = []
            for definition in definitions {
                events.append(try thrown(definition.event, by: definition, ordinal, of: instance))
            }
            // What may end the thrower or make it wait comes last.
            for event in events.sorted(by: { $0.urgency < $1.urgency }) {
                guard state.instances[instance.key] === instance, instance.position(of: ordinal) != nil else { return }
                if perform(event, ordinal, of: instance) { return }
            }
        } catch {
            raiseIncident(ordinal, of: instance, kind: .activation, type: error.type, message: error.message)
            return
        }
        leave(ordinal, of: instance)
    }

    /// An event with its expressions evaluated.
    private enum Thrown {
        case message(NewMessage)
        case signal(String)
        case escalation(String)
        case error(String)
        case compensation(CompensationDefinition)
        case cancel
        case terminate
        case nothing

        var urgency: Int {
            switch self {
            case .message, .signal, .nothing: 0
            case .escalation: 1
            case .compensation: 2
            case .cancel: 3
            case .error: 4
            case .terminate: 5
            }
        }
    }

    /// Throws an event for whoever catches it; the element stays as it is.
    func throwOnly(_ event: EventDefinition, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance) {
        do {
            _ = perform(try thrown(event, by: node, ordinal, of: instance), ordinal, of: instance)
        } catch {
            raiseIncident(ordinal, of: instance, kind: .completion, type: error.type, message: error.message)
        }
    }

    private func thrown(
        _ event: EventDefinition?, by node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> Thrown {
        switch event {
        case .message(let message):
            return .message(try newMessage(message, node, ordinal, of: instance))
        case .signal(let signal):
            return .signal(try evaluateString(signal.name, what: "signal name", ordinal, of: instance))
        case .escalation(let code): return .escalation(code ?? "")
        case .error(let code): return .error(code ?? "")
        case .compensation(let definition): return .compensation(definition)
        case .cancel: return .cancel
        case .terminate: return .terminate
        case nil, .some(.none), .timer, .conditional, .link, .multiple: return .nothing
        }
    }

    /// How long a thrown message waits for its catcher, unless the model says.
    static let messageTimeToLive: Int64 = 3_600_000

    private func newMessage(
        _ message: MessageDefinition, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> NewMessage {
        var timeToLive = Self.messageTimeToLive
        if let source = message.timeToLive {
            let (dueAt, _, _) = try schedule(.duration(source), node) { self.evaluate($0, ordinal, of: instance) }
            timeToLive = Swift.max(0, dueAt - state.now)
        }
        return NewMessage(
            name: try evaluateString(message.name, what: "message name", ordinal, of: instance),
            correlationKey: try correlationKey(of: message, node, ordinal, of: instance),
            timeToLiveMilliseconds: timeToLive,
            messageID: try evaluateOptionalString(message.messageID, what: "message id", ordinal, of: instance),
            variables: payload(ordinal, of: instance))
    }

    /// What a thrown event carries: the variables its input mappings made.
    private func payload(_ ordinal: UInt32, of instance: ProcessInstance) -> VariableDocument {
        resolved(localVariables(ordinal, of: instance))
    }

    /// Delivers one event; true when the thrower must not be left now.
    private func perform(_ event: Thrown, _ ordinal: UInt32, of instance: ProcessInstance) -> Bool {
        switch event {
        case .nothing: return false
        case .message(let message):
            let hash = MessageHash.of(name: message.name, correlationKey: message.correlationKey)
            send(.publish(message), hash: hash)
            return false
        case .signal(let name):
            broadcast(name, payload(ordinal, of: instance))
            return false
        case .escalation(let code):
            throwEscalation(code, variables: payload(ordinal, of: instance), from: ordinal, of: instance)
            return false
        case .compensation(let definition):
            return compensate(definition, thrower: ordinal, of: instance)
        case .cancel:
            cancelTransaction(around: ordinal, of: instance)
            return true
        case .error(let code):
            throwError(code, message: nil, variables: payload(ordinal, of: instance), from: ordinal, of: instance)
            return true
        case .terminate:
            guard let position = instance.position(of: ordinal) else { return true }
            let scope = instance.elements[position].scope
            end(ordinal, of: instance)
            terminateContents(of: scope, in: instance)
            completeScopeIfDone(scope, of: instance)
            return true
        }
    }
}
