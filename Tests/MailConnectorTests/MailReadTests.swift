import ConnectorKit
import MailConnector
import Testing
import Values

@Suite("Reading mail")
struct MailReadTests {
    private static let message = """
        From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>
        To: Doe <d@example.org>
        Subject: =?UTF-8?B?R3LDvMOfZQ==?=
        Date: Mon, 2 Mar 2026 10:00:00 +0100
        Message-ID: <m1@example.org>
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: text/plain; charset=iso-8859-1
        Content-Transfer-Encoding: quoted-printable

        f=FCr dich
        --b
        Content-Type: text/csv; name="a.csv"
        Content-Disposition: attachment; filename="a.csv"
        Content-Transfer-Encoding: base64

        YSxiCg==
        --b--
        """

    private static func with<Result>(
        _ way: String = "implicit", _ more: ValueContext = [:],
        _ body: (any Connection, String) async throws -> Result
    ) async throws -> Result {
        let user = MailServers.unusedName()
        try MailServers.drop(Self.message, to: user)
        var parameters: ValueContext = ["imap": .context(try MailServers.imap(user, way))]
        parameters.merge(more)
        return try await MailServers.with(parameters) { try await body($0, user) }
    }

    @Test(arguments: ["implicit", "starttls"])
    func aMessageIsFoundFetchedAndMoved(way: String) async throws {
        try await Self.with(way) { connection, user in
            try await connection.test()
            let found = await connection.invoke(MailServers.call("search", ["unseen": true, "subject": "Grüße"]))
            let summary = try #require(found.value?["messages"]?.asList?.first, "\(found)")
            #expect(summary["subject"] == "Grüße")
            #expect(summary["messageId"] == "<m1@example.org>")
            #expect((summary["receivedAtMilliseconds"]?.asInt64 ?? 0) > 1_600_000_000_000)
            let uid = try #require(summary["uid"])
            let fetched = await connection.invoke(MailServers.call("fetch", ["uid": uid, "raw": true]))
            let value = try #require(fetched.value, "\(fetched)")
            #expect(value["from"] == [["name": "Jürgen", "address": "j@example.org"]])
            #expect(value["text"] == "für dich")
            #expect(value["messageId"] == "m1@example.org")
            #expect(
                value["attachments"] == [
                    ["contentType": "text/csv", "size": 4, "name": "a.csv", "content": "YSxiCg=="]
                ])
            #expect(
                value["raw"]
                    == .string(Base64.encode(Array(Self.message.replacing("\n", with: "\r\n").utf8))))
            // Reading it did not mark it.
            let again = await connection.invoke(MailServers.call("search", ["unseen": true]))
            #expect(again.value?["total"] == 1)
            let target: Value = "Erledigt & geprüft"
            let refused = await connection.invoke(MailServers.call("move", ["uid": uid, "to": target]))
            #expect(refused.error?.kind == .notFound, "\(refused)")
            #expect(refused.error?.mayHaveExecuted == false)
            let moved = await connection.invoke(
                MailServers.call("move", ["uid": uid, "to": target, "create": true]))
            #expect(moved.error == nil)
            #expect(moved.value?["uid"] == 1)
            let there = await connection.invoke(MailServers.call("search", ["mailbox": target]))
            #expect(there.value?["total"] == 1)
            let gone = await connection.invoke(MailServers.call("fetch", ["uid": uid]))
            #expect(gone.error?.code == "CON-3412")
            #expect(gone.error?.kind == .notFound)
        }
    }

    @Test func criteriaAreCombinedAndChecked() async throws {
        try await Self.with { connection, user in
            try MailServers.drop("From: b@example.org\nSubject: say \"hi\" \\o/\n\nbody text\n", to: user)
            let rows: [(input: ValueContext, total: Value)] = [
                ([:], 2), (["from": "b@example.org"], 1), (["subject": "say \"hi\" \\o/"], 1), (["text": "body"], 1),
                (["text": "für"], 1), (["text": "nowhere"], 0), (["since": "2020-01-01"], 2),
                (["before": "2020-01-01"], 0),
                (["uidFrom": 2], 1), (["flagged": true], 0), (["unseen": false], 0),
                (["from": "b@example.org", "text": "für"], 0),
            ]
            for row in rows {
                let outcome = await connection.invoke(MailServers.call("search", row.input))
                #expect(outcome.value?["total"] == row.total, "\(row.input): \(outcome)")
            }
            let some = await connection.invoke(MailServers.call("search", ["limit": 1]))
            #expect(some.value?["messages"]?.asList?.count == 1)
            let bad: [ValueContext] = [
                ["subject": "a\r\nJ9 DELETE INBOX"], ["since": "yesterday"], ["since": "2026-02-30"], ["uidFrom": 0],
                ["mailbox": "a\r\nb"], ["mailbox": ""],
            ]
            for input in bad {
                let outcome = await connection.invoke(MailServers.call("search", input))
                #expect(outcome.error?.kind == .validation, "\(input)")
            }
            let nowhere = await connection.invoke(MailServers.call("search", ["mailbox": "Nowhere"]))
            #expect(nowhere.error?.code == "CON-3412")
        }
    }

    @Test func aWrongPasswordParksAndIsNeverShown() async throws {
        let secrets = FixedSecrets([SecretReference(store: "env", name: "MAIL"): Secret("wrong-canary-password")])
        try await MailServers.with(["imap": .context(try MailServers.imap("nobody"))], secrets: secrets) { connection in
            let outcome = await connection.invoke(MailServers.call("search", [:]))
            guard case .park(let error) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(error.code == "CON-3402")
            #expect(!"\(error) \(error.details)".contains("canary"))
        }
    }

    @Test func aMessageBeyondTheBoundIsNotRead() async throws {
        try await Self.with("implicit", ["maxMessage": "10KiB"]) { connection, user in
            try MailServers.drop("Subject: large\n\n\(String(repeating: "x", count: 20_000))\n", to: user)
            let found = await connection.invoke(MailServers.call("search", ["subject": "large"]))
            let uid = try #require(found.value?["messages"]?.asList?.first?["uid"], "\(found)")
            let error = try #require(await connection.invoke(MailServers.call("fetch", ["uid": uid])).error)
            #expect(error.code == "CON-3409")
            let source = try await connection.armSource(SourceRequest(event: "mailbox", parameters: [:]))
            try await source.connect()
            let batch = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
            #expect(batch.events.count == 2)
            let large = try #require(batch.events.first { $0.coordinates["uid"] == uid })
            guard case .undecodable(let reason) = large.body else {
                Issue.record("\(large.body)")
                return
            }
            #expect(reason.reason.contains("at most 10240"))
            #expect(large.payload.isEmpty)
            await source.close()
        }
    }

    private static let dones: [(done: Value, inbox: Value, unseen: Value, target: Value?)] = [
        (["seen": true], 1, 0, nil), (["delete": true], 0, 0, nil), (["move": "Archive"], 0, 0, "Archive"),
    ]

    @Test(arguments: Self.dones)
    func acknowledgedMessagesAreDealtWith(
        _ row: (done: Value, inbox: Value, unseen: Value, target: Value?)
    ) async throws {
        try await Self.with { connection, _ in
            let source = try await connection.armSource(
                SourceRequest(event: "mailbox", parameters: ["poll": "100ms", "done": row.done]))
            try await source.connect()
            let batch = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
            let event = try #require(batch.events.first)
            #expect(event.contentType == "message/rfc822")
            #expect(event.id == "INBOX|\(event.coordinates["uidValidity"] ?? .null)|1")
            guard case .value(let value) = event.body else {
                Issue.record("\(event.body)")
                return
            }
            #expect(value["subject"] == "Grüße")
            #expect(await source.backlog() == 1)
            // While it is out, it does not come again.
            #expect(try await source.read(maximum: 10, wait: .milliseconds(300)) == nil)
            try await source.acknowledge(batch.id)
            #expect(await source.backlog() == 0)
            #expect(try await source.read(maximum: 10, wait: .milliseconds(300)) == nil)
            await source.close()
            let counts: [(ValueContext, Value)] = [([:], row.inbox), (["unseen": true], row.unseen)]
            for (input, total) in counts {
                #expect(await connection.invoke(MailServers.call("search", input)).value?["total"] == total)
            }
            if let target = row.target {
                let moved = await connection.invoke(MailServers.call("search", ["mailbox": target, "unseen": false]))
                #expect(moved.value?["total"] == 1)
            }
        }
    }

    @Test func rejectedMessagesComeAgainOrAreSetAside() async throws {
        try await Self.with { connection, _ in
            let source = try await connection.armSource(
                SourceRequest(event: "mailbox", parameters: ["poll": "10m", "failed": ["move": "Aside"]]))
            try await source.connect()
            let first = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
            try await source.reject(first.id, .redeliver(after: .milliseconds(200)))
            let second = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
            #expect(second.events.map(\.id) == first.events.map(\.id))
            // The first batch is no more.
            try await source.acknowledge(first.id)
            try await source.reject(second.id, .setAside)
            await source.close()
            #expect(await connection.invoke(MailServers.call("search", [:])).value?["total"] == 0)
            let aside = await connection.invoke(MailServers.call("search", ["mailbox": "Aside"]))
            #expect(aside.value?["total"] == 1)
        }
    }

    @Test func messagesThatAreNumberedAnewComeAgain() async throws {
        try await Self.with { connection, user in
            let source = try await connection.armSource(SourceRequest(event: "mailbox", parameters: ["poll": "100ms"]))
            try await source.connect()
            let first = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
            try MailServers.renumber(user, as: 77)
            // The number may belong to another message now.
            try await source.acknowledge(first.id)
            let second = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
            #expect(second.events.map(\.id) == ["INBOX|77|1"])
            try await source.acknowledge(second.id)
            #expect(try await source.read(maximum: 10, wait: .milliseconds(300)) == nil)
            await source.close()
        }
    }

    @Test func manyMessagesComeInBatchesInOrder() async throws {
        try await Self.with { connection, user in
            for number in 2...7 { try MailServers.drop("Subject: \(number)\n\nx\n", to: user) }
            let source = try await connection.armSource(SourceRequest(event: "mailbox", parameters: ["poll": "100ms"]))
            try await source.connect()
            var uids: [Int64] = []
            while let batch = try await source.read(maximum: 3, wait: .milliseconds(500)) {
                #expect(batch.events.count <= 3)
                uids += batch.events.compactMap { $0.coordinates["uid"]?.asInt64 }
                try await source.acknowledge(batch.id)
            }
            #expect(uids == Array(1...7))
            await source.close()
        }
    }

    @Test func cancellingAReadEndsIt() async throws {
        try await Self.with { connection, _ in
            let source = try await connection.armSource(
                SourceRequest(event: "mailbox", parameters: ["poll": "10m", "subject": "no such thing"]))
            try await source.connect()
            let task = Task { try await source.read(maximum: 1, wait: .seconds(600)) }
            try await Task.sleep(for: .milliseconds(200))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await source.close()
        }
    }

    private static let wrongSources: [(parameters: Value, word: String)] = [
        (["poll": "1ms"], "100ms"), (["done": ["move": "A", "delete": true]], "one of"), (["unseen": false], "moved"),
        (["failed": ["move": "INBOX"]], "other mailboxes"), (["done": ["move": "INBOX"]], "other mailboxes"),
        (["mailbox": "a\nb"], "no name"), (["sine": "2026-01-01"], "since"),
    ]

    @Test(arguments: Self.wrongSources)
    func wrongParametersOfASourceAreNamed(_ row: (parameters: Value, word: String)) async throws {
        try await MailServers.with(["imap": ["host": "127.0.0.1"]]) { connection in
            let error = await #expect(throws: ConnectorError.self) {
                _ = try await connection.armSource(SourceRequest(event: "mailbox", parameters: row.parameters))
            }
            #expect(error.map { "\($0)".contains(row.word) } == true, "\(String(describing: error))")
        }
    }

    private static let wrongParameters: [(parameters: Value, word: String)] = [
        ([:], "smtp, imap"), (["smtp": [:]], "host"), (["smtp": ["host": "a b"]], "host"),
        (["smtp": ["host": "h", "tls": "none"]], "clear"), (["smtp": ["host": "h", "user": "u"]], "password"),
        (["smtp": ["host": "h", "password": "secret-canary"]], "secret reference"),
        (["smtp": ["host": "h"], "from": "nobody"], "no address"),
        (["smtp": ["host": "h"], "attachmentsRoot": "here"], "absolute"),
        (["imap": ["host": "h", "user": "u\r\nA1 LOGOUT", "password": ["secret": "env:X"]]], "control"),
        (["imap": ["host": "h", "prot": 1]], "prot"),
    ]

    @Test(arguments: Self.wrongParameters)
    func wrongParametersOfAConnectionAreNamed(_ row: (parameters: Value, word: String)) async {
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await MailModule().connect(ConnectionConfiguration(id: "m", parameters: row.parameters))
        }
        #expect(error?.kind == .validation)
        #expect(error.map { "\($0)".contains(row.word) } == true, "\(String(describing: error))")
        #expect(error.map { "\($0)".contains("canary") } == false)
    }
}
