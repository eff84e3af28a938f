import Decisions
import ProcessModel
import Synchronization
public import Values

/// The deployed processes of this process's memory: looked up by key, and by id and version.
///
/// Definitions are added only after their deployment is durable. Safe from any thread.
public final class DefinitionRegistry: Sendable {
    private struct Content {
        var byKey: [Key: DeployedProcess] = [:]
        /// Versions of a process id, ascending.
        var byID: [String: [DeployedProcess]] = [:]
        /// Newest versions by the name of a message that starts them.
        var messageStarts: [String: [(definition: DeployedProcess, node: Int)]] = [:]

        /// Newest versions by the name of a signal that starts them.
        var signalStarts: [String: [(definition: DeployedProcess, node: Int)]] = [:]

        mutating func indexStarts(of processID: String, newest: DeployedProcess?) {
            for name in messageStarts.keys {
                messageStarts[name]?.removeAll { $0.definition.process.id == processID }
            }
            for name in signalStarts.keys {
                signalStarts[name]?.removeAll { $0.definition.process.id == processID }
            }
            guard let newest else { return }
            for node in newest.process.signalStarts {
                guard case .signal(let signal)? = newest.process.nodes[node].event,
                    case .string(let name)? = signal.name.constant
                else { continue }
                signalStarts[name, default: []].append((newest, node))
            }
            for node in newest.process.messageStarts {
                guard case .message(let message)? = newest.process.nodes[node].event,
                    case .string(let name)? = message.name.constant
                else { continue }
                messageStarts[name, default: []].append((newest, node))
            }
        }
    }

    /// The newest versions of processes that begin with a message, with the start event's node.
    public func messageStarts(name: String) -> [(definition: DeployedProcess, node: Int)] {
        content.withLock { $0.messageStarts[name] ?? [] }
    }

    /// The newest versions of processes that begin with a signal, with the start event's node.
    public func signalStarts(name: String) -> [(definition: DeployedProcess, node: Int)] {
        content.withLock { $0.signalStarts[name] ?? [] }
    }

    private let content = Mutex(Content())

    /// The deployed decisions.
    public let decisions = DecisionRegistry()

    /// Creates an empty registry.
    public init() {}

    /// The version with this key.
    public func definition(key: Key) -> DeployedProcess? {
        content.withLock { $0.byKey[key] }
    }

    /// The newest version of a process, or exactly this one.
    public func definition(processID: String, version: Int? = nil) -> DeployedProcess? {
        content.withLock { content in
            guard let versions = content.byID[processID] else { return nil }
            guard let version else { return versions.last }
            return versions.first { $0.version == version }
        }
    }

    /// The newest version of a process with this tag.
    public func definition(processID: String, versionTag: String) -> DeployedProcess? {
        content.withLock { $0.byID[processID]?.last { $0.process.versionTag == versionTag } }
    }

    /// The version of a process that came with a deployment.
    public func definition(processID: String, deploymentKey: Key) -> DeployedProcess? {
        content.withLock { $0.byID[processID]?.last { $0.deploymentKey == deploymentKey } }
    }

    /// Every version, by process id and version.
    public var all: [DeployedProcess] {
        content.withLock { content in
            content.byID.keys.sorted().flatMap { content.byID[$0] ?? [] }
        }
    }

    /// The newest version of each process, by process id.
    public var newest: [DeployedProcess] {
        content.withLock { content in
            content.byID.keys.sorted().compactMap { content.byID[$0]?.last }
        }
    }

    /// Adds a version; adding it again is harmless.
    package func add(_ definition: DeployedProcess) {
        content.withLock { content in
            guard content.byKey.updateValue(definition, forKey: definition.key) == nil else { return }
            var versions = content.byID[definition.process.id] ?? []
            versions.append(definition)
            versions.sort { $0.version < $1.version }
            content.byID[definition.process.id] = versions
            content.indexStarts(of: definition.process.id, newest: versions.last)
        }
    }
}
