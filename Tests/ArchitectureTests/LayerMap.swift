import Testing

/// The layers, from the bottom up.
///
/// A target may import targets of its own layer or of lower ones only.
enum Layer: Int, Comparable, CaseIterable {
    /// C libraries and the C code that wraps them.
    case shims
    case base
    /// What authors of connectors and workers import.
    case kits
    case core
    case runtime
    case plugins
    case services
    case apps

    static func < (left: Layer, right: Layer) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What one target of the package may import.
struct TargetRule: CustomTestStringConvertible {
    let name: String
    let folder: String
    let layer: Layer
    /// Targets of ours.
    let targets: [String]
    /// Modules of others.
    let modules: [String]

    init(_ name: String, _ layer: Layer, _ targets: [String] = [], and modules: [String] = [], folder: String? = nil) {
        self.name = name
        self.folder = folder ?? "Sources/\(name)"
        self.layer = layer
        self.targets = targets
        self.modules = modules
    }

    var testDescription: String { name }
}

/// The map of DESIGN §1 and docs/architecture.md: the one place where a new target or a new import is allowed.
///
/// In order: a target may import only rows above its own, so the map has no cycle.
enum LayerMap {
    /// The C library, for its mathematics: what of it is no function of its input, PurityTests bans by name.
    private static let mathematics = ["Darwin", "Glibc", "Musl"]
    /// What the core may use of the platform: locks around shared values, no I/O.
    private static let locks = ["Synchronization"]
    /// What any target may use of the platform once it may do I/O.
    private static let platform = ["Foundation", "FoundationEssentials"] + mathematics + locks

