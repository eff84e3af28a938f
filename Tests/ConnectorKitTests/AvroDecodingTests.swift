import Testing
import Values

@testable import ConnectorKit

@Suite("Avro in files, messages and dead letters")
struct AvroDecodingTests {
    static let schema: Value = [
        "type": "record", "name": "shop.Order",
        "fields": [
            ["name": "id", "type": "string"], ["name": "amount", "type": "long"],
            ["name": "note", "type": ["null", "string"], "default": .null],
        ],
    ]
    static let order: Value = ["id": "A-1", "amount": 7, "note": .null]

    private static func datum(_ value: Value = order, prefix: [UInt8] = []) throws -> [UInt8] {
        try AvroEncoder.encode(value, AvroSchema(schema), prefix: prefix)
    }

    private static func decoding(_ fields: Value) throws -> RecordDecoding {
        var diagnostics: [Diagnostic] = []
        let decoding = RecordDecoding(fields, diagnostics: &diagnostics)
        try #require(diagnostics.isEmpty, "\(diagnostics)")
        return decoding
    }

    private static func text(_ body: SourceEvent.Body) -> String {
        switch body {
        case .value(let value): JSON.string(value)
        case .undecodable(let finding): finding.reason
        case .undecoded: "undecoded"
        }
    }

    // MARK: - Messages

    @Test func aBareDatumIsReadWithTheSchemaOfTheDecoding() throws {
        let decoding = try Self.decoding(["format": "avro", "schema": Self.schema])
        let (type, body) = decoding.message(try Self.datum(), contentType: "text/plain")
        #expect(type == "application/avro")
        #expect(Self.text(body) == JSON.string(Self.order))
    }

    @Test func theSchemaMayBeWrittenAsText() throws {
        let decoding = try Self.decoding(["format": "avro", "schema": .string(JSON.string(Self.schema))])
        #expect(Self.text(decoding.message(try Self.datum(), contentType: nil).body) == JSON.string(Self.order))
    }

    @Test(arguments: ["application/avro", "avro/binary", "Application/vnd.apache.avro+binary; v=1"])
    func theContentTypeSaysThatAMessageIsAvro(_ type: String) throws {
        let decoding = try Self.decoding(["schema": Self.schema])
        #expect(Self.text(decoding.message(try Self.datum(), contentType: type).body) == JSON.string(Self.order))
    }

    @Test func singleObjectEncodingIsReadWhereverItsSchemaIsKnown() throws {
        let framed = try Self.datum(prefix: AvroFraming.singleObject(AvroSchema(Self.schema).fingerprint))
        for fields: Value in [
            ["format": "avro", "schema": Self.schema], ["format": "avro", "schemas": ["order": Self.schema]],
            ["format": "avro", "schema": "\"int\"", "schemas": ["order": Self.schema]],
        ] {
            let body = try Self.decoding(fields).message(framed, contentType: nil).body
            #expect(Self.text(body) == JSON.string(Self.order), "\(fields)")
        }
    }

    @Test func theWireFormatOfARegistryIsReadWhenItsNumberIsKnown() throws {
        let framed = try Self.datum(prefix: AvroFraming.registered(42))
        let decoding = try Self.decoding(["format": "avro", "schemas": ["42": Self.schema]])
        #expect(Self.text(decoding.message(framed, contentType: nil).body) == JSON.string(Self.order))
    }

    private static let unreadable: [(name: String, fields: Value, bytes: [UInt8], reason: String)] = [
        ("no schema at all", ["format": "avro"], [1, 2], "set decode.schema"),
        ("a number nobody knows", ["format": "avro"], [0, 0, 0, 0, 9, 2], "decode.schemas.9"),
        (
            "a fingerprint nobody knows", ["format": "avro"], [0xC3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0],
            "fingerprint 807060504030201"
        ),
        ("cut off", ["format": "avro", "schema": "\"string\""], [8, 65], "more than what is left"),
        ("more than the datum", ["format": "avro", "schema": "\"int\""], [2, 0], "left after"),
        ("a text that is no text", ["format": "avro", "schema": "\"string\""], [2, 0xFF], "UTF-8"),
        ("longer than allowed", ["format": "avro", "schema": "\"int\"", "maxBytes": 1], [2, 0], "allows 1"),
        ("a container with a damaged header", ["format": "avro"], [0x4F, 0x62, 0x6A, 1, 99], "container"),
    ]

