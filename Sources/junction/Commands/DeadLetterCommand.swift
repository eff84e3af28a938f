import ArgumentParser
import JunctionClient
import Values

struct DeadLetterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letter", abstract: "List, show, replay and discard what could not be delivered.",
        subcommands: [List.self, Show.self, Replay.self, Discard.self])

    static let listing = Listing(
        resource: .deadLetters, plural: "dead letters",
        fields: [
            .init(.init("KEY"), "deadLetterKey"), .init(.init("ORIGIN", shrinks: true), "origin"),
            .init(.init("STATE", state: true)) { $0["state"]?.asString?.lowercased() },
            .init(.init("STAGE"), "stage"), .init(.init("CODE"), "errorCode"),
            .init(.init("WHERE", shrinks: true)) { Self.place($0["coordinates"]) },
            .init(.init("REASON", shrinks: true), "errorMessage"), .instant("SINCE", "creationTime"),
        ])

    /// Where the source had it, in few words: `orders.csv:12`, `orders/3@1204`.
    static func place(_ coordinates: Value?) -> String? {
        guard let members = coordinates?.asContext else { return nil }
        if let file = (members["file"] ?? members["path"])?.asString {
            guard let line = members["line"]?.asInt64 else { return baseName(file) }
            return "\(baseName(file)):\(line)"
        }
        return members.map { "\($0.key)=\(Listing.Field.text($0.value) ?? "")" }.joined(separator: " ")
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List dead letters, the oldest first.")

        @Option(help: ArgumentHelp("Only dead letters in this state.", valueName: "parked|replayed|discarded|all"))
        var state = DeadLetterState.parked

        @Option(help: ArgumentHelp("Only those of this trigger.", valueName: "id"))
        var trigger: String?

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = ValueContext()
            if self.state != .all { filter["state"] = .string(self.state.rawValue.uppercased()) }
            if let trigger { filter["origin"] = .string(trigger) }
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await listing.show(
                        client, console, options: self.list, filter: filter, sort: [("deadLetterKey", false)])
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

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send dead letters through their trigger again.",
            discussion: "A replay that fails leaves the dead letter as it is.")

        @Argument(help: "The keys of the dead letters.")
        var keys: [Key] = []

        @Flag(help: "Replay every parked one.")
        var all = false

        @Option(help: ArgumentHelp("With --all: only those of this trigger.", valueName: "id"))
        var trigger: String?

        @Option(help: ArgumentHelp("Send this instead of the payload: text, or @file.", valueName: "text"))
        var payload: String?

        @Flag(help: "Only say what would happen.")
        var dryRun = false

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            guard self.all != !self.keys.isEmpty else { throw ValidationError("Give keys, or --all") }
            if self.payload != nil, self.keys.count != 1 {
                throw ValidationError("--payload needs exactly one key")
            }
        }

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                let payload = try self.payload.map { text in
                    text.hasPrefix("@") ? try FileText.bytes(String(text.dropFirst())) : Array(text.utf8)
                }
                try await Session.run(self.options, console) { client in
                    let keys = self.all ? try await Self.parked(client, trigger: self.trigger) : self.keys
                    guard !keys.isEmpty else {
                        console.note("No dead letters found.")
                        throw ExitCode.failure
                    }
                    try await self.replay(keys, payload: payload, client, console)
                }
            }
        }

        private func replay(
            _ keys: [Key], payload: [UInt8]?, _ client: JunctionClient, _ console: Console
        ) async throws {
            var hasFailed = false
            for key in keys {
                do {
                    let result = try await client.replayDeadLetter(key, payload: payload, dryRun: self.dryRun)
                    if console.isJSON {
                        console.print(json: result)
                    } else {
                        let instance = result["processInstanceKey"]?.asString.map { " \($0)" } ?? ""
                        console.print("\(key) \(result["result"]?.asString ?? "")\(instance)")
                    }
                } catch let error as ClientError where error.status != nil {
                    console.show(error)
                    hasFailed = true
                }
            }
            if hasFailed { throw ExitCode.failure }
        }

        /// Every parked dead letter, fetched before the first one is replayed: replays change the list.
        private static func parked(_ client: JunctionClient, trigger: String?) async throws -> [Key] {
            var filter = ValueContext([("state", .string("PARKED"))])
            if let trigger { filter["origin"] = .string(trigger) }
            var keys: [Key] = []
            var cursor: String?
            repeat {
                let page = try await client.search(
                    .deadLetters, filter: filter, sort: [("deadLetterKey", false)], limit: 1_000, after: cursor)
                keys += page.items.compactMap { $0["deadLetterKey"]?.asString.flatMap { Key($0) } }
                cursor = page.items.count == 1_000 ? page.endCursor : nil
            } while cursor != nil
            return keys
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
        case parked, replayed, discarded, all
    }
}
