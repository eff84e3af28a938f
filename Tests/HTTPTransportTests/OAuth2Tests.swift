import ConnectorKit
import Crypto
import CryptoExtras
import Foundation
import HTTPTransport
import Synchronization
import Testing
import Values

/// One realm of the authorisation server, which nobody else uses.
private struct Realm {
    let path = "r\(UUID().uuidString)"
    let base: String

    static let client = "my client"
    static let clientSecret = "s3cret+/:client"

    init() throws { self.base = try Service.url("AUTHORITY") }

    func auth(_ grant: String, query: String = "", _ more: ValueContext = ValueContext()) -> Value {
        var auth: ValueContext = [
            "type": "oauth2", "grant": .string(grant), "tokenUrl": .string("\(self.base)/\(self.path)/token?\(query)"),
            "clientId": .string(Self.client), "clientSecret": secret("CLIENT"),
        ]
        auth.merge(more)
        return .context(auth)
    }

    func withClient<Result>(
        _ auth: Value, _ table: [String: String] = [:], clock: any ConnectorClock = SystemConnectorClock(),
        _ body: (HTTPClient) async throws -> Result
    ) async throws -> Result {
        let known = table.merging(["CLIENT": Self.clientSecret]) { given, _ in given }
        return try await HTTPTransportTests.withClient(
            ["baseUrl": .string("\(self.base)/\(self.path)"), "auth": auth], secrets: secrets(known), clock: clock, body
        )
    }

    /// Asks without any authorisation.
    func plain(_ method: String, _ path: String, _ text: String = "") async throws -> Value? {
        try await HTTPTransportTests.withClient(["baseUrl": .string("\(self.base)/\(self.path)")]) {
            client async throws in
            try await client.send(
                HTTPRequest(method: method, target: .path(path), body: method == "GET" ? nil : .bytes(Array(text.utf8)))
            )
        }.json
    }

    var count: Int64? { get async throws { try await self.plain("GET", "count")?["count"]?.asInt64 } }
}

struct OAuth2Tests {
    @Test(arguments: ["basic", "body"])
    func aTokenOfTheClientIsHadOnceAndKept(_ clientAuth: String) async throws {
        let realm = try Realm()
        let auth = realm.auth("clientCredentials", ["clientAuth": .string(clientAuth), "scope": ["a", "b"]])
        try await realm.withClient(auth) { client async throws in
            for _ in 0..<3 {
                let answer = try await client.get("resource")
                #expect(answer.json?["token"] == "token-1", "\(answer.text)")
            }
        }
        #expect(try await realm.count == 1)
    }

    @Test func manyRequestsAtOnceAskForOneToken() async throws {
        let realm = try Realm()
        try await realm.withClient(realm.auth("clientCredentials", query: "delay=0.05")) { client async throws in
            let tokens = try await withThrowingTaskGroup(of: Value?.self) { group in
                for _ in 0..<40 { group.addTask { try await client.get("resource").json?["token"] } }
                return try await group.reduce(into: [Value?]()) { $0.append($1) }
            }
            #expect(tokens.count == 40 && tokens.allSatisfy { $0 == "token-1" })
        }
        #expect(try await realm.count == 1)
    }

    @Test func aTokenIsRenewedBeforeItExpires() async throws {
        let realm = try Realm()
        let clock = ManualConnectorClock()
        try await realm.withClient(realm.auth("clientCredentials", query: "expires=100"), clock: clock) {
            client async throws in
            _ = try await client.get("resource")
            clock.advance(by: .seconds(89))
            #expect(try await client.get("resource").json?["token"] == "token-1")
            // In its last tenth it still serves, while another is on its way.
            clock.advance(by: .seconds(2))
            #expect(try await client.get("resource").json?["token"] == "token-1")
            var token: Value?
            let deadline = ContinuousClock.now + .seconds(10)
            while token != "token-2", ContinuousClock.now < deadline {
                token = try await client.get("resource").json?["token"]
            }
            #expect(token == "token-2")
            clock.advance(by: .seconds(99))
            #expect(try await client.get("resource").json?["token"] == "token-3")
        }
        #expect(try await realm.count == 3)
    }

    @Test func aRefusedTokenIsReplacedOnce() async throws {
        let realm = try Realm()
        try await realm.withClient(realm.auth("clientCredentials")) { client async throws in
            _ = try await client.get("resource")
            _ = try await realm.plain("POST", "revoke")
            #expect(try await client.get("resource").json?["token"] == "token-2")
            // A service that refuses every token is not asked for ever.
            #expect(try await client.get("claims").status == 400)
        }
        try await realm.withClient(realm.auth("clientCredentials", query: "expires=none")) { client async throws in
            #expect(try await client.get("resource").status == 200)
        }
    }

