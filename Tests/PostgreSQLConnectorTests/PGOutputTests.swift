import ConnectorKit
import Testing
import Values

@testable import PostgreSQLConnector

/// Writes messages as the server does.
struct MessageWriter {
    var bytes: [UInt8] = []

    static func write(_ type: Character, _ body: (inout MessageWriter) -> Void) -> [UInt8] {
        var writer = MessageWriter(bytes: [type.asciiValue ?? 0])
        body(&writer)
        return writer.bytes
    }

    mutating func number(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func text(_ text: String) { self.bytes += Array(text.utf8) + [0] }

    /// A row: nil is NULL, "\u{1}" an unchanged value.
    mutating func row(_ kind: Character, _ values: [String?]) {
        self.bytes.append(kind.asciiValue ?? 0)
        self.number(UInt16(values.count))
        for value in values {
            switch value {
            case nil: self.bytes.append(UInt8(ascii: "n"))
            case "\u{1}": self.bytes.append(UInt8(ascii: "u"))
            case .some(let text):
                self.bytes.append(UInt8(ascii: "t"))
                self.number(UInt32(text.utf8.count))
                self.bytes += Array(text.utf8)
            }
        }
    }

    static func begin(_ position: UInt64, transaction: UInt32 = 7) -> [UInt8] {
        Self.write("B") {
            $0.number(position)
            $0.number(Int64(1_000_000))
            $0.number(transaction)
        }
    }

    static func commit(_ position: UInt64, end: UInt64) -> [UInt8] {
        Self.write("C") {
            $0.number(UInt8(0))
            $0.number(position)
            $0.number(end)
            $0.number(Int64(1_000_000))
        }
    }

    static func relation(
        _ id: UInt32 = 1, identity: Character = "d", columns: [(name: String, type: UInt32, isKey: Bool)]
    ) -> [UInt8] {
        Self.write("R") {
            $0.number(id)
            $0.text("public")
            $0.text("t")
            $0.bytes.append(identity.asciiValue ?? 0)
            $0.number(UInt16(columns.count))
            for column in columns {
                $0.number(UInt8(column.isKey ? 1 : 0))
                $0.text(column.name)
                $0.number(column.type)
                $0.number(Int32(-1))
            }
        }
    }

    static func insert(_ values: [String?], relation: UInt32 = 1) -> [UInt8] {
        Self.write("I") {
            $0.number(relation)
            $0.row("N", values)
        }
    }
}

@Suite struct PGOutputTests {
    private func message(_ bytes: [UInt8]) throws -> PGOutput.Message {
        try bytes.withUnsafeBytes { try PGOutput.message($0) }
    }

    static let samples: [(bytes: [UInt8], message: PGOutput.Message)] = [
        (
            MessageWriter.begin(5),
            .begin(.init(position: LogPosition(5), committedAt: 1_000_000, transaction: 7))
        ),
        (
            MessageWriter.commit(5, end: 9),
            .commit(.init(position: LogPosition(5), end: LogPosition(9), committedAt: 1_000_000))
        ),
        (
            MessageWriter.write("O") {
                $0.number(UInt64(3))
                $0.text("elsewhere")
            }, .origin(LogPosition(3), name: "elsewhere")
        ),
        (
            MessageWriter.write("Y") {
                $0.number(UInt32(20_000))
                $0.text("public")
                $0.text("mood")
            }, .type(20_000, schema: "public", name: "mood")
        ),
        (
            MessageWriter.relation(identity: "i", columns: [("id", 23, true), ("ä", 25, false)]),
            .relation(
                .init(
                    id: 1, schema: "public", name: "t", identity: .index,
                    columns: [
                        .init(isKey: true, name: "id", type: 23, modifier: -1),
                        .init(isKey: false, name: "ä", type: 25, modifier: -1),
                    ]))
        ),
        (MessageWriter.insert(["1", nil, ""]), .insert(relation: 1, new: [.text(13..<14), .null, .text(20..<20)])),
        (
            MessageWriter.write("U") {
                $0.number(UInt32(1))
                $0.row("N", ["1", "\u{1}"])
            }, .update(relation: 1, old: nil, new: [.text(13..<14), .unchanged])
        ),
        (
            MessageWriter.write("U") {
                $0.number(UInt32(1))
                $0.row("K", ["1"])
                $0.row("N", ["2"])
            },
            .update(
                relation: 1, old: .init(isKeyOnly: true, fields: [.text(13..<14)]), new: [.text(22..<23)])
        ),
        (
            MessageWriter.write("D") {
                $0.number(UInt32(1))
                $0.row("O", ["1"])
            }, .delete(relation: 1, old: .init(isKeyOnly: false, fields: [.text(13..<14)]))
        ),
        (
            MessageWriter.write("T") {
                $0.number(UInt32(2))
                $0.number(UInt8(3))
                $0.number(UInt32(1))
                $0.number(UInt32(8))
            }, .truncate(relations: [1, 8], cascades: true, restartsSequences: true)
        ),
        (
            MessageWriter.write("M") {
                $0.number(UInt8(1))
                $0.number(UInt64(4))
                $0.text("p")
                $0.number(UInt32(2))
                $0.bytes += [1, 2]
            }, .message(isTransactional: true, LogPosition(4), prefix: "p", content: 16..<18)
        ),
    ]

