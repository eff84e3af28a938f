import ConnectorKit
import FilesConnector
import Foundation
import Testing
import Values

/// What files hold, and operations that read them piece by piece.
struct FileFormatTests {
    private static let written: [(encoding: String, content: Value, text: String)] = [
        (
            "csv", .list([["id": 1, "note": "a, b"], ["id": 2, "note": .null, "x": true]]),
            "id,note,x\r\n1,\"a, b\",\r\n2,,true\r\n"
        ),
        ("ndjson", .list([["id": 1], ["id": 2]]), "{\"id\":1}\n{\"id\":2}\n"),
        (
            "xml", ["order": ["@id": "7", "line": .list(["a", "b & c"]), "#text": "x"]],
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                + "<order id=\"7\">x<line>a</line><line>b &amp; c</line></order>\n"
        ),
    ]

    @Test(arguments: written)
    func aFormatIsWritten(_ row: (encoding: String, content: Value, text: String)) async throws {
        let directory = try TemporaryDirectory()
        let files = try await connect(directory)
        let result = await files.call(
            "write", ["path": "f", "content": row.content, "encoding": .string(row.encoding)])
        #expect(result.error == nil)
        #expect(directory.text("f") == row.text)
    }

    private static let refused: [(input: Value, words: String)] = [
        (["path": "f", "content": 1, "encoding": "csv"], "expected a list of records"),
        (["path": "f", "content": [1], "encoding": "csv"], "expected a list of records"),
        (["path": "f", "content": 1, "encoding": "ndjson"], "expected a list of records"),
        (["path": "f", "content": [["a": 1]], "encoding": "csv", "delimiter": "ä"], "one ASCII character"),
        (["path": "f", "content": "x", "columns": ["a"]], "are for the encoding csv"),
        (["path": "f", "content": ["a": 1, "b": 2], "encoding": "xml"], "one member, the root element"),
        (["path": "f", "content": ["a b": 1], "encoding": "xml"], "is no name of an element"),
        (["path": "f", "content": ["a": "\u{1}"], "encoding": "xml"], "cannot stand in XML"),
        (["path": "f", "content": ["a": .list([.list([1])])], "encoding": "xml"], "a list in a list"),
    ]

    @Test(arguments: refused)
    func contentThatFitsNoFormatIsRefused(_ row: (input: Value, words: String)) async throws {
        let directory = try TemporaryDirectory()
        let error = await (try await connect(directory)).call("write", row.input).error
        #expect(error?.kind == .validation)
        #expect(error?.message.contains(row.words) == true, "\(error?.message ?? "")")
        #expect(directory.names() == [])
    }

