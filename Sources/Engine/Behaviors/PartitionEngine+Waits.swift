import Decisions
import ProcessModel
import Values

/// Timers and message subscriptions of an element.
extension PartitionEngine {
    /// Something an element will wait for, evaluated but not yet recorded.
    enum Wait {
        case timer(node: Int32, dueAt: Int64, repetitions: Int32, interval: String?)
        case message(node: Int32, name: String, correlationKey: String)
    }

    /// The waits of an activity's boundary events; those of a multi-instance activity belong to its body, and those of
    /// one that is entered again, after an error nobody caught, are open already.
    func boundaryWaits(
        _ node: FlowNode, _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> [Wait] {
        guard !node.boundaryEvents.isEmpty, element.role != .multiInstanceInner, !element.hasEvents else { return [] }
        var waits: [Wait] = []
        for index in node.boundaryEvents {
            let boundary = instance.process.nodes[index]
            switch boundary.event {
            case .timer, .message:
                guard let event = boundary.event else { continue }
                waits.append(try wait(for: event, boundary, evaluatedIn: ordinal, of: instance))
            default: continue
            }
        }
        return waits
    }

    func wait(
        for event: EventDefinition, _ node: FlowNode, evaluatedIn ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> Wait {
        switch event {
        case .timer(let timer):
            let (dueAt, repetitions, interval) = try schedule(timer, node) { source in
                self.evaluate(source, ordinal, of: instance)
            }
            return .timer(node: Int32(node.index), dueAt: dueAt, repetitions: repetitions, interval: interval)
        case .message(let message):
            let name = try evaluateString(message.name, what: "message name", ordinal, of: instance)
            var correlationKey = ""
            if let source = message.correlationKey {
                let value = evaluate(source, ordinal, of: instance)
                switch value {
                case .string(let text): correlationKey = text
                case .number(let number): correlationKey = number.description
                default:
                    throw EvaluationFailure(
                        type: "EXTRACT_VALUE_ERROR",
                        message: """
                            Expected the correlation key `\(source.source)` of \(node.id) to be a text or a number, but \
                            it is \(value.typeName). Set the variables it reads and resolve the incident.
                            """)
                }
            }
            return .message(node: Int32(node.index), name: name, correlationKey: correlationKey)
        case .none, .error, .terminate:
            throw EvaluationFailure(type: "UNKNOWN", message: "\(node.id) is no event to wait for")
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
    func open(_ waits: [Wait], _ ordinal: UInt32, of instance: ProcessInstance) {
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
            }
        }
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
