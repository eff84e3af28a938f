import ConnectorKit
import MailConnector
import Testing
import Values

/// Mailboxes that are only read, and ranges that are asked for again.
@Suite struct MailboxPlaceTests {
    /// A connection to a mailbox with that many messages, the first of which was seen.
    private static func with(
        _ count: Int, _ body: (any Connection, String) async throws -> Void
    ) async throws {
        let user = MailServers.unusedName()
        for number in 1...count { try Self.drop(number, to: user) }
        let parameters: ValueContext = ["imap": .context(try MailServers.imap(user))]
        try await MailServers.with(parameters) { try await body($0, user) }
    }

    private static func drop(_ number: Int, to user: String) throws {
        try MailServers.drop("Message-ID: <m\(number)@example.org>\nSubject: \(number)\n\nx\n", to: user)
    }

    private static func armed(
        _ connection: any Connection, _ changes: ValueContext = [:],
        memory: any SourceMemory = VolatileSourceMemory(), replay: Value? = nil
    ) async throws -> any EventSource {
        var parameters: ValueContext = ["poll": "100ms", "done": ["keep": true]]
        parameters.merge(changes)
        let source = try await connection.armSource(
            SourceRequest(event: "mailbox", parameters: .context(parameters), memory: memory, replay: replay))
        try await source.connect()
        return source
    }

    private static func uids(_ batch: EventBatch?) -> [Int64] {
        batch?.events.compactMap { $0.coordinates["uid"]?.asInt64 } ?? []
    }

    /// Everything there is now, acknowledged.
    private static func all(_ source: any EventSource) async throws -> [Int64] {
        var uids: [Int64] = []
        while let batch = try await source.read(maximum: 3, wait: .milliseconds(300)) {
            uids += Self.uids(batch)
            try await source.acknowledge(batch.id)
        }
        return uids
    }

    @Test func placeIsKeptOnOurSideAndTheMailboxIsLeftAsItWas() async throws {
        try await Self.with(5) { connection, user in
            let memory = VolatileSourceMemory()
            let first = try await Self.armed(connection, memory: memory)
            #expect(try await Self.all(first) == [1, 2, 3, 4, 5])
            await first.close()
            #expect(memory.load()?["uid"] == 5)
            let unseen = await connection.invoke(MailServers.call("search", ["unseen": true]))
            #expect(unseen.value?["total"] == 5)
            try Self.drop(6, to: user)
            let second = try await Self.armed(connection, memory: memory)
            let batch = try #require(try await second.read(maximum: 9, wait: .seconds(5)))
            #expect(Self.uids(batch) == [6])
            #expect(batch.events[0].headers["messageId"] == "<m6@example.org>")
            await second.close()
            // What was not acknowledged comes again.
            let third = try await Self.armed(connection, memory: memory)
            #expect(try await Self.all(third) == [6])
            await third.close()
        }
    }

