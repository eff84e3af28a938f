/// The messages of the server's plugin `pgoutput`, protocol version 1, read from their bytes.
///
/// Pure. What values mean is not its matter.
enum PGOutput {
    /// Bytes that are no message: the server is not what it says, or speaks a version that nobody asked for.
    struct Malformed: Error, Sendable, Hashable {
        var what: String
    }

    enum Message: Sendable, Hashable {
        case begin(Begin)
        case commit(Commit)
        /// The transaction was made elsewhere and replicated to the server.
        case origin(LogPosition, name: String)
        case relation(Relation)
        /// Name of a type that relations use.
        case type(UInt32, schema: String, name: String)
        case insert(relation: UInt32, new: [Field])
        case update(relation: UInt32, old: OldRow?, new: [Field])
        case delete(relation: UInt32, old: OldRow)
        case truncate(relations: [UInt32], cascades: Bool, restartsSequences: Bool)
        /// Written by `pg_logical_emit_message`; the content is a range of the message's bytes.
        case message(isTransactional: Bool, LogPosition, prefix: String, content: Range<Int>)
    }

    struct Begin: Sendable, Hashable {
        /// Where the commit stands: distinct for each transaction.
        var position: LogPosition
        /// Microseconds since 2000.
        var committedAt: Int64
        var transaction: UInt32
    }

    struct Commit: Sendable, Hashable {
        var position: LogPosition
        /// Behind the commit: once that is confirmed, the transaction does not come again.
        var end: LogPosition
        var committedAt: Int64
    }

    /// Which columns the rows before a change have.
    enum Identity: UInt8, Sendable, Hashable {
        case primaryKey = 0x64
        case nothing = 0x6E
        case full = 0x66
        case index = 0x69
    }

    struct Relation: Sendable, Hashable {
        struct Column: Sendable, Hashable {
            var isKey: Bool
            var name: String
            var type: UInt32
            var modifier: Int32
        }

        var id: UInt32
        var schema: String
        var name: String
        var identity: Identity
        var columns: [Column]
    }

    /// A row as it was.
    struct OldRow: Sendable, Hashable {
        /// Whether only the columns of the replica identity are there.
        var isKeyOnly: Bool
        var fields: [Field]
    }

    enum Field: Sendable, Hashable {
        case null
        /// A large value that the change did not touch, and that is therefore not sent.
        case unchanged
        /// The value's text, as a range of the message's bytes.
        case text(Range<Int>)
    }

