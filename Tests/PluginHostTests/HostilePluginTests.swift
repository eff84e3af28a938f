import ConnectorKit
import Foundation
import Testing
import Values

@testable import PluginHost

/// Plugins that misbehave cost their own calls, never anything else.
@Suite struct HostilePluginTests {
    @Test func garbageWithoutEndEndsTheProcess() async throws {
        let log = LogRecorder()
        let failure = try await withHostile("floods-garbage", log: log) { await $0.invoke(go).failure }
        #expect(failure == "unavailable CON-9001 mayHaveExecuted")
        #expect(log.lines.count < 100)
    }

    @Test(arguments: ["floods-log", "floods-stderr", "floods-requests"])
    func floodsAreTakenInAndTheCallIsAnswered(_ mode: String) async throws {
        let log = LogRecorder()
        let outcome = try await withHostile(mode, log: log) { await $0.invoke(go) }
        #expect(outcome.value == ["calls": 1], "\(outcome)")
        if mode == "floods-stderr" { #expect(log.lines.count < 5_000) }
    }

    @Test func aSecondAnswerIsIgnored() async throws {
        let values = try await withHostile("answers-twice") { connection in
            [await connection.invoke(go).value, await connection.invoke(go).value]
        }
        #expect(values == [["calls": 1], ["calls": 2]])
    }

    @Test func answersToNothingAreIgnored() async throws {
        #expect(try await withHostile("wrong-ids") { await $0.invoke(go).value } == ["calls": 1])
    }

    @Test func textThatIsNotUTF8IsIgnored() async throws {
        #expect(try await withHostile("invalid-utf8") { await $0.invoke(go).value } == ["calls": 1])
    }

    @Test func aFrameWithoutBoundEndsTheProcess() async throws {
        var limits = RPCLimits.quick
        limits.frameBytesMax = 1 << 20
        let failure = try await withHostile("huge-frame", limits: limits) { await $0.invoke(go).failure }
        #expect(failure == "unavailable CON-9001 mayHaveExecuted")
    }

    @Test func aCallThatDoesNotFitIsNotSent() async throws {
        var limits = RPCLimits.quick
        limits.frameBytesMax = 4_096
        let input: Value = .string(String(repeating: "x", count: 5_000))
        let outcomes = try await withHostile("polite", limits: limits) { connection in
            [await connection.invoke(OperationCall(operation: "go", input: input)), await connection.invoke(go)]
        }
        #expect(outcomes[0].failure == "validation CON-9004")
        #expect(outcomes[1].value == ["calls": 1])
    }

    @Test(arguments: ["malformed-outcome", "no-result"])
    func anAnswerThatSaysNothingIsAFailureThatMayHaveExecuted(_ mode: String) async throws {
        let outcome = try await withHostile(mode) { await $0.invoke(go) }
        #expect(outcome.error?.kind == .unknown)
        #expect(outcome.error?.mayHaveExecuted == true)
    }

    @Test func silenceEndsWithTheTimeoutOfTheCall() async throws {
        let call = OperationCall(operation: "go", input: [:], timeout: .milliseconds(1) - RemoteConnection.grace)
        let failure = try await withHostile("silent") { await $0.invoke(call).failure }
        #expect(failure == "timeout CON-9005 mayHaveExecuted")
    }

    @Test func aProcessThatAnswersNoPingsIsReplaced() async throws {
        var limits = RPCLimits.quick
        limits.pingInterval = .milliseconds(20)
        limits.pingTimeout = .milliseconds(50)
        let log = LogRecorder()
        let failure = try await withHostile("no-pings", limits: limits, log: log) { await $0.invoke(go).failure }
        // It may be given up before the call is sent.
        #expect(failure?.hasPrefix("unavailable CON-9001") == true)
        #expect(log.contains("did not answer a ping"))
    }

    @Test func halfAnAnswerIsNone() async throws {
        let failure = try await withHostile("partial-then-exit") { await $0.invoke(go).failure }
        #expect(failure == "unavailable CON-9001 mayHaveExecuted")
    }

    @Test func anAnswerCountsAlthoughItsProcessEndedRightAfterIt() async throws {
        #expect(try await withHostile("answers-then-exits") { await $0.invoke(go).value } == ["calls": 1])
    }

    @Test func aProcessThatEndsAtOnceIsStartedWithPauses() async throws {
        var limits = RPCLimits.quick
        limits.backoffBase = .seconds(60)
        limits.backoffMax = .seconds(60)
        let process = RPCProcess(
            Fixture.hostile("exit-at-once"), dialect: PluginProtocol.dialect(limits: limits, connect: nil),
            limits: limits)
        let first = await process.start()
        #expect(first == .failure(.unusable(reason: "It ended with code 3.", retryAfter: .seconds(60))))
        for _ in 0..<100 {
            guard case .failure(.lost(_, false, let pause?)) = await process.call("x", [:]) else {
                Issue.record("It was started again without a pause.")
                break
            }
            #expect(pause <= .seconds(60))
        }
        await process.close()
    }

    @Test func aHandshakeThatNeverComesIsGivenUp() async throws {
        var limits = RPCLimits.quick
        limits.startTimeout = .milliseconds(50)
        let failure = await #expect(throws: ConnectorError.self) {
            _ = try await RemoteModule.load(Fixture.hostile("never-handshakes"), name: "x", limits: limits)
        }
        #expect(failure?.code == "CON-9002")
    }

    @Test(arguments: [("future", "version 99"), ("nameless", "descriptor.id")])
    func aPluginThatCannotBeUsedIsReported(_ row: (mode: String, reason: String)) async throws {
        let failure = await #expect(throws: ConnectorError.self) {
            _ = try await RemoteModule.load(Fixture.hostile(row.mode), name: "x", limits: .quick)
        }
        #expect(failure?.code == "CON-9002")
        #expect(failure?.message.contains(row.reason) == true, "\(String(describing: failure))")
    }

    @Test func aProcessThatDoesNotEndIsKilled() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        try await withHostile("ignores-everything") { connection in
            async let call = connection.invoke(go)
            await connection.close()
            #expect(await call.error != nil)
        }
        #expect(clock.now - start < .seconds(60))
    }

    @Test func whatAPluginStartedEndsWithIt() async throws {
        let process = RPCProcess(
            Fixture.hostile("leaves-a-child"),
            dialect: PluginProtocol.dialect(limits: .quick, connect: [:]), limits: .quick)
        await process.start()
        let group = try #require(process.processID)
        let answer = await process.call("invoke", [:])
        #expect(answer == .success(["outcome": "done", "value": ["calls": 1]]))
        await process.close()
        #expect(await eventually { kill(-group, 0) != 0 && errno == ESRCH })
    }

    @Test func nothingIsLeftOpenOrRunning() async throws {
        @Sendable func descriptors() -> Int { (3..<1_024).count { fcntl(Int32($0), F_GETFD) >= 0 } }
        _ = try await withHostile("polite") { await $0.invoke(go) }
        let before = descriptors()
        for _ in 0..<5 { _ = try await withHostile("answers-then-exits") { await $0.invoke(go) } }
        #expect(await eventually { descriptors() <= before + 2 })
    }
}
