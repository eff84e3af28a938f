import Values

/// The stored form of a process instance.
extension PartitionEngine {
    /// Format 2 is format 1 followed by what only some instances have.
    private static let instanceFormats: ClosedRange<UInt8> = 1...2

    func encode(_ instance: ProcessInstance) -> [UInt8] {
        var writer = ByteWriter(capacity: 160)
        let hasExtras =
            !instance.signals.isEmpty || !instance.conditions.isEmpty
            || instance.elements.contains { $0.detail?.hasExtras == true }
        writer.u8(hasExtras ? 2 : 1)
        writer.fixed64LE(instance.definition.key.rawValue)
        writer.varint(instance.parent)
        writer.varint(UInt64(instance.parentOrdinal))
        writer.varint(UInt64(instance.depth))
        writer.optional(instance.businessID)
        writer.zigzag(instance.startedAt)
        writer.varint(UInt64(instance.nextOrdinal))
        writer.varint(UInt64(instance.elements.count))
        for element in instance.elements { write(element, of: instance, into: &writer) }
        writer.varint(UInt64(instance.variables.count))
        for variable in instance.variables {
            writer.varint(UInt64(variable.scope))
            writer.string(variable.name)
            variable.value.write(into: &writer)
        }
        writer.varint(UInt64(instance.timers.count))
        for timer in instance.timers {
            writer.zigzag(Int64(bitPattern: timer.key &- instance.key))
            writer.varint(UInt64(timer.ordinal))
            writer.varint(UInt64(timer.node))
            writer.zigzag(timer.dueAt)
            writer.zigzag(Int64(timer.repetitions))
            writer.optional(timer.interval)
        }
        writer.varint(UInt64(instance.subscriptions.count))
        for subscription in instance.subscriptions {
            writer.zigzag(Int64(bitPattern: subscription.key &- instance.key))
            writer.varint(UInt64(subscription.ordinal))
            writer.varint(UInt64(subscription.node))
            writer.string(subscription.name)
            writer.string(subscription.correlationKey)
        }
        writer.varint(UInt64(instance.arrivals.count))
        for arrival in instance.arrivals {
            writer.varint(UInt64(arrival.scope))
            writer.varint(UInt64(arrival.flow))
            writer.varint(UInt64(arrival.count))
        }
        if hasExtras { writeExtras(of: instance, into: &writer) }
        return writer.bytes
    }

    private func writeExtras(of instance: ProcessInstance, into writer: inout ByteWriter) {
        writer.varint(UInt64(instance.signals.count))
        for signal in instance.signals {
            writer.zigzag(Int64(bitPattern: signal.key &- instance.key))
            writer.varint(UInt64(signal.ordinal))
            writer.varint(UInt64(signal.node))
            writer.string(signal.name)
        }
        writer.varint(UInt64(instance.conditions.count))
        for condition in instance.conditions {
            writer.zigzag(Int64(bitPattern: condition.key &- instance.key))
            writer.varint(UInt64(condition.ordinal))
            writer.varint(UInt64(condition.node))
            writer.bool(condition.holds)
        }
        let elements = instance.elements.filter { $0.detail?.hasExtras == true }
        writer.varint(UInt64(elements.count))
        for element in elements {
            guard let detail = element.detail else { continue }
            writer.varint(UInt64(element.ordinal))
            writer.bool(detail.firedFlows != nil)
            if let flows = detail.firedFlows { writer.indexes(flows) }
            writer.indexes(detail.planned)
            CompensationRecord.write(detail.compensable, into: &writer)
            writer.bool(detail.compensating != nil)
            if let records = detail.compensating { CompensationRecord.write(records, into: &writer) }
            writer.bool(detail.isCancelling)
        }
    }