    @Test(arguments: samples.indices)
    func messagesAreReadAndNothingShorterOrLonger(_ index: Int) throws {
        var bytes = Self.samples[index].bytes
        let expected = Self.samples[index].message
        #expect(try self.message(bytes) == expected)
        for count in 0..<bytes.count {
            #expect(throws: PGOutput.Malformed.self) { try self.message(Array(bytes.prefix(count))) }
        }
        bytes.append(0)
        #expect(throws: PGOutput.Malformed.self) { try self.message(bytes) }
    }

    @Test(
        arguments: [
            ("unknown type", [0x7A, 1, 2, 3]), ("nothing", []),
            ("a value of 4 GiB", [0x49, 0, 0, 0, 1, 0x4E, 0, 1, 0x74, 0xFF, 0xFF, 0xFF, 0xFF]),
            ("65535 columns that are not there", [0x49, 0, 0, 0, 1, 0x4E, 0xFF, 0xFF]),
            ("binary values nobody asked for", [0x49, 0, 0, 0, 1, 0x4E, 0, 1, 0x62, 0, 0, 0, 0]),
            ("a list of 2^32 tables", [0x54, 0xFF, 0xFF, 0xFF, 0xFF, 0]),
            ("a delete without a row", [0x44, 0, 0, 0, 1, 0x4E, 0, 0]),
            ("a name that is no UTF-8", [0x59, 0, 0, 0, 1, 0xFF, 0, 0x61, 0]),
            ("a name without an end", [0x59, 0, 0, 0, 1, 0x61, 0x61]),
            ("an identity there is not", [0x52, 0, 0, 0, 1, 0x61, 0, 0x61, 0, 0x7A, 0, 0]),
        ] as [(String, [UInt8])])
    func hostileBytesAreRefused(_ row: (what: String, bytes: [UInt8])) {
        #expect(throws: PGOutput.Malformed.self) { try self.message(row.bytes) }
    }