    @Test func aServiceThatRefusesEveryTokenIsAskedTwice() async throws {
        let realm = try Realm()
        let other = try Realm()
        // The tokens of one realm mean nothing in another.
        try await realm.withClient(other.auth("clientCredentials")) { client async throws in
            let request = HTTPRequest(target: .path("resource"))
            let answer = try await client.send(request)
            #expect(answer.status == 401)
            #expect(client.failure(answer, of: request).kind == .auth)
        }
        #expect(try await other.count == 2)
    }

    @Test func aRefreshTokenThatChangesIsFollowed() async throws {
        let realm = try Realm()
        let auth = realm.auth("refreshToken", query: "rotate=1", ["refreshToken": secret("REFRESH")])
        try await realm.withClient(auth, ["REFRESH": "refresh-0"]) { client async throws in
            for number in 1...3 {
                #expect(try await client.get("resource").json?["token"] == .string("token-\(number)"))
                _ = try await realm.plain("POST", "revoke")
            }
        }
    }

    /// A store that can be written, such as the vault.
    private final class WritableSecrets: SecretResolver {
        let table: Mutex<[String: String]>

        init(_ table: [String: String]) { self.table = Mutex(table) }

        func secret(_ reference: SecretReference) async throws -> Secret {
            guard let text = self.table.withLock({ $0[reference.name] }) else {
                throw ConnectorError.secretUnavailable(reference)
            }
            return Secret(text)
        }

        func replace(_ reference: SecretReference, with secret: Secret) async -> Bool {
            self.table.withLock { $0[reference.name] = secret.reveal { $0 } }
            return true
        }
    }

    @Test(arguments: ["refreshToken", "authorizationCode"])
    func aRefreshTokenIsKeptForTheNextStart(_ grant: String) async throws {
        let realm = try Realm()
        var more: ValueContext = ["refreshToken": secret("REFRESH")]
        var table = ["CLIENT": Realm.clientSecret, "REFRESH": "refresh-0"]
        if grant == "authorizationCode" {
            more.merge([
                "code": secret("CODE"), "codeVerifier": secret("VERIFIER"), "redirectUri": "https://app.example/back",
            ])
            table["REFRESH"] = nil
            table["CODE"] = "code-1"
            table["VERIFIER"] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        }
        let secrets = WritableSecrets(table)
        let auth = realm.auth(grant, query: "rotate=1", more)
        for start in 1...3 {
            try await withClient(
                ["baseUrl": .string("\(realm.base)/\(realm.path)"), "auth": auth], secrets: secrets
            ) { client async throws in
                #expect(try await client.get("resource").json?["token"] == .string("token-\(start)"))
            }
        }
        #expect(secrets.table.withLock { $0["REFRESH"] } == "refresh-3")
        #expect(try await realm.count == 3)
    }

    @Test func aCodeIsExchangedWithItsVerifier() async throws {
        let realm = try Realm()
        let auth = realm.auth(
            "authorizationCode",
            ["code": secret("CODE"), "codeVerifier": secret("VERIFIER"), "redirectUri": "https://app.example/back"])
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        try await realm.withClient(auth, ["CODE": "code-1", "VERIFIER": "wrong"]) { client async throws in
            let error = try await #require(throws: ConnectorError.self) { _ = try await client.get("resource") }
            #expect(error.kind == .auth && error.code == "CON-1012")
        }
        try await realm.withClient(auth, ["CODE": "code-1", "VERIFIER": verifier]) { client async throws in
            #expect(try await client.get("resource").status == 200)
            // The code works once; from then on it is the refresh token that counts.
            _ = try await realm.plain("POST", "revoke")
            #expect(try await client.get("resource").status == 200)
        }
    }

    typealias RefusedRow = (name: String, query: String, secret: String, kind: ConnectorError.Kind, word: String)

