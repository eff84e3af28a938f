import Testing
import Values

@testable import PluginHost

/// Transcripts: what happens, and what is done about it.
@Suite struct RPCMachineTests {
    private static let dialect = RPCDialect(
        handshake: [
            .request(method: "hello", params: [:]) { $0["bad"] == true ? "It is bad." : nil },
            .notify(method: "ready", params: [:]),
        ], cancelMethod: "cancel", cancelField: "id", closeMethod: "close")

    private static var limits: RPCLimits {
        var limits = RPCLimits()
        limits.startTimeout = .seconds(10)
        limits.pingInterval = .seconds(5)
        limits.pingTimeout = .seconds(2)
        limits.closeTimeout = .seconds(4)
        limits.backoffBase = .seconds(1)
        limits.backoffMax = .seconds(8)
        limits.stableAfter = .seconds(60)
        limits.violationsMax = 2
        limits.frameBytesMax = 300
        limits.callsMax = 3
        limits.abandonedMax = 2
        limits.outputBytesMax = 1_000
        return limits
    }

    /// Plays a machine and tells its actions in words.
    private struct Play {
        var machine: RPCMachine
        var now: Duration = .zero
        /// Methods of the requests sent, by id.
        var sent: [Int64: String] = [:]

        init(_ change: (inout RPCLimits) -> Void = { _ in }) {
            var limits = RPCMachineTests.limits
            change(&limits)
            self.machine = RPCMachine(dialect: RPCMachineTests.dialect, limits: limits)
        }

        mutating func tell(_ actions: [RPCMachine.Action]) -> [String] {
            actions.map { action in
                switch action {
                case .spawn: return "spawn"
                case .closeInput: return "closeInput"
                case .terminate: return "terminate"
                case .kill: return "kill"
                case .stopped: return "stopped"
                case .log(let text): return "log \(text)"
                case .notification(let method, _): return "notified \(method)"
                case .request(_, _, let method, _): return "asked \(method)"
                case .complete(let id, .success(let value)): return "\(id) = \(value)"
                case .complete(let id, .failure(let failure)): return "\(id) ! \(Self.words(failure))"
                case .send(let frame):
                    guard let message = try? RPCMessage(frame[...]) else { return "send garbage" }
                    switch message {
                    case .request(let id, let method, _):
                        if let id = id.asInt64 { self.sent[id] = method }
                        return "send \(method)"
                    case .notification(let method, let params): return "send \(method) \(params)"
                    case .response(_, let result): return "answer \((try? result.get()).map { "\($0)" } ?? "error")"
                    }
                }
            }
        }

        private static func words(_ failure: RPCFailure) -> String {
            switch failure {
            case .refused(let error): "refused \(error.code)"
            case .lost(_, let executed, let pause): "lost\(executed ? " executed" : "")\(Self.pause(pause))"
            case .unusable(let reason, let pause): "unusable: \(reason)\(Self.pause(pause))"
            case .handshake(let method, let error): "handshake \(method) \(error.code)"
            case .timedOut(let executed): "timedOut\(executed ? " executed" : "")"
            case .cancelled(let executed): "cancelled\(executed ? " executed" : "")"
            case .tooLarge: "tooLarge"
            case .overloaded: "overloaded"
            case .closed: "closed"
            }
        }

        private static func pause(_ pause: Duration?) -> String { pause.map { ", retry in \($0)" } ?? "" }

        mutating func call(_ method: String? = "go", timeout: Duration? = nil, _ params: Value = [:]) -> [String] {
            let id = self.machine.reserveID()
            let deadline = timeout.map { self.now + $0 }
            return self.tell(self.machine.call(id, method, params, deadline: deadline, at: self.now))
        }

        /// Answers the oldest unanswered request of a method.
        mutating func answer(_ method: String, _ result: String = "\"result\":{}") -> [String] {
            guard let id = self.sent.filter({ $0.value == method }).keys.min() else { return ["nothing to answer"] }
            self.sent[id] = nil
            return self.receive("{\"jsonrpc\":\"2.0\",\"id\":\(id),\(result)}")
        }

        mutating func receive(_ line: String) -> [String] {
            self.tell(self.machine.received(Array(line.utf8)[...], at: self.now))
        }

        mutating func spawned() -> [String] { self.tell(self.machine.spawned(at: self.now)) }
        mutating func exited() -> [String] { self.tell(self.machine.exited("It ended.", at: self.now)) }
        mutating func close() -> [String] { self.tell(self.machine.close(at: self.now)) }
        mutating func cancel(_ id: UInt64) -> [String] { self.tell(self.machine.cancel(id)) }

        mutating func pass(_ time: Duration) -> [String] {
            self.now += time
            return self.tell(self.machine.tick(at: self.now))
        }

