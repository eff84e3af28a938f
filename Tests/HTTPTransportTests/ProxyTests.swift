import ConnectorKit
import Foundation
import HTTPTransport
import Testing
import Values

struct ProxyTests {
    private static let password = "s3cret:proxy"

    private func proxy(_ scheme: String, _ more: ValueContext = ValueContext()) throws -> Value {
        let port = try #require(try Service.url("PROXY").split(separator: ":").last)
        var proxy: ValueContext = [
            "url": .string("\(scheme)://127.0.0.1:\(port)"), "user": "proxy user", "password": secret("P"),
        ]
        proxy.merge(more)
        return .context(proxy)
    }

    /// What the proxy was asked for.
    private func log() async throws -> String {
        try await withClient(
            ["proxy": try self.proxy("http")], secrets: secrets(["P": Self.password])
        ) { client async throws in
            let address = try #require(HTTPAddress("http://proxy.test/log"))
            return try await client.send(HTTPRequest(target: .url(address))).text
        }
    }

    typealias Row = (scheme: String, port: String, logged: String)

    @Test(
        arguments: [
            ("http", "plain", "GET http://127.0.0.1:"), ("http", "https", "CONNECT 127.0.0.1:"),
            ("socks5", "plain", "socks address 127.0.0.1:"), ("socks5h", "https", "socks "),
        ] as [Row])
    func requestsGoThroughTheProxy(_ row: Row) async throws {
        let base = try await Service.nginx(row.port)
        let parameters: ValueContext = [
            "baseUrl": .string(base), "proxy": try self.proxy(row.scheme),
            "caFile": .string(try await Service.nginx("tls") + "/authority.pem"), "headers": ["X-Own": "s3cret"],
        ]
        let before = try await self.log()
        try await withClient(parameters, secrets: secrets(["P": Self.password])) { client async throws in
            let answer = try await client.get("facts")
            #expect(answer.status == 200)
            // What the proxy says of its tunnel is none of the service's fields.
            #expect(answer.header("x-proxy") == nil)
        }
        let port = try #require(base.split(separator: ":").last)
        let news = try await self.log().dropFirst(before.count)
        #expect(news.contains(row.logged) && news.contains(port), "\(news)")
    }

    @Test(arguments: ["http", "socks5"])
    func aWrongPasswordIsRefusedByTheProxy(_ scheme: String) async throws {
        let parameters: ValueContext = [
            "baseUrl": .string(try await Service.nginx("plain")), "proxy": try self.proxy(scheme),
        ]
        try await withClient(parameters, secrets: secrets(["P": "wr0ng"])) { client async throws in
            do {
                let request = HTTPRequest(target: .path("facts"))
                let answer = try await client.send(request)
                #expect(answer.status == 407)
                #expect(client.failure(answer, of: request).kind == .auth)
            } catch {
                let error = try #require(error as? ConnectorError)
                #expect(error.code == "CON-1002" && !"\(error)".contains("wr0ng"), "\(error)")
            }
        }
    }

    @Test func exceptionsAreCalledDirectly() async throws {
        let parameters: ValueContext = [
            "baseUrl": .string(try await Service.nginx("plain")),
            "proxy": ["url": "http://127.0.0.1:1", "noProxy": ["127.0.0.1"]],
        ]
        try await withClient(parameters) { client async throws in
            #expect(try await client.get("facts").status == 200)
        }
    }

    @Test(arguments: [
        (exceptions: ["a.example"], host: "a.example", serves: false), (["a.example"], "b.a.example", true),
        ([".example"], "a.example", false), ([".example"], "example", false), ([".example"], "anexample", true),
        (["*"], "anything", false), ([], "anything", true),
    ])
    func exceptionsAreNamesDomainsOrAll(_ row: (exceptions: [String], host: String, serves: Bool)) {
        var proxy = HTTPProxy(url: "http://proxy:3128")
        proxy.exceptions = row.exceptions
        #expect(proxy.serves(row.host) == row.serves)
    }

    /// The proxy resolves names, so it must refuse private ones; what is written as an address is refused here.
    @Test(arguments: ["127.0.0.1", "localhost", "2130706433", "[::1]", "a.localhost", "169.254.169.254"])
    func privateAddressesAreRefusedAlsoThroughAProxy(_ host: String) async throws {
        let parameters: ValueContext = [
            "baseUrl": .string("http://\(host):1"), "allowPrivate": false, "proxy": try self.proxy("http"),
        ]
        try await withClient(parameters, secrets: secrets(["P": Self.password])) { client async throws in
            let error = try await #require(throws: ConnectorError.self) { _ = try await client.get("x") }
            #expect(error.code == "CON-1006" && !error.mayHaveExecuted)
        }
    }

    @Test func proxiesOfTheEnvironmentAreIgnored() async throws {
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        defer { unsetenv("http_proxy") }
        try await withClient(["baseUrl": .string(try await Service.nginx("plain"))]) { client async throws in
            #expect(try await client.get("facts").status == 200)
        }
    }

    @Test(
        arguments: [
            ([:], "url"), (["url": "ftp://x"], "socks5h"), (["url": "http://u:p@x"], "credentials"),
            (["url": "http://x", "password": "plain"], "secret reference"), (["url": "http://x", "usr": "a"], "usr"),
        ] as [(Value, String)])
    func wrongProxiesAreNamed(_ row: (proxy: Value, word: String)) throws {
        let error = try #require(throws: ConnectorError.self) { _ = try settings(["proxy": row.proxy]) }
        #expect(error.message.contains(row.word), "\(error)")
    }
}
