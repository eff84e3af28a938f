import Decisions
import Engine
import HubDocuments
import ProcessModel
import Runtime
import Values

/// Says which open breaker keeps a trigger from reading: that of its own connection, of one it names, or of one that
/// the process it starts calls.
///
/// Which connections a process calls is read from its deployed model: the literal connections of its connector calls,
/// and of the processes it calls by a literal id. Safe from any thread.
struct OutageWatch: Sendable {
    /// A breaker that is open.
    struct Outage: Sendable, Hashable {
        /// The connection.
        var connection: String
        /// How it is open: `open`, `forced-open`, `isolated`.
        var state: String
        /// How long until it lets a call through; nil when that is up to an operator.
        var remaining: Duration?
    }

    let trigger: TriggerDeclaration
    let service: any WorkflowService
    let lanes: [String: ConnectionLane]

    /// The connections that count.
    var connections: [String] {
        var names = [self.trigger.source.connection, self.trigger.target.call?.connection].compactMap(\.self)
        for name in self.trigger.pausedBy ?? self.called() where !names.contains(name) { names.append(name) }
        return names
    }

    /// The open breaker that stays open longest; nil when all let calls through.
    func outage(at now: Duration) -> Outage? {
        self.connections.compactMap { self.lanes[$0]?.outage(at: now) }.max { left, right in
            (left.remaining ?? .seconds(1 << 40)) < (right.remaining ?? .seconds(1 << 40))
        }
    }

    private func called() -> [String] {
        let definitions = self.service.definitions
        var names: [String] = []
        var seen: Set<String> = []
        let target = self.trigger.target
        var queue = [
            target.workflow.flatMap { definitions.definition(processID: $0, version: target.version) }
        ].compactMap(\.self)
        while let definition = queue.popLast() {
            guard seen.insert(definition.process.id).inserted else { continue }
            for node in definition.process.nodes {
                if let name = node.connectorConnection, !names.contains(name) { names.append(name) }
                if let id = node.calledProcessID, let called = definitions.definition(processID: id, version: nil) {
                    queue.append(called)
                }
            }
        }
        return names
    }
}

extension FlowNode {
    /// The connection of a connector call.
    fileprivate var connectorConnection: String? {
        guard let job, case .literal(let type) = job.type, type.hasPrefix("connector:") else { return nil }
        return job.headers.first { $0.key == "connection" }?.value
    }

    /// The process a call activity starts, when its id is a literal.
    fileprivate var calledProcessID: String? {
        guard case .literal(let id)? = self.calledElement?.processID else { return nil }
        return id
    }
}
