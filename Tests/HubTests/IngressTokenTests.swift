import ConnectorKit
import Crypto
import CryptoExtras
import HTTPTransport
import Testing
import Values

@testable import Hub

/// What tests sign with.
enum TestCrypto {
    static func hmacSHA1Base64(_ key: String, _ text: String) -> String {
        Base64.encode(
            Array(
                HMAC<Insecure.SHA1>.authenticationCode(
                    for: Array(text.utf8), using: SymmetricKey(data: Array(key.utf8)))))
    }

    static func hmacSHA256Hex(_ key: String, _ text: String) -> String {
        Hex.encode(
            HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: Array(key.utf8))))
    }

    static func sha256Hex(_ text: String) -> String { Hex.encode(SHA256.hash(data: Array(text.utf8))) }

    static func token(header: Value, claims: Value, sign: ([UInt8]) throws -> [UInt8]) rethrows -> String {
        func part(_ value: Value) -> String { Base64URL.encode(Array(JSON.string(value).utf8)) }
        let text = part(header) + "." + part(claims)
        return text + "." + Base64URL.encode(try sign(Array(text.utf8)))
    }
}

/// JSON Web Tokens, with the examples of RFC 7515 and with forged ones.
@Suite struct IngressTokenTests {
    private static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    private static let now: Int64 = 1_300_819_000

    /// RFC 7515, A.1 to A.3.
    private static let hs256 =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(payload).dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let hs256Key = Base64URL.decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
    private static let rs256 =
        "eyJhbGciOiJSUzI1NiJ9.\(payload)."
        + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
        + "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
        + "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
        + "wlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    private static let es256 =
        "eyJhbGciOiJFUzI1NiJ9.\(payload)."
        + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    private static let rsaKey: Value = [
        "kty": "RSA", "e": "AQAB",
        "n": .string(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF"
                + "d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS"
                + "-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8"
                + "q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"),
    ]
    private static let ecKey: Value = [
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    ]

    private static func rules(_ change: (inout JWTRules) -> Void = { _ in }) -> JWTRules {
        var rules = JWTRules()
        rules.algorithms = [.hs256, .rs256, .es256]
        change(&rules)
        return rules
    }

    private static func isAccepted(
        _ token: String, _ rules: JWTRules = rules(), keys: Value? = ["keys": [rsaKey, ecKey]], now: Int64 = now
    ) -> Bool {
        let secrets = self.hs256Key.map { [$0] } ?? []
        if case .accepted = rules.verdict(
            on: token, keys: keys.flatMap { JSONWebKeys($0) }, secrets: secrets, now: now)
        {
            return true
        }
        return false
    }

    @Test(arguments: [hs256, rs256, es256]) func theExamplesOfTheStandardAreAccepted(token: String) {
        #expect(Self.isAccepted(token))
    }

    @Test(arguments: [hs256, rs256, es256]) func everyChangedCharacterOfTheSignatureIsNoticed(token: String) {
        let start = token.utf8.count - 43
        for offset in stride(from: start, to: token.utf8.count - 1, by: 7) {
            var characters = Array(token.utf8)
            characters[offset] = characters[offset] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(!Self.isAccepted(String(decoding: characters, as: UTF8.self)))
        }
    }

    @Test(arguments: [hs256, rs256, es256]) func aTokenIsGoodUntilItsEndAndALittleLonger(token: String) {
        #expect(Self.isAccepted(token, now: 1_300_819_380 + 59))
        #expect(!Self.isAccepted(token, now: 1_300_819_380 + 60))
        #expect(!Self.isAccepted(token, Self.rules { $0.leeway = 0 }, now: 1_300_819_380))
    }

    @Test func cutOffTokensAreRefused() {
        for length in 0..<Self.es256.utf8.count - 2 {
            #expect(!Self.isAccepted(String(Self.es256.prefix(length))))
        }
    }

    @Test func whatIsNotAcceptedIsNeverTried() {
        let claims: Value = ["exp": 1_300_819_380]
        // Unsigned; with the public key of another algorithm as a shared secret; with extensions nobody understands.
        #expect(!Self.isAccepted(TestCrypto.token(header: ["alg": "none"], claims: claims) { _ in [] }))
        #expect(!Self.isAccepted(TestCrypto.token(header: ["alg": "none"], claims: claims) { _ in [1] }))
        #expect(!Self.isAccepted(Self.hs256, Self.rules { $0.algorithms = [.rs256] }))
        #expect(!Self.isAccepted(Self.rs256, Self.rules { $0.algorithms = [.hs256] }))
        let critical = TestCrypto.token(header: ["alg": "HS256", "crit": ["b64"], "b64": false], claims: claims) {
            text in
            Self.signed(text)
        }
        #expect(!Self.isAccepted(critical))
    }

