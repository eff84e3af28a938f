import ConnectorKit
import MailConnector
import Testing
import Values

@Suite("Mail servers that are broken or hostile")
struct MailHostileServerTests {
    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static let ehlo = Self.text("250-here\r\n250 SIZE 1000000\r\n")

    /// What an SMTP server says to each command, and the kind of error that must come of it.
    private static let smtp: [(rules: [(word: String, answer: [UInt8])], codes: Set<String>)] = [
        ([], ["CON-3404"]),
        ([("EHLO", [])], ["CON-3405"]),
        ([("EHLO", Self.ehlo), ("MAIL", [])], ["CON-3405"]),
        ([("EHLO", Self.ehlo), ("MAIL", Self.text("hello\r\n"))], ["CON-3410"]),
        ([("EHLO", Self.ehlo), ("MAIL", [0xFF, 0xFE, 0, 13, 10])], ["CON-3410"]),
        ([("EHLO", Self.ehlo), ("MAIL", Self.text(String(repeating: "250-more\r\n", count: 1_000)))], ["CON-3410"]),
        ([("EHLO", Self.ehlo), ("MAIL", Self.text("250 " + String(repeating: "x", count: 100_000)))], ["CON-3410"]),
        ([("EHLO", Self.ehlo), ("MAIL", Self.text("999 what\r\n"))], ["CON-3410"]),
        ([("EHLO", Self.ehlo), ("MAIL", Self.text("421 4.3.2 going down\r\n"))], ["CON-3406"]),
        ([("EHLO", Self.ehlo), ("MAIL", Self.text("250 ok\r\n")), ("RCPT", Self.text("354 go on\r\n"))], ["CON-3407"]),
        (
            [
                ("EHLO", Self.ehlo), ("MAIL", Self.text("250 ok\r\n")), ("RCPT", Self.text("250 ok\r\n")),
                ("DATA", Self.text("250 no\r\n")),
            ], ["CON-3406"]
        ),
        (
            [
                ("EHLO", Self.ehlo), ("MAIL", Self.text("250 ok\r\n")), ("RCPT", Self.text("250 ok\r\n")),
                ("DATA", Self.text("354 go\r\n")), (".", []),
            ], ["CON-3405"]
        ),
    ]

    // Numbers, because the table itself would be printed.
    @Test(arguments: Self.smtp.indices)
    func anSMTPServerThatBreaksTheProtocolIsNamed(_ index: Int) async throws {
        let row = Self.smtp[index]
        let server = try ScriptedServer(greeting: Self.text("220 here\r\n"), rules: row.rules)
        try await MailServers.with(["smtp": .context(server.parameters), "from": "a@example.org"]) { connection in
            var send = MailServers.call("send", ["to": "b@example.org", "subject": "s", "text": "t"])
            send.timeout = .milliseconds(600)
            let error = try #require(await connection.invoke(send).error)
            #expect(row.codes.contains(error.code), "\(error)")
            #expect(error.message.utf8.count < 1_000)
        }
    }

    private static let greetings: [[UInt8]] = [
        Self.text(""), Self.text("\r\n"), Self.text("garbage\r\n"), Self.text("554 go away\r\n"),
        Self.text("* BYE no\r\n"),
        [0xFF, 0x00, 0x13, 0x0A], Self.text(String(repeating: "x", count: 200_000)),
        Self.text(String(repeating: "220-more\r\n", count: 20_000)),
    ]

    @Test(arguments: Self.greetings.indices, ["smtp", "imap"])
    func aGreetingThatIsNoneEndsTheAttempt(_ index: Int, _ kind: String) async throws {
        let server = try ScriptedServer(greeting: Self.greetings[index], rules: [], closesAfterGreeting: true)
        try await MailServers.with([kind: .context(server.parameters), "from": "a@example.org"]) { connection in
            var call = MailServers.call("send", ["to": "b@example.org", "subject": "s", "text": "t"])
            if kind == "imap" { call = MailServers.call("search", [:]) }
            call.timeout = .seconds(1)
            let error = try #require(await connection.invoke(call).error)
            #expect(!error.mayHaveExecuted)
            #expect(error.code.hasPrefix("CON-34"), "\(error)")
        }
    }

    private static let login: [(word: String, answer: [UInt8])] = [
        ("CAPABILITY", Self.text("* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\nTAG OK\r\n"))
    ]
    private static let examine: [(word: String, answer: [UInt8])] =
        Self.login + [("EXAMINE", Self.text("* OK [UIDVALIDITY 7] yes\r\n* 1 EXISTS\r\nTAG OK [READ-ONLY] done\r\n"))]

