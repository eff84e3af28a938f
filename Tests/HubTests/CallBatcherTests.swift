import ConnectorKit
import Synchronization
import Testing
import Values

@testable import Hub

@Suite(.timeLimit(.minutes(1))) struct CallBatcherTests {
    /// A connection whose batches wait until they are let go.
    private final class GatedConnection: Connection {
        struct State {
            var batches: [[Int64]] = []
            var isOpen = false
            var waiting: [CheckedContinuation<Void, Never>] = []
            var cancelled = 0
            var givesTooFew = false
        }

        let state = Mutex(State())

        func open() {
            let waiting = self.state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        private func pass(_ numbers: [Int64]) async {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let passes = self.state.withLock { state in
                        state.batches.append(numbers)
                        if !state.isOpen { state.waiting.append(continuation) }
                        return state.isOpen
                    }
                    if passes { continuation.resume() }
                }
            } onCancel: {
                self.state.withLock { $0.cancelled += 1 }
                self.open()
            }
        }

        func test() async throws {}

        func invoke(_ call: OperationCall) async -> Outcome {
            await self.pass([call.input.asInt64 ?? -1])
            return .done(call.input, facts: [:])
        }

        func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
            await self.pass(calls.map { $0.input.asInt64 ?? -1 })
            let outcomes = calls.map { call -> Outcome in
                call.input == 7
                    ? .failed(ConnectorError(.validation, code: "X", "Seven.", remedy: "Another."))
                    : .done(call.input, facts: [:])
            }
            return self.state.withLock { $0.givesTooFew } ? Array(outcomes.dropLast()) : outcomes
        }

        func armSource(_ request: SourceRequest) async throws -> any EventSource {
            throw ConnectorError(.unsupported, code: "X", "No.", remedy: "None.")
        }

        func close() async {}

        var batches: [[Int64]] { self.state.withLock { $0.batches } }
    }

    private static func call(_ number: Int) -> OperationCall {
        OperationCall(operation: "put", input: .number(Number(number)))
    }

    private static func wait(until condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test func callsLeaveAtOnceUntilEnoughAreUnderWayAndThenTogether() async throws {
        let (batcher, connection) = (CallBatcher(maximum: 4), GatedConnection())
        let values = await withTaskGroup(of: (Int, Value?).self) { group in
            for number in 0..<2 {
                group.addTask { (number, await batcher.invoke(Self.call(number), on: connection).value) }
            }
            await Self.wait { connection.batches.count == 2 }
            for number in 2..<5 {
                group.addTask { (number, await batcher.invoke(Self.call(number), on: connection).value) }
            }
            for _ in 0..<200 { await Task.yield() }
            #expect(connection.batches.allSatisfy { $0.count == 1 })
            connection.open()
            return await group.reduce(into: [Int: Value?]()) { $0[$1.0] = $1.1 }
        }
        #expect(values.count == 5 && values.allSatisfy { $0.value == .number(Number($0.key)) })
        #expect(connection.batches.joined().sorted() == [0, 1, 2, 3, 4])
        #expect(connection.batches.count <= 4)
    }

    @Test func aFullBatchDoesNotWaitAndEachCallHasItsOwnOutcome() async throws {
        let (batcher, connection) = (CallBatcher(maximum: 3), GatedConnection())
        let failures = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2 {
                group.addTask { await batcher.invoke(Self.call(number), on: connection).error != nil }
            }
            await Self.wait { connection.batches.count == 2 }
            for number in 6..<9 {
                group.addTask { await batcher.invoke(Self.call(number), on: connection).error != nil }
            }
            await Self.wait { connection.batches.contains { $0.sorted() == [6, 7, 8] } }
            connection.open()
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(failures == 1)
    }

    @Test func whatAConnectorForgetsToAnswerHasFailed() async throws {
        let (batcher, connection) = (CallBatcher(maximum: 2), GatedConnection())
        connection.state.withLock { $0.givesTooFew = true }
        let errors = await withTaskGroup(of: ConnectorError?.self) { group in
            for number in 0..<2 {
                group.addTask { await batcher.invoke(Self.call(number), on: connection).error }
            }
            await Self.wait { connection.batches.count == 2 }
            for number in 2..<4 {
                group.addTask { await batcher.invoke(Self.call(number), on: connection).error }
            }
            await Self.wait { connection.batches.count == 3 }
            connection.open()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.compactMap(\.self).map(\.code) == ["CON-0002"])
        #expect(errors.compactMap(\.self).allSatisfy { $0.mayHaveExecuted })
    }

    @Test func aBatchIsCancelledOnlyWhenNobodyWaitsForIt() async throws {
        let (batcher, connection) = (CallBatcher(maximum: 2), GatedConnection())
        let one = Task { await batcher.invoke(Self.call(0), on: connection) }
        let two = Task { await batcher.invoke(Self.call(1), on: connection) }
        await Self.wait { connection.batches.count == 2 }
        let (three, four) = (
            Task { await batcher.invoke(Self.call(2), on: connection) },
            Task { await batcher.invoke(Self.call(3), on: connection) }
        )
        await Self.wait { connection.batches.count == 3 }
        let five = Task { await batcher.invoke(Self.call(4), on: connection) }
        for _ in 0..<200 { await Task.yield() }
        five.cancel()
        let unsent = await five.value.error
        #expect(unsent?.code == "CON-0001" && unsent?.mayHaveExecuted == false)
        three.cancel()
        for _ in 0..<200 { await Task.yield() }
        #expect(connection.state.withLock { $0.cancelled } == 0)
        four.cancel()
        await Self.wait { connection.state.withLock { $0.cancelled } == 1 }
        for task in [one, two, three, four] { _ = await task.value }
    }
}
