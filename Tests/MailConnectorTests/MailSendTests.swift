import ConnectorKit
import MailConnector
import Testing
import Values

@Suite("Sending mail")
struct MailSendTests {
    @Test(arguments: ["starttls", "implicit", "plain"])
    func everyWayOfConnectingWorks(way: String) async throws {
        let recipient = MailServers.unusedName() + "@example.org"
        try await MailServers.with(["smtp": .context(try MailServers.smtp(way)), "from": "me@example.org"]) {
            connection in
            try await connection.test()
            let outcome = await connection.invoke(
                MailServers.call("send", ["to": .string(recipient), "subject": "hello", "text": "you"]))
            #expect(outcome.error == nil)
            #expect(outcome.value?["accepted"] == [.string(recipient)])
            #expect(outcome.value?["response"]?.asString?.contains("Queued as") == true)
        }
        let taken = try #require(try MailServers.taken(for: recipient).first)
        #expect(taken["from"] == "me@example.org")
        #expect(taken["tls"] == .boolean(way != "plain"))
        #expect(taken["user"] == (way == "plain" ? .null : "sender"))
        #expect(taken["message"]?["text"]?.asString?.hasPrefix("you") == true)
    }

    @Test func everythingArrivesAsItWasMeant() async throws {
        let name = MailServers.unusedName()
        let subject = "Grüße — \(String(repeating: "äöü€😀 lang ", count: 12))Ende"
        let text = ".dot\n..two\nfrom = ü\n\(String(repeating: "long ", count: 60))\ntrailing \n\nFrom here\n=_m_x"
        let html = "<p>\(String(repeating: "<b>é</b>", count: 100))</p>"
        let content = Base64.encode((0...255).map { UInt8($0) } + Array(repeating: 7, count: 5_000))
        let long = String(repeating: "Vertrag über Äpfel ", count: 8) + ".pdf"
        let recipient = "\(name)@example.org"
        try await MailServers.with(["smtp": .context(try MailServers.smtp())]) { connection in
            let outcome = await connection.invoke(
                MailServers.call(
                    "send",
                    [
                        "from": ["name": "Jürgen \"J\" Müller, Chef", "address": "chef@example.org"],
                        "to": .list(
                            [.string("\"Doe, John\" <\(recipient)>")]
                                + (1...9).map { .string("Person Number \($0) <p\($0)@a-long-domain.example.org>") }),
                        "cc": "copy@example.org", "bcc": ["hidden@example.org", .string(recipient)],
                        "replyTo": "Antwort <reply@example.org>", "subject": .string(subject), "text": .string(text),
                        "html": .string(html),
                        "headers": ["X-Trace": .string(String(repeating: "word ", count: 40) + "ü")],
                        "attachments": [
                            ["name": .string(long), "contentType": "application/pdf", "content": .string(content)],
                            ["name": "a \"b\".csv", "contentType": "text/csv", "text": "a,b\n"],
                            ["name": "logo.png", "contentType": "image/png", "content": "AAEC", "contentId": "logo"],
                        ],
                    ]))
            #expect(outcome.error == nil, "\(outcome)")
        }
        let taken = try #require(try MailServers.taken(for: recipient).first)
        #expect(taken["to"]?.asList?.count == 12)
        #expect((taken["lineMax"]?.asInt64 ?? 999) <= 78)
        let message = try #require(taken["message"])
        let headers = try #require(message["headers"])
        #expect(message["defects"] == [])
        #expect(headers["subject"] == .string(subject))
        #expect(headers["from"] == #""Jürgen \"J\" Müller, Chef" <chef@example.org>"#)
        #expect(headers["to"]?.asString?.hasPrefix("\"Doe, John\" <\(recipient)>, Person Number 1 <p1@") == true)
        #expect(headers["bcc"] == nil)
        #expect(!"\(headers)".contains("hidden@"))
        #expect(headers["reply-to"] == "Antwort <reply@example.org>")
        #expect(headers["x-trace"] == .string(String(repeating: "word ", count: 40) + "ü"))
        #expect(message["text"] == .string(text.replacing("\n", with: "\r\n")))
        #expect(message["html"]?.asString?.hasPrefix(html) == true)
        let attachments = try #require(message["attachments"]?.asList)
        #expect(attachments.map { $0["name"] } == [.string(long), "a \"b\".csv", "logo.png"])
        #expect(attachments.map { $0["type"] } == ["application/pdf", "text/csv", "image/png"])
        #expect(attachments[0]["content"] == .string(content))
        #expect(attachments[2]["id"] == "<logo>")
        #expect(attachments[2]["disposition"] == "inline")
    }

