import ConnectorKit
import Foundation
import HTTPConnector
import Testing
import Values

/// `openssl s_server` on a loopback port, with a certificate of its own for 127.0.0.1.
private final class TLSServer {
    let certificate: String
    let port: Int
    private let directory: URL
    private let process = Process()

    struct CannotStart: Error {
        var output: String
    }

    init(_ options: [String] = []) throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "junction-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: false)
        self.certificate = self.directory.appending(path: "cert.pem").path
        let key = self.directory.appending(path: "key.pem").path
        let making = try Self.openssl(
            Process(),
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=junction test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                self.certificate,
            ])
        _ = try making.readToEnd()
        let output = try Self.openssl(
            self.process,
            ["s_server", "-www", "-accept", "127.0.0.1:0", "-cert", self.certificate, "-key", key] + options)
        var text = ""
        while text.firstMatch(of: /ACCEPT \S+:(\d+)\n/) == nil {
            let data = output.availableData
            guard !data.isEmpty else { throw CannotStart(output: text) }
            text += String(decoding: data, as: UTF8.self)
        }
        guard let port = text.firstMatch(of: /ACCEPT \S+:(\d+)\n/).flatMap({ Int($0.1) }) else {
            throw CannotStart(output: text)
        }
        self.port = port
    }

    deinit {
        if self.process.isRunning { self.process.terminate() }
        try? FileManager.default.removeItem(at: self.directory)
    }

    private static func openssl(_ process: Process, _ arguments: [String]) throws -> FileHandle {
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return pipe.fileHandleForReading
    }
}

struct HTTPTLSTests {
    private func outcome(_ parameters: ValueContext) async throws -> Outcome {
        let connection = try await HTTPModule().connect(
            ConnectionConfiguration(id: "tls", parameters: .context(parameters)))
        let outcome = await connection.invoke(request(["path": "/"]))
        await connection.close()
        return outcome
    }

    @Test func onlyTrustedCertificatesAreAccepted() async throws {
        let server = try TLSServer()
        var parameters: ValueContext = [
            "baseUrl": .string("https://127.0.0.1:\(server.port)"), "allowPrivate": true,
        ]
        let stranger = try #require(try await self.outcome(parameters).error)
        #expect(stranger.code == "CON-1005" && stranger.kind == .unavailable)
        #expect(!stranger.isRetryable && !stranger.mayHaveExecuted)

        parameters["caFile"] = .string(server.certificate)
        let known = try await self.outcome(parameters)
        #expect(known.value?["status"]?.asInt64 == 200, "\(String(describing: known.error))")

        // The certificate is for the address, not for the name.
        parameters["baseUrl"] = .string("https://localhost:\(server.port)")
        #expect(try await self.outcome(parameters).error?.code == "CON-1005")

        parameters["caFile"] = "/nonexistent"
        #expect(try await self.outcome(parameters).error?.code == "CON-1005")
    }

    @Test func anOlderTLSThanAllowedIsRefused() async throws {
        let server = try TLSServer(["-tls1_2"])
        var parameters: ValueContext = [
            "baseUrl": .string("https://127.0.0.1:\(server.port)"), "allowPrivate": true,
            "caFile": .string(server.certificate),
        ]
        #expect(try await self.outcome(parameters).value?["status"]?.asInt64 == 200)
        parameters["tlsMinimum"] = "1.3"
        let error = try #require(try await self.outcome(parameters).error)
        #expect(error.code == "CON-1005" && !error.mayHaveExecuted, "\(error)")
    }

    @Test func aServiceThatSpeaksNoTLSIsNamed() async throws {
        let server = try StubServer { _ in .status(200) }
        defer { server.stop() }
        let error = try #require(
            try await self.outcome(["baseUrl": .string("https://127.0.0.1:\(server.port)"), "allowPrivate": true]).error
        )
        #expect(error.code == "CON-1005" && !error.mayHaveExecuted)
    }
}
