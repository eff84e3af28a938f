import ConnectorKit
import Crypto
import Foundation
import HTTPTransport
import Testing
import Values

/// Against nginx.
struct HTTPVersionTests {
    private func parameters(_ port: String, _ more: ValueContext = ValueContext()) async throws -> ValueContext {
        var all: ValueContext = [
            "baseUrl": .string(try await Service.nginx(port)),
            "caFile": .string(try await Service.nginx("tls") + "/authority.pem"),
        ]
        all.merge(more)
        return all
    }

    typealias Row = (port: String, version: String, protocol: String)

    @Test(
        arguments: [
            ("https", "auto", "HTTP/2.0"), ("https", "1.1", "HTTP/1.1"), ("https", "2", "HTTP/2.0"),
            ("plain", "auto", "HTTP/1.1"), ("cleartext", "2", "HTTP/2.0"),
        ] as [Row])
    func speaksTheVersionThatIsAskedFor(_ row: Row) async throws {
        let parameters = try await self.parameters(row.port, ["httpVersion": .string(row.version)])
        try await withClient(parameters) { client async throws in
            let answer = try await client.get("facts")
            #expect(answer.json?["protocol"] == .string(row.protocol))
            #expect(answer.version == (row.protocol == "HTTP/2.0" ? 20 : 11))
            #expect(answer.json?["tls"] == (row.port == "https" ? "TLSv1.3" : ""))
        }
    }

    @Test(arguments: ["GET", "PUT", "POST"])
    func manyRequestsShareOneConnection(_ method: String) async throws {
        let body: HTTPRequest.Body? = method == "GET" ? nil : .bytes(Array("some body".utf8))
        try await withClient(try await self.parameters("https")) { client async throws in
            let connections = try await withThrowingTaskGroup(of: Value?.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        try await client.send(HTTPRequest(method: method, target: .path("facts"), body: body))
                            .json?["connection"]
                    }
                }
                return try await group.reduce(into: Set<Value?>()) { $0.insert($1) }
            }
            #expect(connections.count == 1)
        }
    }

    @Test func aServiceThatSpeaksOnlyAnOldVersionIsAnError() async throws {
        // HTTP/2 at once, to a port that speaks HTTP/1.1.
        try await withClient(try await self.parameters("plain", ["httpVersion": "2"])) { client async throws in
            let error = try await #require(throws: ConnectorError.self) { _ = try await client.get("facts") }
            #expect(error.code == "CON-1004" || error.code == "CON-1009", "\(error)")
        }
    }

    @Test func anAuthorityNobodyNamedIsNotTrusted() async throws {
        var parameters = try await self.parameters("https")
        parameters["caFile"] = nil
        try await withClient(parameters) { client async throws in
            let error = try await #require(throws: ConnectorError.self) { _ = try await client.get("facts") }
            #expect(error.code == "CON-1005" && !error.isRetryable && !error.mayHaveExecuted)
        }
    }
}

struct ClientCertificateTests {
    private func answer(_ more: ValueContext, _ table: [String: String] = [:]) async throws -> HTTPResponse {
        var all: ValueContext = [
            "baseUrl": .string(try await Service.nginx("mutual")),
            "caFile": .string(try await Service.nginx("tls") + "/authority.pem"),
        ]
        all.merge(more)
        return try await withClient(all, secrets: secrets(table)) { client async throws in try await client.get("/") }
    }

    private func pem(_ name: String) async throws -> String {
        try String(contentsOfFile: try await Service.nginx("tls") + "/" + name, encoding: .utf8)
    }

    @Test func theCertificateIsShown() async throws {
        let none = try await self.answer([:])
        #expect(none.status == 403 && none.json?["message"] == "NONE")
        let keys = ["CERT": try await self.pem("client.pem"), "KEY": try await self.pem("client.key")]
        let shown = try await self.answer(["clientCertificate": secret("CERT"), "clientKey": secret("KEY")], keys)
        #expect(shown.json?["subject"] == "CN=test client", "\(shown.text)")
        let file = try await Service.nginx("tls") + "/client.pem"
        let fromFile = try await self.answer(["clientCertificate": .string(file), "clientKey": secret("KEY")], keys)
        #expect(fromFile.json?["subject"] == "CN=test client", "\(fromFile.text)")
    }

    @Test func aCertificateOfSomebodyElseIsRefused() async throws {
        let keys = ["CERT": try await self.pem("stranger.pem"), "KEY": try await self.pem("stranger.key")]
        let answer = try await self.answer(["clientCertificate": secret("CERT"), "clientKey": secret("KEY")], keys)
        #expect(answer.status == 400 && answer.text.contains("SSL certificate error"), "\(answer.text)")
    }