    @Test func theSameKeyGivesTheSameMessageID() async throws {
        try await MailServers.with(["smtp": .context(try MailServers.smtp()), "from": "me@example.org"]) { connection in
            func id(_ key: String?) async -> Value? {
                await connection.invoke(
                    MailServers.call("send", ["to": "ids@example.org", "subject": "s", "text": "t"], key: key)
                ).value?["messageId"]
            }
            let first = try #require(await id("key-1"))
            #expect(await id("key-1") == first)
            #expect(await id("key-2") != first)
            #expect(await id(nil) != (await id(nil)))
            #expect(first.asString?.hasSuffix("@example.org") == true)
        }
    }

    @Test(arguments: [
        (name: "full", kind: ConnectorError.Kind.transient), ("busy", .transient), ("gone", .notFound),
        ("denied", .permission), ("over", .quotaExhausted),
    ])
    func refusedRecipientsSayWhy(_ row: (name: String, kind: ConnectorError.Kind)) async throws {
        let good = MailServers.unusedName() + "@example.org"
        try await MailServers.with(["smtp": .context(try MailServers.smtp()), "from": "me@example.org"]) { connection in
            var input: ValueContext = [
                "to": [.string(good), .string("\(row.name)@example.org")], "subject": "s", "text": "t",
            ]
            let error = try #require(await connection.invoke(MailServers.call("send", input)).error)
            #expect(error.code == "CON-3407")
            #expect(error.kind == row.kind)
            #expect(!error.mayHaveExecuted)
            #expect(error.message.hasPrefix("1 of 2 recipients were refused."))
            #expect(error.details["refused"]?.asList?.first?["address"] == .string("\(row.name)@example.org"))
            #expect(try MailServers.taken(for: good).isEmpty)
            input["recipients"] = "any"
            let outcome = await connection.invoke(MailServers.call("send", input))
            #expect(outcome.value?["accepted"] == [.string(good)], "\(outcome)")
            #expect(outcome.value?["refused"]?.asList?.count == 1)
            #expect(try MailServers.taken(for: good).count == 1)
        }
    }

    @Test(arguments: [
        (subject: "reject me", kind: ConnectorError.Kind.validation, mayHaveExecuted: false),
        ("later please", .rateLimited, false), ("hang up", .transient, true),
    ])
    func refusedMessagesSayWhetherTheyMayHaveBeenTaken(
        _ row: (subject: String, kind: ConnectorError.Kind, mayHaveExecuted: Bool)
    ) async throws {
        try await MailServers.with(["smtp": .context(try MailServers.smtp()), "from": "me@example.org"]) { connection in
            let send = MailServers.call("send", ["to": "x@example.org", "subject": .string(row.subject), "text": "t"])
            let error = try #require(await connection.invoke(send).error)
            #expect(error.kind == row.kind, "\(error)")
            #expect(error.mayHaveExecuted == row.mayHaveExecuted)
            // The connection goes on.
            let next = await connection.invoke(
                MailServers.call("send", ["to": "x@example.org", "subject": "fine", "text": "t"]))
            #expect(next.error == nil)
        }
    }