    @Test func placeMovesOnlyOverWhatIsDoneWithWithoutAGap() async throws {
        try await Self.with(6) { connection, _ in
            let memory = VolatileSourceMemory()
            let source = try await Self.armed(connection, ["poll": "10m"], memory: memory)
            var batches: [EventBatch] = []
            for _ in 0..<3 { batches.append(try #require(try await source.read(maximum: 2, wait: .seconds(5)))) }
            try await source.acknowledge(batches[1].id)
            #expect(memory.load() == nil)
            try await source.reject(batches[0].id, .redeliver(after: .milliseconds(10)))
            try await source.acknowledge(batches[2].id)
            #expect(memory.load() == nil)
            let again = try #require(try await source.read(maximum: 9, wait: .seconds(5)))
            #expect(again.events.map(\.id) == batches[0].events.map(\.id))
            try await source.reject(again.id, .setAside)
            #expect(memory.load()?["uid"] == 6)
            await source.close()
            let total = await connection.invoke(MailServers.call("search", [:]))
            #expect(total.value?["total"] == 6)
        }
    }

    @Test func latestBeginsAfterWhatThereIs() async throws {
        try await Self.with(3) { connection, user in
            let memory = VolatileSourceMemory()
            await (try await Self.armed(connection, ["start": "latest"], memory: memory)).close()
            try Self.drop(4, to: user)
            let source = try await Self.armed(connection, ["start": "latest"], memory: memory)
            #expect(try await Self.all(source) == [4])
            await source.close()
        }
    }

    @Test func mailboxThatWasNumberedAnewBeginsAgainWithWhatWasReceivedLately() async throws {
        try await Self.with(3) { connection, user in
            let memory = VolatileSourceMemory()
            let source = try await Self.armed(connection, memory: memory)
            #expect(try await Self.all(source) == [1, 2, 3])
            try MailServers.renumber(user, as: 77)
            var ids: [String] = []
            while ids.count < 3, let batch = try await source.read(maximum: 9, wait: .seconds(5)) {
                ids += batch.events.map(\.id)
                try await source.acknowledge(batch.id)
            }
            #expect(ids == ["INBOX|77|1", "INBOX|77|2", "INBOX|77|3"])
            #expect(memory.load()?["uidValidity"] == 77)
            await source.close()
            // What was received long before is not read again.
            var saved = try #require(memory.load()?.asContext)
            saved.merge(["uidValidity": 5, "receivedAtMilliseconds": 4_000_000_000_000])
            memory.save(.context(saved))
            let later = try await Self.armed(connection, memory: memory)
            #expect(try await Self.all(later) == [])
            await later.close()
        }
    }

    @Test func twoNodesGiveTheSameMessagesTheSameIds() async throws {
        try await Self.with(20) { connection, user in
            try await MailServers.with(["imap": .context(try MailServers.imap(user))]) { other in
                let one = try await Self.armed(connection, ["done": ["seen": true]])
                let two = try await Self.armed(other, ["done": ["seen": true]])
                let first = try #require(try await one.read(maximum: 20, wait: .seconds(5)))
                let second = try #require(try await two.read(maximum: 20, wait: .seconds(5)))
                #expect(first.events.map(\.id) == second.events.map(\.id))
                #expect(first.events.count == 20)
                // Both may say so.
                try await one.acknowledge(first.id)
                try await two.acknowledge(second.id)
                #expect(try await Self.all(one) == [])
                await one.close()
                await two.close()
            }
        }
    }

    @Test func rangeIsEmittedAgainAndNothingIsDoneToIt() async throws {
        try await Self.with(6) { connection, _ in
            let memory = VolatileSourceMemory()
            let source = try await Self.armed(connection, ["done": ["seen": true]], memory: memory)
            #expect(try await Self.all(source) == [1, 2, 3, 4, 5, 6])
            await source.close()
            let ranges: [(Value, [Int64])] = [
                (["from": ["uid": 2], "to": ["uid": 4]], [2, 3, 4]), (["from": ["uid": 5]], [5, 6]),
                (["from": "2026-01-01"], [1, 2, 3, 4, 5, 6]), (["from": "2001-01-01", "to": "2002-01-01"], []),
                (["from": ["uid": 100]], []),
            ]
            for (range, expected) in ranges {
                let replay = try await Self.armed(
                    connection, ["done": ["move": "Archive"]], memory: memory, replay: range)
                var uids: [Int64] = []
                var isFirst = true
                await #expect(throws: SourceInterruption.endOfInput, "\(range)") {
                    while true {
                        guard let batch = try await replay.read(maximum: 2, wait: .seconds(5)) else { continue }
                        if isFirst {
                            try await replay.reject(batch.id, .redeliver(after: .milliseconds(20)))
                        } else {
                            uids += Self.uids(batch)
                            try await replay.acknowledge(batch.id)
                        }
                        isFirst = false
                    }
                }
                #expect(uids.sorted() == expected, "\(range)")
                await replay.close()
            }
            #expect(memory.load() == nil)
            #expect(await connection.invoke(MailServers.call("search", [:])).value?["total"] == 6)
        }
    }

    @Test func rangeOfNumbersThatMeanOthersNowIsRefused() async throws {
        try await Self.with(1) { connection, _ in
            let error = await #expect(throws: ConnectorError.self) {
                _ = try await Self.armed(connection, replay: ["from": ["uid": 1, "uidValidity": 1]])
            }
            #expect(error?.code == "CON-3415")
            let wrong: [Value] = [
                [:], ["from": 1], ["from": "soon"], ["from": ["uid": 5], "to": ["uid": 4]], ["from": ["id": 4]],
                ["from": "2026-02-01", "to": "2026-01-01"],
            ]
            for range in wrong {
                let error = await #expect(throws: ConnectorError.self) {
                    _ = try await Self.armed(connection, replay: range)
                }
                #expect(error?.kind == .validation, "\(range)")
            }
            let memory = VolatileSourceMemory()
            memory.save(["lsn": 1])
            let foreign = await #expect(throws: ConnectorError.self) {
                _ = try await Self.armed(connection, memory: memory)
            }
            #expect(foreign?.code == "CON-3414")
        }
    }

    /// Whatever is in the mailbox is one event each, and does not stop the others.
    @Test func brokenMessagesArePassedOnAsFarAsTheyGo() async throws {
        try await Self.with(1) { connection, user in
            let bodies: [[UInt8]] = [
                [], Array("no header at all".utf8), [0, 255, 13, 10, 13, 10, 254],
                Array("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed".utf8),
                Array("Content-Transfer-Encoding: base64\r\n\r\n!!!!".utf8),
                Array("Subject: =?nonsense?q?=ZZ?=\r\n\r\nx".utf8),
            ]
            for body in bodies { try MailServers.drop(body, to: user) }
            let source = try await Self.armed(connection)
            #expect(try await Self.all(source).sorted() == [1, 2, 3, 4, 5, 6, 7])
            await source.close()
        }
    }
}