    @Test func aLockedKeyNeedsItsPassword() async throws {
        let keys = [
            "CERT": try await self.pem("client.pem"), "KEY": try await self.pem("client-locked.key"),
            "PASS": "opensesame",
        ]
        let parameters: ValueContext = [
            "clientCertificate": secret("CERT"), "clientKey": secret("KEY"), "clientKeyPassword": secret("PASS"),
        ]
        #expect(try await self.answer(parameters, keys).status == 200)
        let wrong = keys.merging(["PASS": "wr0ng"]) { $1 }
        let error = try await #require(throws: ConnectorError.self) { _ = try await self.answer(parameters, wrong) }
        #expect(error.code == "CON-1005" && !"\(error)".contains("wr0ng") && !error.mayHaveExecuted, "\(error)")
    }

    @Test(arguments: ["no key", ""])
    func aKeyThatIsNoneIsNamed(_ key: String) async throws {
        let keys = ["CERT": try await self.pem("client.pem"), "KEY": key]
        let error = try await #require(throws: ConnectorError.self) {
            _ = try await self.answer(["clientCertificate": secret("CERT"), "clientKey": secret("KEY")], keys)
        }
        #expect(error.code == "CON-1005" || error.code == "CON-1014", "\(error)")
        #expect(!error.mayHaveExecuted)
    }

    @Test func halfAnIdentityIsNone() throws {
        #expect(throws: ConnectorError.self) { _ = try settings(["clientCertificate": "client.pem"]) }
        #expect(throws: ConnectorError.self) { _ = try settings(["clientKey": secret("KEY")]) }
    }
}

struct TransferTests {
    private func parameters(_ more: ValueContext = ValueContext()) async throws -> ValueContext {
        var all: ValueContext = ["baseUrl": .string(try await Service.nginx("plain"))]
        all.merge(more)
        return all
    }

    @Test func compressedBodiesAreDecompressed() async throws {
        let numbers = try String(contentsOfFile: try await Service.nginx("files") + "/numbers.txt", encoding: .utf8)
        try await withClient(try await self.parameters()) { client async throws in
            let answer = try await client.get("numbers.txt")
            #expect(answer.header("content-encoding") == "gzip")
            #expect(answer.text == numbers)
            let part = try await client.send(
                HTTPRequest(
                    target: .path("numbers.txt"), headers: [("Range", "bytes=2-5"), ("Accept-Encoding", "identity")]))
            #expect(part.status == 206 && part.text == "2\n3\n")
        }
        let httpbin: ValueContext = ["baseUrl": .string(try Service.url("HTTPBIN"))]
        try await withClient(httpbin) { client async throws in
            for (path, key) in [("gzip", "gzipped"), ("deflate", "deflated"), ("brotli", "brotli")] {
                #expect(try await client.get(path).json?[key] == true)
            }
        }
    }

