import ConnectorKit
import Testing
import Values

/// One record in short: its line, and its value as JSON or `! reason`.
private func records(
    _ bytes: [UInt8], name: String, _ change: (inout RecordDecoding) -> Void = { _ in }
) -> [String] {
    var decoding = RecordDecoding()
    change(&decoding)
    var decoder = RecordDecoder(bytes, name: name, decoding: decoding)
    var texts: [String] = []
    while let record = decoder.next() {
        switch record.body {
        case .undecoded: texts.append("\(record.line): undecoded")
        case .value(let value): texts.append("\(record.line): \(JSON.string(value))")
        case .undecodable(let finding):
            #expect(finding.line >= record.line)
            texts.append("\(finding.line): ! \(finding.reason)")
        }
    }
    return texts
}

private func records(_ text: String, name: String) -> [String] {
    records(Array(text.utf8), name: name)
}

struct CSVTests {
    typealias Row = (name: String, text: String, records: [String])

    @Test(
        arguments: [
            ("plain", "a,b\n1,2\n", [#"2: {"a":"1","b":"2"}"#]),
            ("no line end at the end", "a,b\n1,2", [#"2: {"a":"1","b":"2"}"#]),
            ("CRLF", "a,b\r\n1,2\r\n3,4\r\n", [#"2: {"a":"1","b":"2"}"#, #"3: {"a":"3","b":"4"}"#]),
            ("byte order mark", "\u{FEFF}a\n1\n", [#"2: {"a":"1"}"#]),
            ("blank lines", "\n\na\n\n1\n\r\n\n2\n\n", [#"5: {"a":"1"}"#, #"8: {"a":"2"}"#]),
            ("quotes", "a,b\n\"x,\"\"y\"\"\",\"\"\n", [#"2: {"a":"x,\"y\"","b":""}"#]),
            (
                "line end in a field", "a,b\n\"1\n2\r\n3\",4\n5,6\n",
                [
                    #"2: {"a":"1\n2\r\n3","b":"4"}"#, #"5: {"a":"5","b":"6"}"#,
                ]
            ),
            ("empty fields", "a,b\n,\n", [#"2: {"a":"","b":""}"#]),
            ("a lone carriage return is data", "a\n1\r2\n", [#"2: {"a":"1\r2"}"#]),
            ("blanks are data", "a\n 1 \n", [#"2: {"a":" 1 "}"#]),
            ("header only", "a,b\n", []),
            ("quoted header", "\"a b\",c\n1,2\n", [#"2: {"a b":"1","c":"2"}"#]),
            (
                "too few fields", "a,b\n1\n2,3\n",
                [
                    "2: ! Expected 2 fields (a, b) but found 1.", #"3: {"a":"2","b":"3"}"#,
                ]
            ),
            ("too many fields", "a\n1,2\n3\n", ["2: ! Expected 1 fields (a) but found 2.", #"3: {"a":"3"}"#]),
            (
                "a quote never closed", "a,b\n1,\"x\n2,y\n3,z\n",
                [
                    "2: ! The quote is never closed.", #"3: {"a":"2","b":"y"}"#, #"4: {"a":"3","b":"z"}"#,
                ]
            ),
            (
                "two broken quotes", "a,b\n1,\"x\n2,y\n3,\"z\n4,w\n",
                [
                    "2: ! Expected a delimiter or a line end after the closing quote.", #"3: {"a":"2","b":"y"}"#,
                    "4: ! The quote is never closed.", #"5: {"a":"4","b":"w"}"#,
                ]
            ),
            (
                "text after a quote", "a\n\"x\"y\nz\n",
                [
                    "2: ! Expected a delimiter or a line end after the closing quote.", #"3: {"a":"z"}"#,
                ]
            ),
            (
                "a quote inside", "a\nx\"y\nz\n",
                [
                    "2: ! There is a quote inside an unquoted field; quote the field and double the quote.",
                    #"3: {"a":"z"}"#,
                ]
            ),
            ("empty document", "", ["1: ! Expected a header row but the document is empty."]),
            ("nameless column", "a,,b\n1,2,3\n", ["1: ! Column 2 has no name."]),
            ("a name twice", "a,b,a\n1,2,3\n", ["1: ! The header names the column a twice."]),
            ("broken header", "a,\"b\n1,2\n", ["1: ! The quote is never closed."]),
        ] as [Row])
    func isReadAfterRFC4180(_ row: Row) {
        #expect(records(row.text, name: "x.csv") == row.records, "\(row.name)")
    }

    @Test func aBrokenHeaderConcernsTheWholeDocument() {
        var decoder = RecordDecoder(Array("a,a\n1,2\n".utf8), name: "x.csv", decoding: RecordDecoding())
        let record = decoder.next()
        #expect(record?.isWholeDocument == true && record?.range == 0..<8)
        #expect(decoder.next() == nil)
    }

    @Test func columnsMayHaveTypes() {
        let text = "id,n,b\nx,1.50,true\ny,,\nz,1O,true\nw,1,yes\n"
        let found = records(Array(text.utf8), name: "x.csv") { $0.columnTypes = ["n": .number, "b": .boolean] }
        #expect(
            found == [
                #"2: {"id":"x","n":1.5,"b":true}"#, #"3: {"id":"y","n":null,"b":null}"#,
                "4: ! Column n: expected a number but found \"1O\".",
                "5: ! Column b: expected a boolean but found \"yes\".",
            ])
    }

    @Test func invalidUTF8ConcernsItsRowOnly() {
        let bytes = Array("a\n".utf8) + [0xC3, 0x28, 0x0A] + Array("ok\n\"".utf8) + [0xFF] + Array("\"\n".utf8)
        #expect(
            records(bytes, name: "x.csv") == [
                "2: ! The field is not valid UTF-8.", #"3: {"a":"ok"}"#, "4: ! The field is not valid UTF-8.",
            ])
    }

    @Test func rowsHaveALimit() {
        let long = String(repeating: "x", count: 200)
        let text = "a,b\n\(long),1\n2,3\n\"\(long)\",1\n4,5\n"
        let found = records(Array(text.utf8), name: "x.csv") { $0.recordBytesMaximum = 100 }
        let tooLong = "! The row is too long, or a quote is never closed."
        #expect(found == ["2: \(tooLong)", #"3: {"a":"2","b":"3"}"#, "4: \(tooLong)", #"5: {"a":"4","b":"5"}"#])
    }

    @Test func manyLostQuotesTakeBoundedTime() {
        // Each quote could swallow the rest of the document; the record limit keeps this from being quadratic.
        let text = "a,b\n" + String(repeating: "1,\"\(String(repeating: "y", count: 7)),\n", count: 20_000)
        let found = records(Array(text.utf8), name: "x.csv") { $0.recordBytesMaximum = 64 }
        #expect(found.count == 20_000)
    }

    @Test func theDelimiterCanBeChosen() {
        #expect(
            records(Array("a;b\n1,5;\"x;y\"\n".utf8), name: "x.csv") { $0.delimiter = UInt8(ascii: ";") }
                == [#"2: {"a":"1,5","b":"x;y"}"#])
    }
}

struct JSONRecordTests {
    typealias Row = (name: String, text: String, records: [String])

    @Test(
        arguments: [
            ("object", "{\"a\": 1}", [#"1: {"a":1}"#]),
            ("blank before", "\u{FEFF}\n\n {\"a\": 1}\n", [#"3: {"a":1}"#]),
            ("array", "[1, \"a,]\",\n {\"b\": [2, 3]}\n]\n", ["1: 1", "1: \"a,]\"", #"2: {"b":[2,3]}"#]),
            ("empty array", " [ ] ", []),
            (
                "bad element", "[{\"a\": 1},\n{\"a\": tru},\n{\"a\": 3}]",
                [
                    #"1: {"a":1}"#, "2: ! unexpected character", #"3: {"a":3}"#,
                ]
            ),
            ("missing element", "[1,,2]", ["1: 1", "1: ! Expected an element of the array but found none.", "1: 2"]),
            ("comma at the end", "[1,\n]", ["1: 1", "2: ! Expected an element of the array but found none."]),
            ("lost bracket inside", "[{\"a\": [1},\n{\"b\": 2}]", ["1: ! unexpected character", #"2: {"b":2}"#]),
            ("cut off", "[{\"a\": 1}, {\"a\": 2", [#"1: {"a":1}"#, "1: ! the text ends in the middle of a value"]),
            (
                "cut off after an element", "[1, 2",
                [
                    "1: 1", "1: ! The array is never closed; the document is cut off.",
                ]
            ),
            ("more after the array", "[1]\n[2]", ["1: 1", "2: ! Expected the end of the document after the array."]),
            ("not JSON", "hello", ["1: ! unexpected character"]),
            ("empty", "", ["1: ! the text ends in the middle of a value"]),
        ] as [Row])
    func elementsAreReadOneByOne(_ row: Row) {
        #expect(records(row.text, name: "x.json") == row.records, "\(row.name)")
    }

    @Test(arguments: [
        ("[{\"a\": 1}, {\"a\": x}]", 1, 18), ("[1,\n  {\"a\":\n x}]", 3, 2), ("[1,\n 2, {\"a\" x}]", 2, 10),
        ("{\"a\": x}", 1, 7),
    ])
    func theColumnIsThatOfTheDocument(_ row: (text: String, line: Int, column: Int)) {
        var decoder = RecordDecoder(Array(row.text.utf8), name: "x.json", decoding: RecordDecoding())
        while let record = decoder.next() {
            guard case .undecodable(let finding) = record.body else { continue }
            #expect(finding.line == row.line && finding.column == row.column)
            return
        }
        Issue.record("nothing was undecodable")
    }

    @Test func aLostQuoteTakesItsNeighboursAlongButInventsNothing() {
        let found = records("[{\"a\": \"x},\n{\"b\": 2}]", name: "x.json")
        #expect(found == ["1: ! a control character in a string must be escaped"])
    }

    @Test func linesAreReadOneByOne() {
        let text = "{\"a\": 1}\n\n  \t\r\n{\"a\": \r\n[2]\r\n\"x\""
        #expect(
            records(text, name: "x.jsonl") == [
                #"1: {"a":1}"#, "4: ! the text ends in the middle of a value", "5: [2]", #"6: "x""#,
            ])
        #expect(records("", name: "x.ndjson") == [])
    }

    @Test func recordsHaveALimit() {
        let long = "\"" + String(repeating: "x", count: 200) + "\""
        for (name, text) in [("x.json", "[1,\(long),2]"), ("x.ndjson", "1\n\(long)\n2")] {
            let found = records(Array(text.utf8), name: name) { $0.recordBytesMaximum = 100 }
            #expect(found.count == 3)
            #expect(found[1].hasSuffix("! The record has 202 bytes; at most 100 are allowed."))
        }
    }

    @Test func deepNestingIsRefusedNotFatal() {
        let deep = String(repeating: "[", count: 100_000)
        let found = records(deep, name: "x.json")
        #expect(found.count == 1 && found[0].contains("!"))
    }
}

struct RecordDecodingTests {
    @Test(arguments: [
        ("a.csv", RecordDecoding.Format.csv), ("A.CSV", .csv), ("a.json", .json), ("a.ndjson", .ndjson),
        ("a.jsonl", .ndjson), ("a.txt", .text), ("a.xml", .xml), ("csv", .bytes), ("a.csv.gz", .bytes),
    ])
    func theNameTellsTheFormat(_ row: (name: String, format: RecordDecoding.Format)) {
        #expect(RecordDecoding().format(for: row.name) == row.format)
        var fixed = RecordDecoding()
        fixed.format = .json
        #expect(fixed.format(for: row.name) == .json)
    }

    @Test func textsAndBytesAreOneRecord() {
        #expect(records("a\nb", name: "x.txt") == [#"1: "a\nb""#])
        #expect(records([0xFF], name: "x.txt") == ["1: ! The text is not valid UTF-8."])
        #expect(records([0xFF], name: "x.bin") == ["1: undecoded"])
    }

    @Test func isReadFromConfiguration() throws {
        var diagnostics: [Diagnostic] = []
        let value: Value = ["format": "csv", "maxBytes": "2KiB", "delimiter": ";", "columns": ["n": "number"]]
        let decoding = RecordDecoding(value, diagnostics: &diagnostics)
        #expect(diagnostics == [])
        #expect(decoding.format == .csv && decoding.recordBytesMaximum == 2_048)
        #expect(decoding.delimiter == UInt8(ascii: ";") && decoding.columnTypes == ["n": .number])
        let wrong: [Value] = [
            ["format": "cvs"], ["delimiter": ";;"], ["delimiter": "\""], ["delimiter": "ä"], ["columns": ["n": "int"]],
            ["maxBytes": "many"], ["fromat": "csv"],
        ]
        for value in wrong {
            diagnostics = []
            _ = RecordDecoding(value, diagnostics: &diagnostics)
            #expect(diagnostics.map(\.code) == ["CON-0006"], "\(value)")
        }
    }

    @Test func anXMLRecordIsADocumentOfItsOwn() throws {
        var decoding = RecordDecoding()
        decoding.recordElement = "o"
        let text = "<all><o id='1'>&lt;x&gt;</o>\n<o><p>1</p><p>2</p></o></all>"
        var decoder = RecordDecoder(Array(text.utf8), name: "a.xml", decoding: decoding)
        var values: [Value] = []
        while let record = decoder.next() {
            guard case .value(let value) = record.body else { continue }
            values.append(value)
            let body = RecordDecoder.decode(
                record: decoder.payload(of: record), contentType: decoder.contentType, decoding: decoding)
            guard case .value(let again) = body else {
                Issue.record("the record cannot be read again")
                continue
            }
            #expect(again == value)
        }
        #expect(values == [["@id": "1", "#text": "<x>"], ["p": .list(["1", "2"])]])
    }

    @Test func aSingleRecordCanBeReadAgain() {
        func value(_ text: String, _ type: String, _ columns: [String] = []) -> Value? {
            if case .value(let value) = RecordDecoder.decode(
                record: Array(text.utf8), contentType: type, headers: ["columns": .list(columns.map { .string($0) })])
            {
                return value
            }
            return nil
        }
        #expect(value("{\"a\": 1}", "application/json; charset=utf-8") == ["a": 1])
        #expect(value("{\"a\": 1}", "application/cloudevents+json") == ["a": 1])
        #expect(value("1,\"2\"", "text/csv", ["a", "b"]) == ["a": "1", "b": "2"])
        #expect(value("hi", "text/plain") == "hi")
        #expect(value("{", "application/json") == nil)
        #expect(value("", "text/csv", ["a"]) == nil)
        #expect(value("<a>1</a>", "application/xml") == ["a": "1"])
        #expect(value("<a>", "image/svg+xml") == nil)
        guard case .undecoded = RecordDecoder.decode(record: [1], contentType: "image/png") else {
            Issue.record("expected undecoded")
            return
        }
    }

    static let seeds: [UInt64] = (0..<8).map { 0xF022_0000 + $0 }

    /// Damaged documents: every byte belongs to at most one record, in order, and nothing crashes or hangs.
    @Test(arguments: seeds)
    func damagedDocumentsAreReadToTheEnd(seed: UInt64) {
        var state = seed
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let documents = [
            "id,name,amount\n1,\"a\"\"b\",5\n2,\"c\nd\",6\n3,e,7\n",
            "[{\"a\": [1, {\"b\": \"x\"}]}, 2, \"y\\\"\", null]",
            "{\"a\": 1}\n{\"b\": [2]}\n\"c\"\n",
        ]
        let alphabet = Array("\",\n\r[]{}:\\ 1a".utf8) + [0x00, 0xC3, 0xFF]
        for round in 0..<400 {
            let kind = next(3)
            var bytes = Array(documents[kind].utf8)
            for _ in 0..<(1 + next(6)) {
                let position = next(bytes.count)
                switch next(3) {
                case 0: bytes[position] = alphabet[next(alphabet.count)]
                case 1: bytes.remove(at: position)
                default: bytes.insert(alphabet[next(alphabet.count)], at: position)
                }
            }
            var decoder = RecordDecoder(bytes, name: ["x.csv", "x.json", "x.ndjson"][kind], decoding: RecordDecoding())
            var end = 0
            while let record = decoder.next() {
                guard record.range.lowerBound >= end, record.range.upperBound <= bytes.count, record.line >= 1 else {
                    Issue.record("seed \(seed), round \(round): \(record.range) after \(end) in \(bytes)")
                    return
                }
                end = record.range.upperBound
            }
        }
    }
}
