import ConnectorKit
import Foundation
import Glibc
import MailConnector
import Testing
import Values

/// The servers of the tests.
enum MailServers {
    static let password = "service-canary-password"
    static let secrets = FixedSecrets([SecretReference(store: "env", name: "MAIL"): Secret(MailServers.password)])
    static let reference: Value = ["secret": "env:MAIL"]

    /// A folder that a service wrote; fails when it does not run.
    private static func folder(_ service: String) throws -> String {
        let name = "JUNCTION_SERVICE_\(service.uppercased())"
        let url = try #require(
            ProcessInfo.processInfo.environment[name],
            "Start it: Scripts/services start \(service), and set \(name) to the address it prints.")
        return String(url.dropFirst("file://".count))
    }

    private static func port(_ service: String, _ name: String) throws -> Value {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: try Self.folder(service) + "/ports.json"))
        return try #require(try JSON.parse(Array(bytes))[name])
    }

    /// Parameters of an SMTP server: `starttls`, `implicit` or `plain`.
    static func smtp(_ way: String = "starttls") throws -> ValueContext {
        var server: ValueContext = ["host": "127.0.0.1", "port": try Self.port("smtp", way)]
        guard way != "plain" else {
            server.merge(["tls": "none", "allowPlaintext": true])
            return server
        }
        server.merge([
            "tls": .string(way), "user": "sender", "password": Self.reference,
            "caFile": .string(try Self.folder("smtp") + "/certificate.pem"),
        ])
        return server
    }

    /// Parameters of an IMAP server.
    static func imap(_ user: String, _ way: String = "implicit") throws -> ValueContext {
        [
            "host": "127.0.0.1", "port": try Self.port("dovecot", way), "tls": .string(way), "user": .string(user),
            "password": Self.reference, "caFile": .string(try Self.folder("dovecot") + "/certificate.pem"),
        ]
    }

    static func configuration(
        _ parameters: ValueContext, secrets: any SecretResolver = MailServers.secrets,
        clock: any ConnectorClock = SystemConnectorClock()
    ) -> ConnectionConfiguration {
        ConnectionConfiguration(id: "mail", parameters: .context(parameters), secrets: secrets, clock: clock)
    }

    /// Opens, uses, closes.
    static func with<Result>(
        _ parameters: ValueContext, secrets: any SecretResolver = MailServers.secrets,
        _ body: (any Connection) async throws -> Result
    ) async throws -> Result {
        let connection = try await MailModule().connect(Self.configuration(parameters, secrets: secrets))
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// A name nobody else uses.
    static func unusedName(_ prefix: String = "t") -> String {
        prefix + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }

    /// The messages the SMTP servers took for a recipient: envelope and, as Python read it, content.
    static func taken(for recipient: String) throws -> [Value] {
        let folder = try Self.folder("smtp") + "/mailbox"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".eml") }.sorted()
            .compactMap { name in
                let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
                let value = try JSON.parse(Array(bytes.prefix { $0 != 10 }))
                return value["to"]?.asList?.contains(.string(recipient)) == true ? value : nil
            }
    }

    /// Puts a message into the inbox of a user of the IMAP server, as a delivery agent would.
    static func drop(_ message: String, to user: String) throws {
        try Self.drop(Array(message.replacing("\n", with: "\r\n").utf8), to: user)
    }

    static func drop(_ bytes: [UInt8], to user: String) throws {
        let folder = try Self.folder("dovecot") + "/mail/\(user)"
        for name in ["", "/cur", "/new", "/tmp"] {
            mkdir(folder + name, 0o777)
            chmod(folder + name, 0o777)
        }
        let name = "\(time(nil)).\(Self.unusedName("m")).test"
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/tmp/\(name)"))
        chmod("\(folder)/tmp/\(name)", 0o666)
        try #require(rename("\(folder)/tmp/\(name)", "\(folder)/new/\(name)") == 0)
    }

    /// Gives the inbox of a user another UIDVALIDITY, as a server does that has lost its index.
    static func renumber(_ user: String, as uidValidity: Int) throws {
        let folder = try Self.folder("dovecot") + "/mail/\(user)"
        let list = folder + "/dovecot-uidlist"
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: list)), as: UTF8.self)
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        try #require(words.count == 3 && words[1].hasPrefix("V"), "\(text)")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("dovecot.index") {
            try FileManager.default.removeItem(atPath: folder + "/" + name)
        }
        try Data("\(words[0]) V\(uidValidity) \(words[2])".utf8).write(to: URL(fileURLWithPath: list))
    }

    static func call(_ operation: String, _ input: ValueContext, key: String? = nil) -> OperationCall {
        OperationCall(operation: operation, input: .context(input), idempotencyKey: key, timeout: .seconds(10))
    }
}

/// A server in the clear that says one thing when somebody connects, and then answers each line by the first rule whose
/// word the line contains.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32

    init(greeting: [UInt8], rules: [(word: String, answer: [UInt8])], closesAfterGreeting: Bool = false) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        try #require(isListening, "Cannot listen: \(errno).")
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else {
                    close(listener)
                    return
                }
                Thread.detachNewThread {
                    Self.say(client, greeting)
                    if !closesAfterGreeting { Self.serve(client, rules) }
                    close(client)
                }
            }
        }
    }

    /// Wakes the thread, which closes the socket: its number must not be used again before.
    deinit { shutdown(self.listener, Int32(SHUT_RDWR)) }

    var parameters: ValueContext {
        ["host": "127.0.0.1", "port": .number(Number(Int64(self.port))), "tls": "none", "allowPlaintext": true]
    }

    private static func say(_ client: Int32, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// The answer with the command's tag in it; a long one has none.
    private static func answer(_ answer: [UInt8], tag: Substring) -> [UInt8] {
        guard answer.count < 10_000, let text = String(validating: answer, as: UTF8.self) else { return answer }
        return Array(text.replacing("TAG", with: tag).utf8)
    }

    private static func serve(_ client: Int32, _ rules: [(word: String, answer: [UInt8])]) {
        var pending = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            pending += String(decoding: buffer[..<count], as: UTF8.self)
            while let end = pending.range(of: "\r\n") {
                let line = String(pending[..<end.lowerBound])
                pending.removeSubrange(..<end.upperBound)
                guard let rule = rules.first(where: { line.uppercased().contains($0.word) }) else { continue }
                if rule.answer.isEmpty { return }
                let tag = line.split(separator: " ").first ?? ""
                Self.say(client, Self.answer(rule.answer, tag: tag))
            }
        }
    }
}
