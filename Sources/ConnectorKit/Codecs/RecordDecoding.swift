public import Values

/// How the bytes of a file or message are cut into records, and how a record is read.
public struct RecordDecoding: Sendable, Hashable {
    /// The formats there are.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// From the name: `.csv`, `.json`, `.ndjson`, `.jsonl`, `.xml`, `.avro`, `.txt`; anything else is `bytes`.
        case auto
        /// RFC 4180 with a header row: each row is a record, read as a context of its columns.
        case csv
        /// One JSON value; the elements of an array are a record each.
        case json
        /// One JSON value a line.
        case ndjson
        /// One XML document, read as `XMLCodec` says; with `record` each element of that name is a record.
        case xml
        /// Avro 1.11: the objects of a container file; a message is one datum, with single-object encoding, a schema
        /// registry's wire format, or bare.
        case avro
        /// CloudEvents 1.0.2: a message is one, in binary or structured mode; a file is one in the JSON format, a batch, or
        /// with the name `.ndjson` or `.jsonl` one a line.
        case cloudevents
        /// All of it is one text.
        case text
        /// All of it is one record nobody looks into.
        case bytes
    }

    /// What a CSV column holds.
    public enum ColumnType: String, Sendable, Hashable, CaseIterable {
        /// The text as it is.
        case string
        /// A number; empty is null.
        case number
        /// `true` or `false`; empty is null.
        case boolean
    }

    /// The format.
    ///
    /// Default `auto`.
    public var format: Format = .auto
    /// A longer record is undecodable.
    ///
    /// Default 1 MiB.
    public var recordBytesMaximum = 1 << 20
    /// Between the fields of a CSV row: one ASCII character.
    ///
    /// Default `,`.
    public var delimiter: UInt8 = UInt8(ascii: ",")
    /// Types of CSV columns, by name; the others are strings.
    public var columnTypes: [String: ColumnType] = [:]
    /// The local name of the XML elements that are a record each.
    ///
    /// Default: the document is one.
    public var recordElement: String?
    /// The Avro schemas that data may have been written with.
    package var avro = AvroSchemas()

    /// Creates the default decoding.
    public init() {}

    /// Reads `{ format: csv, maxBytes: 1MiB, delimiter: ";", columns: { amount: number } }`.
    ///
    /// What is wrong is added to `diagnostics`, under `CON-0006`.
    public init(_ value: Value, path: String = "decode", diagnostics: inout [Diagnostic]) {
        self.init()
        let reader = FieldReader(value, path: path, code: ConnectorError.Code.invalidParameters)
        self.read(from: reader)
        reader.finish()
        diagnostics += reader.diagnostics
    }

    /// Reads the same fields from an object that may hold others too.
    public mutating func read(from reader: FieldReader) {
        if reader.value("format") == "protobuf" {
            reader.add(
                "\(reader.path).format: protobuf is not read, because its bytes say neither their types nor their names.",
                "Have the sender write JSON or Avro, or read bytes and decode them in a connector.")
        } else {
            self.format = reader.word("format", of: Format.self) ?? self.format
        }
        self.recordBytesMaximum = reader.bytes("maxBytes") ?? self.recordBytesMaximum
        if let text = reader.string("delimiter") {
            if let byte = text.utf8.first, text.utf8.count == 1, byte < 0x80, !Self.reserved.contains(byte) {
                self.delimiter = byte
            } else {
                reader.add("\(reader.path).delimiter: expected one ASCII character, no quote or line end.")
            }
        }
        self.recordElement = reader.string("record") ?? self.recordElement
        self.avro.read(from: reader)
        if let columns = reader.object("columns") {
            for name in columns.keys() {
                self.columnTypes[name] = columns.word(name, of: ColumnType.self)
            }
        }
    }

    private static let reserved: Set<UInt8> = [UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]

    /// The format of something called `name`, `auto` resolved.
    public func format(for name: String) -> Format {
        guard self.format == .auto else { return self.format }
        guard let dot = name.lastIndex(of: ".") else { return .bytes }
        return switch name[name.index(after: dot)...].lowercased() {
        case "csv": .csv
        case "json": .json
        case "ndjson", "jsonl": .ndjson
        case "xml": .xml
        case "avro": .avro
        case "txt": .text
        default: .bytes
        }
    }
}

