import ConnectorKit
import HubDocuments
import Testing
import Values

@testable import Hub

/// What sources fed over HTTP may be declared with.
@Suite struct IngressSettingsTests {
    private static func findings(_ kind: IngressSettings.Kind, _ yaml: String) throws -> [String] {
        let (settings, diagnostics) = IngressSettings.read(try ingressTrigger(kind, yaml))
        #expect((settings == nil) == !diagnostics.isEmpty)
        #expect(diagnostics.allSatisfy { $0.code == "HB620" && $0.file == "t.yaml" && $0.line == 3 })
        return diagnostics.map(\.message)
    }

    @Test func everythingIsRead() throws {
        let yaml = """
            path: /hooks/stripe
            methods: [POST, PUT]
            verify: { scheme: stripe, secrets: [env:A, { secret: vault:b }], tolerance: 10s }
            reply: { accepted: 200, duplicate: 208, filtered: 200, invalid: 422, busy: 429 }
            bodyLimit: 64KiB
            sync: { wait: 3s, output: "=run.output.total" }
            """
        let settings = try #require(IngressSettings.read(try ingressTrigger(.webhook, yaml)).settings)
        #expect(settings.path == "/hooks/stripe")
        #expect(settings.methods == ["POST", "PUT"])
        #expect(
            settings.replies
                == IngressSettings.Replies(accepted: 200, duplicate: 208, filtered: 200, invalid: 422, busy: 429))
        #expect(settings.bodyLimit == 65_536)
        #expect(settings.sync?.wait == .seconds(3))
        guard case .stripe(let secrets, 10)? = settings.schemes.first else {
            Issue.record("expected stripe")
            return
        }
        #expect(secrets.map(\.description) == ["env:A", "vault:b"])
    }

    @Test(
        arguments: [
            (.webhook, "path: /h", "source.webhook.verify is missing."),
            (.webhook, "verify: { scheme: none }", "source.webhook.path is missing."),
            (.webhook, "path: /h\nverify: []", "source.webhook.verify: the list is empty."),
            (
                .webhook, "path: /h\nverify: { scheme: hmac }",
                "source.webhook.verify.scheme: expected one of standardWebhooks, github, stripe, slack, twilio, sendGrid, "
                    + "sharedToken, basic, jwt, mtls, none but found \"hmac\"."
            ),
            (.webhook, "path: /h\nverify: { scheme: github }", "source.webhook.verify.secret is missing."),
            (
                .webhook, "path: /h\nverify: { scheme: github, secret: hunter2 }",
                "source.webhook.verify.secret: expected where the secret is kept."
            ),
            (
                .webhook, "path: /h\nverify: [{ scheme: none }, { scheme: github, secret: env:A }]",
                "source.webhook.verify: with none in the list, the other schemes have no meaning."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: mtls, subjects: [CN=a] }",
                "source.webhook.verify: this server speaks no TLS, so it sees no client certificates."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: jwt, issuer: a, audience: b }",
                "source.webhook.verify: there is nothing to check the signature with."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: jwt, jwksUrl: \"https://a.example/keys\" }",
                "source.webhook.verify.audience is missing: a token for anybody else would be accepted."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: jwt, audience: b, jwks: { keys: [] } }",
                "source.webhook.verify.jwks: expected keys for signatures (RFC 7517)."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: none }\nmethods: [HEAD]",
                "source.webhook.methods: expected POST, PUT, PATCH, GET, DELETE but found \"HEAD\"."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: none }\nreply: { busy: 200 }",
                "source.webhook.reply.busy: expected a whole number, 400 to 599 but found 200."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: none }\nbodyLimit: 1GiB",
                "source.webhook.bodyLimit: expected 1 byte to 64MiB."
            ),
            (
                .webhook, "path: /h\nverify: { scheme: none }\nsync: { wait: 1h }",
                "source.webhook.sync.wait: expected 100ms to 5m."
            ),
            (.webhook, "path: /h\nverify: { scheme: none }\nlimit: 1", "Unknown field source.webhook.limit."),
            (
                .webhook, "path: /v2/x\nverify: { scheme: none }",
                "source.webhook.path: /v2/x belongs to the server's own API."
            ),
            (.webhook, "path: \"=1 +\"\nverify: { scheme: none }", ""),
            (.api, "operation: a/b", "source.api.operation: expected a name such as orders.submit."),
            (
                .api, "operation: a\nauthz: \"role:x\"",
                "source.api.authz: expected actor:NAME but found \"role:x\"; this server knows no roles."
            ),
            (.capability, "where: { source: a }", "source.capability.event is missing."),
        ] as [(IngressSettings.Kind, String, String)])
    func whatIsWrongIsSaid(kind: IngressSettings.Kind, yaml: String, finding: String) throws {
        guard !finding.isEmpty else { return }
        #expect(try Self.findings(kind, yaml) == [finding])
    }

    @Test(arguments: ["hooks", "/", "//a", "/a/", "/a/../b", "/a/%2e", "/a b", "/a?b", "/{a}", "/a\\b", "/a//b"])
    func pathsHaveOneForm(path: String) throws {
        let found = try Self.findings(
            .webhook, "path: \"\(path.replacing("\\", with: "\\\\"))\"\nverify: { scheme: none }")
        #expect(found.count == 1)
    }

    @Test(
        arguments: [
            ("/hooks/a", "/hooks/a"), ("/hooks/a/", "/hooks/a"), ("/hooks/%61", "/hooks/a"), ("/", "/"),
            ("/hooks/%C3%A4", "/hooks/ä"), ("/a%2Fb", nil), ("/a/../b", nil), ("/a/%2e%2e/b", nil), ("//a", nil),
            ("/a//b", nil), ("/a/./b", nil), ("/a%00", nil), ("/a%", nil), ("/a%zz", nil), ("a", nil), ("", nil),
            ("/a%5Cb", nil), ("/a%FF", nil), ("/%252e", nil),
        ] as [(String, String?)])
    func pathsThatCouldMeanAnotherOneLeadNowhere(path: String, normalized: String?) {
        #expect(PathText.normalized(path) == normalized)
    }

    @Test func twoTriggersAtOnePathAreRefused() throws {
        let first = try ingressTrigger(.webhook, "path: /h\nverify: { scheme: none }", id: "a")
        let second = try ingressTrigger(.cloudevents, "path: /h\nverify: { scheme: none }", id: "b")
        let third = try ingressTrigger(.webhook, "path: /h\nmethods: [PUT]\nverify: { scheme: none }", id: "c")
        #expect(
            IngressSettings.contradictions([first, second, third]).map { "\($0.code) \($0.message)" }
                == ["HB621 The triggers a and b both claim POST /h."])
        #expect(IngressSettings.contradictions([first, third]).isEmpty)
    }
}
