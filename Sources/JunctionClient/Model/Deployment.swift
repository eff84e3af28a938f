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

    /// The key of the deployment.
    public var key: Key
    /// The processes of the documents, unchanged ones included.
    public var processes: [Process]
    /// Warnings and notes.
    public var diagnostics: [Diagnostic]

    init(_ value: Value) throws {
        self.key = try value.wireKey("deploymentKey")
        self.processes = try (value["deployments"]?.asList ?? []).compactMap { $0["processDefinition"] }.map {
            Process(
                key: try $0.wireKey("processDefinitionKey"), id: try $0.wireString("processDefinitionId"),
                version: try $0.wireInt("processDefinitionVersion"), resourceName: try $0.wireString("resourceName"))
        }
        self.diagnostics = (value["diagnostics"]?.asList ?? []).compactMap { Diagnostic(wire: $0) }
    }
}
