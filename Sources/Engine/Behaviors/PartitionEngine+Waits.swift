import Decisions
import ProcessModel
import Values

/// Timers and message subscriptions of an element.
extension PartitionEngine {
    /// Something an element will wait for, evaluated but not yet recorded.
    enum Wait {
        case timer(node: Int32, dueAt: Int64, repetitions: Int32, interval: String?)
        case message(node: Int32, name: String, correlationKey: String)
        case signal(node: Int32, name: String)
        case condition(node: Int32, holds: Bool)
    }

    /// What an element waits for besides its own work: the boundary events of an activity, the event sub-processes of a
    /// scope.
    ///
    /// Those of a multi-instance activity belong to its body; those of one that is entered again, after an error nobody
    /// caught, are open already.
    func outerWaits(
        _ node: FlowNode, _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> [Wait] {
        guard !element.hasEvents else { return [] }
        var waits: [Wait] = []
        if element.role != .multiInstanceInner, element.role != .compensation {
            for index in node.boundaryEvents {
                try append(instance.process.nodes[index], evaluatedIn: ordinal, of: instance, to: &waits)
            }
        }
        if element.role != .multiInstanceBody {
            for index in node.eventSubProcesses {
                guard let start = instance.process.nodes[index].start else { continue }
                try append(instance.process.nodes[start], evaluatedIn: ordinal, of: instance, to: &waits)
            }
        }
        return waits
    }

    /// What has to be waited for until an event occurs; nothing when it is only ever thrown at its catcher.
    func waits(
        of node: FlowNode, evaluatedIn ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> [Wait] {
        var waits: [Wait] = []
        try append(node, evaluatedIn: ordinal, of: instance, to: &waits)
        return waits
    }

    private func append(
        _ node: FlowNode, evaluatedIn ordinal: UInt32, of instance: ProcessInstance, to waits: inout [Wait]
    ) throws(EvaluationFailure) {
        switch node.event {
        case .timer(let timer):
            let (dueAt, repetitions, interval) = try schedule(timer, node) { source in
                self.evaluate(source, ordinal, of: instance)
            }
            waits.append(
                .timer(node: Int32(node.index), dueAt: dueAt, repetitions: repetitions, interval: interval))
        case .message(let message):
            let name = try evaluateString(message.name, what: "message name", ordinal, of: instance)
            let key = try correlationKey(of: message, node, ordinal, of: instance)
            waits.append(.message(node: Int32(node.index), name: name, correlationKey: key))
        case .signal(let signal):
            let name = try evaluateString(signal.name, what: "signal name", ordinal, of: instance)
            waits.append(.signal(node: Int32(node.index), name: name))
        case .conditional(let condition):
            scopeView.point(at: ordinal, of: instance, now: state.now)
            let holds = condition.evaluateCondition(scopeView) == true
            waits.append(.condition(node: Int32(node.index), holds: holds))
        case .multiple:
            for index in node.triggers {
                try append(instance.process.nodes[index], evaluatedIn: ordinal, of: instance, to: &waits)
            }
        case nil, .some(.none), .error, .escalation, .link, .compensation, .cancel, .terminate:
            return
        }
    }

    /// The value by which an instance recognises its own messages; empty when the model names none.
    func correlationKey(
        of message: MessageDefinition, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> String {
        guard let source = message.correlationKey else { return "" }
        let value = evaluate(source, ordinal, of: instance)
        switch value {
        case .string(let text): return text
        case .number(let number): return number.description
        default:
            throw EvaluationFailure(
                type: "EXTRACT_VALUE_ERROR",
                message: """
                    Expected the correlation key `\(source.source)` of \(node.id) to be a text or a number, but \
                    it is \(value.typeName). Set the variables it reads and resolve the incident.
                    """)
        }
    }

    /// When a timer fires first, how often after that, and at what distance (BPMN 2.0.2 clause 10.5.5.11).
    func schedule(
        _ timer: TimerDefinition, _ node: FlowNode, _ evaluate: (ExpressionOrLiteral) -> Value
    ) throws(EvaluationFailure) -> (dueAt: Int64, repetitions: Int32, interval: String?) {
        switch timer {
        case .date(let source):
            switch evaluate(source) {
            case .dateTime(let dateTime):
                if let due = dateTime.epochMilliseconds { return (due, 0, nil) }
            case .string(let text):
                if let due = DateTime(text)?.epochMilliseconds { return (due, 0, nil) }
            default: break
            }
            throw badTimer(source, node, "a date and time with offset, such as 2026-01-31T09:00:00Z")
        case .duration(let source):
            let duration: ISO8601Duration?
            switch evaluate(source) {
            case .dayTimeDuration(let exact): duration = ISO8601Duration(exact: exact)
            case .yearMonthDuration(let months): duration = ISO8601Duration(months: months.months)
            case .string(let text): duration = ISO8601Duration(text)
            default: duration = nil
            }
            guard let due = duration?.added(toEpochMilliseconds: state.now) else {
                throw badTimer(source, node, "a duration, such as PT15M")
            }
            return (due, 0, nil)
        case .cycle(let source):
            guard case .string(let text) = evaluate(source), let repetition = ISO8601Repetition(text),
                let due = repetition.firstDue(from: state.now), repetition.count != 0
            else { throw badTimer(source, node, "a repetition of at least one, such as R3/PT10M") }
            let count = repetition.count.map { Int32(clamping: $0 - 1) } ?? -1
            return (due, count, repetition.interval.description)
        }
    }

    private func badTimer(_ source: ExpressionOrLiteral, _ node: FlowNode, _ expected: String) -> EvaluationFailure {
        let text =
            switch source {
            case .literal(let text): text
            case .expression(let expression): expression.source
            }
        return EvaluationFailure(
            type: "EXTRACT_VALUE_ERROR",
            message: """
                Expected the timer `\(text)` of \(node.id) to be \(expected). Correct the variables it reads and \
                resolve the incident.
                """)
    }

    /// Records waits and asks the messages' partitions for their subscriptions.
    ///
    /// A condition that holds already occurs at once, unless it has occurred before: then it must become false first.
    /// - Returns: Whether the element still waits; what occurs at once may have ended it.
    @discardableResult
    func open(_ waits: [Wait], _ ordinal: UInt32, of instance: ProcessInstance, again: Bool = false) -> Bool {
        var holding: [UInt64] = []
        for wait in waits {
            switch wait {
            case .timer(let node, let dueAt, let repetitions, let interval):
                emit(
                    .timerCreated(
                        ordinal: ordinal, key: newKey(), node: node, dueAt: dueAt, repetitions: repetitions,
                        interval: interval), on: instance)
            case .message(let node, let name, let correlationKey):
                let key = newKey()
                emit(
                    .subscriptionOpened(
                        ordinal: ordinal, key: key, node: node, name: name, correlationKey: correlationKey),
                    on: instance)
                let hash = MessageHash.of(name: name, correlationKey: correlationKey)
                send(
                    .openSubscription(
                        MessageSubscriptionCreated(
                            key: key, hash: hash, instance: instance.key,
                            process: StableHash.fnv1a64(instance.process.id)),
                        name: name, correlationKey: correlationKey), hash: hash)
            case .signal(let node, let name):
                emit(.signalSubscribed(ordinal: ordinal, key: newKey(), node: node, name: name), on: instance)
            case .condition(let node, let holds):
                let key = newKey()
                emit(.conditionArmed(ordinal: ordinal, key: key, node: node, holds: holds), on: instance)
                if holds, !again { holding.append(key) }
            }
        }
        for key in holding { occur(condition: key, of: instance) }
        return holding.isEmpty
            || state.instances[instance.key] === instance && instance.position(of: ordinal) != nil
    }

    /// Whether an event is waited for again after it occurred: those that do not interrupt.
    func staysOpen(_ node: FlowNode, in process: ExecutableProcess) -> Bool {
        let event = node.triggerOf.map { process.nodes[$0] } ?? node
        guard event.kind == .boundaryEvent || event.kind == .startEvent, !event.isInterrupting else { return false }
        if case .multiple(isParallel: true)? = event.event { return false }
        return true
    }

    /// Stops waiting for events of a live element.
    func closeWaits(_ ordinal: UInt32, of instance: ProcessInstance, where isClosed: (FlowNode) -> Bool) {
        func matches(_ owner: UInt32, _ node: Int32) -> Bool {
            guard owner == ordinal else { return false }
            let node = instance.process.nodes[Int(node)]
            return isClosed(node.triggerOf.map { instance.process.nodes[$0] } ?? node)
        }
        var keys: [UInt64] = []
        for timer in instance.timers where matches(timer.ordinal, timer.node) { keys.append(timer.key) }
        for signal in instance.signals where matches(signal.ordinal, signal.node) { keys.append(signal.key) }
        for condition in instance.conditions where matches(condition.ordinal, condition.node) {
            keys.append(condition.key)
        }
        for subscription in instance.subscriptions where matches(subscription.ordinal, subscription.node) {
            let hash = MessageHash.of(name: subscription.name, correlationKey: subscription.correlationKey)
            send(.closeSubscription(hash: hash, key: subscription.key), hash: hash)
            keys.append(subscription.key)
        }
        for key in keys { emit(.waitClosed(key: key), on: instance) }
    }

    /// Whether one of these event nodes is still waited for.
    func isWaiting(_ ordinal: UInt32, of instance: ProcessInstance, forAnyOf nodes: [Int]) -> Bool {
        func matches(_ owner: UInt32, _ node: Int32) -> Bool { owner == ordinal && nodes.contains(Int(node)) }
        return instance.timers.contains { matches($0.ordinal, $0.node) }
            || instance.subscriptions.contains { matches($0.ordinal, $0.node) }
            || instance.signals.contains { matches($0.ordinal, $0.node) }
            || instance.conditions.contains { matches($0.ordinal, $0.node) }
    }

    /// Takes back the subscriptions of an element that ends.
    func closeSubscriptions(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard !instance.subscriptions.isEmpty else { return }
        for subscription in instance.subscriptions where subscription.ordinal == ordinal {
            let hash = MessageHash.of(name: subscription.name, correlationKey: subscription.correlationKey)
            send(.closeSubscription(hash: hash, key: subscription.key), hash: hash)
        }
    }

    // MARK: Between partitions

    /// Sends to the partition where a message hash lives.
    func send(_ message: PartitionMessage, hash: UInt64) {
        send(message, to: MessageHash.partition(hash, of: partitionCount))
    }

    func send(_ message: PartitionMessage, to target: Int) {
        if target == partition {
            localMessages.append(message)
        } else {
            message.write(into: &outgoing[target, default: ByteWriter()])
        }
    }
}
