import ArgumentParser
import JunctionClient
import Values

struct ConnectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connection", abstract: "Show connections, and decide about their circuit breakers.",
        subcommands: [List.self, Show.self, Open.self, Close.self, Isolate.self, Reset.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the connections, their circuit breakers and their last errors.")

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await listItems("/hub/v1/connections", plural: "connections", self.options, fields: fields)
        }
    }

    static let fields: [Listing.Field] = [
        .init(.init("ID"), "connectionId"), .init(.init("CONNECTOR"), "connector"),
        .init(.init("BREAKER", state: true), "breaker"), .init(.init("CALLS", right: true), "calls"),
        .init(.init("ATTEMPTS", right: true), "attempts"), .init(.init("RUNNING", right: true), "running"),
        .init(.init("REHEARSAL", shrinks: true), "rehearsal"), .init(.init("LAST ERROR", shrinks: true), "lastError"),
    ]
}

/// Lists the items of a document that is not paged.
func listItems(_ path: String, plural: String, _ options: GlobalOptions, fields: [Listing.Field]) async throws {
    let console = options.console()
    try await carryOut(console) {
        try await Session.run(options, console) { client in
            let items = try await client.get(path)["items"]?.asList ?? []
            guard !items.isEmpty else {
                console.note("No \(plural) found.")
                throw ExitCode.failure
            }
            if console.isJSON {
                for item in items { console.print(json: item) }
            } else {
                let listing = Listing(resource: .processInstances, plural: plural, fields: fields)
                for line in listing.lines(items, console.style) { console.print(line) }
            }
        }
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what the server holds and does at this moment.")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let console = self.options.console()
        try await carryOut(console) {
            try await Session.run(self.options, console) { client in
                let status = try await client.get("/hub/v1/status")
                if console.isJSON {
                    console.print(json: status)
                } else {
                    for (name, value) in status.asContext ?? ValueContext() {
                        guard let members = value.asContext else { continue }
                        console.print(console.style.paint(name, .strong))
                        for line in Details.lines(.context(members), console.style) { console.print("  " + line) }
                    }
                }
            }
        }
    }
}
