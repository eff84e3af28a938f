import Testing
import Values

@testable import ConnectorSpecs

/// Signatures as the services document them.
@Suite struct WebhookTests {
    private static func receiver(_ verify: String, _ more: String = "") throws -> WebhookReceiver {
        let text = SpecLintTests.good
            .replacing(
                "verify: { scheme: hmac-sha256, header: X-Sig, secret: { value: \"=kept.secret\" } }",
                with: "verify: { \(verify), secret: { value: \"=credential.secret\"\(more) } }")
        return try #require(WebhookReceiver(try specification(text), event: "item"))
    }

    private static func isGenuine(
        _ receiver: WebhookReceiver, secret: String?, headers: [String: String], body: String,
        url: String = "https://hub.example.com/w", now: Int64 = 1_700_000_000
    ) -> Bool {
        let request = WebhookRequest(
            url: url, headers: headers.map { (name: $0.key, value: $0.value) }, body: Array(body.utf8))
        let credential: ValueContext = secret.map { ["secret": .string($0)] } ?? [:]
        switch receiver.receive(request, connection: [:], credential: credential, now: now) {
        case .event, .ignored: return true
        case .challenge, .refused: return false
        }
    }

    private struct Known {
        var verify: String
        var decode = ""
        var secret: String
        var headers: [String: String]
        var body: String
        var url = "https://hub.example.com/w"
        var now: Int64 = 1_700_000_000
    }

    private static let known: [String: Known] = [
        "GitHub": Known(
            verify: "scheme: hmac-sha256, header: X-Hub-Signature-256, prefix: sha256=",
            secret: "It's a Secret to Everybody",
            headers: [
                "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
            ],
            body: "Hello, World!"),
        "Slack": Known(
            verify: """
                scheme: hmac-sha256, header: X-Slack-Signature, prefix: v0=, \
                signed: "='v0:' + headers['x-slack-request-timestamp'] + ':' + rawBody", \
                timestamp: "=headers['x-slack-request-timestamp']", tolerance: 5m
                """,
            secret: "8f742231b10e8888abcd99yyyzzz85a5",
            headers: [
                "X-Slack-Request-Timestamp": "1531420618",
                "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            ],
            body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
                + "channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
                + "response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
                + "96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
            now: 1_531_420_700),
        "Twilio": Known(
            verify: "scheme: hmac-sha1, header: X-Twilio-Signature, encoding: base64, signed: \"=url + sortedForm\"",
            secret: "12345",
            headers: [
                "X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
                "Content-Type": "application/x-www-form-urlencoded",
            ],
            body: "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE",
            url: "https://mycompany.com/myapp.php?foo=1&bar=2"),
        "Standard Webhooks": Known(
            verify: "scheme: standardWebhooks", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            headers: [
                "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
                "webhook-signature": "v0,x v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ],
            body: #"{"test": 2432232314}"#, now: 1_614_265_330 + 300),
        "a shared token": Known(
            verify: "scheme: token, header: X-Token", secret: "s3cret", headers: ["x-token": "s3cret"], body: "{}"),
        // RFC 8032, 7.1, test 2.
        "Ed25519": Known(
            verify: "scheme: ed25519, header: X-Sig", decode: ", decode: hex",
            secret: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            headers: [
                "X-Sig": "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ],
            body: "r"),
    ]

    @Test(arguments: ["GitHub", "Slack", "Twilio", "Standard Webhooks", "a shared token", "Ed25519"])
    func signaturesOfServicesAreChecked(_ name: String) throws {
        let known = try #require(Self.known[name])
        let receiver = try Self.receiver(known.verify, known.decode)
        func isGenuine(_ change: (inout Known) -> Void = { _ in }) -> Bool {
            var changed = known
            change(&changed)
            return Self.isGenuine(
                receiver, secret: changed.secret, headers: changed.headers, body: changed.body, url: changed.url,
                now: changed.now)
        }
        #expect(isGenuine())
        #expect(!isGenuine { $0.headers = [:] })
        #expect(!isGenuine { $0.secret = "" })
        #expect(!isGenuine { $0.headers = $0.headers.mapValues { _ in "é" } })
        #expect(!isGenuine { known in known.headers = known.headers.mapValues { String($0.dropLast()) } })
        guard name != "a shared token" else { return }
        #expect(!isGenuine { $0.body += "x=" })
    }

    @Test(arguments: [-301, 301])
    func signaturesTooFarFromNowAreRefused(_ seconds: Int64) throws {
        let known = try #require(Self.known["Standard Webhooks"])
        let receiver = try Self.receiver(known.verify)
        #expect(
            !Self.isGenuine(
                receiver, secret: known.secret, headers: known.headers, body: known.body, now: 1_614_265_330 + seconds))
    }

    @Test(arguments: ["9223372036854775807", "-9223372036854775808", "1e9", ""])
    func timestampsThatAreNoneAreRefused(_ timestamp: String) throws {
        let known = try #require(Self.known["Slack"])
        let receiver = try Self.receiver(known.verify)
        var headers = known.headers
        headers["X-Slack-Request-Timestamp"] = timestamp
        #expect(!Self.isGenuine(receiver, secret: known.secret, headers: headers, body: known.body, now: -5))
    }

    @Test func bytesThatAreNoTextAreSignedAsTheyAre() throws {
        let receiver = try Self.receiver("scheme: hmac-sha256, header: X-Sig")
        let request = WebhookRequest(
            url: "", headers: [("x-sig", "c9e4b5e2f0f7e1fd5ab7b2d2a1e4e3b2")], body: [0xFF, 0xFE])
        let verdict = receiver.receive(request, connection: [:], credential: ["secret": "k"], now: 0)
        #expect(verdict.reply.status == 401)
    }

    @Test func aBodyThatIsTooLargeIsRefused() throws {
        let receiver = try Self.receiver("scheme: token, header: X-Token")
        let request = WebhookRequest(
            url: "", headers: [("X-Token", "t")],
            body: [UInt8](repeating: 0x20, count: WebhookRequest.bodyBytesMaximum + 1))
        let verdict = receiver.receive(request, connection: [:], credential: ["secret": "t"], now: 0)
        #expect(verdict.reply.status == 413)
    }
}