/// One record cut out of a document.
public struct DecodedRecord: Sendable {
    /// Where its bytes stand in the document.
    public var range: Range<Int>
    /// Its first line, from 1.
    public var line: Int
    /// What it holds, or why that cannot be told.
    public var body: SourceEvent.Body
    /// Whether nothing of the document could be read: then this is its only record.
    public var isWholeDocument: Bool
}

/// Cuts a document into records and reads each on its own, so that a bad one leaves the others alone.
///
/// Pull-based: `next` does the work for one record, in time linear in its length (a CSV quote that is never closed costs
/// at most `recordBytesMaximum`). Lines are counted from 1, the header row included.
public struct RecordDecoder: Sendable {
    private enum Cutter: Sendable {
        case csv(CSVCutter)
        case json(JSONCutter)
        case lines(LineCutter)
        case xml(XMLCutter)
        case avro(AvroContainer)
        case whole(isText: Bool)
        case exhausted
    }

    /// The document.
    public let bytes: [UInt8]
    /// Media type of a record.
    public let contentType: String
    private var cutter: Cutter

    /// Prepares to read `bytes`, which came under `name`.
    public init(_ bytes: [UInt8], name: String, decoding: RecordDecoding) {
        self.bytes = bytes
        switch decoding.format(for: name) {
        case .csv:
            self.contentType = "text/csv"
            self.cutter = .csv(CSVCutter(bytes, decoding))
        case .json:
            self.contentType = "application/json"
            self.cutter = .json(JSONCutter(bytes, decoding))
        case .ndjson:
            self.contentType = "application/json"
            self.cutter = .lines(LineCutter(bytes, decoding))
        case .xml:
            self.contentType = "application/xml"
            self.cutter = .xml(XMLCutter(bytes, decoding))
        case .avro:
            self.contentType = AvroSchemas.contentType
            self.cutter = .avro(AvroContainer(bytes, recordBytesMaximum: decoding.recordBytesMaximum))
        case .cloudevents:
            self.contentType = CloudEvent.mediaType
            let isLines = [".ndjson", ".jsonl"].contains { name.lowercased().hasSuffix($0) }
            self.cutter = isLines ? .lines(LineCutter(bytes, decoding)) : .json(JSONCutter(bytes, decoding))
        case .text:
            self.contentType = "text/plain; charset=utf-8"
            self.cutter = .whole(isText: true)
        case .auto, .bytes:
            self.contentType = "application/octet-stream"
            self.cutter = .whole(isText: false)
        }
    }

    /// Prepares to read a part of a CSV document that begins after its header row, or of any other document.
    public init(_ bytes: [UInt8], name: String, decoding: RecordDecoding, columns: [String]) {
        self.init(bytes, name: name, decoding: decoding)
        if case .csv = self.cutter { self.cutter = .csv(CSVCutter(columns: columns, decoding)) }
    }

    /// The columns of a CSV document, once its header row was read: after the first `next`.
    public var columns: [String] {
        if case .csv(let cutter) = self.cutter { return cutter.columns }
        return []
    }

    /// What each record needs to be read by itself, for the headers of its event: `columns` of CSV, `avro` with the schema.
    public var headers: ValueContext {
        switch self.cutter {
        case .csv(let cutter) where !cutter.columns.isEmpty:
            ["columns": .list(cutter.columns.map { .string($0) })]
        case .avro(let container): container.headers
        default: ValueContext()
        }
    }

    /// The bytes of the record that `next` gave last by itself, which `decode(record:)` reads as the same value.
    public func payload(of record: DecodedRecord) -> [UInt8] {
        if case .avro(let container) = self.cutter, let payload = container.payload(of: record) { return payload }
        if case .xml(let cutter) = self.cutter, let payload = cutter.payload(of: record) { return payload }
        return Array(self.bytes[record.range])
    }

    /// The next record; `nil` at the end.
    public mutating func next() -> DecodedRecord? {
        switch self.cutter {
        case .csv(var cutter):
            self.cutter = .exhausted
            defer { self.cutter = .csv(cutter) }
            return cutter.next(self.bytes)
        case .json(var cutter):
            self.cutter = .exhausted
            defer { self.cutter = .json(cutter) }
            return cutter.next(self.bytes)
        case .lines(var cutter):
            self.cutter = .exhausted
            defer { self.cutter = .lines(cutter) }
            return cutter.next(self.bytes)
        case .xml(var cutter):
            self.cutter = .exhausted
            defer { self.cutter = .xml(cutter) }
            return cutter.next()
        case .avro(var container):
            self.cutter = .exhausted
            defer { self.cutter = .avro(container) }
            return container.next(self.bytes)
        case .whole(let isText):
            self.cutter = .exhausted
            return Self.whole(self.bytes, isText: isText)
        case .exhausted:
            return nil
        }
    }

