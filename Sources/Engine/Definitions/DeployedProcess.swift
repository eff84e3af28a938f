public import ProcessModel
public import Values

/// One deployed version of a process; shared by all partitions, never changes.
public final class DeployedProcess: Sendable {
    /// The key of this version.
    public let key: Key
    /// 1 for the first version of the process id.
    public let version: Int
    /// The document it came in.
    public let resourceName: String
    /// The deployment that brought it.
    public let deploymentKey: Key
    /// The compiled graph.
    public let process: ExecutableProcess

    /// Creates a deployed version.
    public init(key: Key, version: Int, resourceName: String, deploymentKey: Key, process: ExecutableProcess) {
        self.key = key
        self.version = version
        self.resourceName = resourceName
        self.deploymentKey = deploymentKey
        self.process = process
    }
}
