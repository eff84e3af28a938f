import AMQPConnector
import ConnectorKit
import ConnectorSpecs
import FilesConnector
import Foundation
import GraphQLConnector
import HTTPConnector
import Hub
import KafkaConnector
import Logging
import MCPConnector
import MailConnector
import ODBCConnector
import PluginHost
import PostgreSQLConnector
import RedisConnector
import SOAPConnector
import ScriptConnector
import Values

/// The connectors a program has: those built in, and the plugins and specifications of its project.
struct ModuleTable: Sendable {
    /// The modules that are part of this program: the one table of them.
    static let builtIn: [any ConnectorModule] = [
        HTTPModule(), AMQPModule(), GraphQLModule(), FilesModule(), MailModule(), RedisModule(), ScriptModule(),
        PostgreSQLModule(), KafkaModule(), SOAPModule(), ODBCModule(),
    ]

    /// Those whose C libraries may end a process: they run in one of their own unless a connection says otherwise.
    static let isolated: Set<String> = ["amqp", "odbc"]

    var modules: [any ConnectorModule] = ModuleTable.builtIn
    var isolate: ConnectorRegistry.Isolator = { _ in nil }

    /// The built-in modules, and every plugin, which is started for as long as it takes to describe itself.
    ///
    /// - Parameter isStarted: Whether plugins are started; without, they are known by name only, for a command that
    ///   calls nobody.
    /// - Throws: `CommandFailure` when a plugin cannot be used.
    static func load(
        _ project: ProjectConfiguration?, isStarted: Bool, logger: Logger
    ) async throws(CommandFailure) -> ModuleTable {
        let log: RemoteModule.Log = { connection, line in
            let level: Logger.Level =
                switch line.level {
                case .debug: .debug
                case .info: .info
                case .warning, .error: .warning
                }
            // The text is the plugin's: it is data, not the message.
            logger.log(level: level, "Plugin", metadata: ["connection.id": "\(connection)", "line": "\(line.message)"])
        }
        var table = ModuleTable()
        table.isolate = { Self.isolated($0, log) }
        for plugin in project?.plugins ?? [] {
            guard !Self.builtIn.contains(where: { $0.descriptor.id == plugin.id }) else {
                throw Self.failure(plugin, "The connector \(plugin.id) is built in.", "Give the plugin another name.")
            }
            guard isStarted else {
                table.modules.append(NamedModule(id: plugin.id))
                continue
            }
            do {
                table.modules.append(try await plugin.load(log))
            } catch {
                let error = ConnectorError(wrapping: error)
                throw Self.failure(plugin, error.message, error.remedy)
            }
        }
        for path in project?.connectors ?? [] {
            let connector = try ConnectorFiles.connector(path)
            let id = connector.descriptor.id
            guard !table.modules.contains(where: { $0.descriptor.id == id }) else {
                throw CommandFailure(
                    .configuration, "The connector \(id) of \(path) is there already.",
                    remedy: "Give it another metadata.id.")
            }
            table.modules.append(connector)
        }
        return table
    }

    /// How a specification says that calls of its connector are guarded; nil for connectors that say nothing.
    func guards(of connector: String) -> ConnectorGuards? {
        guard let declared = self.modules.first(where: { $0.descriptor.id == connector }) as? DeclaredConnector else {
            return nil
        }
        var guards = ConnectorGuards(profile: declared.profile())
        for operation in declared.descriptor.operations {
            guards.operations[operation.id] = declared.profile(operation: operation.id)
        }
        return guards
    }

    private static func failure(_ plugin: PluginDeclaration, _ message: String, _ remedy: String) -> CommandFailure {
        CommandFailure(.configuration, "The plugin \(plugin.id) cannot be used: \(message)", remedy: remedy)
    }

    /// A built-in module in a child of the same program; a plugin runs in one already.
    private static func isolated(_ module: any ConnectorModule, _ log: @escaping RemoteModule.Log)
        -> any ConnectorModule
    {
        let id = module.descriptor.id
        guard Self.builtIn.contains(where: { $0.descriptor.id == id }) else { return module }
        let launch = LaunchSpecification(command: [Self.program, PluginHostCommand.name, id])
        return RemoteModule(module.descriptor, launch: launch, log: log)
    }

    /// The file of this program.
    private static var program: String {
        #if os(Linux)
            if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") { return path }
        #endif
        return URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL.path
    }
}

/// A plugin that was not asked what it can do.
private struct NamedModule: ConnectorModule {
    let id: String

    var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: self.id, version: 1, title: self.id, summary: "A plugin that is not started.", parameters: true)
    }

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        throw ConnectorError.closed(configuration.id)
    }
}
