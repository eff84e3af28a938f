import ConnectorKit
import Testing
import Values

@testable import Hub

/// The signatures of services, with the examples of their own documentation.
@Suite struct IngressSignatureTests {
    struct Example: CustomTestStringConvertible, Sendable {
        var name: String
        var verify: String
        var secret: String
        var headers: [(String, String)]
        var body: String
        var query: String?
        /// The Unix second it was signed at; 0 for schemes without a time.
        var time: Int64
        /// The header that has the signature.
        var signature: String
        var testDescription: String { name }
    }

    private static let slackBody =
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        + "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        + "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        + "%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    private static let sendGridBody =
        #"[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","#
        + #""sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","#
        + #""sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","#
        + #""smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]"# + "\r\n"

    static let examples = [
        Example(
            name: "Standard Webhooks", verify: "{ scheme: standardWebhooks, secret: env:S }",
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            headers: [
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ], body: #"{"test": 2432232314}"#, time: 1_614_265_330, signature: "webhook-signature"),
        Example(
            name: "GitHub", verify: "{ scheme: github, secret: env:S }", secret: "It's a Secret to Everybody",
            headers: [
                (
                    "x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
                )
            ], body: "Hello, World!", time: 0, signature: "x-hub-signature-256"),
        Example(
            name: "Slack", verify: "{ scheme: slack, secret: env:S }", secret: "8f742231b10e8888abcd99yyyzzz85a5",
            headers: [
                ("x-slack-request-timestamp", "1531420618"),
                ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
                ("content-type", "application/x-www-form-urlencoded"),
            ], body: slackBody, time: 1_531_420_618, signature: "x-slack-signature"),
        Example(
            name: "Twilio", verify: "{ scheme: twilio, secret: env:S, url: \"https://mycompany.com/myapp.php\" }",
            secret: "12345",
            headers: [
                ("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            body: "Digits=1234&CallSid=CA1234567890ABCDE&From=%2B14158675309&Caller=%2B14158675309&To=%2B18005551212",
            query: "foo=1&bar=2", time: 0, signature: "x-twilio-signature"),
        Example(
            name: "Stripe", verify: "{ scheme: stripe, secret: env:S }", secret: "whsec_test_secret",
            headers: [
                (
                    "stripe-signature",
                    "t=1492774577,v1=654b43d3508ecadb3f8cefc4bc7d3d2bdc5ba9e03bf2c89b2d0657a8e24e4543,v0=6ffbb59b"
                )
            ], body: #"{"id":"evt_1","object":"event"}"#, time: 1_492_774_577, signature: "stripe-signature"),
        Example(
            name: "SendGrid", verify: "{ scheme: sendGrid, secret: env:S }",
            secret: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw"
                + "+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
            headers: [
                ("x-twilio-email-event-webhook-timestamp", "1600112502"),
                (
                    "x-twilio-email-event-webhook-signature",
                    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
                ),
            ], body: sendGridBody, time: 1_600_112_502, signature: "x-twilio-email-event-webhook-signature"),
    ]

    private static func verdict(
        _ example: Example, now: Int64? = nil, body: String? = nil, secrets: [String: String]? = nil,
        headers: [(String, String)]? = nil, query: String? = nil
    ) async throws -> RequestVerifier.Verdict {
        let trigger = try ingressTrigger(.webhook, "path: /h\nverify: \(example.verify)")
        let settings = try #require(
            IngressSettings.read(trigger).settings, "\(IngressSettings.read(trigger).diagnostics)")
        let clock = ManualConnectorClock(unixMilliseconds: (now ?? max(example.time, 1)) * 1_000)
        let verifier = RequestVerifier(
            settings.schemes, secrets: ChangingSecrets(secrets ?? ["S": example.secret]), clock: clock)
        return await verifier.verdict(
            on: IngressRequest(
                method: "POST", path: "/h", query: query ?? example.query, headers: headers ?? example.headers,
                body: Array((body ?? example.body).utf8), peer: "127.0.0.1"))
    }

    @Test(arguments: examples) func theDocumentedExampleIsGenuine(example: Example) async throws {
        #expect(try await Self.verdict(example).isGenuine)
    }

    @Test(arguments: examples) func aChangedBodyIsForged(example: Example) async throws {
        let changed = example.body.replacing("2", with: "3").replacing("World", with: "world")
            .replacing("evt", with: "evx")
        #expect(try await Self.verdict(example, body: changed).isRefused)
        #expect(try await Self.verdict(example, body: "").isRefused)
    }

    @Test(arguments: examples) func anotherSecretIsRefused(example: Example) async throws {
        for secret in ["whsec_AAAA", "x", "whpk_AAAA"] {
            #expect(try await Self.verdict(example, secrets: ["S": secret]).isRefused)
        }
    }

    @Test(arguments: examples) func withoutTheSignatureItIsRefused(example: Example) async throws {
        let headers = example.headers.filter { $0.0 != example.signature }
        #expect(try await Self.verdict(example, headers: headers).isRefused)
        for junk in ["", "v1", "v1,", "v1,?", "sha256=", "sha256=zz", "t=,v1=", "v0=", "=", ",,,,", "\u{0}", "t=1,t=2"]
        {
            let broken = headers + [(example.signature, junk)]
            #expect(try await Self.verdict(example, headers: broken).isRefused, "\(junk)")
        }
    }

    @Test(arguments: examples.filter { $0.time > 0 }) func itIsGoodForFiveMinutesBothWays(example: Example) async throws
    {
        for offset: Int64 in [-300, 0, 300] {
            #expect(try await Self.verdict(example, now: example.time + offset).isGenuine, "\(offset)")
        }
        for offset: Int64 in [-301, 301, 86_400] {
            #expect(try await Self.verdict(example, now: example.time + offset).isRefused, "\(offset)")
        }
    }

    @Test(arguments: examples) func withoutASecretNobodyCanSay(example: Example) async throws {
        #expect(try await Self.verdict(example, secrets: [:]).isUnavailable)
    }

    @Test(arguments: examples) func whileSecretsAreRotatedBothAreGood(example: Example) async throws {
        var rotated = example
        rotated.verify = example.verify.replacing("secret: env:S", with: "secrets: [env:NEW, env:S]")
        #expect(try await Self.verdict(rotated, secrets: ["NEW": "x", "S": example.secret]).isGenuine)
        #expect(try await Self.verdict(rotated, secrets: ["NEW": example.secret, "S": "x"]).isGenuine)
        #expect(try await Self.verdict(rotated, secrets: ["NEW": example.secret]).isGenuine)
        #expect(try await Self.verdict(rotated, secrets: ["NEW": "x"]).isRefused)
    }

    @Test func anyOfSeveralSchemesWillDo() async throws {
        var both = Self.examples[1]
        both.verify = "[{ scheme: stripe, secret: env:OTHER }, \(both.verify)]"
        #expect(try await Self.verdict(both, secrets: ["S": both.secret, "OTHER": "x"]).isGenuine)
        #expect(try await Self.verdict(both, secrets: ["S": both.secret]).isGenuine)
        #expect(try await Self.verdict(both, secrets: ["OTHER": "x"]).isUnavailable)
    }

    @Test func aStripeHeaderMayHaveSeveralSignatures() async throws {
        let example = Self.examples[4]
        let header = example.headers[0].1.replacing("v1=", with: "v1=00ff,v1=")
        #expect(try await Self.verdict(example, headers: [("stripe-signature", header)]).isGenuine)
        // A secret that was put in place of a time is no time.
        #expect(
            try await Self.verdict(
                example, headers: [("stripe-signature", header.replacing("t=1492774577", with: "t=149277457x"))]
            ).isRefused)
    }

    @Test func twilioBindsABodyThatIsNoFormByItsHash() async throws {
        var example = Self.examples[3]
        let url =
            "https://mycompany.com/myapp.php?bodySHA256="
            + "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"
        example.body = #"{"property": "value", "boolean": true}"#
        let signature = TestCrypto.hmacSHA1Base64("12345", url)
        let query = String(url.split(separator: "?")[1])
        let hash = TestCrypto.sha256Hex(example.body)
        let right = "bodySHA256=" + hash
        let rightSignature = TestCrypto.hmacSHA1Base64("12345", "https://mycompany.com/myapp.php?" + right)
        #expect(
            try await Self.verdict(example, headers: [("x-twilio-signature", rightSignature)], query: right).isGenuine)
        #expect(try await Self.verdict(example, headers: [("x-twilio-signature", signature)], query: query).isRefused)
    }

    @Test(
        arguments: [
            ("{ scheme: sharedToken, secret: env:S }", [("authorization", "Bearer secret")], nil, true),
            ("{ scheme: sharedToken, secret: env:S }", [("authorization", "bearer secret")], nil, true),
            ("{ scheme: sharedToken, secret: env:S }", [("authorization", "Bearer secreT")], nil, false),
            ("{ scheme: sharedToken, secret: env:S }", [("authorization", "secret")], nil, false),
            ("{ scheme: sharedToken, secret: env:S, header: X-Token }", [("x-token", "secret")], nil, true),
            ("{ scheme: sharedToken, secret: env:S, header: X-Token }", [("x-token", "")], nil, false),
            ("{ scheme: sharedToken, secret: env:S, query: token }", [], "a=b&token=secret", true),
            ("{ scheme: sharedToken, secret: env:S, query: token }", [], "token=", false),
            ("{ scheme: sharedToken, secret: env:S, query: token }", [("token", "secret")], nil, false),
            ("{ scheme: basic, user: ada, password: env:S }", [("authorization", "Basic YWRhOnNlY3JldA==")], nil, true),
            (
                "{ scheme: basic, user: ada, password: env:S }", [("authorization", "Basic YWRhOnNlY3JldDE=")], nil,
                false
            ),
            (
                "{ scheme: basic, user: bob, password: env:S }", [("authorization", "Basic YWRhOnNlY3JldA==")], nil,
                false
            ),
            ("{ scheme: basic, user: ada, password: env:S }", [("authorization", "Basic ?")], nil, false),
            ("{ scheme: none }", [], nil, true),
        ] as [(String, [(String, String)], String?, Bool)])
    func sharedSecretsAreCompared(
        verify: String, headers: [(String, String)], query: String?, isGenuine: Bool
    ) async throws {
        let example = Example(
            name: "", verify: verify, secret: "secret", headers: headers, body: "x", query: query, time: 0,
            signature: "")
        #expect(try await Self.verdict(example).isGenuine == isGenuine)
    }

    @Test func aCertificateIsBelievedOnlyOfATrustedProxy() async throws {
        let fingerprint = String(repeating: "ab", count: 32)
        let trigger = try ingressTrigger(
            .webhook,
            """
            path: /h
            verify:
              scheme: mtls
              subjects: ["CN=shop"]
              fingerprints: ["\(fingerprint.uppercased())"]
              proxy: { from: [127.0.0.1], verified: { header: X-Verify }, subjectHeader: X-DN, fingerprintHeader: X-FP }
            """)
        let settings = try #require(
            IngressSettings.read(trigger).settings, "\(IngressSettings.read(trigger).diagnostics)")
        let verifier = RequestVerifier(settings.schemes, secrets: NoSecrets(), clock: ManualConnectorClock())
        let good = [("x-verify", "SUCCESS"), ("x-dn", "CN=shop"), ("x-fp", fingerprint)]
        func isGenuine(_ headers: [(String, String)], peer: String = "127.0.0.1") async -> Bool {
            await verifier.verdict(
                on: IngressRequest(method: "POST", path: "/h", headers: headers, body: [], peer: peer)
            ).isGenuine
        }
        #expect(await isGenuine(good))
        #expect(await !isGenuine(good, peer: "10.0.0.1"))
        #expect(await !isGenuine(good + [("x-dn", "CN=shop")]), "the proxy did not remove what the sender sent")
        for index in good.indices {
            var headers = good
            headers[index].1 = "other"
            #expect(await !isGenuine(headers))
            headers.remove(at: index)
            #expect(await !isGenuine(headers))
        }
    }
}

extension RequestVerifier.Verdict {
    var isGenuine: Bool { if case .genuine = self { true } else { false } }
    var isRefused: Bool { if case .refused = self { true } else { false } }
    var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
}