    private func write(_ element: ElementInstance, of instance: ProcessInstance, into writer: inout ByteWriter) {
        writer.varint(UInt64(element.ordinal))
        writer.varint(UInt64(element.node))
        writer.varint(UInt64(element.scope))
        writer.zigzag(Int64(element.children))
        writer.varint(UInt64(element.loopCounter))
        let flags =
            element.state.rawValue | element.role.rawValue << 2 | (element.hasLocals ? 0x10 : 0)
            | (element.hasEvents ? 0x20 : 0) | (element.job != nil ? 0x40 : 0) | (element.detail != nil ? 0x80 : 0)
        writer.u8(flags)
        writer.zigzag(Int64(bitPattern: element.key &- instance.key))
        if let job = element.job {
            writer.zigzag(Int64(bitPattern: job.key &- instance.key))
            writer.varint(UInt64(job.retries))
            writer.zigzag(Int64(job.priority))
            writer.u8(job.phase.rawValue)
            writer.u8(job.lockExpiries)
            writer.zigzag(job.until)
        }
        guard let detail = element.detail else { return }
        writer.bool(detail.incident != nil)
        if let incident = detail.incident {
            writer.zigzag(Int64(bitPattern: incident.key &- instance.key))
            writer.u8(incident.kind.rawValue)
            writer.string(incident.type)
            writer.string(incident.message)
        }
        writer.bool(detail.userTask != nil)
        if let task = detail.userTask {
            writer.zigzag(Int64(bitPattern: task.key &- instance.key))
            writer.optional(task.assignee)
        }
        writer.bool(detail.loop != nil)
        if let loop = detail.loop {
            writer.varint(UInt64(loop.count))
            writer.varint(UInt64(loop.created))
            writer.varint(UInt64(loop.completed))
            writer.bool(loop.items != nil)
            if let items = loop.items { ValueCodec.write(.list(items), into: &writer) }
            writer.varint(UInt64(loop.outputs.count))
            for (position, value) in loop.outputs.sorted(by: { $0.key < $1.key }) {
                writer.varint(UInt64(position))
                ValueCodec.write(value, into: &writer)
            }
        }
        writer.varint(detail.calledInstance)
        writer.optional(detail.jobType)
        writer.optional(detail.worker)
        writer.optional(detail.jobError)
    }

