import ArgumentParser
import JunctionClient
import Values

struct MessageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message", abstract: "Publish messages.", subcommands: [Publish.self])

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a message for waiting instances or message start events.")

        @Argument(help: "The message name.")
        var name: String

        @Option(help: ArgumentHelp("Which instance it is for.", valueName: "key"))
        var correlationKey = ""

        @Option(help: ArgumentHelp("Seconds it may wait for a receiver.", valueName: "seconds"))
        var timeToLive = 0.0

        @Option(help: ArgumentHelp("Unique while the message is buffered.", valueName: "id"))
        var messageID: String?

        @Option(help: ArgumentHelp("The content: a JSON object, or @file.", valueName: "json"))
        var variables: JSONArgument?

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            let variables = try self.variables?.object("--variables")
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let key = try await client.publishMessage(
                        self.name, correlationKey: self.correlationKey, timeToLive: .seconds(self.timeToLive),
                        messageID: self.messageID, variables: variables)
                    if console.isJSON {
                        console.print(json: .context(ValueContext([("messageKey", .string("\(key)"))])))
                    } else {
                        console.print("\(key)")
                    }
                }
            }
        }
    }
}
