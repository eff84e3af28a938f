import Foundation
import Synchronization
import Testing

/// Clients that start orders, each again and again until it is answered: the server may die at any moment.
final class Load: Sendable {
    private struct State {
        var next = 0
        /// The instance each answered order became.
        var instances: [Int: String] = [:]
        var isStopping = false
        var isAbandoned = false
        var contradictions: [String] = []
    }

    private let project: Project
    private let state = Mutex(State())
    private let threads = DispatchGroup()

    /// Starts clients; they begin new orders until `finish`.
    init(_ project: Project, clients: Int = 4) {
        self.project = project
        for _ in 0..<clients {
            threads.enter()
            Thread.detachNewThread {
                while let order = self.takeOrder() { self.place(order) }
                self.threads.leave()
            }
        }
    }

    /// Orders that were answered.
    var answered: Int { state.withLock(\.instances.count) }

    private func takeOrder() -> Int? {
        state.withLock { state in
            if state.isStopping { return nil }
            state.next += 1
            return state.next
        }
    }

    private func place(_ order: Int) {
        let body = "{\"processDefinitionId\":\"ordered\",\"variables\":{\"order\":\(order)}}"
        while !state.withLock(\.isAbandoned) {
            let answer = try? project.send(
                "POST", "/v2/process-instances", body, headers: ["Idempotency-Key": "order-\(order)"])
            if let answer, answer.status == 200, let key = answer["processInstanceKey"] as? String {
                state.withLock { state in
                    if let known = state.instances[order], known != key {
                        state.contradictions.append("order \(order) is \(known) and \(key)")
                    }
                    state.instances[order] = key
                }
                return
            }
            if let answer, (400..<500).contains(answer.status) {
                state.withLock { $0.contradictions.append("order \(order): \(answer.status) \(answer.body)") }
                return
            }
            usleep(20_000)
        }
    }

    /// Gives up: nobody will answer any more.
    func abandon() {
        state.withLock { state in
            state.isStopping = true
            state.isAbandoned = true
        }
    }

    /// Begins no new orders, and returns when all that were begun are answered and have ended; checks that nothing was
    /// lost and nothing happened twice.
    ///
    /// The server must be running.
    func finish(_ what: Comment) async throws {
        state.withLock { $0.isStopping = true }
        await withCheckedContinuation { continuation in
            threads.notify(queue: .global()) { continuation.resume() }
        }
        // A start that was answered before the kill is the same one after it.
        let (orders, placed) = state.withLock { ($0.next, $0.instances) }
        for order in stride(from: 1, through: orders, by: max(1, orders / 20)) { place(order) }
        try await eventually("all orders end") { try self.project.count("ACTIVE") == 0 }
        #expect(state.withLock(\.contradictions).isEmpty, what)
        #expect(placed.count == orders && Set(placed.values).count == orders, what)
        #expect(try project.count("COMPLETED") == orders, what)
        let keys = project.service.keysByEffect
        #expect(keys.count == orders * 2, what)
        #expect(keys.values.allSatisfy { $0.count == 1 }, what)
        #expect(project.service.effectsByKey.values.allSatisfy { $0.count == 1 }, what)
    }
}
