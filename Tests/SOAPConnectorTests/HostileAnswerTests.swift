import ConnectorKit
import SOAPConnector
import Testing
import Values

/// Answers no decent service gives: each is an error of the taxonomy.
@Suite struct HostileAnswerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var status = 200
        var type = "text/xml; charset=utf-8"
        var headers = ""
        var body: [UInt8]
        var kind: ConnectorError.Kind
        var code: String
        var words = ""
        var mayHaveExecuted = true

        var testDescription: String { self.name }

        init(
            _ name: String, status: Int = 200, type: String = "text/xml; charset=utf-8", headers: String = "",
            _ body: String, _ kind: ConnectorError.Kind, _ code: String, _ words: String = "",
            mayHaveExecuted: Bool = true
        ) {
            self.name = name
            self.status = status
            self.type = type
            self.headers = headers
            self.body = Array(body.utf8)
            self.kind = kind
            self.code = code
            self.words = words
            self.mayHaveExecuted = mayHaveExecuted
        }
    }

    private static func envelope(_ body: String) -> String {
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>\(body)</e:Body></e:Envelope>"
    }

    private static func out(_ content: String) -> String { Self.envelope("<Out xmlns='urn:t'>\(content)</Out>") }

    private static func fault(_ code: String, _ text: String = "words", detail: String = "") -> String {
        Self.envelope("<e:Fault><faultcode>\(code)</faultcode><faultstring>\(text)</faultstring>\(detail)</e:Fault>")
    }

    private static func multipart(_ root: String, _ more: String = "", end: String = "--b--\r\n") -> String {
        "--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <r>\r\n\r\n\(root)\r\n\(more)\(end)"
    }

    private static let related = "multipart/related; boundary=b; start=\"<r>\""
    private static let xop = "<x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:a'/>"
    private static let bomb =
        "<!DOCTYPE e [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>" + Self.out("<n>1</n>&b;")
    private static let outside = "<!DOCTYPE e [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + Self.out("<s>&a;</s>")

    static let rows: [Row] = [
        Row("truncated", String(out("<n>1</n>").dropLast(20)), .unknown, "CON-3106", "line 1"),
        Row("empty", "", .unknown, "CON-3106", "empty"),
        Row("a web page", type: "text/html", "<html><body>Hello</body></html>", .unknown, "CON-3106", "html"),
        Row("not XML", "\u{0}\u{1}garbage", .unknown, "CON-3106"),
        Row("another root", "<x/>", .unknown, "CON-3106", "its root is x"),
        Row("no body", "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'/>", .unknown, "CON-3106"),
        Row("an empty body", envelope(""), .unknown, "CON-3107", "empty"),
        Row("another element", envelope("<Other xmlns='urn:t'/>"), .unknown, "CON-3107", "{urn:t}Other"),
        Row("a missing element", out(""), .unknown, "CON-3107", "Expected is ( {urn:t}n )"),
        Row("a wrong type", out("<n>seven</n>"), .unknown, "CON-3107", "'xs:int'"),
        Row("one too many", out("<n>1</n><n>2</n>"), .unknown, "CON-3107"),
        Row("an unknown element", out("<n>1</n><z>2</z>"), .unknown, "CON-3107", "z"),
        Row("a broken binary", out("<n>1</n><b>***</b>"), .unknown, "CON-3107", "base64Binary"),
        Row("an entity bomb", bomb, .unknown, "CON-3106", "DOCTYPE"),
        Row("an external entity", outside, .unknown, "CON-3106", "DOCTYPE"),
        Row(
            "a deep nest", out(String(repeating: "<n>", count: 5_000) + String(repeating: "</n>", count: 5_000)),
            .unknown, "CON-3106", "too deeply"),
        Row("an undeclared prefix", out("<q:n>1</q:n>"), .unknown, "CON-3106", "prefix q"),
        Row("a gateway's page", status: 502, type: "text/html", "<html/>", .transient, "CON-1001", "502"),
        Row("a gateway's XML", status: 503, "<error/>", .unavailable, "CON-1001", "503", mayHaveExecuted: false),
        Row("half a page with an error", status: 500, "<html><p>", .transient, "CON-1001", "500"),
        Row("a result with an error's status", status: 500, out("<n>1</n>"), .transient, "CON-1001", "500"),
        Row("a redirect", status: 302, headers: "Location: http://example.org/\r\n", "", .validation, "CON-1010"),
        Row("no boundary", type: "multipart/related", multipart(out("<n>1</n>")), .unknown, "CON-3112", "boundary"),
        Row(
            "no last boundary", type: related, multipart(out("<n>1</n>"), end: ""), .unknown, "CON-3112",
            "last boundary"),
        Row("no part", type: related, "--b--\r\n", .unknown, "CON-3112", "no part"),
        Row(
            "a part without an end of its header", type: related, "--b\r\nX: y\r\n--b--\r\n", .unknown, "CON-3112",
            "header"),
        Row(
            "an attachment that is not there", type: related, multipart(out("<n>1</n><b>\(xop)</b>")), .unknown,
            "CON-3107"),
        Row(
            "two attachments of one id", type: related,
            multipart(
                out("<n>1</n><b>\(xop)</b>"),
                "--b\r\nContent-ID: <a>\r\n\r\n1\r\n--b\r\nContent-ID: <a>\r\n\r\n2\r\n"), .unknown, "CON-3112",
            "same id"),
        Row(
            "an attachment in an encoding of its own", type: related,
            multipart(
                out("<n>1</n><b>\(xop)</b>"),
                "--b\r\nContent-ID: <a>\r\nContent-Transfer-Encoding: x-zip\r\n\r\n1\r\n"), .unknown, "CON-3112",
            "x-zip"),
        Row("a fault with status 200", fault("e:Client"), .validation, "CON-3108", "words", mayHaveExecuted: false),
        Row("a fault of the service's own", status: 500, fault("x:Odd.Thing"), .transient, "CON-3109", "Odd.Thing"),
        Row("a fault without a code", status: 500, fault(""), .transient, "CON-3109", "no code"),
        Row("a fault of nothing", status: 500, envelope("<e:Fault/>"), .transient, "CON-3109", "no code"),
        Row(
            "a fault with status 401", status: 401, fault("e:Server"), .auth, "CON-3110", "words",
            mayHaveExecuted: false),
        Row(
            "a fault with status 403", status: 403, fault("e:Client"), .permission, "CON-3110", "words",
            mayHaveExecuted: false),
        Row(
            "a fault with status 429", status: 429, headers: "Retry-After: 7\r\n", fault("e:Server"), .rateLimited,
            "CON-3109", "words", mayHaveExecuted: false),
        Row("a fault with status 503", status: 503, fault("e:Server"), .unavailable, "CON-3109", "words"),
        Row(
            "another version", status: 500, fault("e:VersionMismatch"), .unsupported, "CON-3114", mayHaveExecuted: false
        ),
        Row(
            "a header not understood", status: 500, fault("e:MustUnderstand"), .unsupported, "CON-3114",
            mayHaveExecuted: false),
        Row(
            "a security fault", status: 500, fault("wsse:FailedAuthentication"), .auth, "CON-3110",
            mayHaveExecuted: false),
        Row(
            "a fault with a huge detail", status: 500,
            fault("e:Server", detail: "<detail><d>\(String(repeating: "x", count: 100_000))</d></detail>"), .transient,
            "CON-3109"),
    ]

    private static let description = Description.document(
        Description.echo(
            "<x:sequence><x:element name='n' type='x:int'/>"
                + "<x:element name='b' type='x:base64Binary' minOccurs='0'/></x:sequence>"))

    private func call(
        _ server: FakeServer, _ more: ValueContext = [:], _ input: Value = ["n": 1]
    ) async throws -> Outcome {
        try await withFolder(["echo.wsdl": Self.description]) { folder in
            var parameters: ValueContext = ["baseUrl": .string(server.url)]
            parameters.merge(more)
            return try await Service.with(Service.configuration(wsdl: folder + "/echo.wsdl", parameters)) {
                connection in
                await connection.invoke(OperationCall(operation: "echo", input: input, timeout: .seconds(20)))
            }
        }
    }

    @Test(arguments: rows)
    func eachIsAnErrorOfTheTaxonomy(row: Row) async throws {
        let server = try FakeServer(status: row.status, type: row.type, headers: row.headers, body: row.body)
        defer { server.stop() }
        let error = try #require(try await call(server).error)
        #expect(error.kind == row.kind)
        #expect(error.code == row.code)
        #expect(error.message.contains(row.words), "\(error.message)")
        #expect(error.mayHaveExecuted == row.mayHaveExecuted)
        #expect(error.details.description.utf8.count < 10_000)
        if row.headers.hasPrefix("Retry-After") { #expect(error.retryAfter == .seconds(7)) }
    }

    @Test func anAnswerThatIsTooLargeIsRefused() async throws {
        let server = try FakeServer(body: Array(Self.out("<n>1</n>").utf8) + [UInt8](repeating: 0x20, count: 100_000))
        defer { server.stop() }
        let error = try #require(try await call(server, ["maxResponse": 50_000]).error)
        #expect(error.kind == .validation)
        #expect(error.code == "CON-1007")
    }

    @Test func textThatIsNotInItsEncodingIsRefused() async throws {
        let server = try FakeServer(body: Array("<a>".utf8) + [0xFF, 0xFE, 0xC3] + Array("</a>".utf8))
        defer { server.stop() }
        let error = try #require(try await call(server).error)
        #expect(error.code == "CON-3106")
    }

    @Test func anAnswerInLatin1IsRead() async throws {
        let text = "<?xml version='1.0' encoding='ISO-8859-1'?>" + Self.out("<n> 7 </n>")
        let server = try FakeServer(body: text.unicodeScalars.map { UInt8($0.value) })
        defer { server.stop() }
        let outcome = try await call(server)
        #expect(outcome.value == ["n": 7], "\(outcome)")
    }

    @Test func anOperationWithoutAnAnswerTakesAnEmptyOne() async throws {
        let server = try FakeServer(status: 202, body: [])
        defer { server.stop() }
        let text = Self.description.replacing("<w:output message=\"t:O\"/>", with: "")
        try await withFolder(["echo.wsdl": text]) { folder in
            let configuration = Service.configuration(
                wsdl: folder + "/echo.wsdl", ["baseUrl": .string(server.url)])
            try await Service.with(configuration) { connection in
                let value = try await connection.value("echo", ["n": 1])
                #expect(value == .null)
            }
        }
    }

    @Test func aConnectionThatBreaksIsTransient() async throws {
        let server = try FakeServer { _ in Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<e:Env".utf8) }
        defer { server.stop() }
        let error = try #require(try await call(server).error)
        #expect(error.kind == .transient)
        #expect(error.mayHaveExecuted)
    }

    @Test func withoutValidationOnlyTheTypesCount() async throws {
        let server = try FakeServer(body: Array(Self.out("<b>AAA=</b>").utf8))
        defer { server.stop() }
        let strict = try await call(server).error
        #expect(strict?.code == "CON-3107")
        let lenient = try await call(server, ["validate": "none"]).value
        #expect(lenient == ["b": "AAA="])
    }

    @Test(arguments: [
        (version: "", action: "soapaction: \"urn:echo\"", type: "content-type: text/xml; charset=utf-8"),
        (
            "12", "content-type: application/soap+xml; charset=utf-8; action=\"urn:echo\"",
            "http://www.w3.org/2003/05/soap-envelope"
        ),
    ])
    func theActionStandsWhereTheVersionWantsIt(_ row: (version: String, action: String, type: String)) async throws {
        let server = try FakeServer(body: Array(Self.out("<n>1</n>").utf8))
        defer { server.stop() }
        let text = Description.document(
            Description.echo("<x:sequence><x:element name='n' type='x:int'/></x:sequence>"), address: server.url,
            version: row.version)
        try await withFolder(["echo.wsdl": text]) { folder in
            try await Service.with(Service.configuration(wsdl: folder + "/echo.wsdl")) { connection in
                _ = try await connection.value("echo", ["n": 1])
            }
        }
        let request = try #require(server.received.first)
        #expect(request.lowercased().contains(row.action))
        #expect(request.lowercased().contains(row.type))
        #expect(request.lowercased().contains("soapaction") == row.version.isEmpty)
    }
}

extension ValueContext {
    var description: String { Value.context(self).description }
}
