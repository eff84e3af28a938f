import ConnectorKit
import FilesConnector
import Foundation
import Testing
import Values

struct FileSourcePropertyTests {
    static let seeds: [UInt64] = (0..<12).map { 0xF11E_0000 + $0 }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.state ^ self.state >> 29
        }

        mutating func pick(_ count: Int) -> Int { Int(self.next() >> 33) % count }
    }

    /// A source that is killed, restarted, rejected and acknowledged at random, while files keep arriving: each record is
    /// acknowledged in the end, under one id for ever, and each file is put where it belongs.
    @Test(arguments: seeds)
    func everyRecordIsAccountedForWhateverHappens(seed: UInt64) async throws {
        var generator = Generator(state: seed)
        let directory = try TemporaryDirectory()
        let clock = ManualConnectorClock()
        let files = try await connect(directory, clock: clock)
        let request = SourceRequest(
            event: "file", parameters: ["dir": "in", "rescan": "5s", "stable": ["quietFor": "1s", "checks": 2]])
        var source = try await files.armSource(request)
        try await source.connect()
        var expected: Set<String> = []
        var unreadable = 0
        var accounted: [String: Set<String>] = [:]
        var out: [EventBatch] = []

        func note(_ batch: EventBatch) {
            for event in batch.events {
                let name =
                    event.value?["n"]?.asString ?? event.value?.asString ?? "bad \(event.coordinates["file"] ?? "")"
                accounted[name, default: []].insert(event.id)
            }
        }
        for step in 0..<60 {
            switch generator.pick(7) {
            case 0, 1:
                let names = (0..<generator.pick(4)).map { "\(step)-\($0)" }
                switch generator.pick(4) {
                case 0: try directory.put("in/\(step).csv", "n,x\n" + names.map { "\($0),1\n" }.joined())
                case 1: try directory.put("in/\(step).json", JSON.string(.list(names.map { .string($0) })))
                case 2:
                    // The same name again and again, but never over a file that was not taken yet.
                    let name = directory.names("in").contains("same.ndjson") ? "\(step).ndjson" : "same.ndjson"
                    try directory.put("in/\(name)", names.map { "\"\($0)\"\n" }.joined())
                default:
                    try directory.put("in/\(step).json", "{ broken")
                    unreadable += 1
                    continue
                }
                expected.formUnion(names)
            case 2, 3:
                if let batch = try await source.read(maximum: 1 + generator.pick(5), wait: .seconds(6)) {
                    out.append(batch)
                }
            case 4 where !out.isEmpty:
                let batch = out.remove(at: generator.pick(out.count))
                try await source.acknowledge(batch.id)
                note(batch)
            case 5 where !out.isEmpty:
                let batch = out.remove(at: generator.pick(out.count))
                try await source.reject(batch.id, .redeliver(after: .seconds(generator.pick(10))))
            case 6 where generator.pick(3) == 0:
                await source.close()
                out.removeAll()
                source = try await files.armSource(request)
                try await source.connect()
            default: clock.advance(by: .milliseconds(generator.pick(3_000)))
            }
        }
        for batch in out {
            try await source.acknowledge(batch.id)
            note(batch)
        }
        while let batch = try await source.read(maximum: 100, wait: .seconds(60)) {
            try await source.acknowledge(batch.id)
            note(batch)
        }
        let found = Set(accounted.keys.filter { !$0.hasPrefix("bad") })
        #expect(
            found == expected,
            "seed \(seed): lost \(expected.subtracting(found)), invented \(found.subtracting(expected))")
        #expect(accounted.count - found.count == unreadable, "seed \(seed)")
        #expect(accounted.values.allSatisfy { $0.count == 1 }, "seed \(seed): a record changed its id")
        #expect(await source.backlog() == 0, "seed \(seed)")
        #expect(directory.names("in") == [".processing", "archive", "failed"], "seed \(seed)")
        #expect(directory.names("in/.processing").isEmpty, "seed \(seed)")
        #expect(directory.names("in/failed").count == unreadable, "seed \(seed)")
    }
}
