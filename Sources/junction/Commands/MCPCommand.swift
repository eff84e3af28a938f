import ArgumentParser
import JunctionClient
import PluginHost
import Values

#if canImport(Glibc)
    import Glibc
#endif

/// A server of the Model Context Protocol on standard input and output, in front of the running Junction.
struct MCPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp",
        abstract: "Offer processes, tasks and dead letters as tools of the Model Context Protocol.",
        discussion: """
            Speaks the protocol on standard input and output, for an assistant that starts this command. Each deployed \
            process is a tool that starts an instance; others list and complete user tasks, and list and replay dead \
            letters.
            """)

    @Flag(help: "Offer only tools that change nothing.")
    var readOnly = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let console = self.options.console()
        let isReadOnly = self.readOnly
        signal(SIGPIPE, SIG_IGN)
        try await carryOut(console) {
            try await Session.run(self.options, console) { client in
                let server = RPCServer(cancelMethod: "notifications/cancelled", cancelField: "requestId")
                let tools = MCPTools(client: client, isReadOnly: isReadOnly)
                await server.serve { method, params in await tools.answer(method, params) }
            }
        }
    }
}
