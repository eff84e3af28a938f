import ArgumentParser
import JunctionClient
import Values

struct DeadLetterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letter", abstract: "List, show, correct, replay and discard what could not be delivered.",
        subcommands: [List.self, Show.self, Edit.self, Replay.self, Discard.self, Status.self])

    static let listing = Listing(
        resource: .deadLetters, plural: "dead letters",
        fields: [
            .init(.init("KEY"), "deadLetterKey"), .init(.init("KIND")) { $0["kind"]?.asString?.lowercased() },
            .init(.init("ORIGIN", shrinks: true), "origin"),
            .init(.init("STATE", state: true)) { $0["state"]?.asString?.lowercased() },
            .init(.init("STAGE"), "stage"), .init(.init("CODE"), "errorCode"),
            .init(.init("WHERE", shrinks: true)) { Self.place($0["coordinates"]) },
            .init(.init("REASON", shrinks: true), "errorMessage"), .instant("SINCE", "creationTime"),
        ])

    /// Where the source had it, in few words: `orders.csv:12`, `orders/3@1204`.
    static func place(_ coordinates: Value?) -> String? {
        guard let members = coordinates?.asContext else { return nil }
        if let element = members["elementId"]?.asString {
            return "\(members["processDefinitionId"]?.asString ?? "")/\(element)"
        }
        if let file = (members["file"] ?? members["path"])?.asString {
            guard let line = members["line"]?.asInt64 else { return baseName(file) }
            return "\(baseName(file)):\(line)"
        }
        return members.map { "\($0.key)=\(Listing.Field.text($0.value) ?? "")" }.joined(separator: " ")
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List dead letters, the oldest first.")

        @Option(
            help: ArgumentHelp(
                "Only dead letters in this state.", valueName: "parked|queued|replaying|resolved|discarded|open|all"))
        var state = DeadLetterState.open

        @OptionGroup var which: DeadLetterFilterOptions
        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = try self.which.searchFilter()
            switch self.state {
            case .all: break
            case .open: filter["state"] = ["$in": ["PARKED", "QUEUED", "REPLAYING"]]
            case .replayed: filter["state"] = "RESOLVED"
            default: filter["state"] = .string(self.state.rawValue.uppercased())
            }
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await listing.show(
                        client, console, options: self.list, filter: filter, sort: [("creationTime", false)])
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a dead letter with its payload.",
            discussion: "With --payload, only the payload, as it was received.")

        @Argument(help: "The key of the dead letter.")
        var key: Key

        @Flag(help: "Print only the payload.")
        var payload = false

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            guard self.payload else {
                try await showDetails(.deadLetters, self.key, self.options)
                return
            }
            let console = self.options.console()
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let answer = try await client.call("GET", "/hub/v1/dead-letters/\(self.key)/payload")
                    console.print(String(decoding: answer.body, as: UTF8.self))
                }
            }
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End dead letters without doing anything about them.")

        @Argument(help: "The keys of the dead letters.")
        var keys: [Key]

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await forEach(self.keys, self.options, done: "discarded") { client, key in
                try await client.discardDeadLetter(key)
            }
        }
    }

    enum DeadLetterState: String, ExpressibleByArgument, CaseIterable {
        case parked, queued, replaying, resolved, discarded, open, all
        /// The word of earlier versions for `resolved`.
        case replayed
    }
}
