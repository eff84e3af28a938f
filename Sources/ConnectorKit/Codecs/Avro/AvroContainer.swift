import Values

/// Cuts an Avro object container file (Avro 1.11, "Object Container Files") into its objects.
///
/// The place of an object is its number in the file, from 1. An object that cannot be read takes the rest of its block
/// along, since nothing says where the next one begins; a block that cannot be read is passed over up to the next
/// synchronisation marker.
struct AvroContainer: Sendable {
    typealias Problem = AvroSchema.Problem

    static let magic: [UInt8] = [0x4F, 0x62, 0x6A, 0x01]
    /// The most bytes of a block, unpacked.
    private static let blockBytesMaximum = 64 << 20
    private static let markerBytes = 16

    private let recordBytesMaximum: Int
    private var schema: AvroSchema?
    private var isDeflated = false
    private var marker: [UInt8] = []
    private var position = 0
    private var ordinal = 0
    /// Why nothing can be read; given out once.
    private var refusal: String?

    /// The block that is being read.
    private var block: [UInt8] = []
    private var blockRange = 0..<0
    private var blockPosition = 0
    private var objectsLeft = 0
    /// The bytes of the object that was given out last.
    private var latest: [UInt8] = []

    /// Reads the header of the file in `bytes`.
    init(_ bytes: [UInt8], recordBytesMaximum: Int) {
        self.recordBytesMaximum = recordBytesMaximum
        do throws(Problem) {
            try self.readHeader(bytes)
        } catch {
            self.refusal = "Not an Avro container file: \(error.reason)."
        }
    }

    /// What the headers of each object's event say about reading it again.
    var headers: ValueContext {
        self.schema.map { [AvroSchemas.header: AvroSchemas.header($0)] } ?? ValueContext()
    }

    /// The object by itself, without framing.
    func payload(of record: DecodedRecord) -> [UInt8]? { record.line == self.ordinal ? self.latest : nil }

    /// The next object; nil at the end.
    mutating func next(_ bytes: [UInt8]) -> DecodedRecord? {
        if let reason = self.refusal {
            self.refusal = nil
            self.position = bytes.count
            self.latest = bytes
            self.ordinal = 1
            return DecodedRecord(
                range: 0..<bytes.count, line: 1, body: .undecodable(.init(line: 1, reason: reason)),
                isWholeDocument: true)
        }
        while self.objectsLeft == 0 {
            guard self.position < bytes.count else { return nil }
            let start = self.position
            do throws(Problem) {
                try self.readBlock(bytes)
            } catch {
                self.resynchronise(bytes, from: start)
                self.latest = Array(bytes[start..<self.position])
                return self.undecodable("Not valid Avro: \(error.reason).", range: start..<self.position)
            }
        }
        return self.object()
    }

    private mutating func object() -> DecodedRecord {
        guard let schema = self.schema else { return self.undecodable("There is no schema.", range: self.blockRange) }
        self.objectsLeft -= 1
        let start = self.blockPosition
        do throws(Problem) {
            let (value, count) = try AvroDecoder.decodeFirst(self.block[start...], schema)
            self.blockPosition += count
            self.latest = Array(self.block[start..<self.blockPosition])
            if self.objectsLeft == 0, self.blockPosition < self.block.count {
                throw Problem(reason: "\(self.block.count - self.blockPosition) bytes are left after the last object")
            }
            guard count <= self.recordBytesMaximum else {
                return self.undecodable(
                    "The object has \(count) bytes; decode.maxBytes allows \(self.recordBytesMaximum).",
                    range: self.blockRange)
            }
            self.ordinal += 1
            return DecodedRecord(
                range: self.blockRange, line: self.ordinal, body: .value(value), isWholeDocument: false)
        } catch {
            self.latest = Array(self.block[start...])
            let lost = self.objectsLeft
            self.objectsLeft = 0
            let more = lost > 0 ? " \(lost) objects after it are lost with it." : ""
            return self.undecodable("Not valid Avro: \(error.reason).\(more)", range: self.blockRange)
        }
    }

