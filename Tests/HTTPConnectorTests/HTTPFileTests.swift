import ConnectorKit
import Foundation
import HTTPConnector
import Testing
import Values

struct HTTPFileTests {
    private func withFiles<Result>(
        answering handler: @escaping @Sendable (StubRequest) -> StubReply, _ more: ValueContext = ValueContext(),
        _ body: (any Connection, StubServer, String) async throws -> Result
    ) async throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(path: "junction-blobs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: url) }
        var parameters: ValueContext = ["blobDirectory": .string(url.path)]
        parameters.merge(more)
        return try await withStub(parameters, answering: handler) { connection, server in
            try await body(connection, server, url.path)
        }
    }

    @Test func aBodyIsWrittenToAFile() async throws {
        try await self.withFiles(answering: { _ in .status(200, "hello") }) { connection, _, path async throws in
            let outcome = await connection.invoke(
                OperationCall(operation: "get", input: ["download": "report.txt"]))
            #expect(
                outcome.value?["body"] == [
                    "file": "report.txt", "bytes": 5,
                    "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                ])
            #expect(outcome.value?["bodyEncoding"] == "file")
            #expect(try String(contentsOfFile: path + "/report.txt", encoding: .utf8) == "hello")
        }
    }

    @Test func filesAndFormsAreSent() async throws {
        try await self.withFiles(answering: { _ in .status(204) }) { connection, server, path async throws in
            try Data("content".utf8).write(to: URL(filePath: path + "/in.txt"))
            let put = await connection.invoke(
                request(["method": "PUT", "body": "in.txt", "bodyEncoding": "file"]))
            #expect(put.error == nil)
            #expect(server.requests.last?.text == "content")
            try Data().write(to: URL(filePath: path + "/empty"))
            for method: Value in ["PUT", "POST"] {
                let empty = await connection.invoke(
                    request(["method": method, "body": "empty", "bodyEncoding": "file"]))
                #expect(empty.error == nil)
                #expect(server.requests.last?.headers["content-length"] == "0")
            }
            _ = await connection.invoke(request(["method": "PUT", "body": "in.txt", "bodyEncoding": "file"]))
            #expect(server.requests.last?.headers["content-type"] == "application/octet-stream")
            let parts: Value = [
                ["name": "a", "value": 7], ["name": "b", "value": ["x": [1]]],
                ["name": "c", "base64": "AQID", "filename": "c.bin", "contentType": "application/x"],
                ["name": "d", "file": "in.txt"],
            ]
            let post = await connection.invoke(
                request(["method": "POST", "body": parts, "bodyEncoding": "multipart"]))
            #expect(post.error == nil)
            let sent = try #require(server.requests.last)
            let boundary = try #require(sent.headers["content-type"]?.firstMatch(of: /boundary=(.+)$/)?.1)
            let expected = [
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n7\r\n",
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"b\"\r\nContent-Type: application/json\r\n\r\n"
                    + "{\"x\":[1]}\r\n",
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"c\"; filename=\"c.bin\"\r\n"
                    + "Content-Type: application/x\r\n\r\n\u{1}\u{2}\u{3}\r\n",
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"d\"; filename=\"in.txt\"\r\n"
                    + "Content-Type: application/octet-stream\r\n\r\ncontent\r\n",
                "--\(boundary)--\r\n",
            ]
            #expect(sent.text == expected.joined())
        }
    }

    @Test(
        arguments: [
            ["download": "../x"], ["download": ""], ["method": "PUT", "body": "/etc/passwd", "bodyEncoding": "file"],
            ["method": "PUT", "body": ["a": 1], "bodyEncoding": "file"],
            ["method": "PUT", "body": [:], "bodyEncoding": "multipart"],
            ["method": "PUT", "body": [], "bodyEncoding": "multipart"],
            ["method": "PUT", "body": [["value": 1]], "bodyEncoding": "multipart"],
            ["method": "PUT", "body": [["name": "a"]], "bodyEncoding": "multipart"],
            ["method": "PUT", "body": [["name": "a", "value": 1, "file": "b"]], "bodyEncoding": "multipart"],
            ["method": "PUT", "body": [["name": "a", "base64": "!"]], "bodyEncoding": "multipart"],
            [
                "method": "PUT", "body": [["name": "a", "value": 1, "contentType": "a\r\nb"]],
                "bodyEncoding": "multipart",
            ],
            ["download": "x", "paginate": ["kind": "page"]],
        ] as [Value])
    func wrongInputIsRefusedBeforeAnythingIsSent(_ input: Value) async throws {
        try await self.withFiles(answering: { _ in .status(200) }) { connection, server, _ in
            let error = try #require(await connection.invoke(request(input)).error)
            #expect(error.kind == .validation && error.message.contains("input"), "\(error)")
            #expect(server.requests.isEmpty)
        }
    }

    @Test func filesThatAreNotThereAreNamed() async throws {
        try await self.withFiles(answering: { _ in .status(200) }) { connection, server, _ in
            let call = request(["method": "PUT", "body": "missing", "bodyEncoding": "file"])
            let error = try #require(await connection.invoke(call).error)
            #expect(error.kind == .notFound && error.code == "CON-1015" && error.message.contains("missing"))
            #expect(server.requests.isEmpty)
        }
        try await withStub(answering: { _ in .status(200) }) { connection, _ in
            let error = try #require(await connection.invoke(request(["download": "x"])).error)
            #expect(error.code == "CON-1015" && error.remedy.contains("blobDirectory"))
        }
        await #expect(throws: ConnectorError.self) {
            _ = try await HTTPModule().connect(
                ConnectionConfiguration(id: "x", parameters: ["blobDirectory": "/nonexistent"]))
        }
    }

    @Test func whatIsNoSuccessLeavesNoFile() async throws {
        let body = String(repeating: "x", count: 2_000)
        try await self.withFiles(
            answering: { request in
                switch request.target {
                case "/half": .rawThenClose(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc".utf8))
                case "/large": .rawThenClose(Array("HTTP/1.1 200 OK\r\n\r\n\(body)".utf8))
                case "/bomb": .rawThenClose(HTTPHostileResponseTests.zeros)
                default: .json("{\"message\": \"gone\"}", status: 410)
                }
            }, ["maxFile": "1KiB"]
        ) { connection, _, path async throws in
            for (target, code) in [
                ("half", "CON-1004"), ("large", "CON-1007"), ("gone", "CON-1001"), ("bomb", "CON-1007"),
            ] {
                let call = request(["path": .string(target), "download": "x"])
                let error = try #require(await connection.invoke(call).error)
                #expect(error.code == code, "\(target): \(error)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
            }
        }
    }
}
