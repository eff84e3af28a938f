import ConnectorKit
import Foundation
import Testing
import Values

@testable import FilesConnector

/// What triggers rely on beyond one source that is left alone.
@Suite struct FileSourceTriggerTests {
    private static func armed(
        _ directory: TemporaryDirectory, _ changes: ValueContext = [:]
    ) async throws -> any EventSource {
        let files = try await connect(directory, clock: SystemConnectorClock())
        var parameters: ValueContext = ["dir": "in", "stable": ["quietFor": "1ms", "checks": 1], "rescan": "50ms"]
        parameters.merge(changes)
        let source = try await files.armSource(SourceRequest(event: "file", parameters: .context(parameters)))
        try await source.connect()
        return source
    }

    /// Everything until nothing comes for a while; acknowledged.
    private static func drain(_ source: any EventSource) async throws -> [SourceEvent] {
        var events: [SourceEvent] = []
        while let batch = try await source.read(maximum: 100, wait: .milliseconds(500)) {
            events += batch.events
            try await source.acknowledge(batch.id)
        }
        await source.close()
        return events
    }

    @Test func twoNodesOnOneDirectoryTakeEachFileOnce() async throws {
        let directory = try TemporaryDirectory()
        let first = try await Self.armed(directory)
        let second = try await Self.armed(directory)
        async let one = Self.drain(first)
        async let two = Self.drain(second)
        for number in 0..<2_000 {
            // Written under another name, and renamed: whole from the first moment.
            try directory.put("in/.new", "{\"n\": \(number)}")
            try FileManager.default.moveItem(
                atPath: directory.path + "/in/.new", toPath: directory.path + "/in/\(number).json")
        }
        let (left, right) = (try await one, try await two)
        #expect(left.count + right.count == 2_000)
        #expect(Set((left + right).map(\.id)).count == 2_000)
        #expect(Set((left + right).compactMap { $0.value?["n"] }).count == 2_000)
        #expect(directory.names("in/archive").count == 2_000)
        #expect(directory.names("in/.processing").isEmpty)
    }

    @Test func fileThatIsRenamedIntoPlaceIsTakenAtTheHint() async throws {
        let directory = try TemporaryDirectory()
        let source = try await Self.armed(directory, ["pattern": "*.json", "rescan": "1h"])
        try directory.put("in/a.part", "{\"n\": 1}")
        #expect(try await source.read(maximum: 1, wait: .milliseconds(50)) == nil)
        async let batch = source.read(maximum: 1, wait: .seconds(60))
        try FileManager.default.moveItem(
            atPath: directory.path + "/in/a.part", toPath: directory.path + "/in/a.json")
        #expect(try await batch?.events.map(\.value) == [["n": 1]])
        await source.close()
    }

    @Test func fileThatIsStillWrittenToIsNotCutApart() async throws {
        let directory = try TemporaryDirectory()
        let source = try await Self.armed(directory, ["stable": ["quietFor": "300ms", "checks": 4]])
        async let events = Self.drainOne(source)
        try directory.put("in/a.ndjson", "")
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/in/a.ndjson"))
        for number in 0..<30 {
            try handle.write(contentsOf: Data("{\"n\": \(number)}\n".utf8))
            try await Task.sleep(for: .milliseconds(20))
        }
        try handle.close()
        #expect(try await events.compactMap { $0.value?["n"] }.count == 30)
        await source.close()
    }

    /// The records of the first file.
    private static func drainOne(_ source: any EventSource) async throws -> [SourceEvent] {
        let batch = try #require(try await source.read(maximum: 100, wait: .seconds(60)))
        try await source.acknowledge(batch.id)
        return batch.events
    }

    @Test func markerOfAnotherFileSaysNothing() async throws {
        let directory = try TemporaryDirectory()
        let source = try await Self.armed(
            directory, ["stable": ["quietFor": "1h", "checks": 9, "orMarker": "{name}.done"]])
        try directory.put("in/a.json", "1")
        try directory.put("in/b.json", "2")
        try directory.put("in/b.json.done", "")
        #expect(try await source.read(maximum: 9, wait: .seconds(20))?.events.map(\.value) == [2])
        #expect(directory.names("in").contains("a.json"))
        #expect(!directory.names("in").contains("b.json.done"))
        await source.close()
    }

    /// Linux writes wd, mask, cookie and length of the name; an overflow has no watch.
    @Test(arguments: [
        (UInt32(0x4000), false), (0x8, false), (0x80, false), (0x400, true), (0x800, true), (0x2000, true),
        (0x8000, true),
    ])
    func overflowOfTheKernelsQueueIsAHintAndNoLoss(_ mask: UInt32, _ isLoss: Bool) {
        let plain: [UInt32] = [1, 0x8, 0, 4, 0x6161]
        let event: [UInt32] = [.max, mask, 0, 0]
        let bytes = (plain + event + plain).withUnsafeBytes { Array($0) }
        #expect(DirectoryWatcher.tellsOfLoss(bytes[...]) == isLoss)
        // What is cut off is no event.
        #expect(!DirectoryWatcher.tellsOfLoss(bytes[..<(20 + 12)]))
    }
}
