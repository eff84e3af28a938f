import ConnectorKit
import Foundation
import Glibc
import Values

/// Services that speak HTTP, and mail servers.
extension Fixture {
    static func http(_ module: any ConnectorModule) async throws -> [Fixture] {
        let parameters: Value = ["baseUrl": .string(try Service.address("HTTPBIN")), "allowPrivate": true]
        return [
            Fixture(
                name: "httpbin", configuration: ConnectionConfiguration(id: "c", parameters: parameters),
                calls: [
                    Self.call("request", ["path": "anything", "method": "POST", "body": [1]], key: "k"),
                    Self.call("get", ["path": "get"]),
                    GoodCall(OperationCall(operation: "request", input: ["path": "delay/5"]), waits: true),
                ])
        ]
    }

    static func graphQL(_ module: any ConnectorModule) async throws -> [Fixture] {
        let parameters: Value = [
            "baseUrl": .string(try Service.address("GRAPHQL")), "path": "graphql", "allowPrivate": true,
            "documents": ["greet": ["document": "query Greet($name: String!) { hello(name: $name) }"]],
        ]
        return [
            Fixture(
                name: "Ariadne", configuration: ConnectionConfiguration(id: "c", parameters: parameters),
                calls: [
                    Self.call("query", ["document": "{ hello(name: \"you\") }"]),
                    Self.call("mutate", ["document": "mutation { addUser(name: \"you\") { id } }"]),
                    Self.call("greet", ["name": "you"]),
                    GoodCall(
                        OperationCall(operation: "query", input: ["document": "{ wait(seconds: 5) }"]), waits: true),
                ])
        ]
    }

    static func soap(_ module: any ConnectorModule) async throws -> [Fixture] {
        let base = try Service.address("SOAP")
        return ["orders11", "orders12"].map { path in
            Fixture(
                name: path,
                configuration: ConnectionConfiguration(
                    id: "c", parameters: ["wsdl": .string("\(base)/\(path)?wsdl"), "allowPrivate": true]),
                calls: [
                    Self.call("call", ["operation": "Add", "input": ["a": 1, "b": 2]]), Self.call("describe", [:]),
                ])
        }
    }

    static func mail(_ module: any ConnectorModule) async throws -> [Fixture] {
        let smtp = String(try Service.address("SMTP").dropFirst("file://".count))
        let dovecot = String(try Service.address("DOVECOT").dropFirst("file://".count))
        func port(_ folder: String, _ name: String) throws -> Value {
            let ports = try JSON.parse([UInt8](try Data(contentsOf: URL(filePath: folder + "/ports.json"))))
            return ports[name] ?? .null
        }
        let user = Self.unique("registry")
        try Self.drop("Subject: one\r\n\r\nx\r\n", to: user, of: dovecot)
        let parameters: Value = [
            "smtp": [
                "host": "127.0.0.1", "port": try port(smtp, "starttls"), "tls": "starttls", "user": "sender",
                "password": Self.secret, "caFile": .string(smtp + "/certificate.pem"),
            ],
            "imap": [
                "host": "127.0.0.1", "port": try port(dovecot, "implicit"), "tls": "implicit", "user": .string(user),
                "password": Self.secret, "caFile": .string(dovecot + "/certificate.pem"),
            ],
        ]
        let source = Source(
            SourceRequest(event: "mailbox", parameters: ["poll": "200ms"]), eventsMinimum: 2,
            provoke: {
                for number in 1...2 { try Self.drop("Subject: \(number)\r\n\r\nx\r\n", to: user, of: dovecot) }
            })
        return [
            Fixture(
                name: "aiosmtpd and Dovecot",
                // Its time passes as soon as somebody sleeps.
                configuration: ConnectionConfiguration(
                    id: "c", parameters: parameters, secrets: Self.secrets("service-canary-password"),
                    clock: ManualConnectorClock()),
                calls: [
                    Self.call(
                        "send",
                        ["from": "a@example.org", "to": "conformance@example.org", "subject": "s", "text": "t"]),
                    Self.call("search", [:]), Self.call("fetch", ["uid": 1]),
                ],
                sources: [source])
        ]
    }

    /// Puts a message into the inbox of a user of the IMAP server, as a delivery agent would.
    private static func drop(_ message: String, to user: String, of dovecot: String) throws {
        let folder = "\(dovecot)/mail/\(user)"
        for name in ["", "/cur", "/new", "/tmp"] {
            mkdir(folder + name, 0o777)
            // The server runs as another user.
            chmod(folder + name, 0o777)
        }
        let name = "\(time(nil)).\(Self.unique("m")).test"
        try Data(message.utf8).write(to: URL(filePath: "\(folder)/tmp/\(name)"))
        chmod("\(folder)/tmp/\(name)", 0o666)
        guard rename("\(folder)/tmp/\(name)", "\(folder)/new/\(name)") == 0 else { throw POSIXError(.EIO) }
    }
}