    @Test(
        arguments: [
            ("wrong secret", "", "wrong", .auth, "invalid_client"),
            ("server fails", "status=500", Realm.clientSecret, .transient, "server_error"),
            ("too many", "status=429", Realm.clientSecret, .rateLimited, "429"),
            ("no token", "garbage=1", Realm.clientSecret, .auth, "access_token"),
        ] as [RefusedRow])
    func whatTheServerSaysIsInTheError(_ row: RefusedRow) async throws {
        let realm = try Realm()
        try await realm.withClient(realm.auth("clientCredentials", query: row.query), ["CLIENT": row.secret]) {
            client async throws in
            let error = try await #require(throws: ConnectorError.self) {
                _ = try await client.send(
                    HTTPRequest(method: "POST", target: .path("resource"), body: .bytes([1])))
            }
            #expect(error.kind == row.kind, "\(row.name): \(error)")
            #expect("\(error)".contains(row.word), "\(row.name): \(error)")
            #expect(!error.mayHaveExecuted)
            #expect(!"\(error) \(error.details)".contains("s3cret"))
        }
    }

    @Test func anAuthorisationServerThatIsDownIsUnavailable() async throws {
        let realm = try Realm()
        let auth: Value = [
            "type": "oauth2", "grant": "clientCredentials", "tokenUrl": "http://127.0.0.1:1/token", "clientId": "c",
            "clientSecret": secret("CLIENT"),
        ]
        try await realm.withClient(auth) { client async throws in
            let error = try await #require(throws: ConnectorError.self) { _ = try await client.get("resource") }
            #expect(error.kind == .unavailable && error.code == "CON-1002" && !error.mayHaveExecuted)
        }
    }

    @Test func waitingForATokenCanBeCancelled() async throws {
        let realm = try Realm()
        try await realm.withClient(realm.auth("clientCredentials", query: "delay=5")) { client async throws in
            let started = ContinuousClock.now
            let task = Task { try await client.get("resource") }
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            #expect(ContinuousClock.now - started < .seconds(4))
        }
    }
}

struct JWTTests {
    private static let rsa = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }
    private static let p256 = P256.Signing.PrivateKey()
    private static let p384 = P384.Signing.PrivateKey()

    /// The key that signs, and the one that verifies.
    private static func keys(_ algorithm: JWTSettings.Algorithm) throws -> (String, String) {
        switch algorithm {
        case .hs256, .hs384, .hs512:
            let shared = String(repeating: "shared s3cret ", count: 5)
            return (shared, shared)
        case .rs256, .rs384, .rs512:
            let key = try Self.rsa.get()
            return (key.pemRepresentation, key.publicKey.pemRepresentation)
        case .es256: return (Self.p256.pemRepresentation, Self.p256.publicKey.pemRepresentation)
        case .es384: return (Self.p384.pemRepresentation, Self.p384.publicKey.pemRepresentation)
        }
    }

    private static func fields(_ algorithm: JWTSettings.Algorithm) -> ValueContext {
        [
            "algorithm": .string(algorithm.rawValue), "key": secret("KEY"), "keyId": "k1", "issuer": "junction",
            "subject": "robot", "audience": "me", "claims": ["scope": "all", "n": 7],
        ]
    }

    /// PyJWT verifies.
    @Test(arguments: JWTSettings.Algorithm.allCases)
    func anIndependentVerifierAcceptsTokens(_ algorithm: JWTSettings.Algorithm) async throws {
        let realm = try Realm()
        let (key, verifier) = try Self.keys(algorithm)
        _ = try await realm.plain("PUT", "keys/k1", verifier)
        var bearer = Self.fields(algorithm)
        bearer["type"] = "jwt"
        try await realm.withClient(.context(bearer), ["KEY": key]) { client async throws in
            let answer = try await client.get("claims")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json?["iss"] == "junction" && answer.json?["sub"] == "robot")
            #expect(answer.json?["scope"] == "all" && answer.json?["n"] == 7)
        }
        // The same as a grant.
        let auth = realm.auth("jwtBearer", ["assertion": .context(Self.fields(algorithm))])
        try await realm.withClient(auth, ["KEY": key]) { client async throws in
            #expect(try await client.get("resource").status == 200)
        }
        // With another key nobody is let in.
        _ = try await realm.plain("PUT", "keys/k1", String(repeating: "another key ", count: 8))
        try await realm.withClient(auth, ["KEY": key]) { client async throws in
            let error = try await #require(throws: ConnectorError.self) { _ = try await client.get("resource") }
            #expect(error.code == "CON-1012" && "\(error)".contains("invalid_grant"), "\(error)")
        }
    }

    @Test(arguments: [
        ("RS256", "no key"), ("RS256", ""), ("ES256", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
        ("HS256", ""),
    ])
    func aKeyThatIsNoneIsNamedAndNotShown(_ row: (algorithm: String, key: String)) async throws {
        let realm = try Realm()
        let auth: Value = ["type": "jwt", "algorithm": .string(row.algorithm), "key": secret("KEY")]
        try await realm.withClient(auth, ["KEY": row.key]) { client async throws in
            let error = try await #require(throws: ConnectorError.self) { _ = try await client.get("claims") }
            #expect(error.code == "CON-1014" && error.kind == .auth && !error.mayHaveExecuted)
            #expect(!"\(error)".contains("AAAA") && !"\(error)".contains("no key"))
        }
    }
}