        /// Starts it with a call that is answered at once.
        mutating func becomeReady() {
            _ = self.call(nil)
            _ = self.spawned()
            _ = self.answer("hello")
        }
    }

    @Test func theFirstCallStartsTheProcessAndWaitsForTheHandshake() {
        var play = Play()
        #expect(play.machine.nextDeadline == nil)
        #expect(play.call() == ["spawn"])
        #expect(play.call(nil) == [])
        #expect(play.machine.nextDeadline == .seconds(10))
        #expect(play.spawned() == ["send hello"])
        #expect(play.answer("hello", #""result":{"v":1}"#) == ["send ready {}", "send go", #"2 = [{"v":1}]"#])
        #expect(play.call(nil) == [#"4 = [{"v":1}]"#])
        #expect(play.answer("go", #""result":7"#) == ["1 = 7"])
    }

    @Test func aRefusedHandshakeFailsTheCallsAndEndsTheProcess() {
        var play = Play()
        _ = play.call()
        _ = play.spawned()
        #expect(
            play.answer("hello", #""error":{"code":-5,"message":"no"}"#)
                == ["1 ! handshake hello -5", "log It refused hello: no", "kill"])
        #expect(play.call() == ["3 ! lost, retry in 1.0 seconds"])
        #expect(play.exited() == ["log It refused hello: no"])
    }

    @Test func aHandshakeThatIsNotAcceptedMakesThePeerUnusable() {
        var play = Play()
        _ = play.call()
        _ = play.spawned()
        #expect(
            play.answer("hello", #""result":{"bad":true}"#)
                == ["log It is bad.", "1 ! unusable: It is bad., retry in 1.0 seconds", "kill"])
    }

    @Test func aStartThatTakesTooLongIsGivenUp() {
        var play = Play()
        _ = play.call()
        _ = play.spawned()
        #expect(play.pass(.seconds(9)) == [])
        let words = "It was not ready within 10.0 seconds."
        #expect(play.pass(.seconds(1)) == ["log \(words)", "1 ! unusable: \(words), retry in 1.0 seconds", "kill"])
    }

    @Test func pausesDoubleUpToTheirBound() {
        var play = Play()
        for seconds in [1, 2, 4, 8, 8] {
            #expect(play.call() == ["spawn"])
            #expect(play.exited().last?.hasSuffix("retry in \(seconds).0 seconds") == true)
            _ = play.pass(.seconds(seconds) - .milliseconds(1))
            #expect(play.call().last?.hasSuffix("! lost, retry in 0.001 seconds") == true)
            _ = play.pass(.milliseconds(1))
        }
    }

