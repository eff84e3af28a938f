import ProcessModel
import Testing
import Values

@testable import Engine

@Suite("Large values")
struct LargeValueTests {
    private static let text = String(repeating: "x", count: PartitionEngine.inlineValueBytesMax)

    private func harness() -> EngineHarness {
        let harness = EngineHarness()
        harness.partitions[0].store.keepsBlobs = true
        return harness
    }

    @Test("a large value is written once, whatever holds it, and read where it is needed")
    func onceByContent() throws {
        let harness = harness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(
            Model.process(
                "start -> a -> c -> xor -> [=string length(copy) = \(Self.text.count)] b -> end; xor -> [default] end2",
                nodes: [Model.task("a", io: Model.io([("=big", "copy")], [("=copy", "copy")])), Model.call("c", "q")]))
        let key = try harness.start("p", #"{"big":"\#(Self.text)"}"#)
        let store = harness.partitions[0].store
        #expect(store.blobs.count == 1)
        let job = try #require(harness.take("a").first)
        #expect(job.variables.count == 2 * (Self.text.count + 2) + #"{"copy":,"big":}"#.utf8.count)
        harness.checkpointAll()
        harness.crash(0)
        try harness.complete("a")
        try harness.complete("w", #"{"n":1}"#)
        #expect(harness.live == ["b"])
        #expect(store.blobs.count == 1)
        #expect(harness.journalBytes < Self.text.count, "no event holds the text")
        #expect(store.rows.values.allSatisfy { $0.state.count < Self.text.count })
        let again = try #require(harness.take("b").first)
        #expect(again.variables.count > 2 * Self.text.count)
        try harness.complete("b")
        #expect(!harness.isLive(key))
    }

    @Test("the result of an awaited instance, nested writes and filtered fetches see the text")
    func readBack() throws {
        let harness = harness()
        try harness.deploy(
            Model.process("start -> a -> end", nodes: [Model.task("a", io: Model.io([], [("=n", "order.total")]))]))
        let key = try harness.start("p", #"{"order":{"text":"\#(Self.text)"},"small":1}"#)
        let reply = harness.send(
            .activateJobs(
                JobActivation(
                    type: "a", worker: "w", maximum: 1, timeoutMilliseconds: 1_000, fetchVariables: ["small"])))
        guard case .jobs(let jobs) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(jobs.map { String(decoding: $0.variables, as: UTF8.self) } == [#"{"small":1}"#])
        try harness.complete("a", #"{"n":7}"#)
        #expect(harness.variables(key) == #"{"order":{"text":"\#(Self.text)","total":7},"small":1}"#)
        #expect(harness.partitions[0].store.blobs.count == 2)
    }

    @Test("a value at the limit, or in a store that keeps none, stays where it is")
    func inline() throws {
        let harness = harness()
        try harness.deploy(Model.process("start -> a -> end"))
        try harness.start("p", #"{"big":"\#(Self.text.dropLast(2))"}"#)
        #expect(harness.partitions[0].store.blobs.isEmpty)
        harness.partitions[0].store.keepsBlobs = false
        try harness.start("p", #"{"big":"\#(Self.text)"}"#)
        #expect(harness.partitions[0].store.blobs.isEmpty)
    }
}