    @Test func aSlowServerIsLeftInTime() async throws {
        try await MailServers.with(["smtp": .context(try MailServers.smtp()), "from": "me@example.org"]) { connection in
            var send = MailServers.call("send", ["to": "x@example.org", "subject": "take your time", "text": "t"])
            send.timeout = .milliseconds(700)
            let error = try #require(await connection.invoke(send).error)
            #expect(error.kind == .timeout)
            #expect(error.code == "CON-3404")
            #expect(error.mayHaveExecuted)
            send.timeout = .seconds(60)
            let task = Task { [send] in await connection.invoke(send) }
            try await Task.sleep(for: .milliseconds(300))
            task.cancel()
            #expect(await task.value.error?.code == ConnectorError.Code.cancelled)
        }
    }

    @Test(arguments: ["starttls", "implicit"])
    func aWrongPasswordParksAndIsNeverShown(way: String) async throws {
        let secrets = FixedSecrets([SecretReference(store: "env", name: "MAIL"): Secret("wrong-canary-password")])
        try await MailServers.with(
            ["smtp": .context(try MailServers.smtp(way)), "from": "me@example.org"], secrets: secrets
        ) { connection in
            let outcome = await connection.invoke(
                MailServers.call("send", ["to": "x@example.org", "subject": "s", "text": "t"]))
            guard case .park(let error) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(error.kind == .auth)
            #expect(error.code == "CON-3402")
            #expect(error.message.contains("535"))
            #expect(!"\(error) \(error.details)".contains("canary"))
        }
    }

    @Test func withoutTheSecureConnectionWantedNothingIsSaid() async throws {
        let send = MailServers.call("send", ["to": "x@example.org", "subject": "s", "text": "t"])
        var noTLS = try MailServers.smtp("plain")
        noTLS.merge(["tls": "starttls", "user": "sender", "password": MailServers.reference])
        var untrusted = try MailServers.smtp("implicit")
        _ = untrusted.removeValue(forKey: "caFile")
        var wrongName = try MailServers.smtp("starttls")
        wrongName["host"] = "127.0.0.2"
        for server in [noTLS, untrusted] {
            try await MailServers.with(["smtp": .context(server), "from": "me@example.org"]) { connection in
                let error = try #require(await connection.invoke(send).error)
                #expect(error.code == "CON-3403", "\(error)")
                #expect(!error.isRetryable && !error.mayHaveExecuted)
            }
        }
        // Nobody listens there.
        try await MailServers.with(["smtp": .context(wrongName), "from": "me@example.org"]) { connection in
            let error = try #require(await connection.invoke(send).error)
            #expect(error.code == "CON-3401", "\(error)")
            #expect(error.kind == .unavailable)
        }
    }

    private static let badInputs: [(input: ValueContext, word: String)] = [
        (["to": "x@example.org\r\nBcc: evil@example.org", "subject": "s"], "no address"),
        (["to": "x@example.org>\r\nRCPT TO:<evil@example.org", "subject": "s"], "no address"),
        (["to": "Evil\nBcc: a@b.org <x@example.org>", "subject": "s"], "control character"),
        (["to": "x@example.org", "subject": "s\r\nBcc: evil@example.org"], "one line"),
        (["to": "x@example.org", "subject": "s\u{2028}ok\u{0}"], "one line"),
        (["to": "x@example.org", "headers": ["X-A": "b\r\nBcc: evil@example.org"]], "one line"),
        (["to": "x@example.org", "headers": ["X-A: b\r\nBcc": "evil@example.org"]], "no name of a field"),
        (["to": "x@example.org", "headers": ["Bcc": "evil@example.org"]], "written from the rest"),
        (["to": "x@example.org", "headers": ["content-type": "text/html"]], "written from the rest"),
        (["to": "x@example.org", "attachments": [["name": "a\r\nX: y", "text": "t"]]], "one line"),
        (["to": "x@example.org", "attachments": [["name": "a", "text": "t", "contentType": "a/b\r\nX: y"]]], "media"),
        (["to": "x@example.org", "attachments": [["name": "a", "text": "t", "contentId": "a>\r\nX: y"]]], "visible"),
        (["to": "x@example.org", "attachments": [["name": "a", "content": "???"]]], "base64"),
        (
            ["to": "x@example.org", "attachments": [["name": "a", "text": "t", "contentType": "multipart/x"]]],
            "one part"
        ),
        (["to": "x@example.org", "attachments": [["name": "a", "text": "t", "content": "AA=="]]], "one of"),
        (["to": "x@example.org", "attachments": [["file": "a.txt"]]], "attachmentsRoot"),
        (["to": ["ü@example.org"]], "ASCII"), (["to": ["a@b@c", "@b", "a@", "a b@c", "a..b@c.de"]], "no address"),
        (["subject": "s"], "recipient"), (["to": []], "recipient"), (["to": 7], "found a number"),
        (["to": [["address": "x@example.org", "nmae": "n"]]], "nmae"),
    ]

