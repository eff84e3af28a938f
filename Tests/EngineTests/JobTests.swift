import ProcessModel
import Testing
import Values

@testable import Engine

@Suite("Jobs")
struct JobTests {
    private func activate(
        _ harness: EngineHarness, _ type: String, maximum: Int = 10, timeout: Int64 = 60_000, fetch: [String]? = nil
    ) -> [ActivatedJob] {
        let reply = harness.send(
            .activateJobs(
                JobActivation(
                    type: type, worker: "w1", maximum: maximum, timeoutMilliseconds: timeout, fetchVariables: fetch)))
        guard case .jobs(let jobs) = reply else { return [] }
        return jobs
    }

    @Test("an activated job shows its variables, headers, lock and identity")
    func activation() throws {
        let harness = EngineHarness()
        let headers = "<zeebe:taskHeaders><zeebe:header key=\"k\" value=\"v\"/></zeebe:taskHeaders>"
        try harness.deploy(
            Model.process(
                "start -> a -> end",
                nodes: [
                    Model.task(
                        "a", type: "work", retries: "5", io: Model.io([("=x * 2", "local")]), extensions: headers)
                ]))
        let key = try harness.start("p", #"{"x":2,"big":"text"}"#)
        let jobs = activate(harness, "work")
        let job = try #require(jobs.first)
        #expect(jobs.count == 1)
        #expect(job.type == "work" && job.worker == "w1" && job.retries == 5 && job.priority == 0)
        #expect(job.deadline == harness.now + 60_000)
        #expect(job.instanceKey.rawValue == key && job.element.id == "a" && job.definition.process.id == "p")
        #expect(String(decoding: job.variables, as: UTF8.self) == #"{"local":4,"x":2,"big":"text"}"#)
        #expect(job.element.job?.headers.first?.value == "v")
        #expect(job.idempotencyKey.hasPrefix("\(key)-\(job.elementInstanceKey)"))
        #expect(activate(harness, "work").isEmpty)
        #expect(activate(harness, "unknown").isEmpty)
    }

    @Test("only the wanted variables are fetched")
    func fetchVariables() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        try harness.start("p", #"{"x":1,"y":2,"z":3}"#)
        let job = try #require(activate(harness, "a", fetch: ["z", "x", "nothing"]).first)
        #expect(String(decoding: job.variables, as: UTF8.self) == #"{"x":1,"z":3}"#)
    }

    @Test("retries count down with backoff, then an incident; resolving gives the attempts back")
    func retries() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end", nodes: [Model.task("a", retries: "2")]))
        let key = try harness.start()
        #expect(activate(harness, "a").count == 1)
        try harness.fail("a", retries: 1, backoff: 5_000)
        #expect(try harness.job("a").phase == .backingOff)
        harness.advance(milliseconds: 4_999)
        #expect(activate(harness, "a").isEmpty)
        harness.checkpointAll()
        harness.crash(0)
        harness.advance(milliseconds: 1)
        #expect(activate(harness, "a").map(\.retries) == [1])
        try harness.fail("a", retries: 0, #"{"reason":"disk"}"#)
        #expect(harness.incidents.map(\.type) == ["JOB_NO_RETRIES"])
        #expect(harness.incidents.first?.message.contains("no luck") == true)
        #expect(activate(harness, "a").isEmpty)
        let job = try harness.job("a")
        for command in [
            Command.completeJob(key: job.key, variables: .empty),
            .failJob(key: job.key, retries: 1, backoffMilliseconds: 0, message: "", variables: .empty),
            .postponeJob(key: job.key, milliseconds: 1, message: ""),
            .throwJobError(key: job.key, code: "E", message: nil, variables: .empty),
        ] {
            #expect(harness.send(command).rejection?.code == .invalidState)
        }
        try harness.resolve()
        let again = activate(harness, "a")
        #expect(again.map(\.retries) == [2])
        #expect(again.first.map { String(decoding: $0.variables, as: UTF8.self) } == #"{"reason":"disk"}"#)
        try harness.complete("a")
        #expect(!harness.isLive(key))
    }

    @Test("retries set while the incident is open are kept by resolving it")
    func retriesUpdatedInIncident() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        try harness.start()
        try harness.fail("a", retries: -3)
        let job = try harness.job("a")
        #expect(harness.send(.updateJob(key: job.key, retries: 7, timeoutMilliseconds: nil)).isDone)
        #expect(activate(harness, "a").isEmpty)
        try harness.resolve()
        #expect(activate(harness, "a").map(\.retries) == [7])
    }