    private mutating func undecodable(_ reason: String, range: Range<Int>) -> DecodedRecord {
        self.ordinal += 1
        return DecodedRecord(
            range: range, line: self.ordinal, body: .undecodable(.init(line: self.ordinal, reason: reason)),
            isWholeDocument: false)
    }

    // MARK: - Blocks

    private mutating func readBlock(_ bytes: [UInt8]) throws(Problem) {
        let count = try self.number(bytes)
        let size = try self.number(bytes)
        guard count >= 0, size >= 0, size <= bytes.count - self.position else {
            throw Problem(reason: "a block of \(count) objects and \(size) bytes does not fit into the file")
        }
        let range = self.position..<(self.position + size)
        let end = range.upperBound + Self.markerBytes
        guard end <= bytes.count, bytes[range.upperBound..<end].elementsEqual(self.marker) else {
            throw Problem(reason: "a block does not end with the file's marker")
        }
        guard count <= max(size, 1) * 1_032 else {
            throw Problem(reason: "a block of \(size) bytes cannot hold \(count) objects")
        }
        if self.isDeflated {
            self.block = try Inflater.inflate(bytes[range], maximum: Self.blockBytesMaximum)
        } else {
            self.block = Array(bytes[range])
        }
        self.blockRange = range
        self.blockPosition = 0
        self.objectsLeft = count
        self.position = end
    }

    /// Goes behind the next marker, or to the end.
    private mutating func resynchronise(_ bytes: [UInt8], from start: Int) {
        var candidate = start
        while candidate + Self.markerBytes <= bytes.count {
            if bytes[candidate] == self.marker[0],
                bytes[candidate..<(candidate + Self.markerBytes)].elementsEqual(self.marker)
            {
                self.position = candidate + Self.markerBytes
                return
            }
            candidate += 1
        }
        self.position = bytes.count
    }

    // MARK: - Header

    private mutating func readHeader(_ bytes: [UInt8]) throws(Problem) {
        guard bytes.starts(with: Self.magic) else { throw Problem(reason: "it does not begin with Obj and 1") }
        self.position = Self.magic.count
        var metadata: [String: [UInt8]] = [:]
        while true {
            var count = try self.number(bytes)
            if count == 0 { break }
            if count < 0 {
                _ = try self.number(bytes)
                count = count == .min ? .max : -count
            }
            guard count <= 1_000 else { throw Problem(reason: "its header has \(count) entries") }
            for _ in 0..<count {
                let name = String(decoding: try self.take(try self.number(bytes), bytes), as: UTF8.self)
                metadata[name] = Array(try self.take(try self.number(bytes), bytes))
            }
        }
        self.marker = Array(try self.take(Self.markerBytes, bytes))
        switch String(decoding: metadata["avro.codec"] ?? Array("null".utf8), as: UTF8.self) {
        case "null": break
        case "deflate": self.isDeflated = true
        case let codec:
            throw Problem(
                reason: "its blocks are packed with \(codec.prefix(40)); null and deflate are read")
        }
        guard let text = metadata["avro.schema"] else { throw Problem(reason: "its header has no avro.schema") }
        self.schema = try AvroSchema(.string(String(decoding: text, as: UTF8.self)))
    }

    private mutating func take(_ count: Int, _ bytes: [UInt8]) throws(Problem) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - self.position else { throw Problem(reason: "it ends too early") }
        defer { self.position += count }
        return bytes[self.position..<(self.position + count)]
    }

    /// A variable-length zigzag number.
    private mutating func number(_ bytes: [UInt8]) throws(Problem) -> Int {
        var bits: UInt64 = 0
        var shift: UInt64 = 0
        while self.position < bytes.count {
            let byte = bytes[self.position]
            self.position += 1
            guard shift < 63 || byte <= 1 else { throw Problem(reason: "a number has more than 64 bits") }
            bits |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int(Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)) }
            shift += 7
        }
        throw Problem(reason: "it ends too early")
    }
}