    @Test func aStableSessionMakesEarlierCrashesForgotten() {
        var play = Play()
        for _ in 0..<3 {
            _ = play.call()
            _ = play.exited()
            _ = play.pass(.seconds(8))
        }
        play.becomeReady()
        for _ in 0..<13 {
            #expect(play.pass(.seconds(5)) == ["send ping"])
            #expect(play.answer("ping") == [])
        }
        _ = play.call()
        #expect(
            play.exited() == ["log It ended.", "\(play.sent.keys.min() ?? 0) ! lost executed, retry in 1.0 seconds"])
    }

    @Test func aCrashTellsWhichCallsMayHaveBeenExecuted() {
        var play = Play()
        _ = play.call()
        #expect(play.exited() == ["log It ended.", "1 ! unusable: It ended., retry in 1.0 seconds"])
        _ = play.pass(.seconds(1))
        play.becomeReady()
        _ = play.call()
        #expect(play.exited().last == "4 ! lost executed, retry in 2.0 seconds")
    }

    @Test func deadlinesAndCancellationsTellThePeer() {
        var play = Play()
        play.becomeReady()
        #expect(play.call(timeout: .seconds(3)) == ["send go"])
        #expect(play.call() == ["send go"])
        #expect(play.machine.nextDeadline == .seconds(3))
        #expect(play.pass(.seconds(3)) == ["3 ! timedOut executed", #"send cancel {"id":3}"#])
        #expect(play.cancel(4) == ["4 ! cancelled executed", #"send cancel {"id":4}"#])
        #expect(play.cancel(4) == [])
        // Answers that come late are no violation.
        #expect(play.answer("go") == [])
        #expect(play.answer("go") == [])
    }

    @Test func aCallCancelledBeforeItWasSentWasNotExecuted() {
        var play = Play()
        _ = play.call(timeout: .seconds(1))
        _ = play.call()
        #expect(play.pass(.seconds(1)) == ["1 ! timedOut"])
        #expect(play.cancel(2) == ["2 ! cancelled"])
        #expect(play.spawned() == ["send hello"])
        #expect(play.answer("hello") == ["send ready {}"])
    }

    @Test func callsThatAreNeverAnsweredEndTheProcess() {
        var play = Play()
        play.becomeReady()
        for id in [UInt64(3), 4] {
            _ = play.call()
            _ = play.cancel(id)
        }
        _ = play.call()
        #expect(play.cancel(5) == ["5 ! cancelled executed", "log It left 3 calls unanswered.", "kill"])
    }

    @Test func whatIsTooMuchIsRefused() {
        var play = Play()
        play.becomeReady()
        #expect(play.call("go", .string(String(repeating: "x", count: 300))) == ["3 ! tooLarge"])
        for _ in 0..<3 { #expect(play.call() == ["send go"]) }
        #expect(play.call() == ["7 ! overloaded"])
        var full = Play { $0.callsMax = 100 }
        full.becomeReady()
        var answers: [String] = []
        for _ in 0..<20 { answers += full.call() }
        #expect(answers.contains { $0.hasSuffix("overloaded") })
        full.machine.wrote(1_000)
        #expect(full.call() == ["send go"])
    }

    @Test func violationsAreCountedUntilAPingIsAnswered() {
        var play = Play()
        play.becomeReady()
        let wrong = ["garbage", #"{"jsonrpc":"2.0","id":99,"result":1}"#]
        for line in wrong { #expect(play.receive(line).count == 1) }
        _ = play.pass(.seconds(5))
        #expect(play.answer("ping") == [])
        for line in wrong { #expect(play.receive(line).first?.hasPrefix("log It sent") == true) }
        #expect(play.receive("more").last == "kill")
        #expect(play.receive("yet more") == [])
    }

    @Test func anOversizedLineEndsTheProcess() {
        var play = Play()
        play.becomeReady()
        _ = play.call()
        #expect(
            play.tell(play.machine.receivedOversized())
                == ["log It sent a line of more than 300 bytes.", "3 ! lost executed, retry in 1.0 seconds", "kill"])
        #expect(play.machine.receivedOversized().isEmpty)
    }

    @Test func silenceAfterAPingEndsTheProcess() {
        var play = Play()
        play.becomeReady()
        #expect(play.machine.nextDeadline == .seconds(5))
        #expect(play.pass(.seconds(5)) == ["send ping"])
        #expect(play.machine.nextDeadline == .seconds(7))
        #expect(play.pass(.seconds(2)) == ["log It did not answer a ping within 2.0 seconds.", "kill"])
    }

    @Test func closingIsAskedThenTerminatedThenKilled() {
        var play = Play()
        play.becomeReady()
        _ = play.call()
        #expect(play.close() == ["3 ! lost executed", "send close"])
        #expect(play.close() == [])
        #expect(play.call() == ["5 ! closed"])
        #expect(play.pass(.seconds(4)) == ["log It did not end when asked.", "terminate"])
        #expect(play.pass(.seconds(2)) == ["log It did not end when terminated.", "kill"])
        #expect(play.pass(.seconds(4)) == ["log It did not end when killed.", "stopped"])
        #expect(play.exited() == [])
    }

    @Test func aPeerThatEndsWhenAskedIsNotForced() {
        var play = Play()
        play.becomeReady()
        _ = play.close()
        #expect(play.answer("close") == ["closeInput"])
        #expect(play.exited().last == "stopped")
        #expect(play.call() == ["4 ! closed"])
    }

    @Test func closingEarlyEndsAtOnce() {
        var idle = Play()
        #expect(idle.close() == ["stopped"])
        var starting = Play()
        _ = starting.call()
        #expect(starting.close() == ["1 ! lost", "kill"])
        #expect(starting.tell(starting.machine.spawnFailed("No.", at: .zero)).last == "stopped")
    }

    @Test func requestsOfThePeerAreAnsweredWhileItLives() {
        var play = Play()
        play.becomeReady()
        #expect(play.receive(#"{"jsonrpc":"2.0","id":"q","method":"secret","params":{}}"#) == ["asked secret"])
        #expect(play.receive(#"{"jsonrpc":"2.0","method":"log","params":{}}"#) == ["notified log"])
        let generation = play.machine.generation
        #expect(play.tell(play.machine.answer(generation: generation, id: "q", .success(1))) == ["answer 1"])
        let large: Value = .string(String(repeating: "x", count: 400))
        #expect(play.tell(play.machine.answer(generation: generation, id: "q", .success(large))) == ["answer error"])
        #expect(play.machine.answer(generation: generation - 1, id: "q", .success(1)).isEmpty)
        _ = play.exited()
        #expect(play.machine.answer(generation: generation, id: "q", .success(1)).isEmpty)
    }
}
