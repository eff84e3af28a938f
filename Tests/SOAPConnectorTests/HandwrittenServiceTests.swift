import ConnectorKit
import SOAPConnector
import Synchronization
import Testing
import Values

/// Against services that speak what spyne does not: RPC style, SOAP encoding, MTOM, WS-Security.
@Suite struct HandwrittenServiceTests {
    @Test func partsOfAnRPCMessageAreNamedAndOrderedAsTheDescriptionSays() async throws {
        try await Service.with(try Service.configuration("/rpc")) { connection in
            let value = try await connection.value("quote", ["quantity": 3, "article": "nail"])
            #expect(value == ["quote": ["article": "nail", "amount": decimal("7.5")], "valid": true])
            let missing = try await connection.error("quote", ["quantity": 3])
            #expect(missing.message == "input.article: it is missing.")
            let unknown = try await connection.error("quote", ["quantity": 3, "article": "a", "artikel": "b"])
            #expect(unknown.message.contains("Did you mean article?"))
        }
    }

    @Test func encodedArraysAreWrittenAndReferencesAreFollowed() async throws {
        try await Service.with(try Service.configuration("/encoded")) { connection in
            let value = try await connection.value("find", ["names": ["Ann", "Bob"], "limit": 5])
            #expect(value == ["return": [["name": "Ann", "age": 30], ["name": "Bob", "age": 31]]])
        }
    }

    @Test(arguments: [(mtom: true, size: 3_000, sent: "attachment"), (true, 2_999, "inline"), (false, 3_000, "inline")])
    func binariesTravelBesideTheMessageFromAThresholdOn(_ row: (mtom: Bool, size: Int, sent: String)) async throws {
        let configuration = try Service.configuration(
            "/mtom", ["mtom": .boolean(row.mtom), "mtomThreshold": 3_000])
        try await Service.with(configuration) { connection in
            let bytes = (0..<row.size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let value = try await connection.value(
                "store", ["name": "a", "content": .string(Base64.encode(bytes))])
            #expect(value["m"] == nil)
            #expect(value["sent"] == .string(row.sent))
            #expect(value["size"] == .number(Number(row.size)))
            #expect(value["content"]?["#text"] == .string(Base64.encode(bytes.reversed())))
        }
    }

    @Test func binaryContentMayHoldTheBytesOfABoundary() async throws {
        try await Service.with(try Service.configuration("/mtom", ["mtom": true, "mtomThreshold": 1])) { connection in
            let bytes = Array("\r\n--frontie\r\n--\r\n\n--frontierless".utf8) + [0, 255]
            let value = try await connection.value("store", ["name": "a", "content": .string(Base64.encode(bytes))])
            #expect(value["content"]?["#text"] == .string(Base64.encode(bytes.reversed())))
        }
    }

    private static func security(_ type: String, _ secret: String = "env:SOAP_PASSWORD") -> ValueContext {
        [
            "security": [
                "user": "ali", "password": ["secret": .string(secret)], "passwordType": .string(type),
                "timeToLive": "5m",
            ]
        ]
    }

    @Test(arguments: ["text", "digest"])
    func theUsernameTokenIsAcceptedWithANewNonceEachTime(type: String) async throws {
        try await Service.with(try Service.configuration("/secure", Self.security(type))) { connection in
            for _ in 0..<2 {
                let value = try await connection.value("ping", [:])
                #expect(value == ["by": .string(type)])
            }
        }
    }

    @Test(arguments: ["text", "digest"])
    func aRejectedCredentialIsAnAuthErrorThatDoesNotShowIt(type: String) async throws {
        let configuration = try Service.configuration("/secure", Self.security(type, "env:WRONG"))
        try await Service.with(configuration) { connection in
            let error = try await connection.error("ping", [:])
            #expect(error.kind == .auth)
            #expect(error.code == "CON-3110")
            #expect(!"\(error) \(error.details)".contains(Service.canary))
            if type == "text" { #expect(error.message.contains("<secret>")) }
        }
    }

    /// Secrets that change while connections are open.
    private final class ChangingSecrets: SecretResolver {
        private let secret = Mutex(Secret(Service.canary))

        func change(to secret: Secret) { self.secret.withLock { $0 = secret } }

        func secret(_ reference: SecretReference) async throws -> Secret { self.secret.withLock { $0 } }
    }

    @Test(arguments: ["text", "digest"])
    func aChangedPasswordIsUsedByTheNextCall(type: String) async throws {
        let secrets = ChangingSecrets()
        var configuration = try Service.configuration("/secure", Self.security(type))
        configuration.secrets = secrets
        try await Service.with(configuration) { connection in
            let error = try await connection.error("ping", [:])
            #expect(error.kind == .auth)
            secrets.change(to: Secret("open sesame"))
            let value = try await connection.value("ping", [:])
            #expect(value == ["by": .string(type)])
        }
    }

    @Test func aPasswordThatIsNotThereIsAnAuthError() async throws {
        let configuration = try Service.configuration("/secure", Self.security("text", "env:NOWHERE"))
        try await Service.with(configuration) { connection in
            let error = try await connection.error("ping", [:])
            #expect(error.kind == .auth)
            #expect(error.code == ConnectorError.Code.secretUnavailable)
        }
    }

    @Test func aPasswordWithALineEndIsAnAuthErrorThatDoesNotShowIt() async throws {
        var configuration = try Service.configuration("/secure", Self.security("text"))
        configuration.secrets = FixedSecrets([Service.password: Secret("\(Service.canary)\n")])
        try await Service.with(configuration) { connection in
            let error = try await connection.error("ping", [:])
            #expect(error.kind == .auth)
            #expect(error.message.contains("line end"))
            #expect(!"\(error)".contains(Service.canary))
        }
    }

    @Test func aPasswordInPlainTextIsRefused() async throws {
        let configuration = try Service.configuration(
            "/secure", ["security": ["user": "ali", "password": "canary-plain"]])
        let error = try await failure { _ = try await SOAPModule().connect(configuration) }
        #expect(error.kind == .validation)
        #expect(error.message.contains("security.password"))
        #expect(!"\(error)".contains("canary-plain"))
    }

    @Test func aMissingServiceIsReportedByItsStatus() async throws {
        let error = try await failure { _ = try await SOAPModule().connect(try Service.configuration("/nothing")) }
        #expect(error.kind == .notFound)
    }

    @Test func aPrivateAddressIsRefusedUnlessAllowed() async throws {
        let configuration = try Service.configuration("/rpc", ["allowPrivate": false])
        let error = try await failure { _ = try await SOAPModule().connect(configuration) }
        #expect(error.kind == .permission)
    }
}