    /// Reads a single record again, such as one replayed from a dead letter, whose payload may have been edited.
    ///
    /// `headers` are those of its event: `columns` are needed for `text/csv`, unless they are given; for Avro, `avro` names the schema when the
    /// decoding knows none. Other unknown types stay undecoded.
    public static func decode(
        record bytes: [UInt8], contentType: String, columns: [String] = [], headers: ValueContext = ValueContext(),
        decoding: RecordDecoding = RecordDecoding()
    ) -> SourceEvent.Body {
        let mediaType = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        if mediaType == "application/json" || mediaType.hasSuffix("+json") {
            return JSONCutter.decode(bytes[...], line: 1, maximum: decoding.recordBytesMaximum)
        }
        if mediaType == "text/csv" {
            let columns = columns.isEmpty ? (headers["columns"]?.asList ?? []).compactMap(\.asString) : columns
            var cutter = CSVCutter(columns: columns, decoding)
            return cutter.next(bytes)?.body ?? .undecodable(.init(line: 1, reason: "The record is empty."))
        }
        if mediaType == "application/xml" || mediaType == "text/xml" || mediaType.hasSuffix("+xml") {
            var cutter = XMLCutter(bytes, decoding)
            let name = decoding.recordElement ?? ""
            return cutter.next()?.body ?? .undecodable(.init(line: 1, reason: "There is no element \(name)."))
        }
        if AvroSchemas.mediaTypes.contains(mediaType) {
            do {
                return .value(try decoding.avro.decode(bytes, headers: headers))
            } catch {
                return .undecodable(.init(line: 1, reason: "Not valid Avro: \(error.reason)."))
            }
        }
        if mediaType == "text/plain" {
            return Self.whole(bytes, isText: true).body
        }
        return .undecoded
    }

    private static func whole(_ bytes: [UInt8], isText: Bool) -> DecodedRecord {
        var body = SourceEvent.Body.undecoded
        if isText {
            body =
                String(validating: bytes, as: UTF8.self).map { .value(.string($0)) }
                ?? .undecodable(.init(line: 1, reason: "The text is not valid UTF-8."))
        }
        return DecodedRecord(range: 0..<bytes.count, line: 1, body: body, isWholeDocument: true)
    }
}

extension [UInt8] {
    /// Where the content starts: after a UTF-8 byte order mark, if there is one.
    var contentStart: Int { self.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

    /// The start of the line that `position` is on.
    func lineStart(of position: Int) -> Int {
        var start = position
        while start > 0, self[start - 1] != UInt8(ascii: "\n") { start -= 1 }
        return start
    }

    /// The end of the line that `start` is on: the position of its line feed, or the end.
    func lineEnd(from start: Int, limit: Int = .max) -> Int {
        var position = start
        let end = limit < self.count - start ? start + limit : self.count
        while position < end, self[position] != UInt8(ascii: "\n") { position += 1 }
        return position
    }
}

/// Cuts at line feeds; each line that is not blank is one JSON value.
struct LineCutter: Sendable {
    private var position: Int
    private var line = 1
    private let maximum: Int

    init(_ bytes: [UInt8], _ decoding: RecordDecoding) {
        self.position = bytes.contentStart
        self.maximum = decoding.recordBytesMaximum
    }

    mutating func next(_ bytes: [UInt8]) -> DecodedRecord? {
        while self.position < bytes.count {
            let start = self.position
            let line = self.line
            let lineEnd = bytes.lineEnd(from: start)
            self.position = lineEnd + 1
            self.line += 1
            let end = lineEnd > start && bytes[lineEnd - 1] == UInt8(ascii: "\r") ? lineEnd - 1 : lineEnd
            guard bytes[start..<end].contains(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
            return DecodedRecord(
                range: start..<end, line: line,
                body: JSONCutter.decode(bytes[start..<end], line: line, maximum: self.maximum), isWholeDocument: false)
        }
        return nil
    }
}