    @Test(arguments: unreadable)
    func aMessageThatCannotBeReadSaysWhy(_ row: (name: String, fields: Value, bytes: [UInt8], reason: String)) throws {
        let body = try Self.decoding(row.fields).message(row.bytes, contentType: nil).body
        guard case .undecodable(let finding) = body else { return #expect(Bool(false), "\(row.name): \(body)") }
        #expect(finding.reason.contains(row.reason), "\(row.name): \(finding.reason)")
    }

    private static let wrong: [(fields: Value, message: String)] = [
        (["format": "avro", "schema": ["type": "record"]], "decode.schema: no Avro schema"),
        (["format": "avro", "schemas": ["7": "Nothing"]], "decode.schemas.7: no Avro schema"),
        (["format": "protobuf"], "protobuf is not read"), (["format": "avr"], "format"),
    ]

    @Test(arguments: wrong)
    func aDecodingThatIsWrongIsNamed(_ row: (fields: Value, message: String)) {
        var diagnostics: [Diagnostic] = []
        _ = RecordDecoding(row.fields, diagnostics: &diagnostics)
        #expect(diagnostics.count == 1)
        #expect(diagnostics.first?.message.contains(row.message) == true, "\(diagnostics)")
    }

    // MARK: - Dead letters

    @Test func aLetterIsReadAgainWithTheSchemaItsHeadersName() throws {
        let schema = try AvroSchema(Self.schema)
        let registered: ValueContext = [AvroSchemas.header: AvroSchemas.header(schema, isRegistered: true)]
        let bare: ValueContext = [AvroSchemas.header: AvroSchemas.header(schema)]
        for (bytes, headers) in [
            (try Self.datum(prefix: AvroFraming.registered(3)), registered), (try Self.datum(), bare),
            (try Self.datum(prefix: AvroFraming.singleObject(schema.fingerprint)), bare),
        ] {
            let body = RecordDecoder.decode(record: bytes, contentType: "application/avro", headers: headers)
            #expect(Self.text(body) == JSON.string(Self.order))
        }
    }

    // MARK: - Files

    /// A container file of `orders`, in blocks of `perBlock`.
    static func container(_ orders: [Value], perBlock: Int) throws -> (bytes: [UInt8], marker: [UInt8]) {
        let marker = (0..<16).map { UInt8(0xA0 + $0) }
        let map: Value = ["type": "map", "values": "bytes"]
        let header: Value = ["avro.schema": .string(Base64.encode(Array(JSON.string(Self.schema).utf8)))]
        var bytes = AvroContainer.magic + (try AvroEncoder.encode(header, AvroSchema(map))) + marker
        var rest = orders[...]
        while !rest.isEmpty {
            let block = rest.prefix(perBlock)
            rest = rest.dropFirst(perBlock)
            let content = try block.flatMap { try Self.datum($0) }
            for number in [block.count, content.count] {
                bytes += try AvroEncoder.encode(.number(Number(Int64(number))), AvroSchema("long"))
            }
            bytes += content + marker
        }
        return (bytes, marker)
    }

    private static func records(_ bytes: [UInt8], _ decoding: RecordDecoding = RecordDecoding()) -> [String] {
        var decoder = RecordDecoder(bytes, name: "orders.avro", decoding: decoding)
        var texts: [String] = []
        while let record = decoder.next() {
            texts.append(Self.text(record.body))
            guard case .value = record.body else { continue }
            let again = RecordDecoder.decode(
                record: decoder.payload(of: record), contentType: decoder.contentType, headers: decoder.headers)
            #expect(Self.text(again) == Self.text(record.body), "read again, it is something else")
        }
        return texts
    }

    @Test func eachObjectOfAContainerFileIsARecord() throws {
        let orders = (1...5).map { Self.orderNumber($0) }
        #expect(Self.records(try Self.container(orders, perBlock: 2).bytes) == orders.map { JSON.string($0) })
    }

    private static func orderNumber(_ number: Int) -> Value {
        ["id": .string("A-\(number)"), "amount": .number(Number(Int64(number))), "note": .null]
    }

    @Test func aDamagedBlockLeavesTheOthersAlone() throws {
        let orders = (1...6).map { Self.orderNumber($0) }
        var (bytes, marker) = try Self.container(orders, perBlock: 2)
        // The marker after the second block.
        let places = bytes.indices.filter { bytes[$0...].starts(with: marker) }
        bytes[places[2]] = 0
        let texts = Self.records(bytes)
        #expect(texts.first == JSON.string(orders[0]))
        #expect(texts.contains { $0.contains("does not end with the file's marker") })
        #expect(texts.count >= 3)
    }

    @Test func anObjectThatCannotBeReadTakesTheRestOfItsBlockAlong() throws {
        let orders = (1...4).map { Self.orderNumber($0) }
        var (bytes, marker) = try Self.container(orders, perBlock: 2)
        let places = bytes.indices.filter { bytes[$0...].starts(with: marker) }
        // The length of the first text in the first block, after two numbers.
        bytes[places[0] + 18] = 0x7E
        let texts = Self.records(bytes)
        #expect(texts.count == 3)
        #expect(texts.first?.contains("1 objects after it are lost") == true, "\(texts)")
        #expect(Array(texts.dropFirst()) == orders[2...].map { JSON.string($0) })
    }

    @Test func anObjectLongerThanAllowedLeavesTheOthersAlone() throws {
        let orders: [Value] = [
            Self.orderNumber(1), ["id": .string(String(repeating: "x", count: 200)), "amount": 1, "note": .null],
            Self.orderNumber(3),
        ]
        var decoding = RecordDecoding()
        decoding.recordBytesMaximum = 100
        let texts = Self.records(try Self.container(orders, perBlock: 3).bytes, decoding)
        #expect(texts.count == 3)
        #expect(texts[1].contains("decode.maxBytes allows 100"))
        #expect(texts[2] == JSON.string(orders[2]))
    }

    /// Made with Python's zlib (raw DEFLATE): stored, fixed and dynamic codes.
    @Test(arguments: [
        ("nothing", "0300", ""), ("stored", "010500faff48656c6c6f", "Hello"),
        ("fixed codes, overlapping", "4b4c840100", "aaaaaaaaaa"),
        ("several stored blocks", "000100feff61000100feff62010000ffff", "ab"),
        (
            "codes of its own",
            "1d8d410100300802ab50ed80fe19867b21e029016cd7930d414664063a29fed617f562a7abc436a57cc7e42fc80744dd150f5fe1f1a3"
                + "94641df72fe101",
            "acaaabbbdbaababbca ba acabaaadcabdab acabbcabadabaabcdaad aa b  cbcdaaacbcbcaba bbdabc d babdcaacbbb abaa "
                + "cccbdaacaaacca"
        ),
    ])
    func deflatedDataAreUnpacked(_ row: (name: String, packed: String, text: String)) throws {
        let unpacked = try Inflater.inflate(Self.bytes(row.packed)[...], maximum: 1_000)
        #expect(String(decoding: unpacked, as: UTF8.self) == row.text)
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        var rest = hex[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    @Test func whatUnpacksToMoreThanAllowedIsRefused() {
        #expect(throws: AvroSchema.Problem.self) {
            try Inflater.inflate(Self.bytes("4b4c840100")[...], maximum: 5)
        }
    }

    /// Damaged files: nothing crashes or hangs, and records stay in order.
    @Test(arguments: (0..<8).map { UInt64(0xA7_0000 + $0) })
    func damagedContainerFilesAreReadAsFarAsTheyGo(_ seed: UInt64) throws {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let whole = try Self.container((1...20).map { Self.orderNumber($0) }, perBlock: 3).bytes
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
            if random(3) == 0 { bytes.removeLast(random(bytes.count)) }
            var decoder = RecordDecoder(bytes, name: "x.avro", decoding: RecordDecoding())
            var count = 0
            while let record = decoder.next() {
                count += 1
                #expect(record.range.upperBound <= bytes.count, "seed \(seed)")
                try #require(count < 5_000, "seed \(seed)")
            }
            _ = try? Inflater.inflate(bytes[random(bytes.count)...], maximum: 1 << 16)
        }
    }
}
