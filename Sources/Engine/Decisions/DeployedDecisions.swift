public import Decisions
import Synchronization
public import Values

/// One deployed version of a decision model; shared by all partitions, never changes.
public final class DeployedDecisions: Sendable {
    /// The key of this version.
    public let key: Key
    /// The id of the document's definitions.
    public let requirementsID: String
    /// The name of the definitions.
    public let name: String
    /// 1 for the first version of the definitions.
    public let version: Int
    /// The document it came in.
    public let resourceName: String
    /// The deployment that brought it.
    public let deploymentKey: Key
    /// The compiled model.
    public let model: DecisionModel
    /// The keys of its decisions with their ids and versions, in document order.
    public let versions: [DecisionsDeployed.DecisionVersion]
    /// The versions it imports, with those they import.
    let imports: [DeployedDecisions]

    /// Creates a deployed version; `imports` are the models that `deployed` names, as far as they are known.
    public init(_ deployed: DecisionsDeployed, model: DecisionModel, imports: [DeployedDecisions] = []) {
        self.imports = imports + imports.flatMap(\.imports)
        self.key = Key(rawValue: deployed.key)
        self.requirementsID = deployed.requirementsID
        self.name = deployed.name
        self.version = Int(deployed.version)
        self.resourceName = deployed.resourceName
        self.deploymentKey = Key(rawValue: deployed.deploymentKey)
        self.model = model
        self.versions = deployed.decisions
    }

    /// Its decisions, in document order.
    public var decisions: [DeployedDecision] {
        versions.map { DeployedDecision(requirements: self, version: $0) }
    }

    /// The decision with this id.
    public func decision(id: String) -> DeployedDecision? {
        versions.first { $0.id == id }.map { DeployedDecision(requirements: self, version: $0) }
    }
}

/// One version of a decision.
public struct DeployedDecision: Sendable {
    /// The model it belongs to.
    public let requirements: DeployedDecisions
    /// The key of this version.
    public let key: Key
    /// The id in the document.
    public let id: String
    /// 1 for the first version of the decision id.
    public let version: Int

    /// The decision in its model.
    public var element: DecisionModel.Element? { requirements.model.decisions.first { $0.versionedID == id } }
    /// The label in the document; the id when it has none.
    public var name: String { element?.name ?? id }
    /// The label for bindings by tag.
    public var versionTag: String? { element?.versionTag }

    init(requirements: DeployedDecisions, version: DecisionsDeployed.DecisionVersion) {
        self.requirements = requirements
        self.key = Key(rawValue: version.key)
        self.id = version.id
        self.version = Int(version.version)
    }
}

/// The deployed decisions of this process's memory: looked up by key, and by id and version.
///
/// Models are added only after their deployment is durable. Safe from any thread.
public final class DecisionRegistry: Sendable {
    private struct Content {
        var models: [Key: DeployedDecisions] = [:]
        var decisions: [Key: DeployedDecision] = [:]
        /// Versions of a decision id, ascending.
        var byID: [String: [DeployedDecision]] = [:]
        /// The newest model of each namespace, for imports.
        var byNamespace: [String: DeployedDecisions] = [:]
    }

    private let content = Mutex(Content())

    init() {}

    /// The version of a model with this key.
    public func model(key: Key) -> DeployedDecisions? {
        content.withLock { $0.models[key] }
    }

    /// The newest model of a namespace, for imports.
    public func model(namespace: String) -> DeployedDecisions? {
        content.withLock { $0.byNamespace[namespace] }
    }

    /// The version of a decision with this key.
    public func decision(key: Key) -> DeployedDecision? {
        content.withLock { $0.decisions[key] }
    }

    /// The newest version of a decision, or exactly this one.
    public func decision(id: String, version: Int? = nil) -> DeployedDecision? {
        content.withLock { content in
            guard let versions = content.byID[id] else { return nil }
            guard let version else { return versions.last }
            return versions.first { $0.version == version }
        }
    }

    /// The newest version of a decision with this tag.
    public func decision(id: String, versionTag: String) -> DeployedDecision? {
        content.withLock { $0.byID[id]?.last { $0.versionTag == versionTag } }
    }

    /// The version of a decision that came with a deployment.
    public func decision(id: String, deploymentKey: Key) -> DeployedDecision? {
        content.withLock { $0.byID[id]?.last { $0.requirements.deploymentKey == deploymentKey } }
    }

    /// The ids of all decisions, sorted.
    public var ids: [String] { content.withLock { $0.byID.keys.sorted() } }

    /// Adds a version; adding it again is harmless.
    package func add(_ deployed: DeployedDecisions) {
        content.withLock { content in
            guard content.models.updateValue(deployed, forKey: deployed.key) == nil else { return }
            for decision in deployed.decisions {
                content.decisions[decision.key] = decision
                var versions = content.byID[decision.id] ?? []
                versions.append(decision)
                versions.sort { $0.version < $1.version }
                content.byID[decision.id] = versions
            }
            let namespace = deployed.model.namespace
            if let newest = content.byNamespace[namespace], newest.key > deployed.key { return }
            content.byNamespace[namespace] = deployed
        }
    }
}

extension DecisionModel.Element {
    /// What its versions share: the id, or the name when it has none.
    var versionedID: String { id.isEmpty ? name : id }
}