    @Test func xmlIsReadAsAValueAndRefusedWithItsLine() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("good.xml", "<a x='1'><b>1</b><b/><c> </c><d><e>2</e></d></a>")
        try directory.put("bad.xml", "<a>\n<b></a>")
        try directory.put("bomb.xml", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>")
        let files = try await connect(directory)
        #expect(
            await files.call("read", ["path": "good.xml", "encoding": "xml"]).value?["content"]
                == ["a": ["@x": "1", "b": ["1", .null], "c": " ", "d": ["e": "2"]]])
        let bad = await files.call("read", ["path": "bad.xml", "encoding": "xml"]).error
        #expect(bad?.kind == .validation && bad?.message.contains("line 2") == true, "\(bad?.message ?? "")")
        #expect(await files.call("read", ["path": "bomb.xml", "encoding": "xml"]).error?.kind == .validation)
    }

    @Test func xmlRecordsAreElementsOfAName() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("o.xml", "<orders><order id='1'/><order id='2'><sum>5</sum></order></orders>")
        let files = try await connect(directory)
        let result = await files.call(
            "read", ["path": "o.xml", "encoding": "records", "decode": ["record": "order"]])
        #expect(result.value?["content"] == [["@id": "1"], ["@id": "2", "sum": "5"]])
        #expect(result.value?["next"] == .null)
    }

    @Test(arguments: ["csv", "ndjson"])
    func aLargeFileIsReadInPagesThatMissNothing(format: String) async throws {
        let directory = try TemporaryDirectory()
        let padding = String(repeating: "x", count: 900)
        let rows = (0..<12_000).map {
            format == "csv" ? "\($0),\"\(padding)\n\"" : "{\"id\":\"\($0)\",\"p\":\"\(padding)\"}"
        }
        try directory.put("f." + format, (format == "csv" ? "id,p\n" : "") + rows.joined(separator: "\n") + "\n")
        let files = try await connect(directory, ["maxFileBytes": "1MiB"])
        #expect(
            await files.call("read", ["path": .string("f." + format), "encoding": "records"]).error?.code == "CON-2006")
        var ids: [String] = []
        var offset: Value = 0
        var pages = 0
        while !offset.isNull {
            let page = await files.call(
                "read", ["path": .string("f." + format), "encoding": "records", "offset": offset, "limit": 5_000])
            let value = try #require(page.value)
            ids += value["content"]?.asList?.compactMap { $0["id"]?.asString } ?? []
            #expect(value["malformed"] == [])
            offset = value["next"] ?? .null
            pages += 1
        }
        #expect(ids == (0..<12_000).map(String.init))
        #expect(pages >= 3)
    }

    @Test func pagesAreForFormatsThatCanBeReadFromTheMiddle() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("f.json", "[1,2]")
        let files = try await connect(directory)
        let middle = await files.call("read", ["path": "f.json", "encoding": "records", "offset": 1])
        #expect(middle.error?.code == "CON-2007")
        #expect(await files.call("read", ["path": "f.json", "offset": 1]).error?.code == "CON-0006")
    }

    @Test(arguments: [
        ("md5", "900150983cd24fb0d6963f7d28e17f72"), ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "sha512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
    ])
    func aChecksumIsComputedAndCompared(_ row: (algorithm: String, digest: String)) async throws {
        let directory = try TemporaryDirectory()
        try directory.put("f", "abc")
        let files = try await connect(directory)
        let input: Value = [
            "path": "f", "algorithm": .string(row.algorithm), "expect": .string(row.digest.uppercased()),
        ]
        #expect(await files.call("checksum", input).value?["checksum"] == .string(row.digest))
        let wrong = await files.call("checksum", ["path": "f", "algorithm": .string(row.algorithm), "expect": "00"])
        #expect(wrong.error?.code == "CON-2007")
    }

    @Test func aCopyAppearsAsAWhole() async throws {
        let directory = try TemporaryDirectory()
        let content = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try directory.put("big", content)
        let files = try await connect(directory, ["maxFileBytes": "1MiB"])
        #expect(await files.call("copy", ["from": "big", "to": "d/copy"]).value?["size"]?.asInt64 == 3_000_000)
        #expect(FileManager.default.contents(atPath: directory.path + "/d/copy").map { [UInt8]($0) } == content)
        #expect(await files.call("copy", ["from": "big", "to": "d/copy"]).error?.kind == .conflict)
        #expect(await files.call("copy", ["from": "big", "to": "d/copy", "overwrite": true]).error == nil)
        #expect(await files.call("copy", ["from": "none", "to": "x"]).error?.kind == .notFound)
        #expect(directory.names("d") == ["copy"])
    }

    @Test func deletingTwiceIsASuccess() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("f", "1")
        try directory.put("d/g", "1")
        let files = try await connect(directory)
        #expect(await files.call("delete", ["path": "f"]).value?["deleted"] == true)
        guard case .alreadyDone = await files.call("delete", ["path": "f"]) else {
            Issue.record("expected alreadyDone")
            return
        }
        #expect(await files.call("delete", ["path": "d"]).error?.kind == .validation)
        #expect(directory.names() == ["d"])
    }

    @Test(arguments: [
        ("*.csv", ["a.csv"]), ("**/*.csv", ["a.csv", "in/b.csv", "in/deep/er/c.csv"]), ("in/**", []),
        ("in/**/*", ["in/b.csv", "in/deep/er/c.csv", "in/deep/er/d.json"]), ("in/*/er/?.json", ["in/deep/er/d.json"]),
        ("**/er/**/*.csv", ["in/deep/er/c.csv"]),
    ])
    func filesAreFoundByPattern(_ row: (pattern: String, paths: [String])) async throws {
        let directory = try TemporaryDirectory()
        for name in ["a.csv", "in/b.csv", "in/deep/er/c.csv", "in/deep/er/d.json", ".hidden/x.csv"] {
            try directory.put(name, "x")
        }
        try directory.link("loop", to: directory.path)
        let files = try await connect(directory)
        let result = await files.call("glob", ["pattern": .string(row.pattern)])
        #expect(result.value?["files"]?.asList?.compactMap { $0["path"]?.asString } == row.paths)
        #expect(result.value?["isComplete"] == true)
    }

    @Test func aSearchHasLimits() async throws {
        let directory = try TemporaryDirectory()
        for number in 0..<5 { try directory.put("f\(number)", "x") }
        let files = try await connect(directory)
        let result = await files.call("glob", ["pattern": "*", "limit": 3])
        #expect(result.value?["files"]?.asList?.count == 3)
        #expect(result.value?["isComplete"] == false)
        for pattern in ["", "../*", "/etc/*", "a//b", "[", String(repeating: "a/", count: 40) + "b"] {
            #expect(await files.call("glob", ["pattern": .string(pattern)]).error?.code == "CON-0006", "\(pattern)")
        }
    }
}