    @Test(arguments: Self.badInputs)
    func nothingCanBeSmuggledIn(_ row: (input: ValueContext, word: String)) async throws {
        try await MailServers.with(["smtp": .context(try MailServers.smtp()), "from": "me@example.org"]) { connection in
            let error = try #require(await connection.invoke(MailServers.call("send", row.input)).error)
            #expect(error.kind == .validation)
            #expect(error.message.contains(row.word), "\(error)")
            #expect(!error.message.contains("\n"))
        }
    }

    @Test func aMessageNeedsASender() async throws {
        try await MailServers.with(["smtp": .context(try MailServers.smtp())]) { connection in
            func error(_ input: ValueContext) async -> ConnectorError? {
                await connection.invoke(MailServers.call("send", input)).error
            }
            #expect(await error(["to": "x@example.org"])?.code == "CON-3408")
            #expect(await error(["to": "x@example.org", "form": "me@example.org"])?.message.contains("form") == true)
            #expect(await error(["to": "x@example.org", "from": "me"])?.message.contains("no address") == true)
        }
        try await MailServers.with(["imap": ["host": "127.0.0.1"], "from": "me@example.org"]) { connection in
            let outcome = await connection.invoke(MailServers.call("send", ["to": "x@example.org"]))
            #expect(outcome.error?.code == "CON-3413")
        }
    }

    @Test func filesAreReadBelowTheRootOnly() async throws {
        let folder = "/tmp/" + MailServers.unusedName("junction-mail-")
        try Files.write(folder, ["sub/a.txt": "inside"], links: ["link": "/etc/passwd", "up": ".."])
        defer { Files.remove(folder) }
        let recipient = MailServers.unusedName() + "@example.org"
        let parameters: ValueContext = [
            "smtp": .context(try MailServers.smtp()), "from": "me@example.org", "attachmentsRoot": .string(folder),
        ]
        try await MailServers.with(parameters) { connection in
            func send(_ file: Value) async -> Outcome {
                await connection.invoke(
                    MailServers.call("send", ["to": .string(recipient), "attachments": [["file": file]]]))
            }
            #expect(await send("sub/a.txt").error == nil)
            for file: Value in ["../etc/passwd", "/etc/passwd", "link", "up/x", "sub", "sub/./a.txt", "gone", ""] {
                #expect(await send(file).error?.kind == .validation, "\(file)")
            }
        }
        let taken = try #require(try MailServers.taken(for: recipient).first)
        #expect(taken["message"]?["attachments"]?.asList?.first?["name"] == "a.txt")
        #expect(
            taken["message"]?["attachments"]?.asList?.first?["content"] == .string(Base64.encode(Array("inside".utf8))))
    }

    @Test func whatIsTooLargeIsNotSent() async throws {
        let large = Value.string(String(repeating: "x", count: 300_000))
        let send = MailServers.call("send", ["to": "x@example.org", "subject": "s", "text": large])
        for more: ValueContext in [["maxMessage": "100KiB"], [:]] {
            var parameters: ValueContext = ["smtp": .context(try MailServers.smtp()), "from": "me@example.org"]
            parameters.merge(more)
            try await MailServers.with(parameters) { connection in
                let error = try #require(await connection.invoke(send).error)
                #expect(error.code == "CON-3409")
                #expect(error.kind == .validation)
            }
        }
    }
}
