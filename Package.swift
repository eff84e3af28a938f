// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target of ours is built with.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (Context.environment["JUNCTION_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

let package = Package(
    name: "junction",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "junction", targets: ["junction"]),
        .library(name: "ConnectorKit", targets: ["ConnectorKit"]),
        .library(name: "PluginHost", targets: ["PluginHost"]),
        .library(name: "JunctionClient", targets: ["JunctionClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        // Base
        .target(name: "Values", swiftSettings: strict),

        // C shims: headers of ours that show nothing of the library behind them.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CODBC", pkgConfig: "odbc", providers: [.apt(["unixodbc-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CRDKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .target(name: "CXML", dependencies: ["CLibXML2"]),
        .target(name: "CCurlShim", dependencies: ["CCurl"]),
        .target(name: "CMailShim", dependencies: ["CCurl"]),
        .target(name: "CSpawnShim"),
        .target(name: "CAMQPShim", dependencies: ["CRabbitMQ"]),
        // Not by pkg-config: hiredis's file asks for a flag that SwiftPM does not let through.
        .target(name: "CRedisShim", linkerSettings: [.linkedLibrary("hiredis")]),

        // Core: no I/O, no clock, no randomness
        .target(name: "Decisions", dependencies: ["Values"], swiftSettings: strict),
        .target(
            name: "ProcessModel", dependencies: ["Values", "Decisions", "Resilience", "CXML"], swiftSettings: strict),
        .target(name: "Resilience", dependencies: ["Values"], swiftSettings: strict),
        .target(name: "Engine", dependencies: ["Values", "Decisions", "ProcessModel"], swiftSettings: strict),

        // Runtime
        .target(
            name: "Storage",
            dependencies: ["Values", "CSQLite", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(
            name: "Runtime",
            dependencies: [
                "Values", "Decisions", "ProcessModel", "Engine", "Resilience", "Storage",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),

        // Public kits
        .target(name: "ConnectorKit", dependencies: ["Values", "CXML"], swiftSettings: strict),
        .target(
            name: "HTTPTransport",
            dependencies: [
                "ConnectorKit", "Values", "CCurlShim",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(
            name: "PluginHost", dependencies: ["ConnectorKit", "Values", "CSpawnShim"], swiftSettings: strict),
        .target(
            name: "JunctionClient",
            dependencies: [
                "Values",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),

        .target(name: "SQLSupport", dependencies: ["ConnectorKit", "Values"], swiftSettings: strict),

        // Plugins
        .target(
            name: "PostgreSQLConnector", dependencies: ["ConnectorKit", "SQLSupport", "Values", "CLibPQ"],
            path: "Plugins/PostgreSQL", swiftSettings: strict),
        .target(
            name: "ODBCConnector", dependencies: ["ConnectorKit", "SQLSupport", "Values", "CODBC"],
            path: "Plugins/ODBC", swiftSettings: strict),
        .target(name: "SocketThread", swiftSettings: strict),
        .target(
            name: "KafkaConnector", dependencies: ["ConnectorKit", "HTTPTransport", "Values", "CRDKafka"],
            path: "Plugins/Kafka", swiftSettings: strict),
        .target(
            name: "AMQPConnector", dependencies: ["ConnectorKit", "Values", "SocketThread", "CAMQPShim"],
            path: "Plugins/AMQP", swiftSettings: strict),
        .target(
            name: "RedisConnector", dependencies: ["ConnectorKit", "Values", "SocketThread", "CRedisShim"],
            path: "Plugins/Redis", swiftSettings: strict),
        .target(
            name: "HTTPConnector", dependencies: ["ConnectorKit", "HTTPTransport", "Values"], path: "Plugins/HTTP",
            swiftSettings: strict),
        .target(
            name: "FilesConnector",
            dependencies: ["ConnectorKit", "Values", .product(name: "Crypto", package: "swift-crypto")],
            path: "Plugins/Files", swiftSettings: strict),
        .target(
            name: "MailConnector",
            dependencies: [
                "ConnectorKit", "Values", "SocketThread", "CMailShim",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Plugins/Mail", swiftSettings: strict),
        .target(
            name: "GraphQLConnector",
            dependencies: [
                "ConnectorKit", "HTTPTransport", "Values", .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Plugins/GraphQL", swiftSettings: strict),
        .target(
            name: "SOAPConnector",
            dependencies: [
                "ConnectorKit", "HTTPTransport", "Values", "CXML", .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Plugins/SOAP", swiftSettings: strict),
        .target(
            name: "ScriptConnector", dependencies: ["ConnectorKit", "PluginHost", "Values"], path: "Plugins/Script",
            swiftSettings: strict),
        .target(
            name: "MCPConnector",
            dependencies: [
                "ConnectorKit", "PluginHost", "Values",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Plugins/MCP", swiftSettings: strict),

        // Services
        .target(name: "HubDocuments", dependencies: ["Values", "Decisions", "Yams"], swiftSettings: strict),
        .target(
            name: "ConnectorSpecs",
            dependencies: [
                "Values", "Decisions", "Resilience", "ConnectorKit", "HTTPTransport", "HubDocuments",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(
            name: "Hub",
            dependencies: [
                "Values", "Decisions", "ProcessModel", "Engine", "Resilience", "Runtime", "Storage", "ConnectorKit",
                "HubDocuments", "HTTPTransport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),

        // Apps
        .target(
            name: "Server",
            dependencies: [
                "Values", "Decisions", "ProcessModel", "Engine", "Runtime", "Storage", "ConnectorKit", "HubDocuments",
                "Hub",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "junction",
            dependencies: [
                "Values", "Decisions", "Resilience", "ProcessModel", "Engine", "Runtime", "Storage", "HubDocuments",
                "Hub",
                "ConnectorSpecs", "Server", "JunctionClient",
                "ConnectorKit", "PluginHost", "CRDKafka",
                "AMQPConnector", "RedisConnector", "KafkaConnector", "ScriptConnector",
                "GraphQLConnector", "MailConnector", "HTTPConnector", "FilesConnector", "MCPConnector", "SOAPConnector",
                "ODBCConnector", "PostgreSQLConnector",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // Runs third-party suites; not a product, so never installed.
        .executableTarget(
            name: "conformance",
            dependencies: [
                "Values", "Decisions", "ProcessModel", "Engine", "Runtime",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Tests
        .target(name: "LoopbackTestSupport", path: "Tests/LoopbackTestSupport", swiftSettings: strict),
        .target(
            name: "StorageTestSupport", dependencies: ["Storage", "Values", "CSQLite"],
            path: "Tests/StorageTestSupport",
            swiftSettings: strict),
        .testTarget(name: "ArchitectureTests", swiftSettings: strict),
        .testTarget(name: "ValuesTests", dependencies: ["Values"], swiftSettings: strict),
        .testTarget(name: "CXMLTests", dependencies: ["CXML"], swiftSettings: strict),
        .testTarget(name: "DecisionsTests", dependencies: ["Decisions", "Values"], swiftSettings: strict),
        .testTarget(
            name: "ProcessModelTests", dependencies: ["ProcessModel", "Decisions", "Values"], swiftSettings: strict),
        .testTarget(name: "ResilienceTests", dependencies: ["Resilience", "Values"], swiftSettings: strict),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "ProcessModel", "Decisions", "Values"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "StorageTestSupport", "CSQLite", "Values"],
            swiftSettings: strict),
        .testTarget(
            name: "RuntimeTests",
            dependencies: [
                "Runtime", "Engine", "Storage", "StorageTestSupport", "ProcessModel", "Values",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(name: "ConnectorKitTests", dependencies: ["ConnectorKit", "Values"], swiftSettings: strict),
        .executableTarget(
            name: "plugin-fixture", dependencies: ["ConnectorKit", "Values", "PluginHost", "FilesConnector"],
            path: "Tests/PluginFixture", swiftSettings: strict),
        .testTarget(
            name: "PluginHostTests",
            dependencies: ["PluginHost", "ConnectorKit", "Values", "FilesConnector", "plugin-fixture"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "SQLSupportTests", dependencies: ["SQLSupport", "ConnectorKit", "Values"], swiftSettings: strict),
        .testTarget(
            name: "ODBCConnectorTests",
            dependencies: ["ODBCConnector", "ConnectorKit", "Values"],
            swiftSettings: strict),
        .testTarget(
            name: "PostgreSQLConnectorTests", dependencies: ["PostgreSQLConnector", "ConnectorKit", "Values"],
            swiftSettings: strict),
        .testTarget(
            name: "MCPConnectorTests",
            dependencies: ["MCPConnector", "PluginHost", "ConnectorKit", "Values", "junction"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "HTTPTransportTests",
            dependencies: [
                "HTTPTransport", "ConnectorKit", "Values", "CCurlShim",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "HTTPConnectorTests",
            dependencies: ["HTTPConnector", "HTTPTransport", "ConnectorKit", "Values", "Yams"],
            swiftSettings: strict),
        .testTarget(
            name: "MailConnectorTests", dependencies: ["MailConnector", "ConnectorKit", "Values"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "GraphQLConnectorTests", dependencies: ["GraphQLConnector", "ConnectorKit", "Values"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "SOAPConnectorTests", dependencies: ["SOAPConnector", "ConnectorKit", "Values"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ScriptConnectorTests", dependencies: ["ScriptConnector", "ConnectorKit", "Values"],
            swiftSettings: strict),
        .testTarget(name: "SocketThreadTests", dependencies: ["SocketThread"], swiftSettings: strict),
        .testTarget(
            name: "KafkaConnectorTests", dependencies: ["KafkaConnector", "ConnectorKit", "Values", "CRDKafka"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "RedisConnectorTests",
            dependencies: ["RedisConnector", "ConnectorKit", "LoopbackTestSupport", "Values"],
            swiftSettings: strict),
        .testTarget(
            name: "AMQPConnectorTests",
            dependencies: ["AMQPConnector", "ConnectorKit", "LoopbackTestSupport", "Values"],
            swiftSettings: strict),
        .testTarget(
            name: "FilesConnectorTests", dependencies: ["FilesConnector", "ConnectorKit", "Values"],
            swiftSettings: strict),
        .testTarget(
            name: "HubDocumentsTests", dependencies: ["HubDocuments", "Decisions", "Values"], swiftSettings: strict),
        .testTarget(
            name: "ConnectorSpecsTests",
            dependencies: ["ConnectorSpecs", "ConnectorKit", "HTTPTransport", "HubDocuments", "Resilience", "Values"],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "HubTests",
            dependencies: [
                "Hub", "HubDocuments", "HTTPTransport", "ConnectorKit", "Decisions", "Engine", "ProcessModel",
                "Resilience", "Runtime",
                "LoopbackTestSupport", "Storage", "Values", "FilesConnector", "HTTPConnector",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Runtime", "Storage", "HubDocuments", "Hub", "Engine", "ProcessModel", "Decisions", "Values",
                "JunctionClient",
                "ConnectorKit",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JunctionClientTests",
            dependencies: [
                "JunctionClient", "Values",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CLITests",
            dependencies: [
                "junction", "Values", "HubDocuments", "Hub", "Runtime", "Storage", "JunctionClient", "ConnectorKit",
                "PluginHost",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RegistryTests",
            dependencies: ["junction", "ConnectorKit", "ConnectorSpecs", "PluginHost", "Values"],
            swiftSettings: strict),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["conformance", "Values", "Decisions", "ProcessModel", "Engine"],
            swiftSettings: strict),
        // Runs the junction program that is built beside it.
        .testTarget(name: "KillTests", swiftSettings: strict),
        .testTarget(
            name: "ExampleTests",
            dependencies: [
                "ConnectorKit", "FilesConnector", "HTTPConnector", "HubDocuments", "Hub", "ProcessModel", "Values",
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
