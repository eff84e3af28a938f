import ConnectorKit
import FilesConnector
import Foundation
import Testing
import Values

struct FileOperationTests {
    @Test func writesWhatItReads() async throws {
        let directory = try TemporaryDirectory()
        let files = try await connect(directory)
        try await files.test()
        let rows: [(input: Value, encoding: Value, content: Value, raw: String)] = [
            (["path": "a/b.txt", "content": "grüß"], "text", "grüß", "grüß"),
            (["path": "c.json", "content": ["x": 1]], "json", ["x": 1], "{\"x\":1}"),
            (["path": "d", "content": "AAE=", "encoding": "base64"], "base64", "AAE=", "\0\u{1}"),
            (["path": "e", "content": ""], "text", "", ""),
        ]
        for row in rows {
            let path = try #require(row.input["path"])
            let written = await files.call("write", row.input)
            #expect(written.value?["size"]?.asInt64 == Int64(row.raw.utf8.count))
            #expect(directory.text(path.asString ?? "") == row.raw)
            let read = await files.call("read", ["path": path, "encoding": row.encoding])
            #expect(read.value?["content"] == row.content)
        }
        #expect(directory.names() == ["a", "c.json", "d", "e"])
    }

    @Test func createNeverReplacesAndKnowsItsOwnWork() async throws {
        let directory = try TemporaryDirectory()
        let files = try await connect(directory)
        let first: Value = ["path": "a", "content": "1", "mode": "create"]
        #expect(await files.call("write", first).error == nil)
        guard case .alreadyDone = await files.call("write", first) else {
            Issue.record("expected alreadyDone")
            return
        }
        let other = await files.call("write", ["path": "a", "content": "2", "mode": "create"])
        #expect(other.error?.kind == .conflict)
        #expect(directory.text("a") == "1")
        #expect(await files.call("write", ["path": "a", "content": "2"]).error == nil)
        #expect(directory.text("a") == "2")
        #expect(directory.names() == ["a"])
    }