    @Test func randomBytesNeverCrash() {
        var generator = SystemRandomNumberGenerator()
        let types = Array("BCORYIUDTM".utf8)
        for _ in 0..<5_000 {
            var bytes = (0..<Int.random(in: 1...40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes[0] = types[Int.random(in: 0..<types.count)]
            let count = bytes.count
            guard let message = try? self.message(bytes) else { continue }
            if case .insert(_, let fields) = message {
                for case .text(let range) in fields { #expect(range.upperBound <= count) }
            }
        }
    }

    @Test(arguments: [("0/0", 0), ("16/B374D848", 0x16_B374_D848), ("FFFFFFFF/FFFFFFFF", UInt64.max)])
    func positionsAreWrittenAsTheServerDoes(_ row: (text: String, value: UInt64)) {
        #expect(LogPosition(row.text)?.rawValue == row.value)
        #expect(LogPosition(row.value).description == row.text)
    }

    @Test(arguments: ["", "0", "0/", "/0", "0/0/0", "g/0", "100000000/0", "-1/0"])
    func whatIsNoPositionIsRefused(_ text: String) { #expect(LogPosition(text) == nil) }

    @Test func framesOfTheStreamAreRead() throws {
        let alive = MessageWriter.write("k") {
            $0.number(UInt64(77))
            $0.number(UInt64(1))
            $0.number(UInt8(1))
        }
        alive.withUnsafeBytes { bytes in
            guard case .keepAlive(let end, true)? = try? ReplicationFrame.incoming(bytes) else {
                Issue.record("no sign of life")
                return
            }
            #expect(end == LogPosition(77))
        }
        for count in 0..<alive.count {
            alive.prefix(count).withUnsafeBytes { bytes in
                _ = #expect(throws: PGOutput.Malformed.self) { try ReplicationFrame.incoming(bytes) }
            }
        }
        #expect(ReplicationFrame.status(LogPosition(258), now: 1).count == 34)
        #expect(Array(ReplicationFrame.status(LogPosition(258), now: 1)[1...8]) == [0, 0, 0, 0, 0, 0, 1, 2])
    }
}

@Suite struct AcknowledgedPositionTests {
    @Test func positionIsThatOfWholeBatchesWithoutAGap() {
        var tracker = AcknowledgedPosition<String>(LogPosition(1))
        tracker.reached(LogPosition(2))
        #expect(tracker.confirmed == LogPosition(2))
        tracker.add(batch: 1, events: 3, bytes: 30, position: LogPosition(5))
        // In the middle of a transaction: nothing of it is confirmed with this batch.
        tracker.add(batch: 2, events: 3, bytes: 30, position: nil)
        tracker.add(batch: 3, events: 1, bytes: 10, position: LogPosition(9), progress: "c")
        #expect(tracker.events == 7)
        #expect(tracker.done(3) == nil)
        #expect(tracker.confirmed == LogPosition(2))
        #expect(tracker.done(1) == nil)
        #expect(tracker.confirmed == LogPosition(5))
        #expect(tracker.done(1) == nil)
        #expect(tracker.done(99) == nil)
        // Nothing for us came after: it is confirmed with what is still out.
        tracker.reached(LogPosition(20))
        #expect(tracker.confirmed == LogPosition(5))
        #expect(tracker.done(2) == "c")
        #expect(tracker.confirmed == LogPosition(20))
        #expect(tracker.isEmpty)
        #expect(tracker.events == 0)
        #expect(tracker.bytes == 0)
    }

    @Test func manyBatchesInRandomOrderAreAllConfirmed() {
        var tracker = AcknowledgedPosition<Int>(.zero)
        for batch in 1...1_000 as ClosedRange<UInt64> {
            tracker.add(batch: batch, events: 1, bytes: 1, position: LogPosition(batch))
        }
        var open = Set(1...1_000 as ClosedRange<UInt64>)
        while let batch = open.randomElement() {
            open.remove(batch)
            _ = tracker.done(batch)
            #expect(tracker.confirmed == LogPosition((open.min() ?? 1_001) - 1))
        }
    }
}

@Suite struct ChangeAssemblerTests {
    private static let columns: [(name: String, type: UInt32, isKey: Bool)] = [
        ("id", 23, true), ("big", 25, false), ("note", 25, false),
    ]

    /// Feeds messages and returns the events and the positions reached.
    private func run(
        _ messages: [[UInt8]], key: [Int] = [0], outbox: OutboxSettings? = nil, tables: Set<String> = []
    ) throws -> (events: [SourceEvent], positions: [LogPosition]) {
        var assembler = ChangeAssembler(slot: "s", tables: tables, outbox: outbox, decoding: RecordDecoding())
        var events: [SourceEvent] = []
        var positions: [LogPosition] = []
        for message in messages {
            switch try message.withUnsafeBytes({ try assembler.take($0) }) {
            case .nothing: break
            case .event(let event): events.append(event)
            case .events(let several): events += several
            case .committed(let end): positions.append(end)
            case .relation(let relation):
                let columns = relation.columns.map {
                    TableShape.Column(
                        name: $0.name, type: PostgresType.builtIn($0.type) ?? .other, isIdentity: $0.isKey)
                }
                assembler.install(
                    assembler.wants(relation)
                        ? TableShape(schema: relation.schema, name: relation.name, columns: columns, key: key) : nil,
                    for: relation.id)
            }
        }
        return (events, positions)
    }

    @Test func untouchedLargeValuesAreToldApartFromNull() throws {
        let update = MessageWriter.write("U") {
            $0.number(UInt32(1))
            $0.row("N", ["1", "\u{1}", nil])
        }
        let (events, positions) = try self.run([
            MessageWriter.relation(columns: Self.columns), MessageWriter.begin(16), update,
            MessageWriter.commit(16, end: 32),
        ])
        #expect(events[0].value["after"] == ["id": 1, "note": .null])
        #expect(events[0].value["unchanged"] == ["big"])
        #expect(events[0].id == "0/10:0")
        #expect(positions == [LogPosition(32)])
    }

    @Test func wholeRowBeforeGivesUntouchedValues() throws {
        let update = MessageWriter.write("U") {
            $0.number(UInt32(1))
            $0.row("O", ["1", "large", "a"])
            $0.row("N", ["1", "\u{1}", "b"])
        }
        let (events, _) = try self.run([
            MessageWriter.relation(identity: "f", columns: Self.columns), MessageWriter.begin(16), update,
        ])
        #expect(events[0].value["after"] == ["id": 1, "big": "large", "note": "b"])
        #expect(events[0].value["before"] == ["id": 1, "big": "large", "note": "a"])
        #expect(events[0].value["unchanged"] == nil)
    }

    @Test func changesNobodyWantsCountAmongTheIDs() throws {
        let (events, _) = try self.run(
            [
                MessageWriter.relation(1, columns: Self.columns),
                MessageWriter.write("R") {
                    $0.number(UInt32(2))
                    $0.text("other")
                    $0.text("t")
                    $0.bytes.append(UInt8(ascii: "d"))
                    $0.number(UInt16(0))
                },
                MessageWriter.begin(16), MessageWriter.insert([], relation: 2),
                MessageWriter.insert(["1", "a", "b"]), MessageWriter.commit(16, end: 17),
            ], tables: ["public.t"])
        #expect(events.map(\.id) == ["0/10:1"])
    }

    @Test func valueThatIsNoneOfItsTypeIsUndecodable() throws {
        let bytes = MessageWriter.write("I") {
            $0.number(UInt32(1))
            $0.bytes += [0x4E, 0, 1, 0x74, 0, 0, 0, 1, 0xFF]
        }
        let (events, _) = try self.run([
            MessageWriter.relation(columns: [("id", 25, true)]), MessageWriter.begin(16), bytes,
        ])
        guard case .undecodable(let finding) = events[0].body else {
            Issue.record("read as \(events[0].body)")
            return
        }
        #expect(finding.reason.contains("public.t"))
        #expect(events[0].id == "0/10:0")
    }

    @Test(
        arguments: [
            ("change outside of a transaction", [MessageWriter.insert(["1"])]),
            ("table that was not described", [MessageWriter.begin(1), MessageWriter.insert(["1"])]),
            ("second begin", [MessageWriter.begin(1), MessageWriter.begin(2)]),
            ("end of another transaction", [MessageWriter.begin(1), MessageWriter.commit(2, end: 3)]),
            (
                "row of another width",
                [MessageWriter.relation(columns: columns), MessageWriter.begin(1), MessageWriter.insert(["1"])]
            ),
        ] as [(String, [[UInt8]])])
    func streamOutOfOrderIsRefused(_ row: (what: String, messages: [[UInt8]])) {
        #expect(throws: PGOutput.Malformed.self) { try self.run(row.messages) }
    }
}
