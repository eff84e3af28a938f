#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// How a peer process is started: nothing of the environment is inherited but what is listed here.
public struct LaunchSpecification: Sendable, Hashable {
    /// What the kernel enforces on the process; `nil` is what this process has.
    public struct Limits: Sendable, Hashable {
        /// Processor time over its life.
        public var cpuSeconds: Int?
        /// Address space.
        public var memoryBytes: Int?
        /// Open descriptors.
        public var openFiles: Int?
        /// Processes and threads of its user: counts all of them, not only its own.
        public var processes: Int?
        /// The size of a file it writes.
        public var fileBytes: Int?

        /// Creates limits; by default only descriptors are bounded.
        public init(
            cpuSeconds: Int? = nil, memoryBytes: Int? = nil, openFiles: Int? = 256, processes: Int? = nil,
            fileBytes: Int? = nil
        ) {
            self.cpuSeconds = cpuSeconds
            self.memoryBytes = memoryBytes
            self.openFiles = openFiles
            self.processes = processes
            self.fileBytes = fileBytes
        }
    }

    /// The program and its arguments; a program without a slash is looked for in `PATH`.
    public var command: [String]
    /// The directory it runs in.
    public var directory: String
    /// Names of variables of this process it may see.
    public var environmentNames: [String]
    /// Variables it gets with these values.
    public var environment: [String: String]
    /// Whether it sees `PATH`, `LANG`, `LC_ALL` and `TZ` of this process.
    public var seesCommonVariables: Bool
    /// Whether it has the network of this process; without, it cannot even reach the loopback interface.
    ///
    /// Needs user namespaces: the launch fails where the kernel refuses them.
    public var hasNetwork: Bool
    /// What the kernel enforces.
    public var limits: Limits

    /// Creates a specification.
    public init(
        command: [String], directory: String = "/", environmentNames: [String] = [],
        environment: [String: String] = [:], seesCommonVariables: Bool = true, hasNetwork: Bool = true,
        limits: Limits = Limits()
    ) {
        self.command = command
        self.directory = directory
        self.environmentNames = environmentNames
        self.environment = environment
        self.seesCommonVariables = seesCommonVariables
        self.hasNetwork = hasNetwork
        self.limits = limits
    }

    /// Variables every process sees, where this process has them.
    static let commonNames = ["PATH", "LANG", "LC_ALL", "TZ"]

    /// What the process sees, `lookup` giving the variables of this process.
    func variables(_ lookup: (String) -> String?) -> [String: String] {
        var variables: [String: String] = [:]
        let common = self.seesCommonVariables ? Self.commonNames : []
        for name in common + self.environmentNames { variables[name] = lookup(name) }
        return variables.merging(self.environment) { $1 }
    }

    /// The path of the program: searched for along `path` if its name has no slash.
    static func program(_ name: String, path: String?) -> String {
        guard !name.contains("/") else { return name }
        for folder in (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return name
    }

    /// A variable of this process.
    static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
