import Engine
import Storage
import StorageTestSupport
import Testing
import Values

@testable import Runtime

/// Starts that wait for the end of their instance.
@Suite struct AwaitedResultTests {
    private static let passing = Model.process(
        "passing", "<bpmn:startEvent id=\"start\"/><bpmn:endEvent id=\"end\"/>\(Model.flow("start", "end"))")

    private func text(_ created: CreatedInstance) -> String? {
        created.result.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The end comes before the reply is out.
    @Test func anInstanceThatEndsAtOnceAnswersWithItsVariables() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Self.passing)
        for number in 0..<50 {
            let created = try await harness.start("passing", "{\"n\":\(number)}", await: 10_000)
            #expect(text(created) == "{\"n\":\(number)}")
        }
    }

    @Test func anInstanceThatGoesOnIsReportedAndGoesOn() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let late = await #expect(throws: CommandRejection.self) { try await harness.start("chain", await: 20) }
        #expect(late?.code == .timeout)
        let job = try #require(try await harness.activate(wait: 10_000).first)
        #expect(late?.message.contains("\(job.instanceKey)") == true)
        try await harness.runtime.completeJob(key: job.key, variables: nil)
        #expect(try await harness.read { try $0.totals().completedInstances } == 1)
    }

    @Test func aCancelledInstanceIsNoResult() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let started = Task { try await harness.start("chain", await: 60_000) }
        let job = try #require(try await harness.activate(wait: 10_000).first)
        try await harness.runtime.cancelInstance(key: job.instanceKey, actor: "ops")
        let refused = await #expect(throws: CommandRejection.self) { try await started.value }
        #expect(refused?.code == .invalidState)
    }

    /// Whoever lost the connection asks again with the same key.
    @Test func everybodyWhoAsksForTheSameStartGetsItsResult() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let first = Task { try await harness.start("chain", "{\"n\":1}", key: "k", await: 60_000) }
        let job = try #require(try await harness.activate(wait: 10_000).first)
        let late = await #expect(throws: CommandRejection.self) {
            try await harness.start("chain", key: "k", await: 10)
        }
        #expect(late?.code == .timeout)
        let second = Task { try await harness.start("chain", key: "k", await: 60_000) }
        let third = Task { try await harness.start("chain", key: "k", await: 60_000) }
        try await harness.eventually("all three wait") { harness.runtime.core.requests.waiting == 3 }
        try await harness.runtime.completeJob(key: job.key, variables: Array("{\"done\":true}".utf8))
        let results = [try await first.value, try await second.value, try await third.value]
        #expect(results.map { text($0) } == [String?](repeating: "{\"n\":1,\"done\":true}", count: 3))
        #expect(results.map(\.alreadyExisted) == [false, true, true])
        // After the end there is an instance, but nothing to wait for.
        let fourth = try await harness.start("chain", key: "k", await: 60_000)
        #expect(fourth.alreadyExisted && fourth.result == nil && fourth.key == results[0].key)
        #expect(harness.runtime.core.requests.waiting == 0)
    }
}