    private static let imap: [(name: String, rules: [(word: String, answer: [UInt8])], codes: Set<String>)] = [
        ("nothing after the capabilities", Self.login, ["CON-3404"]),
        ("a closed connection", Self.login + [("EXAMINE", [])], ["CON-3405"]),
        ("a refusal", Self.login + [("EXAMINE", Self.text("TAG NO [NOPERM] not yours\r\n"))], ["CON-3412"]),
        ("goodbye", Self.login + [("EXAMINE", Self.text("* BYE enough\r\n"))], ["CON-3405"]),
        ("another tag", Self.login + [("EXAMINE", Self.text("X99 OK done\r\n"))], ["CON-3410"]),
        ("bytes", Self.login + [("EXAMINE", [0, 255, 254, 13, 10])], ["CON-3410"]),
        ("a huge literal", Self.examine + [("UID SEARCH", Self.text("* SEARCH {99999999999}\r\n"))], ["CON-3410"]),
        ("a negative literal", Self.examine + [("UID SEARCH", Self.text("* SEARCH {-5}\r\n"))], ["CON-3410"]),
        ("a literal cut off", Self.examine + [("UID SEARCH", Self.text("* SEARCH {50}\r\nabc"))], ["CON-3404"]),
        (
            "nesting", Self.examine + [("UID SEARCH", Self.text("* " + String(repeating: "(", count: 5_000) + "\r\n"))],
            ["CON-3410"]
        ),
        ("a stray bracket", Self.examine + [("UID SEARCH", Self.text("* SEARCH )\r\n"))], ["CON-3410"]),
        ("a string without an end", Self.examine + [("UID SEARCH", Self.text("* SEARCH \"abc\r\n"))], ["CON-3410"]),
        (
            "an endless line", Self.examine + [("UID SEARCH", Self.text(String(repeating: "* ", count: 1_500_000)))],
            ["CON-3410"]
        ),
        (
            "too many responses",
            Self.examine + [("UID SEARCH", Self.text(String(repeating: "* 1 EXISTS\r\n", count: 21_000)))],
            ["CON-3410"]
        ),
        ("an unwanted continuation", Self.examine + [("UID SEARCH", Self.text("+ go on\r\n"))], ["CON-3410"]),
    ]

    @Test(arguments: Self.imap.indices)
    func anIMAPServerThatBreaksTheProtocolIsNamed(_ index: Int) async throws {
        let row = Self.imap[index]
        let server = try ScriptedServer(greeting: Self.text("* PREAUTH here\r\n"), rules: row.rules)
        try await MailServers.with(["imap": .context(server.parameters)]) { connection in
            var search = MailServers.call("search", [:])
            search.timeout = .milliseconds(800)
            let error = try #require(await connection.invoke(search).error, "\(row.name)")
            #expect(row.codes.contains(error.code), "\(row.name): \(error)")
        }
    }

    @Test func aSourceThatIsCutOffAsksToBeConnectedAnew() async throws {
        let rules =
            Self.login + [
                ("SELECT", Self.text("* OK [UIDVALIDITY 7] yes\r\nTAG OK [READ-WRITE] done\r\n")),
                ("NOOP", Self.text("TAG OK\r\n")), ("UID SEARCH", Self.text("* BYE for now\r\n")),
            ]
        let server = try ScriptedServer(greeting: Self.text("* PREAUTH here\r\n"), rules: rules)
        try await MailServers.with(["imap": .context(server.parameters)]) { connection in
            let source = try await connection.armSource(SourceRequest(event: "mailbox", parameters: [:]))
            for _ in 0..<3 {
                try await source.connect()
                let error = await #expect(throws: SourceInterruption.self) {
                    _ = try await source.read(maximum: 1, wait: .seconds(1))
                }
                guard case .notConnected(let reason) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(reason.contains("for now"))
            }
            await source.close()
            await source.close()
            await #expect(throws: ConnectorError.self) { try await source.connect() }
        }
    }

    @Test func answersThatMakeNoSenseAreLeftOut() async throws {
        let rules =
            Self.examine + [
                ("NOOP", Self.text("TAG OK\r\n")),
                ("UID SEARCH", Self.text("* SEARCH 5 x 99999999999 3\r\n* FLAGS (a)\r\n* SEARCH\r\nTAG OK\r\n")),
                (
                    "UID FETCH",
                    Self.text(
                        "* 1 FETCH (UID 3 FLAGS (\\Seen) RFC822.SIZE NIL INTERNALDATE \"never\")\r\n"
                            + "* 2 FETCH (UID 77 FLAGS ())\r\n* 3 FETCH NIL\r\n* 4 FETCH (UID)\r\nTAG OK\r\n")
                ),
            ]
        let server = try ScriptedServer(greeting: Self.text("* PREAUTH here\r\n"), rules: rules)
        try await MailServers.with(["imap": .context(server.parameters)]) { connection in
            let outcome = await connection.invoke(MailServers.call("search", [:]))
            let messages = try #require(outcome.value?["messages"]?.asList, "\(outcome)")
            #expect(messages.map { $0["uid"] } == [3])
            #expect(messages.first?["receivedAtMilliseconds"] == .null)
            let fetch = await connection.invoke(MailServers.call("fetch", ["uid": 3]))
            #expect(fetch.error?.code == "CON-3412")
        }
    }
}