    /// Reads one message, all of it.
    static func message(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Message {
        var reader = NetworkReader(bytes)
        let message = try Self.message(&reader)
        guard reader.remaining == 0 else { throw Malformed(what: "message of the length it has") }
        return message
    }

    private static func message(_ reader: inout NetworkReader) throws(Malformed) -> Message {
        switch Unicode.Scalar(try reader.u8()) {
        case "B":
            return .begin(
                Begin(
                    position: LogPosition(try reader.u64()), committedAt: Int64(bitPattern: try reader.u64()),
                    transaction: try reader.u32()))
        case "C":
            _ = try reader.u8()
            return .commit(
                Commit(
                    position: LogPosition(try reader.u64()), end: LogPosition(try reader.u64()),
                    committedAt: Int64(bitPattern: try reader.u64())))
        case "O": return .origin(LogPosition(try reader.u64()), name: try reader.string())
        case "R": return .relation(try Self.relation(&reader))
        case "Y": return .type(try reader.u32(), schema: try reader.string(), name: try reader.string())
        case "I":
            let relation = try reader.u32()
            guard try reader.u8() == UInt8(ascii: "N") else { throw Malformed(what: "inserted row") }
            return .insert(relation: relation, new: try Self.row(&reader))
        case "U": return try Self.update(&reader)
        case "D":
            let relation = try reader.u32()
            guard let old = try Self.oldRow(try reader.u8(), &reader) else { throw Malformed(what: "deleted row") }
            return .delete(relation: relation, old: old)
        case "T":
            let count = Int(try reader.u32())
            let options = try reader.u8()
            guard count <= reader.remaining / 4 else { throw Malformed(what: "list of truncated tables") }
            var relations: [UInt32] = []
            for _ in 0..<count { relations.append(try reader.u32()) }
            return .truncate(relations: relations, cascades: options & 1 != 0, restartsSequences: options & 2 != 0)
        case "M":
            let flags = try reader.u8()
            let position = LogPosition(try reader.u64())
            let prefix = try reader.string()
            let count = Int(try reader.u32())
            return .message(
                isTransactional: flags & 1 != 0, position, prefix: prefix, content: try reader.range(count))
        default: throw Malformed(what: "message of pgoutput, version 1")
        }
    }

    private static func relation(_ reader: inout NetworkReader) throws(Malformed) -> Relation {
        let id = try reader.u32()
        // The empty name stands for the system's catalog.
        let schema = try reader.string()
        let name = try reader.string()
        guard let identity = Identity(rawValue: try reader.u8()) else { throw Malformed(what: "replica identity") }
        let count = Int(try reader.u16())
        var columns: [Relation.Column] = []
        for _ in 0..<count {
            let isKey = try reader.u8() & 1 != 0
            columns.append(
                Relation.Column(
                    isKey: isKey, name: try reader.string(), type: try reader.u32(),
                    modifier: Int32(bitPattern: try reader.u32())))
        }
        return Relation(
            id: id, schema: schema.isEmpty ? "pg_catalog" : schema, name: name, identity: identity, columns: columns)
    }

    private static func update(_ reader: inout NetworkReader) throws(Malformed) -> Message {
        let relation = try reader.u32()
        var kind = try reader.u8()
        let old = try Self.oldRow(kind, &reader)
        if old != nil { kind = try reader.u8() }
        guard kind == UInt8(ascii: "N") else { throw Malformed(what: "updated row") }
        return .update(relation: relation, old: old, new: try Self.row(&reader))
    }

    private static func oldRow(_ kind: UInt8, _ reader: inout NetworkReader) throws(Malformed) -> OldRow? {
        switch Unicode.Scalar(kind) {
        case "K": OldRow(isKeyOnly: true, fields: try Self.row(&reader))
        case "O": OldRow(isKeyOnly: false, fields: try Self.row(&reader))
        default: nil
        }
    }

    private static func row(_ reader: inout NetworkReader) throws(Malformed) -> [Field] {
        let count = Int(try reader.u16())
        guard count <= reader.remaining else { throw Malformed(what: "row") }
        var fields: [Field] = []
        fields.reserveCapacity(count)
        for _ in 0..<count {
            switch Unicode.Scalar(try reader.u8()) {
            case "n": fields.append(.null)
            case "u": fields.append(.unchanged)
            case "t":
                let length = Int(try reader.u32())
                fields.append(.text(try reader.range(length)))
            default: throw Malformed(what: "value of a row")
            }
        }
        return fields
    }
}

/// Reads big-endian numbers and texts closed by a zero, never past the end.
struct NetworkReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var remaining: Int { self.bytes.count - self.offset }

    mutating func u8() throws(PGOutput.Malformed) -> UInt8 { try self.integer() }
    mutating func u16() throws(PGOutput.Malformed) -> UInt16 { try self.integer() }
    mutating func u32() throws(PGOutput.Malformed) -> UInt32 { try self.integer() }
    mutating func u64() throws(PGOutput.Malformed) -> UInt64 { try self.integer() }

    private mutating func integer<Integer: FixedWidthInteger>() throws(PGOutput.Malformed) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard self.remaining >= size else { throw PGOutput.Malformed(what: "whole message") }
        defer { self.offset += size }
        return Integer(bigEndian: self.bytes.loadUnaligned(fromByteOffset: self.offset, as: Integer.self))
    }

    mutating func range(_ count: Int) throws(PGOutput.Malformed) -> Range<Int> {
        guard count <= self.remaining else { throw PGOutput.Malformed(what: "whole message") }
        defer { self.offset += count }
        return self.offset..<self.offset + count
    }

    /// All that is left.
    mutating func rest() -> UnsafeRawBufferPointer {
        defer { self.offset = self.bytes.count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset...])
    }

    mutating func string() throws(PGOutput.Malformed) -> String {
        let rest = self.bytes[self.offset...]
        guard let end = rest.firstIndex(of: 0), let text = String(validating: rest[..<end], as: UTF8.self) else {
            throw PGOutput.Malformed(what: "text closed by a zero")
        }
        self.offset = end + 1
        return text
    }
}
