internal import ConnectorKit
internal import Values

/// Makes events of the messages of a replication stream.
///
/// Pure: a machine over bytes. Knows the open transaction and the shapes of the tables it was told.
struct ChangeAssembler {
    /// What a message comes to.
    enum Step {
        /// Nothing to give out.
        case nothing
        case event(SourceEvent)
        case events([SourceEvent])
        /// A transaction is complete; everything before this position has been given out.
        case committed(LogPosition)
        /// A table is described: `install` its shape before the next message.
        case relation(PGOutput.Relation)
    }

    let slot: String
    let decoding: RecordDecoding
    /// With an outbox, only what is inserted into it is an event.
    let outbox: OutboxSettings?
    /// Tables as `schema.name`; empty: all that come.
    let tables: Set<String>
    private var shapes: [UInt32: TableShape?] = [:]
    private var transaction: ChangeEvent.Origin?
    private var index = 0

    init(slot: String, tables: Set<String>, outbox: OutboxSettings?, decoding: RecordDecoding) {
        self.slot = slot
        self.tables = tables
        self.outbox = outbox
        self.decoding = decoding
    }

    /// Whether a transaction has begun and its end has not come.
    var isInTransaction: Bool { self.transaction != nil }

    /// Whether changes of the table are given out.
    func wants(_ relation: PGOutput.Relation) -> Bool {
        self.tables.isEmpty || self.tables.contains("\(relation.schema).\(relation.name)")
    }

    /// Says what a table looks like from now on; `nil`: nobody wants its changes.
    mutating func install(_ shape: TableShape?, for relation: UInt32) {
        self.shapes[relation] = .some(shape)
    }

    /// Takes the next message.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(PGOutput.Malformed) -> Step {
        switch try PGOutput.message(bytes) {
        case .begin(let begin):
            guard self.transaction == nil else { throw PGOutput.Malformed(what: "end of a transaction") }
            self.transaction = ChangeEvent.Origin(
                position: begin.position, committedAtMilliseconds: ChangeEvent.milliseconds(begin.committedAt),
                transaction: begin.transaction)
            self.index = 0
            return .nothing
        case .commit(let commit):
            guard self.transaction?.position == commit.position else {
                throw PGOutput.Malformed(what: "end of the transaction that began")
            }
            self.transaction = nil
            return .committed(commit.end)
        case .relation(let relation): return .relation(relation)
        case .origin, .type, .message: return .nothing
        case .insert(let relation, let new): return try self.change(.insert, relation, nil, new, bytes)
        case .update(let relation, let old, let new): return try self.change(.update, relation, old, new, bytes)
        case .delete(let relation, let old): return try self.change(.delete, relation, old, nil, bytes)
        case .truncate(let relations, _, _):
            var events: [SourceEvent] = []
            for relation in relations {
                if case .event(let event) = try self.change(.truncate, relation, nil, nil, bytes) {
                    events.append(event)
                }
            }
            return events.isEmpty ? .nothing : .events(events)
        }
    }

    private mutating func change(
        _ operation: ChangeEvent.Operation, _ relation: UInt32, _ old: PGOutput.OldRow?, _ new: [PGOutput.Field]?,
        _ bytes: UnsafeRawBufferPointer
    ) throws(PGOutput.Malformed) -> Step {
        guard let origin = self.transaction else { throw PGOutput.Malformed(what: "change within a transaction") }
        guard let known = self.shapes[relation] else {
            throw PGOutput.Malformed(what: "change of a table that was described")
        }
        // Changes that nobody wants count: the place of the others must not depend on who wants what.
        let index = self.index
        self.index += 1
        guard let shape = known else { return .nothing }
        guard new.map({ $0.count == shape.columns.count }) ?? true,
            old.map({ $0.fields.count == shape.columns.count }) ?? true
        else { throw PGOutput.Malformed(what: "row of the table that was described") }
        let id = "\(origin.position):\(index)"
        if let outbox {
            guard operation == .insert, let new else { return .nothing }
            return .event(self.outboxEvent(outbox, shape, new, bytes, origin, id))
        }
        do throws(PostgresDecoder.Malformed) {
            var change = ChangeEvent(operation: operation, shape: shape, origin: origin, index: index)
            if let old {
                change.before = try Self.row(old.fields, shape, bytes, identityOnly: old.isKeyOnly)
            }
            if let new {
                var row = try Self.row(new, shape, bytes, identityOnly: false)
                for (field, column) in zip(new, shape.columns) where field == .unchanged {
                    // The whole row before the change has it, where the table gives that.
                    if let old, !old.isKeyOnly, let value = change.before?[column.name] {
                        row[column.name] = value
                    } else {
                        change.unchanged.append(column.name)
                    }
                }
                change.after = row
            }
            return .event(
                change.event(id: id, slot: self.slot, payloadMaximum: self.decoding.recordBytesMaximum))
        } catch {
            let reason = "A value of \(shape.path) is no \(error.what)."
            return .event(
                SourceEvent(
                    id: id, payload: Array(bytes), contentType: "application/octet-stream",
                    body: .undecodable(.init(line: 1, reason: reason)),
                    coordinates: self.coordinates(shape, origin, index),
                    occurredAtMilliseconds: origin.committedAtMilliseconds))
        }
    }

    private func coordinates(_ shape: TableShape, _ origin: ChangeEvent.Origin, _ index: Int) -> ValueContext {
        [
            "table": .string(shape.path), "lsn": .string(origin.position.description),
            "index": .number(Number(index)), "slot": .string(self.slot),
        ]
    }

    private func outboxEvent(
        _ outbox: OutboxSettings, _ shape: TableShape, _ new: [PGOutput.Field], _ bytes: UnsafeRawBufferPointer,
        _ origin: ChangeEvent.Origin, _ id: String
    ) -> SourceEvent {
        outbox.event(
            shape, decoding: self.decoding, coordinates: self.coordinates(shape, origin, self.index - 1),
            fallbackID: id, occurredAt: origin.committedAtMilliseconds,
            text: { column in
                guard case .text(let range) = new[column] else { return nil }
                return Array(bytes[range])
            })
    }

    private static func row(
        _ fields: [PGOutput.Field], _ shape: TableShape, _ bytes: UnsafeRawBufferPointer, identityOnly: Bool
    ) throws(PostgresDecoder.Malformed) -> ValueContext {
        var row = ValueContext()
        row.reserveCapacity(fields.count)
        for (field, column) in zip(fields, shape.columns) {
            // A row that is only its key has nothing, not NULL, in the other columns.
            if identityOnly, !column.isIdentity { continue }
            switch field {
            case .unchanged: continue
            case .null: row[column.name] = .null
            case .text(let range):
                let slice = UnsafeRawBufferPointer(rebasing: bytes[range])
                row[column.name] = try ChangeValue.value(slice.assumingMemoryBound(to: UInt8.self), column.type)
            }
        }
        return row
    }
}
