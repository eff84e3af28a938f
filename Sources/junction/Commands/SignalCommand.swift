import ArgumentParser
import JunctionClient
import Values

struct SignalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal", abstract: "Broadcast signals.", subcommands: [Broadcast.self])

    struct Broadcast: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Broadcast a signal to everything that waits for it, and to signal start events.")

        @Argument(help: "The signal name.")
        var name: String

        @Option(help: ArgumentHelp("The content: a JSON object, or @file.", valueName: "json"))
        var variables: JSONArgument?

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            let variables = try self.variables?.object("--variables")
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let key = try await client.broadcastSignal(self.name, variables: variables)
                    if console.isJSON {
                        console.print(json: .context(ValueContext([("signalKey", .string("\(key)"))])))
                    } else {
                        console.print("\(key)")
                    }
                }
            }
        }
    }
}
