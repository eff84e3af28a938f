import ArgumentParser
import JunctionClient
import Values

struct InstanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance", abstract: "List, show and cancel process instances.",
        subcommands: [List.self, Show.self, Cancel.self])

    static let listing = Listing(
        resource: .processInstances, plural: "process instances",
        fields: [
            .init(.init("KEY"), "processInstanceKey"), .init(.init("PROCESS", shrinks: true), "processDefinitionId"),
            .init(.init("VERSION", right: true), "processDefinitionVersion"),
            .init(.init("STATE", state: true)) { item in
                item["hasIncident"]?.asBoolean == true ? "incident" : item["state"]?.asString?.lowercased()
            },
            .instant("STARTED", "startDate"), .instant("ENDED", "endDate"),
            .init(.init("BUSINESS ID", shrinks: true), "businessId"),
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List process instances, the newest first.")

        @Option(help: ArgumentHelp("Only instances in this state.", valueName: "active|completed|terminated"))
        var state: InstanceState?

        @Option(help: ArgumentHelp("Only instances of this process id.", valueName: "id"))
        var process: String?

        @Flag(help: "Only instances with an incident.")
        var incident = false

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = ValueContext()
            if let state { filter["state"] = .string(state.rawValue.uppercased()) }
            if let process { filter["processDefinitionId"] = .string(process) }
            if self.incident { filter["hasIncident"] = true }
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await listing.show(
                        client, console, options: self.list, filter: filter, sort: [("processInstanceKey", true)])
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the path an instance took: a tree, with times.",
            discussion: "With --json, the path as the API gives it, and the variables when asked.")

        @Argument(help: "The key of the instance.")
        var key: Key

        @Flag(help: "Show the variables too.")
        var variables = false

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    try await InstanceView(client: client, console: console)
                        .show(self.key, withVariables: self.variables)
                }
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End instances and everything inside them.")

        @Argument(help: "The keys of the instances.")
        var keys: [Key]

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await forEach(self.keys, self.options, done: "cancelled") { client, key in
                try await client.cancelInstance(key)
            }
        }
    }

    enum InstanceState: String, ExpressibleByArgument, CaseIterable {
        case active, completed, terminated
    }
}

/// Does something to each key, and says for each what became of it; fails when one failed.
func forEach(
    _ keys: [Key], _ options: GlobalOptions, done word: String,
    _ action: @escaping @Sendable (JunctionClient, Key) async throws -> Void
) async throws {
    let console = options.console()
    try await carryOut(console) {
        try await Session.run(options, console) { client in
            var hasFailed = false
            for key in keys {
                do {
                    try await action(client, key)
                    if console.isJSON {
                        console.print(
                            json: .context(ValueContext([("key", .string("\(key)")), ("result", .string(word))])))
                    } else {
                        console.print("\(key) \(word)")
                    }
                } catch let error as ClientError where error.status != nil {
                    console.show(error)
                    hasFailed = true
                }
            }
            if hasFailed { throw ExitCode.failure }
        }
    }
}
