public import Values

/// A document to deploy.
public struct DeploymentDocument: Sendable {
    /// The file name; its extension tells the format.
    public var name: String
    /// The document.
    public var bytes: [UInt8]

    /// Creates a document.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// What a deployment produced.
public struct Deployment: Sendable {
    /// A version of a process.
    public struct Process: Sendable, Hashable {
        /// The key of this version.
        public var key: Key
        /// The id in the document.
        public var id: String
        /// 1 for the first version of the process.
        public var version: Int
        /// The document it came in.
        public var resourceName: String
    }

    /// A version of a decision.
    public struct Decision: Sendable, Hashable {
        /// The key of this version.
        public var key: Key
        /// The id in the document.
        public var id: String
        /// The name in the document.
        public var name: String
        /// 1 for the first version of the decision.
        public var version: Int
        /// The version of the model it belongs to.
        public var requirementsKey: Key
        /// The document it came in.
        public var resourceName: String
    }

    /// The key of the deployment.
    public var key: Key
    /// The processes of the documents, unchanged ones included.
    public var processes: [Process]
    /// The decisions of the documents, unchanged ones included.
    public var decisions: [Decision]
    /// Warnings and notes.
    public var diagnostics: [Diagnostic]

    init(_ value: Value) throws {
        self.key = try value.wireKey("deploymentKey")
        let items = value["deployments"]?.asList ?? []
        self.processes = try items.compactMap { $0["processDefinition"] }.map {
            Process(
                key: try $0.wireKey("processDefinitionKey"), id: try $0.wireString("processDefinitionId"),
                version: try $0.wireInt("processDefinitionVersion"), resourceName: try $0.wireString("resourceName"))
        }
        var files: [Key: String] = [:]
        for model in items.compactMap({ $0["decisionRequirements"] }) {
            files[try model.wireKey("decisionRequirementsKey")] = try model.wireString("resourceName")
        }
        self.decisions = try items.compactMap { $0["decisionDefinition"] }.map {
            let requirements = try $0.wireKey("decisionRequirementsKey")
            return Decision(
                key: try $0.wireKey("decisionDefinitionKey"), id: try $0.wireString("decisionDefinitionId"),
                name: try $0.wireString("name"), version: try $0.wireInt("version"), requirementsKey: requirements,
                resourceName: files[requirements] ?? "")
        }
        self.diagnostics = (value["diagnostics"]?.asList ?? []).compactMap { Diagnostic(wire: $0) }
    }
}
