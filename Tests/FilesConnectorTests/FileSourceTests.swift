import ConnectorKit
import FilesConnector
import Foundation
import Testing
import Values

/// An armed and connected source on a directory `in`, on a clock that moves when the source waits.
private func source(
    _ directory: TemporaryDirectory, _ parameters: ValueContext = ValueContext(),
    decoding: RecordDecoding = RecordDecoding(), maxFileBytes: Value = "64MiB", clock: ManualConnectorClock? = nil
) async throws -> any EventSource {
    let files = try await connect(
        directory, ["maxFileBytes": maxFileBytes], clock: clock ?? ManualConnectorClock())
    var all: ValueContext = ["dir": "in", "stable": ["quietFor": "1s", "checks": 3]]
    all.merge(parameters)
    let source = try await files.armSource(
        SourceRequest(event: "file", parameters: .context(all), decoding: decoding))
    try await source.connect()
    return source
}

extension EventSource {
    /// Reads and acknowledges until nothing comes for three rescans of virtual time and nothing is pending.
    fileprivate func drain(maximum: Int = 100) async throws -> [SourceEvent] {
        var events: [SourceEvent] = []
        while let batch = try await self.read(maximum: maximum, wait: .seconds(200)) {
            #expect(batch.events.count <= maximum)
            events += batch.events
            try await self.acknowledge(batch.id)
        }
        #expect(await self.backlog() == 0)
        return events
    }
}