    private static func signed(_ text: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: hs256Key ?? [])))
    }

    @Test(
        arguments: [
            (["exp": 1_300_819_380, "iss": "a", "aud": "me"], true),
            (["exp": 1_300_819_380, "iss": "a", "aud": ["x", "me"]], true),
            (["exp": 1_300_819_380.5, "iss": "a", "aud": "me"], true),
            (["iss": "a", "aud": "me"], false),
            (["exp": "soon", "iss": "a", "aud": "me"], false),
            (["exp": 1e300, "iss": "a", "aud": "me"], false),
            (["exp": 1_300_819_380, "iss": "b", "aud": "me"], false),
            (["exp": 1_300_819_380, "aud": "me"], false),
            (["exp": 1_300_819_380, "iss": "a", "aud": "you"], false),
            (["exp": 1_300_819_380, "iss": "a"], false),
            (["exp": 1_300_819_380, "iss": "a", "aud": "me", "nbf": 1_300_819_060], true),
            (["exp": 1_300_819_380, "iss": "a", "aud": "me", "nbf": 1_300_819_061], false),
            (["exp": 1_300_819_380, "iss": "a", "aud": "me", "iat": 1_300_900_000], false),
            (["exp": 1_300_819_380, "iss": "a", "aud": "me", "nbf": true], false),
        ] as [([String: any Sendable], Bool)])
    func claimsMustSayWhatIsExpected(claims: [String: any Sendable], isAccepted: Bool) throws {
        var context = ValueContext()
        for (name, value) in claims {
            switch value {
            case let number as Int: context[name] = .number(Number(number))
            case let number as Double: context[name] = .number(try #require(Number(number)))
            case let flag as Bool: context[name] = .boolean(flag)
            case let list as [String]: context[name] = .list(list.map { .string($0) })
            default: context[name] = .string("\(value)")
            }
        }
        let token = TestCrypto.token(header: ["alg": "HS256"], claims: .context(context)) { Self.signed($0) }
        let rules = Self.rules {
            $0.issuers = ["a"]
            $0.audiences = ["me"]
        }
        #expect(Self.isAccepted(token, rules) == isAccepted)
    }

    @Test func requiredClaimsAreComparedAsValues() {
        let token = TestCrypto.token(
            header: ["alg": "HS256"],
            claims: ["exp": 1_300_819_380, "email": "a@b", "email_verified": true, "groups": ["x", "y"]]
        ) { Self.signed($0) }
        #expect(
            Self.isAccepted(token, Self.rules { $0.claims = ["email": "a@b", "email_verified": true, "groups": "y"] }))
        #expect(!Self.isAccepted(token, Self.rules { $0.claims = ["email_verified": "true"] }))
        #expect(!Self.isAccepted(token, Self.rules { $0.claims = ["groups": "z"] }))
        #expect(!Self.isAccepted(token, Self.rules { $0.claims = ["tenant": "1"] }))
    }

    @Test func aKeyIsUsedOnlyForWhatItSays() throws {
        let key = P256.Signing.PrivateKey()
        let point = key.publicKey.x963Representation
        func jwk(_ more: ValueContext) -> Value {
            var context: ValueContext = [
                "kty": "EC", "crv": "P-256", "x": .string(Base64URL.encode(Array(point[1..<33]))),
                "y": .string(Base64URL.encode(Array(point[33...]))),
            ]
            context.merge(more)
            return .context(context)
        }
        let token = try TestCrypto.token(header: ["alg": "ES256", "kid": "k1"], claims: ["exp": 1_300_819_380]) {
            Array(try key.signature(for: $0).rawRepresentation)
        }
        #expect(Self.isAccepted(token, keys: ["keys": [jwk(["kid": "k1"])]]))
        #expect(
            Self.isAccepted(token, keys: ["keys": [Self.rsaKey, jwk(["kid": "k1", "alg": "ES256", "use": "sig"])]]))
        #expect(!Self.isAccepted(token, keys: ["keys": [jwk(["kid": "k2"])]]))
        #expect(!Self.isAccepted(token, keys: ["keys": [jwk(["kid": "k1", "use": "enc"])]]))
        #expect(!Self.isAccepted(token, keys: ["keys": [jwk(["kid": "k1", "alg": "ES384"])]]))
        #expect(!Self.isAccepted(token, keys: nil))
    }
}