    /// Decodes an instance; nil, and damage, when that fails.
    func decodeInstance(key: UInt64, _ bytes: [UInt8]) -> ProcessInstance? {
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            do {
                return try readInstance(key: key, &reader)
            } catch {
                noteDamage("the checkpoint of process instance \(key) cannot be decoded: \(error)")
                return nil
            }
        }
    }

    func readInstance(
        key: UInt64, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> ProcessInstance {
        let format = try reader.u8()
        guard Self.instanceFormats.contains(format) else { throw reader.failure(.unknownTag(format)) }
        let definitionKey = try reader.fixed64LE()
        guard let definition = definitions.definition(key: Key(rawValue: definitionKey)) else {
            throw reader.failure(.invalidValue)
        }
        let parent = try reader.varint()
        let parentOrdinal = try reader.ordinal()
        let depth = try reader.int32()
        let businessID = try reader.optionalString()
        let instance = ProcessInstance(
            key: key, definition: definition, parent: parent, parentOrdinal: parentOrdinal, depth: depth,
            businessID: businessID, startedAt: try reader.zigzag())
        instance.nextOrdinal = try reader.ordinal()
        for _ in 0..<(try reader.count(minimumByteCount: 7)) {
            instance.elements.append(try readElement(key: key, &reader))
        }
        for _ in 0..<(try reader.count(minimumByteCount: 3)) {
            instance.variables.append(
                ScopedVariable(
                    scope: try reader.ordinal(), name: try reader.string(), value: try VariableValue.read(&reader)))
        }
        for _ in 0..<(try reader.count(minimumByteCount: 6)) {
            instance.timers.append(
                TimerState(
                    key: key &+ UInt64(bitPattern: try reader.zigzag()), ordinal: try reader.ordinal(),
                    node: try reader.int32(), dueAt: try reader.zigzag(), repetitions: try reader.signed32(),
                    interval: try reader.optionalString()))
        }
        for _ in 0..<(try reader.count(minimumByteCount: 5)) {
            instance.subscriptions.append(
                SubscriptionState(
                    key: key &+ UInt64(bitPattern: try reader.zigzag()), ordinal: try reader.ordinal(),
                    node: try reader.int32(), name: try reader.string(), correlationKey: try reader.string()))
        }
        for _ in 0..<(try reader.count(minimumByteCount: 3)) {
            instance.arrivals.append(
                JoinArrival(scope: try reader.ordinal(), flow: try reader.int32(), count: try reader.int32()))
        }
        if format == 2 { try readExtras(of: instance, &reader) }
        return instance
    }

    private func readExtras(of instance: ProcessInstance, _ reader: inout ByteReader) throws(DecodingFailure) {
        for _ in 0..<(try reader.count(minimumByteCount: 4)) {
            instance.signals.append(
                SignalState(
                    key: instance.key &+ UInt64(bitPattern: try reader.zigzag()), ordinal: try reader.ordinal(),
                    node: try reader.int32(), name: try reader.string()))
        }
        for _ in 0..<(try reader.count(minimumByteCount: 4)) {
            instance.conditions.append(
                ConditionState(
                    key: instance.key &+ UInt64(bitPattern: try reader.zigzag()), ordinal: try reader.ordinal(),
                    node: try reader.int32(), holds: try reader.bool()))
        }
        for _ in 0..<(try reader.count(minimumByteCount: 6)) {
            guard let detail = detail(try reader.ordinal(), of: instance) else { throw reader.failure(.invalidValue) }
            if try reader.bool() { detail.firedFlows = try reader.indexes() }
            detail.planned = try reader.indexes()
            detail.compensable = try CompensationRecord.readList(&reader)
            if try reader.bool() { detail.compensating = try CompensationRecord.readList(&reader) }
            detail.isCancelling = try reader.bool()
        }
    }

    private func readElement(key: UInt64, _ reader: inout ByteReader) throws(DecodingFailure) -> ElementInstance {
        let ordinal = try reader.ordinal()
        let node = try reader.int32()
        let scope = try reader.ordinal()
        let children = try reader.signed32()
        let loopCounter = try reader.int32()
        let flags = try reader.u8()
        guard let state = ElementState(rawValue: flags & 3), let role = ElementRole(rawValue: flags >> 2 & 3) else {
            throw reader.failure(.invalidValue)
        }
        var element = ElementInstance(
            ordinal: ordinal, node: node, scope: scope, children: children, loopCounter: loopCounter, state: state,
            role: role, hasLocals: flags & 0x10 != 0, hasEvents: flags & 0x20 != 0,
            key: key &+ UInt64(bitPattern: try reader.zigzag()))
        if flags & 0x40 != 0 {
            let jobKey = key &+ UInt64(bitPattern: try reader.zigzag())
            let retries = try reader.int32()
            let priority = try reader.signed32()
            guard let phase = JobPhase(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
            element.job = JobState(
                key: jobKey, retries: retries, priority: priority, phase: phase, lockExpiries: try reader.u8(),
                until: try reader.zigzag())
        }
        if flags & 0x80 != 0 { element.detail = try readDetail(key: key, &reader) }
        return element
    }

    private func readDetail(key: UInt64, _ reader: inout ByteReader) throws(DecodingFailure) -> ElementDetail {
        let detail = ElementDetail()
        if try reader.bool() {
            let incidentKey = key &+ UInt64(bitPattern: try reader.zigzag())
            guard let kind = IncidentKind(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
            detail.incident = IncidentState(
                key: incidentKey, kind: kind, type: try reader.string(), message: try reader.string())
        }
        if try reader.bool() {
            detail.userTask = UserTaskState(
                key: key &+ UInt64(bitPattern: try reader.zigzag()), assignee: try reader.optionalString())
        }
        if try reader.bool() {
            let count = try reader.int32()
            let created = try reader.int32()
            let completed = try reader.int32()
            let items = try reader.bool() ? try ValueCodec.read(&reader).asList : nil
            var outputs: [Int32: Value] = [:]
            for _ in 0..<(try reader.count(minimumByteCount: 2)) {
                let position = try reader.int32()
                outputs[position] = try ValueCodec.read(&reader)
            }
            detail.loop = LoopState(
                items: items, count: count, created: created, completed: completed, outputs: outputs)
        }
        detail.calledInstance = try reader.varint()
        detail.jobType = try reader.optionalString()
        detail.worker = try reader.optionalString()
        detail.jobError = try reader.optionalString()
        return detail
    }
}