    static let targets: [TargetRule] = [
        TargetRule("CSQLite", .shims),
        TargetRule("CLibXML2", .shims),
        TargetRule("CCurl", .shims),
        TargetRule("CODBC", .shims),
        TargetRule("CLibPQ", .shims),
        TargetRule("CXML", .shims, ["CLibXML2"]),
        TargetRule("CCurlShim", .shims, ["CCurl"]),
        TargetRule("CMailShim", .shims, ["CCurl"]),
        TargetRule("CSpawnShim", .shims),
        TargetRule("CRDKafka", .shims),
        TargetRule("CRabbitMQ", .shims),
        TargetRule("CAMQPShim", .shims, ["CRabbitMQ"]),
        TargetRule("CRedisShim", .shims),

        TargetRule("Values", .base, and: mathematics + locks),

        TargetRule("ConnectorKit", .kits, ["Values", "CXML"], and: mathematics + locks),
        TargetRule(
            "HTTPTransport", .kits, ["ConnectorKit", "Values", "CCurlShim"],
            and: mathematics + locks + ["Crypto", "CryptoExtras"]),
        TargetRule("PluginHost", .kits, ["ConnectorKit", "Values", "CSpawnShim"], and: mathematics + locks),
        TargetRule(
            "JunctionClient", .kits, ["Values"],
            and: platform + ["AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix"]),

        TargetRule("SQLSupport", .kits, ["ConnectorKit", "Values"], and: mathematics + locks),

        TargetRule("Decisions", .core, ["Values"]),
        TargetRule("Resilience", .core, ["Values"], and: mathematics + locks),
        TargetRule("ProcessModel", .core, ["Values", "Decisions", "Resilience", "CXML"]),
        TargetRule("Engine", .core, ["Values", "Decisions", "ProcessModel"], and: locks),

        TargetRule("Storage", .runtime, ["Values", "CSQLite"], and: platform + ["Crypto"]),
        TargetRule(
            "Runtime", .runtime, ["Values", "Decisions", "ProcessModel", "Engine", "Resilience", "Storage"],
            and: platform + ["Logging", "Metrics"]),

        TargetRule(
            "HTTPConnector", .plugins, ["ConnectorKit", "HTTPTransport", "Values"], and: platform,
            folder: "Plugins/HTTP"),
        TargetRule(
            "KafkaConnector", .plugins, ["ConnectorKit", "HTTPTransport", "Values", "CRDKafka"], and: platform,
            folder: "Plugins/Kafka"),
        TargetRule("SocketThread", .kits, and: mathematics + locks),
        TargetRule(
            "AMQPConnector", .plugins, ["ConnectorKit", "Values", "SocketThread", "CAMQPShim"], and: platform,
            folder: "Plugins/AMQP"),
        TargetRule(
            "RedisConnector", .plugins, ["ConnectorKit", "Values", "SocketThread", "CRedisShim"], and: platform,
            folder: "Plugins/Redis"),
        TargetRule(
            "FilesConnector", .plugins, ["ConnectorKit", "Values"], and: platform + ["Crypto"],
            folder: "Plugins/Files"),
        TargetRule(
            "MailConnector", .plugins, ["ConnectorKit", "Values", "SocketThread", "CMailShim"],
            and: platform + ["Crypto"], folder: "Plugins/Mail"),
        TargetRule(
            "GraphQLConnector", .plugins, ["ConnectorKit", "HTTPTransport", "Values"], and: platform + ["Crypto"],
            folder: "Plugins/GraphQL"),
        TargetRule(
            "SOAPConnector", .plugins, ["ConnectorKit", "HTTPTransport", "Values", "CXML"], and: platform + ["Crypto"],
            folder: "Plugins/SOAP"),
        TargetRule(
            "ScriptConnector", .plugins, ["ConnectorKit", "PluginHost", "Values"], and: platform,
            folder: "Plugins/Script"),
        TargetRule(
            "MCPConnector", .plugins, ["ConnectorKit", "PluginHost", "Values"],
            and: platform + ["AsyncHTTPClient", "NIOCore", "NIOHTTP1"], folder: "Plugins/MCP"),

        TargetRule(
            "PostgreSQLConnector", .plugins, ["ConnectorKit", "SQLSupport", "Values", "CLibPQ"], and: platform,
            folder: "Plugins/PostgreSQL"),
        TargetRule(
            "ODBCConnector", .plugins, ["ConnectorKit", "SQLSupport", "Values", "CODBC"], and: platform,
            folder: "Plugins/ODBC"),

        TargetRule("HubDocuments", .services, ["Values", "Decisions"], and: platform + ["Yams"]),
        TargetRule(
            "ConnectorSpecs", .services,
            ["Values", "Decisions", "Resilience", "ConnectorKit", "HTTPTransport", "HubDocuments"],
            and: locks + ["Crypto"]),
        TargetRule(
            "Hub", .services,
            [
                "Values", "Decisions", "ProcessModel", "Resilience", "Engine", "Runtime", "Storage", "ConnectorKit",
                "HubDocuments", "HTTPTransport",
            ],
            and: platform + ["Crypto", "Dispatch", "Logging", "Metrics"]),

        TargetRule(
            "Server", .apps,
            [
                "Values", "Decisions", "ProcessModel", "Engine", "Runtime", "Storage", "ConnectorKit", "HubDocuments",
                "Hub",
            ],
            and: platform + [
                "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "Metrics", "NIOCore", "NIOPosix",
                "ServiceLifecycle",
            ]),
        TargetRule(
            "junction", .apps,
            [
                "Values", "Decisions", "Resilience", "ProcessModel", "Engine", "Runtime", "Storage", "HubDocuments",
                "Hub", "Server", "ConnectorSpecs", "JunctionClient",
                "ConnectorKit", "PluginHost", "CRDKafka",
                "AMQPConnector", "RedisConnector", "KafkaConnector", "ScriptConnector",
                "GraphQLConnector", "MailConnector", "HTTPConnector", "FilesConnector", "MCPConnector", "ODBCConnector",
                "PostgreSQLConnector",
                "SOAPConnector",
            ],
            and: platform + ["ArgumentParser", "Logging", "ServiceLifecycle", "UnixSignals"]),
        TargetRule(
            "conformance", .apps, ["Values", "Decisions", "ProcessModel", "Engine", "Runtime"],
            and: platform + ["ArgumentParser", "FoundationXML"]),
    ]

    static func rule(named name: String) -> TargetRule? {
        targets.first { $0.name == name }
    }

    /// Targets that are pure: the same input gives the same output, on every machine and in every replay.
    static let pure: [TargetRule] = targets.filter { $0.layer == .base || $0.layer == .core }
}