    @Test func aLargeBodyGoesToAFileThatAppearsWhole() async throws {
        let original = try Data(contentsOf: URL(filePath: try await Service.nginx("files") + "/large"))
        try await withDirectory { path in
            let directory = try BlobDirectory(path: path)
            try await withClient(try await self.parameters()) { client async throws in
                let file = try directory.create("copy.bin")
                var request = HTTPRequest(target: .path("large"))
                request.sink = file
                let answer = try await client.send(request)
                #expect(answer.bytes.isEmpty && answer.sinkBytes == Int64(original.count))
                #expect(!FileManager.default.fileExists(atPath: path + "/copy.bin"))
                let written = try await file.finish()
                let hash = SHA256.hash(data: original).map { String(format: "%02x", $0) }.joined()
                #expect(written.name == "copy.bin" && written.bytes == Int64(original.count) && written.sha256 == hash)
                #expect(try Data(contentsOf: URL(filePath: path + "/copy.bin")) == original)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["copy.bin"])
        }
    }

    @Test func aFileThatIsTooLargeOrMissingLeavesNothing() async throws {
        try await withDirectory { path in
            let directory = try BlobDirectory(path: path)
            try await withClient(try await self.parameters()) { client async throws in
                var request = HTTPRequest(target: .path("large"))
                request.sink = try directory.create("a")
                request.sinkBytesMaximum = 1 << 20
                let error = try await #require(throws: ConnectorError.self) { _ = try await client.send(request) }
                #expect(error.code == "CON-1007" && error.message.contains("1048576"), "\(error)")
                request.target = .path("missing")
                request.sink = try directory.create("b")
                let answer = try await client.send(request)
                #expect(answer.status == 404 && answer.sinkBytes == 0 && answer.text.contains("404"))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
        }
    }

    @Test func formsAndFilesAreSent() async throws {
        try await withDirectory { path in
            let bytes = Data((0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
            try bytes.write(to: URL(filePath: path + "/in.bin"))
            let directory = try BlobDirectory(path: path)
            try await withClient(["baseUrl": .string(try Service.url("HTTPBIN"))]) { client async throws in
                let file = try directory.open("in.bin")
                let put = try await client.send(
                    HTTPRequest(
                        method: "PUT", target: .path("put"), body: .file(file, contentType: "application/x-blob")))
                #expect(put.json?["headers"]?["Content-Type"] == "application/x-blob")
                #expect(
                    put.json?["data"]
                        == .string("data:application/octet-stream;base64," + bytes.base64EncodedString()))
                let parts = [
                    HTTPPart(name: "te\"xt", content: .bytes(Array("grüß".utf8))),
                    HTTPPart(name: "blob", content: .file(file), filename: "ä\r\n.bin", contentType: "application/x"),
                    HTTPPart(name: "empty", content: .bytes([])),
                ]
                let post = try await client.send(
                    HTTPRequest(
                        method: "POST", target: .path("post"), headers: [("content-type", "text/wrong")],
                        body: .multipart(parts)))
                #expect(post.json?["form"] == ["empty": "", "te\"xt": "grüß"], "\(post.text.prefix(300))")
                #expect(
                    post.json?["files"]?["blob"]
                        == .string("data:application/x;base64," + bytes.base64EncodedString()))
            }
        }
    }

    @Test func aFileThatShrinksFailsTheRequest() async throws {
        try await withDirectory { path in
            let url = URL(filePath: path + "/in.bin")
            try Data(count: 3_000_000).write(to: url)
            let file = try BlobDirectory(path: path).open("in.bin")
            let handle = try FileHandle(forWritingTo: url)
            try handle.truncate(atOffset: 10)
            try await withClient(["baseUrl": .string(try Service.url("HTTPBIN"))]) { client async throws in
                let error = try await #require(throws: ConnectorError.self) {
                    _ = try await client.send(
                        HTTPRequest(method: "PUT", target: .path("put"), body: .file(file)))
                }
                #expect(error.code == "CON-1004", "\(error)")
            }
        }
    }

    @Test(arguments: ["", "..", ".hidden", "a/b", "/etc/passwd", "a\nb", String(repeating: "x", count: 201)])
    func onlyPlainNamesReachFiles(_ name: String) async throws {
        try await withDirectory { path in
            let directory = try BlobDirectory(path: path)
            #expect(throws: HTTPFileError.self) { _ = try directory.open(name) }
            #expect(throws: HTTPFileError.self) { _ = try directory.create(name) }
        }
    }

    @Test func linksAndDirectoriesAreNoFiles() async throws {
        try await withDirectory { path in
            try FileManager.default.createSymbolicLink(atPath: path + "/link", withDestinationPath: "/etc/passwd")
            try FileManager.default.createDirectory(atPath: path + "/folder", withIntermediateDirectories: false)
            let directory = try BlobDirectory(path: path)
            for name in ["link", "folder", "missing"] {
                #expect(throws: HTTPFileError.self) { _ = try directory.open(name) }
            }
            // A link of that name is replaced, not followed.
            _ = try await directory.create("link").finish()
            #expect(
                try FileManager.default.attributesOfItem(atPath: path + "/link")[.type] as? FileAttributeType
                    == .typeRegular)
        }
    }

    @Test func slowAndBusyServicesAreNamed() async throws {
        try await withClient(try await self.parameters(["redirects": 3])) { client async throws in
            let error = try await #require(throws: ConnectorError.self) {
                _ = try await client.get("slow/numbers.txt", timeout: .milliseconds(300))
            }
            #expect(error.kind == .timeout && error.mayHaveExecuted)
            let request = HTTPRequest(target: .path("busy"))
            let busy = client.failure(try await client.send(request), of: request)
            #expect(busy.kind == .unavailable && busy.retryAfter == .seconds(7))
            #expect(busy.message.contains("come back later"))
            let loop = try await client.get("loop")
            #expect(loop.status == 302 && loop.redirects == 3)
        }
    }
}
