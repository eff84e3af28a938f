import ConnectorKit
import Crypto
import HTTPTransport
import LoopbackTestSupport
import Synchronization
import Testing
import Values

@testable import Hub

/// Keys that an authorisation server publishes, over real sockets.
@Suite struct IngressKeySetTests {
    /// Publishes keys, and counts how often it is asked.
    private final class Issuer: Sendable {
        private struct State {
            var answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            var requests = 0
        }

        private final class Box: Sendable {
            let state = Mutex(State())
        }

        let server: LoopbackServer
        private let box = Box()

        init() throws {
            let box = self.box
            self.server = try LoopbackServer { server, socket in
                _ = LoopbackServer.read(socket)
                let answer = box.state.withLock { state in
                    state.requests += 1
                    return state.answer
                }
                _ = LoopbackServer.write(socket, Array(answer.utf8))
                server.finish(socket)
            }
        }

        var requests: Int { self.box.state.withLock { $0.requests } }
        var url: String { "http://127.0.0.1:\(self.server.port)/keys" }

        func answer(_ status: String, _ body: String) {
            let head = "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)"
            self.box.state.withLock { $0.answer = head + "\r\nConnection: close\r\n\r\n" + body }
        }

        func publish(_ keys: [(id: String, key: P256.Signing.PrivateKey)]) {
            let list = keys.map { id, key -> Value in
                let point = Array(key.publicKey.x963Representation)
                return [
                    "kty": "EC", "crv": "P-256", "kid": .string(id),
                    "x": .string(Base64URL.encode(Array(point[1..<33]))),
                    "y": .string(Base64URL.encode(Array(point[33...]))),
                ]
            }
            self.answer("200 OK", JSON.string(["keys": .list(list)]))
        }
    }

    private struct Site {
        let issuer: Issuer
        let clock = ManualConnectorClock()
        let verifier: RequestVerifier
        let first = P256.Signing.PrivateKey()
        let second = P256.Signing.PrivateKey()

        init(allowsPrivate: Bool = true) throws {
            self.issuer = try Issuer()
            let trigger = try ingressTrigger(
                .webhook,
                """
                path: /h
                verify:
                  scheme: jwt
                  issuer: https://issuer.example
                  audience: us
                  jwksUrl: "\(self.issuer.url)"
                  allowPrivate: \(allowsPrivate)
                """)
            let settings = try #require(IngressSettings.read(trigger).settings)
            self.verifier = RequestVerifier(settings.schemes, secrets: NoSecrets(), clock: self.clock)
            self.issuer.publish([("k1", self.first)])
        }

        func verdict(_ id: String, _ key: P256.Signing.PrivateKey) async throws -> RequestVerifier.Verdict {
            let now = self.clock.unixMilliseconds / 1_000
            let token = try TestCrypto.token(
                header: ["alg": "ES256", "kid": .string(id)],
                claims: ["iss": "https://issuer.example", "aud": "us", "exp": .number(Number(now + 600)), "sub": "ada"]
            ) { Array(try key.signature(for: $0).rawRepresentation) }
            return await self.verifier.verdict(
                on: IngressRequest(
                    method: "POST", path: "/h", headers: [("authorization", "Bearer " + token)], body: [],
                    peer: "127.0.0.1"))
        }

        func end() async {
            await self.verifier.close()
            self.issuer.server.stop()
        }
    }

    @Test func keysAreFetchedOnceForManyRequests() async throws {
        let site = try Site()
        let verdicts = try await withThrowingTaskGroup(of: RequestVerifier.Verdict.self) { group in
            for _ in 0..<50 { group.addTask { try await site.verdict("k1", site.first) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.count(where: { $0.isGenuine }) == 50)
        #expect(site.issuer.requests == 1)
        guard case .genuine(_, let claims) = verdicts[0] else { return }
        #expect(claims?["sub"] == "ada")
        await site.end()
    }

    @Test func aNewKeyIsFoundAndUnknownOnesAreNotAskedForAllTheTime() async throws {
        let site = try Site()
        #expect(try await site.verdict("k1", site.first).isGenuine)
        site.issuer.publish([("k2", site.second)])
        #expect(try await site.verdict("k2", site.second).isRefused, "asked a moment ago")
        site.clock.advance(by: .seconds(31))
        #expect(try await site.verdict("k2", site.second).isGenuine)
        for _ in 0..<20 { #expect(try await site.verdict("forged", site.first).isRefused) }
        #expect(site.issuer.requests == 2)
        site.clock.advance(by: .seconds(31))
        #expect(try await site.verdict("k1", site.first).isRefused, "a key that is published no more")
        await site.end()
    }

    @Test(arguments: ["no JSON", "{}", #"{"keys":[]}"#, #"{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}"#, ""])
    func withoutKeysNobodyCanSay(body: String) async throws {
        let site = try Site()
        site.issuer.answer("200 OK", body)
        #expect(try await site.verdict("k1", site.first).isUnavailable)
        // It is not asked again at once, and then it is.
        #expect(try await site.verdict("k1", site.first).isUnavailable)
        #expect(site.issuer.requests == 1)
        site.issuer.publish([("k1", site.first)])
        site.clock.advance(by: .seconds(2))
        #expect(try await site.verdict("k1", site.first).isGenuine)
        await site.end()
    }

    @Test func keysOutliveTheirIssuer() async throws {
        let site = try Site()
        #expect(try await site.verdict("k1", site.first).isGenuine)
        site.issuer.answer("503 Service Unavailable", "")
        site.clock.advance(by: .seconds(7_200))
        #expect(try await site.verdict("k1", site.first).isGenuine)
        await site.end()
    }

    @Test func privateAddressesAreAskedOnlyWhenThatIsDeclared() async throws {
        let site = try Site(allowsPrivate: false)
        #expect(try await site.verdict("k1", site.first).isUnavailable)
        #expect(site.issuer.requests == 0)
        await site.end()
    }
}
