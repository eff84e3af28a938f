import ArgumentParser
import JunctionClient
import Values

struct IncidentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incident", abstract: "List, show and resolve what instances cannot get past.",
        subcommands: [List.self, Show.self, Resolve.self])

    static let listing = Listing(
        resource: .incidents, plural: "incidents",
        fields: [
            .init(.init("KEY"), "incidentKey"), .init(.init("TYPE"), "errorType"),
            .init(.init("STATE", state: true)) { $0["state"]?.asString?.lowercased() },
            .init(.init("PROCESS", shrinks: true), "processDefinitionId"),
            .init(.init("ELEMENT", shrinks: true), "elementId"), .init(.init("INSTANCE"), "processInstanceKey"),
            .instant("SINCE", "creationTime"), .init(.init("MESSAGE", shrinks: true), "errorMessage"),
            .init(.init("REMEDY", shrinks: true), "remedy"),
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List incidents, the newest first.")

        @Option(help: ArgumentHelp("Only incidents in this state.", valueName: "active|resolved|all"))
        var state = IncidentState.active

        @Option(help: ArgumentHelp("Only incidents of this instance.", valueName: "key"))
        var instance: Key?

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = ValueContext()
            if self.state != .all { filter["state"] = .string(self.state.rawValue.uppercased()) }
            if let instance { filter["processInstanceKey"] = .string("\(instance)") }
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await listing.show(
                        client, console, options: self.list, filter: filter, sort: [("incidentKey", true)])
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one incident with its remedy.")

        @Argument(help: "The key of the incident.")
        var key: Key

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await showDetails(.incidents, self.key, self.options)
        }
    }

    struct Resolve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Retry what incidents are about, exactly there.",
            discussion: "Correct the cause first; for a job without retries, --retries gives it new ones.")

        @Argument(help: "The keys of the incidents.")
        var keys: [Key]

        @Option(help: ArgumentHelp("Give the job of each incident this many attempts first.", valueName: "n"))
        var retries: Int?

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            if let retries, retries < 1 { throw ValidationError("--retries must be 1 or more") }
        }

        func run() async throws {
            try await forEach(self.keys, self.options, done: "resolved") { client, key in
                if let retries {
                    let incident = try await client.get(.incidents, key)
                    if let job = incident["jobKey"]?.asString.flatMap({ Key($0) }) {
                        try await client.setRetries(retries, ofJob: job)
                    }
                }
                try await client.resolveIncident(key)
            }
        }
    }

    enum IncidentState: String, ExpressibleByArgument, CaseIterable {
        case active, resolved, all
    }
}
