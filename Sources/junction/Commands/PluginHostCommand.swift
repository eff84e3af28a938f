import ArgumentParser
import ConnectorKit
import PluginHost
import Values

/// Hosts a built-in connector for another `junction`, over standard input and output: what `isolation: process` starts.
struct PluginHostCommand: AsyncParsableCommand {
    static let name = "plugin-host"

    static let configuration = CommandConfiguration(
        commandName: Self.name, abstract: "Host a built-in connector for another junction.", shouldDisplay: false)

    @Argument(help: "The connector.")
    var connector: String

    func run() async throws {
        guard let module = ModuleTable.builtIn.first(where: { $0.descriptor.id == self.connector }) else {
            let known = ModuleTable.builtIn.map(\.descriptor.id)
            throw ValidationError(
                "There is no connector \(self.connector); there are \(known.joined(separator: ", ")).")
        }
        await PluginServer.serve(module)
    }
}
