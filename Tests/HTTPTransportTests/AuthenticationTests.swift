import ConnectorKit
import Foundation
import HTTPTransport
import Testing
import Values

/// Against httpbin, which checks.
struct AuthenticationTests {
    private func status(_ auth: Value, _ path: String, password: String = "p4ss") async throws -> Int {
        try await withClient(
            ["baseUrl": .string(try Service.url("HTTPBIN")), "auth": auth], secrets: secrets(["P": password])
        ) { client async throws in
            try await client.get(path).status
        }
    }

    typealias Row = (type: String, path: String)

    @Test(
        arguments: [
            ("basic", "basic-auth/user/p4ss"), ("digest", "digest-auth/auth/user/p4ss/MD5"),
            ("digest", "digest-auth/auth/user/p4ss/SHA-256"), ("digest", "digest-auth/auth/user/p4ss"),
        ] as [Row])
    func theRightPasswordIsAcceptedAndNoOther(_ row: Row) async throws {
        let auth: Value = ["type": .string(row.type), "user": "user", "password": secret("P")]
        #expect(try await self.status(auth, row.path) == 200)
        #expect(try await self.status(auth, row.path, password: "wrong") == 401)
    }

    @Test func aDigestChallengeIsUsedAgain() async throws {
        let auth: Value = ["type": "digest", "user": "user", "password": secret("P")]
        try await withClient(
            ["baseUrl": .string(try Service.url("HTTPBIN")), "auth": auth], secrets: secrets(["P": "p4ss"])
        ) { client async throws in
            // httpbin wants the cookie of its challenge; without one it takes no second answer to the same.
            for _ in 0..<3 { #expect(try await client.get("digest-auth/auth/user/p4ss/SHA-256").status == 200) }
        }
    }

    @Test func keysGoWhereTheyBelong() async throws {
        let base = try Service.url("HTTPBIN")
        let key = secrets(["K": "k&y"])
        let header: Value = ["type": "apiKey", "header": "X-Key", "value": secret("K")]
        try await withClient(["baseUrl": .string(base), "auth": header], secrets: key) { client async throws in
            #expect(try await client.get("get").json?["headers"]?["X-Key"] == "k&y")
        }
        let query: Value = ["type": "apiKey", "query": "api key", "value": secret("K")]
        try await withClient(["baseUrl": .string(base), "auth": query], secrets: key) { client async throws in
            let answer = try await client.send(HTTPRequest(target: .path("get"), query: [("a", "1")]))
            #expect(answer.json?["args"]?["api key"] == "k&y" && answer.json?["args"]?["a"] == "1")
            #expect(!answer.address.text.contains("k%26y"))
        }
        let bearer: Value = ["type": "bearer", "token": secret("K")]
        try await withClient(["baseUrl": .string(base), "auth": bearer], secrets: key) { client async throws in
            #expect(try await client.get("bearer").json?["token"] == "k&y")
        }
    }

    @Test(
        arguments: [
            (["type": "oauth2"], "grant"), (["type": "oauth2", "grant": "clientCredentials"], "tokenUrl"),
            (["type": "oauth2", "grant": "magic", "tokenUrl": "https://x/"], "clientCredentials"),
            (["type": "oauth2", "grant": "clientCredentials", "tokenUrl": "ftp://x/", "clientId": "a"], "tokenUrl"),
            (
                [
                    "type": "oauth2", "grant": "clientCredentials", "tokenUrl": "https://x/", "clientId": "a",
                    "clientSecret": "plain",
                ], "secret reference"
            ),
            (["type": "jwt", "algorithm": "none", "key": ["secret": "env:K"]], "HS256"),
            (["type": "jwt", "algorithm": "HS256", "key": ["secret": "env:K"], "lifetime": "1s"], "lifetime"),
            (["type": "awsSignature", "region": "r"], "service"),
            (
                ["type": "hmac", "key": ["secret": "env:K"], "header": "X-S", "stringToSign": "{bdy}"],
                "{bdy}"
            ),
            (["type": "hmac", "key": ["secret": "env:K"], "header": "X S", "stringToSign": "{body}"], "header name"),
            (["type": "digest", "user": "a", "pasword": ["secret": "env:K"]], "password"),
        ] as [(Value, String)])
    func wrongSettingsAreNamed(_ row: (auth: Value, word: String)) throws {
        let error = try #require(throws: ConnectorError.self) { _ = try settings(["auth": row.auth]) }
        #expect(error.message.contains(row.word) || error.remedy.contains(row.word), "\(error)")
        #expect(!"\(error)".contains("plain"))
    }
}