    @Test("a failed job without backoff is offered again at once, a postponed one later with its retries")
    func failedAndPostponed() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        try harness.start()
        #expect(harness.partitions[0].engine.takeOfferedTypes() == ["a"])
        #expect(harness.partitions[0].engine.takeOfferedTypes() == [])
        #expect(harness.partitions[0].engine.hasJobs(type: "a"))
        #expect(!harness.partitions[0].engine.hasJobs(type: "other"))
        #expect(harness.take("a").count == 1)
        #expect(harness.take("a").isEmpty)
        #expect(harness.take("other").isEmpty)
        try harness.fail("a", retries: 2)
        #expect(harness.partitions[0].engine.takeOfferedTypes() == ["a"])
        let taken = harness.take("a")
        #expect(taken.map(\.retries) == [2] && taken.map(\.worker) == [""] && taken.map(\.deadline) == [0])
        let job = try harness.job("a")
        harness.send(.postponeJob(key: job.key, milliseconds: 1_000, message: "breaker open"))
        #expect(try harness.job("a").retries == 2)
        harness.advance(seconds: 1)
        #expect(harness.take("a").count == 1)
    }

    @Test("after a crash every job is offered exactly once, whatever happened to it before")
    func offeredOnceAfterCrash() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        for _ in 0..<4 { try harness.start() }
        let jobs = harness.jobs
        try #require(jobs.count == 4)
        harness.checkpoint(0)
        // Failed without backoff, failed with backoff that ended, lock that ran out, untouched.
        #expect(activate(harness, "a", maximum: 3, timeout: 2_000).count == 3)
        for (job, backoff) in zip(jobs, [Int64(0), 1_000]) {
            harness.send(
                .failJob(
                    key: job.key, retries: 2, backoffMilliseconds: backoff, message: "", variables: .empty))
        }
        harness.advance(milliseconds: 2_000)
        harness.crash(0)
        let offered = harness.take("a").map(\.key.rawValue)
        #expect(offered.sorted() == jobs.map(\.key).sorted())
    }

    @Test("a job whose lock runs out is offered again, and the fifth time is an incident")
    func lockExpiry() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        let key = try harness.start()
        for round in 1...5 {
            #expect(activate(harness, "a", timeout: 1_000).count == 1, "round \(round)")
            if round == 3 {
                harness.checkpointAll()
                harness.crash(0)
            }
            harness.advance(milliseconds: 1_000)
        }
        #expect(activate(harness, "a").isEmpty)
        #expect(harness.incidents.map(\.type) == ["JOB_NO_RETRIES"])
        #expect(harness.incidents.first?.message.contains("5 times") == true)
        try harness.resolve()
        #expect(activate(harness, "a", timeout: 1_000).count == 1)
        harness.advance(milliseconds: 1_000)
        #expect(harness.incidents.isEmpty, "the count starts again")
        try harness.complete("a")
        #expect(!harness.isLive(key))
    }

    @Test("a worker may move its deadline; the old one no longer counts")
    func deadlineUpdated() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        try harness.start()
        let job = try harness.job("a")
        let waiting = harness.send(.updateJob(key: job.key, retries: nil, timeoutMilliseconds: 5_000))
        #expect(waiting.rejection?.code == .invalidState)
        #expect(activate(harness, "a", timeout: 1_000).count == 1)
        #expect(harness.send(.updateJob(key: job.key, retries: 9, timeoutMilliseconds: 5_000)).isDone)
        harness.advance(milliseconds: 4_999)
        #expect(try harness.job("a").phase == .activated)
        harness.advance(milliseconds: 1)
        #expect(try harness.job("a").phase == .activatable)
        #expect(try harness.job("a").retries == 9)
    }

    @Test("an update that is refused changes nothing")
    func refusedUpdate() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        try harness.start()
        let job = try harness.job("a")
        #expect(
            harness.send(.updateJob(key: job.key, retries: 0, timeoutMilliseconds: nil)).rejection?.code
                == .invalidArgument)
        #expect(
            harness.send(.updateJob(key: job.key, retries: 8, timeoutMilliseconds: 1)).rejection?.code == .invalidState)
        #expect(try harness.job("a").retries == 3)
    }

    @Test("higher priority first, then oldest first")
    func priority() throws {
        let harness = EngineHarness()
        let priority = "<zeebe:priorityDefinition priority=\"=prio\"/>"
        try harness.deploy(
            Model.process("start -> a -> end", nodes: [Model.task("a", type: "work", extensions: priority)]))
        let keys = try [5, 1, 5, 9, -2].map { try harness.start("p", #"{"prio":\#($0)}"#) }
        let taken = activate(harness, "work")
        #expect(taken.map(\.priority) == [9, 5, 5, 1, -2])
        #expect(taken.map(\.instanceKey.rawValue) == [keys[3], keys[0], keys[2], keys[1], keys[4]])
    }

    @Test("type and retries may be expressions")
    func expressions() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> a -> end", nodes: [Model.task("a", type: "=\"work-\" + kind", retries: "=n")]))
        try harness.start("p", #"{"kind":"x","n":4}"#)
        harness.checkpointAll()
        harness.crash(0)
        let jobs = activate(harness, "work-x")
        #expect(jobs.map(\.type) == ["work-x"] && jobs.map(\.retries) == [4])
        try harness.complete("a")
        #expect(harness.instances.isEmpty)
    }

    @Test(
        "a job that cannot be created is an incident until its variables are right",
        arguments: [#"{"kind":1,"n":1}"#, #"{"kind":"x","n":0}"#, #"{"kind":"x","n":"many"}"#, #"{"n":1}"#])
    func badExpressions(_ variables: String) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> end; b -> end2",
                nodes: [
                    Model.task("a", type: "=kind", retries: "=n"),
                    Model.boundary("b", on: "a", Model.duration("PT1H")),
                ]))
        let key = try harness.start("p", variables)
        #expect(harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        try harness.set(#"{"kind":"work","n":1}"#, of: key)
        try harness.resolve()
        #expect(activate(harness, "work").count == 1)
        #expect(harness.partitions[0].engine.openTimerCount == 1)
    }

    @Test("times beyond all bounds are capped, not a crash")
    func hugeTimes() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        try harness.start()
        #expect(activate(harness, "a", timeout: .max).count == 1)
        let job = try harness.job("a")
        #expect(harness.send(.updateJob(key: job.key, retries: nil, timeoutMilliseconds: .max)).isDone)
        try harness.fail("a", retries: 2, backoff: .max)
        #expect(harness.send(.postponeJob(key: job.key, milliseconds: .max, message: "")).isDone)
        #expect(try harness.job("a").phase == .backingOff)
        try harness.publish("msg", "k", ttl: .max)
        let definition = try #require(harness.registry.definition(processID: "p"))
        let reply = harness.send(
            .createInstance(NewInstance(definition: definition, uniqueKey: "u", uniqueMilliseconds: .max)))
        #expect(reply.rejection == nil)
    }

    @Test("commands about a job that has ended are refused")
    func unknownJob() throws {
        let harness = EngineHarness()
        for command in [
            Command.completeJob(key: 1, variables: .empty),
            .failJob(key: 1, retries: 1, backoffMilliseconds: 0, message: "", variables: .empty),
            .postponeJob(key: 1, milliseconds: 1, message: ""),
            .throwJobError(key: 1, code: "E", message: nil, variables: .empty),
            .updateJob(key: 1, retries: 1, timeoutMilliseconds: nil),
            .completeUserTask(key: 1, variables: .empty),
            .assignUserTask(key: 1, assignee: "a", allowOverride: true),
            .resolveIncident(key: 1),
            .setVariables(scope: 1, variables: .empty, local: true),
            .cancelInstance(key: 1),
            .endDeadLetter(key: 1, outcome: 1),
        ] {
            let rejection = harness.send(command).rejection
            #expect(rejection?.code == .notFound)
            #expect(rejection?.description.hasPrefix("EN404: There is no") == true)
        }
        #expect(harness.eventCount == 0)
    }

    @Test("send tasks and job-based business rule and script tasks are jobs too")
    func otherKinds() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> b -> c -> end",
                nodes: [
                    Model.task("a", tag: "sendTask"), Model.task("b", tag: "businessRuleTask"),
                    Model.task("c", tag: "scriptTask"),
                ]))
        let key = try harness.start()
        for element in ["a", "b", "c"] { try harness.complete(element, #"{"\#(element)":1}"#) }
        #expect(harness.variables(key) == #"{"a":1,"b":1,"c":1}"#)
    }
}