struct FileSourceTests {
    @Test func aDroppedFileBecomesOneEventARecordAndIsArchived() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/orders.csv", "id,amount\n1,5\n2,\"6\n7\"\n3,8\n")
        try directory.put("in/one.json", "{\"id\": 4}")
        try directory.put("in/two.ndjson", "{\"id\": 5}\n\n{\"id\": 6}\n")
        let source = try await source(directory)
        let events = try await source.drain()
        #expect(Set(events.compactMap { $0.value?["id"] }) == ["1", "2", "3", 4, 5, 6])
        #expect(Set(events.map(\.id)).count == 6)
        let second = try #require(events.first { $0.value?["id"] == "2" })
        #expect(String(decoding: second.payload, as: UTF8.self) == "2,\"6\n7\"")
        #expect(second.contentType == "text/csv")
        #expect(second.coordinates["file"] == "orders.csv" && second.coordinates["line"] == 3)
        #expect(second.headers["columns"] == ["id", "amount"])
        #expect(events.first { $0.value?["id"] == "3" }?.coordinates["line"] == 5)
        #expect(directory.names("in") == [".processing", "archive", "failed"])
        #expect(directory.names("in/archive") == ["one.json", "orders.csv", "two.ndjson"])
        #expect(directory.names("in/.processing").isEmpty)
    }

    @Test func malformedRecordsAreMarkedAndLeaveTheOthersAlone() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/a.csv", "id,amount\n1,5\n2\n3,\"x\n4,7\n5,y\n")
        var decoding = RecordDecoding()
        decoding.columnTypes = ["amount": .number]
        let source = try await source(directory, decoding: decoding)
        let events = try await source.drain()
        #expect(events.compactMap { $0.value?["id"]?.asString } == ["1", "4"])
        #expect(events.compactMap(\.trouble?.line) == [3, 4, 6])
        #expect(events.compactMap(\.trouble).allSatisfy { !$0.reason.isEmpty })
        #expect(directory.names("in/archive") == ["a.csv"])
    }

    @Test func aWhollyUnreadableFileIsOneEventAndGoesToFailed() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/bad.json", "{\"id\": ")
        try directory.put("in/bad.csv", "id,id\n1,2\n")
        try directory.put("in/empty.csv", "")
        let source = try await source(directory)
        let events = try await source.drain()
        #expect(events.count == 3)
        #expect(events.allSatisfy { $0.trouble != nil })
        #expect(events.map { String(decoding: $0.payload, as: UTF8.self) }.contains("{\"id\": "))
        #expect(directory.names("in/failed") == ["bad.csv", "bad.json", "empty.csv"])
        #expect(directory.names("in/archive").isEmpty)
    }

    @Test func linksPipesAndOversizedFilesAreReportedAndSetAside() async throws {
        let outside = try TemporaryDirectory()
        try outside.put("x.json", "{\"secret\": 1}")
        let directory = try TemporaryDirectory()
        try directory.put("in/big.json", "[\(String(repeating: " ", count: 2_000))]")
        try directory.link("in/link.json", to: outside.path + "/x.json")
        #expect(mkfifo(directory.path + "/in/pipe.json", 0o600) == 0)
        let source = try await source(directory, maxFileBytes: "1KiB")
        let events = try await source.drain()
        #expect(events.count == 3)
        #expect(events.allSatisfy { $0.trouble != nil && $0.payload.isEmpty })
        let reasons = events.compactMap(\.trouble?.reason).joined(separator: "\n")
        for words in ["link.json is a symbolic link", "pipe.json is no regular file", "big.json has 2002 bytes"] {
            #expect(reasons.contains(words), "\(reasons)")
        }
        #expect(directory.names("in/failed") == ["big.json", "link.json", "pipe.json"])
        #expect(outside.text("x.json") == "{\"secret\": 1}")
    }

    @Test func aFileIsLeftAloneUntilItIsQuiet() async throws {
        let directory = try TemporaryDirectory()
        let clock = ManualConnectorClock()
        let source = try await source(directory, clock: clock)
        try directory.put("in/a.json", "[1")
        #expect(try await source.read(maximum: 10, wait: .milliseconds(600)) == nil)
        #expect(await source.backlog() == 1)
        // Still growing: the second it has been quiet starts again.
        try directory.put("in/a.json", "[1, 2]")
        let start = clock.now
        #expect(try await source.read(maximum: 10, wait: .milliseconds(900)) == nil)
        let batch = try await source.read(maximum: 10, wait: .seconds(10))
        #expect(batch?.events.compactMap(\.value) == [1, 2])
        #expect(clock.now - start >= .seconds(1))
        #expect(directory.names("in") == [".processing", "archive", "failed"])
    }

    @Test func aMarkerMeansComplete() async throws {
        let directory = try TemporaryDirectory()
        let clock = ManualConnectorClock()
        let source = try await source(
            directory, ["stable": ["quietFor": "1h", "orMarker": "{name}.done"], "rescan": "1s"], clock: clock)
        try directory.put("in/a.json", "1")
        #expect(try await source.read(maximum: 10, wait: .seconds(30)) == nil)
        try directory.put("in/a.json.done", "")
        let events = try await source.drain()
        #expect(events.compactMap(\.value) == [1])
        #expect(clock.now < .seconds(600))
        #expect(directory.names("in") == [".processing", "archive", "failed"])
    }

    @Test func onlyMatchingNamesAreTaken() async throws {
        let directory = try TemporaryDirectory()
        for name in ["a.csv", "b.txt", ".c.csv", "d.csv.part"] { try directory.put("in/\(name)", "x\n1\n") }
        try directory.put("in/sub/e.csv", "x\n1\n")
        let source = try await source(directory, ["pattern": ["*.csv", "*.tsv"]])
        #expect(try await source.drain().map { $0.coordinates["file"] } == ["a.csv"])
        #expect(directory.names("in") == [".c.csv", ".processing", "archive", "b.txt", "d.csv.part", "failed", "sub"])
    }

    @Test func whatWasNotAcknowledgedComesAgainAfterARestartWithTheSameIDs() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/a.ndjson", "1\n2\n3\n")
        let first = try await source(directory)
        let one = try #require(try await first.read(maximum: 2, wait: .seconds(10)))
        try await first.acknowledge(one.id)
        let two = try #require(try await first.read(maximum: 2, wait: .seconds(10)))
        #expect(two.events.count == 1)
        #expect(await first.backlog() == 1)
        // The process dies here.
        await first.close()
        #expect(directory.names("in/.processing").count == 1)
        let second = try await source(directory)
        let again = try await second.drain()
        #expect(again.map(\.id) == (one.events + two.events).map(\.id))
        #expect(again.map { $0.coordinates["file"] } == ["a.ndjson", "a.ndjson", "a.ndjson"])
        #expect(directory.names("in/archive") == ["a.ndjson"])
    }

    @Test func batchesMayBeAcknowledgedInAnyOrder() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/a.ndjson", "1\n2\n3\n4\n")
        let source = try await source(directory)
        var batches: [EventBatch] = []
        while let batch = try await source.read(maximum: 1, wait: .seconds(2)) { batches.append(batch) }
        #expect(batches.map { $0.events.count } == [1, 1, 1, 1])
        for batch in batches.reversed() {
            #expect(directory.names("in/archive").isEmpty)
            try await source.acknowledge(batch.id)
            try await source.acknowledge(batch.id)
        }
        #expect(directory.names("in/archive") == ["a.ndjson"])
    }

    @Test func oneBatchHoldsTheRecordsOfManySmallFiles() async throws {
        let directory = try TemporaryDirectory()
        for number in 0..<50 { try directory.put("in/\(number).json", "\(number)") }
        let source = try await source(directory)
        let batch = try #require(try await source.read(maximum: 100, wait: .seconds(10)))
        #expect(Set(batch.events.compactMap { $0.value?.asInt64 }) == Set(0..<50))
        try await source.acknowledge(batch.id)
        #expect(directory.names("in/archive").count == 50)
    }

    @Test func aRejectedBatchComesAgainLater() async throws {
        let directory = try TemporaryDirectory()
        let clock = ManualConnectorClock()
        try directory.put("in/a.ndjson", "1\n2\n")
        let source = try await source(directory, clock: clock)
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(10)))
        try await source.reject(batch.id, .redeliver(after: .seconds(30)))
        try await source.reject(batch.id, .setAside)
        let rejected = clock.now
        #expect(try await source.read(maximum: 10, wait: .seconds(29)) == nil)
        let again = try #require(try await source.read(maximum: 10, wait: .seconds(10)))
        #expect(clock.now - rejected >= .seconds(30))
        #expect(again.events.map(\.id) == batch.events.map(\.id))
        try await source.reject(again.id, .setAside)
        #expect(directory.names("in/failed") == ["a.ndjson"])
        #expect(await source.backlog() == 0)
    }

    @Test func twoFilesOfOneNameDoNotMeet() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/a.json", "1")
        let source = try await source(directory)
        let one = try #require(try await source.read(maximum: 1, wait: .seconds(10)))
        try directory.put("in/a.json", "2")
        let two = try #require(try await source.read(maximum: 1, wait: .seconds(120)))
        #expect(one.events[0].value == 1 && two.events[0].value == 2)
        #expect(one.events[0].id != two.events[0].id)
        try await source.acknowledge(one.id)
        try await source.acknowledge(two.id)
        #expect(directory.names("in/archive").count == 2)
        #expect(directory.names("in/archive").allSatisfy { $0.hasSuffix("a.json") })
    }

    @Test func identityByContentRecognisesTheSameFileDroppedTwice() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/a.json", "[1, 2]")
        let source = try await source(directory, ["identity": ["content"]])
        let first = try await source.drain()
        try directory.put("in/b.json", "[1, 2]")
        #expect(try await source.drain().map(\.id) == first.map(\.id))
    }

    @Test func doneFilesCanBeDeleted() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("in/a.json", "1")
        let source = try await source(directory, ["done": ["delete": true]])
        #expect(try await source.drain().count == 1)
        #expect(directory.names("in") == [".processing", "failed"])
        #expect(directory.names("in/.processing").isEmpty)
    }

    @Test func aDirectoryThatGoesAwayEndsTheConnection() async throws {
        let directory = try TemporaryDirectory()
        // The real clock: the kernel's word arrives on another thread.
        let files = try await connect(directory, clock: SystemConnectorClock())
        let source = try await files.armSource(
            SourceRequest(event: "file", parameters: ["dir": "in", "rescan": "1h"]))
        try await source.connect()
        try FileManager.default.removeItem(atPath: directory.path + "/in")
        await #expect(throws: SourceInterruption.self) {
            while try await source.read(maximum: 1, wait: .seconds(20)) == nil {}
        }
        try await source.connect()
        #expect(directory.names("in") == [".processing", "archive", "failed"])
        await source.close()
        await #expect(throws: SourceInterruption.self) { _ = try await source.read(maximum: 1, wait: .zero) }
        await #expect(throws: ConnectorError.self) { try await source.connect() }
    }

    @Test func theKernelsHintMakesWaitingShort() async throws {
        let directory = try TemporaryDirectory()
        let files = try await connect(directory, clock: SystemConnectorClock())
        let source = try await files.armSource(
            SourceRequest(
                event: "file",
                parameters: ["dir": "in", "rescan": "1h", "stable": ["quietFor": "1ms", "checks": 1]]))
        try await source.connect()
        #expect(try await source.read(maximum: 1, wait: .zero) == nil)
        async let batch = source.read(maximum: 1, wait: .seconds(60))
        try directory.put("in/a.json", "1")
        // Without the hint the next look would come in an hour, and the read would end empty.
        #expect(try await batch?.events.first?.value == 1)
        await source.close()
    }

    @Test func cancellingEndsAWaitingRead() async throws {
        let directory = try TemporaryDirectory()
        let files = try await connect(directory, clock: SystemConnectorClock())
        let source = try await files.armSource(SourceRequest(event: "file", parameters: ["dir": "in"]))
        try await source.connect()
        let task = Task { try await source.read(maximum: 1, wait: .seconds(600)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        await source.close()
    }

    @Test(
        arguments: [
            ["dir": "../x"], [:], ["dir": "in", "pattern": "["], ["dir": "in", "stable": ["checks": 0]],
            ["dir": "in", "stable": ["orMarker": "done"]], ["dir": "in", "claim": ["rename": "a/b"]],
            ["dir": "in", "done": ["move": ".."]], ["dir": "in", "done": ["move": "failed"]],
            ["dir": "in", "done": ["move": "x", "delete": true]], ["dir": "in", "identity": ["colour"]],
            ["dir": "in", "identity": []], ["dir": "in", "rescan": "0"], ["dir": "in", "sable": [:]],
        ] as [Value])
    func wrongParametersAreRefused(_ parameters: Value) async throws {
        let directory = try TemporaryDirectory()
        let files = try await connect(directory)
        await #expect(throws: ConnectorError.self) {
            _ = try await files.armSource(SourceRequest(event: "file", parameters: parameters))
        }
        #expect(directory.names().isEmpty)
    }
}