    @Test func readsRecordsAndNamesTheBadOnes() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("o.csv", "id,amount\n1,5\n2,x\n")
        let files = try await connect(directory)
        let result = await files.call(
            "read", ["path": "o.csv", "encoding": "records", "decode": ["columns": ["amount": "number"]]])
        #expect(result.value?["content"] == [["id": "1", "amount": 5]])
        #expect(result.value?["malformed"]?.asList?.first?["line"]?.asInt64 == 3)
    }

    @Test func movesWithinTheRoot() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("a", "1")
        try directory.put("b", "2")
        let files = try await connect(directory)
        #expect(await files.call("move", ["from": "a", "to": "x/y"]).error == nil)
        #expect(directory.text("x/y") == "1")
        #expect(await files.call("move", ["from": "b", "to": "x/y"]).error?.kind == .conflict)
        #expect(await files.call("move", ["from": "b", "to": "x/y", "overwrite": true]).error == nil)
        #expect(directory.text("x/y") == "2")
        #expect(await files.call("move", ["from": "b", "to": "c"]).error?.kind == .notFound)
        #expect(await files.call("move", ["from": "x", "to": "c"]).error?.kind == .validation)
    }

    @Test func listsByPattern() async throws {
        let directory = try TemporaryDirectory()
        for name in ["b.csv", "a.csv", "c.json", ".hidden.csv"] { try directory.put("d/\(name)", "x") }
        let files = try await connect(directory)
        let result = await files.call("list", ["dir": "d", "pattern": "*.csv"])
        #expect(result.value?["files"]?.asList?.map { $0["name"] } == ["a.csv", "b.csv"])
        #expect(result.value?["isComplete"] == true)
        let short = await files.call("list", ["dir": "d", "limit": 1])
        #expect(short.value?["files"]?.asList?.count == 1)
        #expect(short.value?["isComplete"] == false)
        #expect(await files.call("list", ["dir": "gone"]).error?.kind == .notFound)
    }

    @Test(arguments: [
        "../outside", "a/../../outside", "/etc/passwd", "..", ".", "", "a/./b", "a\0b", "link/x", "file/x",
    ])
    func neverLeavesItsRoot(_ path: String) async throws {
        let outside = try TemporaryDirectory()
        try outside.put("x", "secret")
        let directory = try TemporaryDirectory()
        try directory.link("link", to: outside.path)
        try directory.put("file", "plain")
        let files = try await connect(directory)
        for (operation, input) in [
            ("read", ["path": .string(path)]), ("write", ["path": .string(path), "content": "evil"]),
            ("move", ["from": "file", "to": .string(path)]), ("move", ["from": .string(path), "to": "stolen"]),
        ] as [(String, Value)] {
            let error = await files.call(operation, input).error
            #expect(error != nil, "\(operation) \(path)")
            #expect(error?.isRetryable == false)
        }
        #expect(outside.names() == ["x"])
        #expect(outside.text("x") == "secret")
        #expect(directory.names() == ["file", "link"])
        #expect(directory.text("file") == "plain")
    }

    @Test func neverFollowsALinkNorOpensAPipe() async throws {
        let outside = try TemporaryDirectory()
        try outside.put("x", "secret")
        let directory = try TemporaryDirectory()
        try directory.link("l", to: outside.path + "/x")
        #expect(mkfifo(directory.path + "/p", 0o600) == 0)
        let files = try await connect(directory)
        for name in ["l", "p"] {
            #expect(await files.call("read", ["path": .string(name)]).error?.code == "CON-2005")
            #expect(await files.call("write", ["path": .string(name), "content": "1"]).error?.code == "CON-2005")
            #expect(await files.call("move", ["from": .string(name), "to": "z"]).error?.code == "CON-2005")
        }
        #expect(outside.text("x") == "secret")
    }

    @Test func anAbsolutePathBelowTheRootIsFine() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("a/b", "1")
        let files = try await connect(directory)
        #expect(await files.call("read", ["path": .string(directory.path + "/a/b")]).value?["content"] == "1")
        #expect(await files.call("list", ["dir": .string(directory.path)]).value?["files"]?.asList?.count == 1)
        #expect(await files.call("list", ["dir": .string(directory.path + "-other")]).error?.code == "CON-2002")
    }

    @Test func limitsAreKept() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("big", String(repeating: "x", count: 2_000))
        let files = try await connect(directory, ["maxFileBytes": "1KiB"])
        #expect(await files.call("read", ["path": "big"]).error?.code == "CON-2006")
        let content = Value.string(String(repeating: "x", count: 1_025))
        #expect(await files.call("write", ["path": "new", "content": content]).error?.code == "CON-2006")
        #expect(directory.names() == ["big"])
    }

    @Test func aReadOnlyConnectionChangesNothing() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("a", "1")
        let files = try await connect(directory, ["readOnly": true])
        #expect(await files.call("write", ["path": "b", "content": "1"]).error?.kind == .permission)
        #expect(await files.call("move", ["from": "a", "to": "b"]).error?.kind == .permission)
        await #expect(throws: ConnectorError.self) {
            _ = try await files.armSource(SourceRequest(event: "file", parameters: ["dir": ""]))
        }
        #expect(directory.names() == ["a"])
    }

    @Test(
        arguments: [
            ("read", [:]), ("read", ["path": 1]), ("read", ["path": "bad", "encoding": "text"]),
            ("read", ["path": "bad", "encoding": "json"]),
            ("write", ["path": "x", "content": "!", "encoding": "base64"]),
            ("write", ["path": "x", "content": [1], "encoding": "text"]),
            ("write", ["path": "x", "encoding": "records"]),
            ("list", ["pattern": "["]), ("list", ["limit": 0]), ("move", ["from": "a"]),
            ("read", ["path": "a", "pth": "b"]),
        ] as [(String, Value)])
    func wrongInputIsNamed(_ row: (operation: String, input: Value)) async throws {
        let directory = try TemporaryDirectory()
        try directory.put("bad", [0xFF, 0xFE])
        let files = try await connect(directory)
        let error = try #require(await files.call(row.operation, row.input).error)
        #expect(error.kind == .validation)
        #expect(!error.message.isEmpty && !error.remedy.isEmpty)
    }

    @Test func unknownOperationsAndClosedConnectionsAreRefused() async throws {
        let directory = try TemporaryDirectory()
        let files = try await connect(directory)
        #expect(await files.call("raed", [:]).error?.remedy == "Did you mean read?")
        await #expect(throws: ConnectorError.self) {
            _ = try await files.armSource(SourceRequest(event: "fiel", parameters: ["dir": "in"]))
        }
        await files.close()
        #expect(await files.call("read", ["path": "a"]).error?.code == ConnectorError.Code.closed)
        await #expect(throws: ConnectorError.self) { try await files.test() }
    }

    @Test(
        arguments: [[:], ["root": "relative"], ["root": "/nonexistent-junction"], ["root": "/", "rot": 1]] as [Value])
    func wrongParametersAreRefused(_ parameters: Value) async throws {
        await #expect(throws: ConnectorError.self) {
            _ = try await FilesModule().connect(ConnectionConfiguration(id: "x", parameters: parameters))
        }
    }
}
