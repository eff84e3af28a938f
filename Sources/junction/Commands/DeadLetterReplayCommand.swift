import ArgumentParser
import JunctionClient
import Values

extension DeadLetterCommand {
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send dead letters on their way again: events through their trigger, calls at their step.",
            discussion: """
                With keys, one after the other, at once. With --all or a filter, the parked letters meant are queued, \
                the oldest first, and replayed in the background; the command waits for that. What is queued survives \
                a restart. A replay whose start is not accepted now leaves the letter as it is; a letter that fails \
                again is replaced by one that names it.
                """)

        @Argument(help: "The keys of the dead letters.")
        var keys: [Key] = []

        @Flag(help: "Replay every parked one.")
        var all = false

        @OptionGroup var which: DeadLetterFilterOptions

        @Option(help: ArgumentHelp("Only those whose message, coordinates or payload hold this.", valueName: "text"))
        var text: String?

        @Option(
            name: .customLong("where"),
            help: ArgumentHelp(
                "Only those for which this FEEL expression is true, over payload, headers, coordinates, code, stage, …",
                valueName: "feel"))
        var condition: String?

        @Option(help: ArgumentHelp("At most so many, the oldest first.", valueName: "number"))
        var limit: Int?

        @Option(help: ArgumentHelp("At most so fast, such as 50/s.", valueName: "rate"))
        var rate: String?

        @Option(help: ArgumentHelp("Send this instead of the payload: text, or @file.", valueName: "text"))
        var payload: String?

        @Flag(help: "Let the effect happen again: do not use the original idempotency key.")
        var newKey = false

        @Flag(help: "Only say what would happen.")
        var dryRun = false

        @Flag(inversion: .prefixedNo, help: "Wait until what was queued is replayed.")
        var wait = true

        @OptionGroup var options: GlobalOptions

        private var selects: Bool {
            self.all || !self.which.isEmpty || self.text != nil || self.condition != nil
        }

        func validate() throws {
            guard self.selects != !self.keys.isEmpty else { throw ValidationError("Give keys, or --all, or a filter") }
            if self.payload != nil, self.keys.count != 1 {
                throw ValidationError("--payload needs exactly one key")
            }
            if let limit, !(1...10_000).contains(limit) {
                throw ValidationError("--limit needs a number of 1 to 10000")
            }
            if self.limit != nil || self.rate != nil, !self.keys.isEmpty {
                throw ValidationError("--limit and --rate are for --all and filters")
            }
        }

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                let payload = try self.payload.map { text in
                    text.hasPrefix("@") ? try FileText.bytes(String(text.dropFirst())) : Array(text.utf8)
                }
                try await Session.run(self.options, console) { client in
                    if self.selects {
                        try await self.replaySelected(client, console)
                    } else {
                        try await self.replay(payload: payload, client, console)
                    }
                }
            }
        }

        private func replay(payload: [UInt8]?, _ client: JunctionClient, _ console: Console) async throws {
            var hasFailed = false
            for key in self.keys {
                do {
                    let result = try await client.replayDeadLetter(
                        key, payload: payload, newKey: self.newKey, dryRun: self.dryRun)
                    Self.show(result, console)
                } catch let error as ClientError where error.status != nil {
                    console.show(error)
                    hasFailed = true
                }
            }
            if hasFailed { throw ExitCode.failure }
        }

        private static func show(_ result: Value, _ console: Console) {
            guard !console.isJSON else { return console.print(json: result) }
            let more = ["processInstanceKey", "elementId", "replacedBy", "workflow", "reason"].compactMap {
                result[$0]?.asString
            }
            let words = [result["deadLetterKey"]?.asString ?? "", result["result"]?.asString ?? ""] + more
            console.print(words.joined(separator: " "))
        }

        // MARK: Many

        private func replaySelected(_ client: JunctionClient, _ console: Console) async throws {
            var request = self.which.selection()
            request["text"] = self.text.map { .string($0) }
            request["where"] = self.condition.map { .string($0) }
            request["limit"] = self.limit.map { .number(Number($0)) }
            request["rate"] = self.rate.map { .string($0) }
            request["newKey"] = .boolean(self.newKey)
            request["dryRun"] = .boolean(self.dryRun)
            let answer = try await client.replayDeadLetters(request)
            let forecast = answer["forecast"]?.asList ?? []
            for entry in forecast { Self.show(entry, console) }
            let keys = (answer["deadLetterKeys"]?.asList ?? []).compactMap(\.asString)
            guard !keys.isEmpty || !forecast.isEmpty else {
                console.note("No dead letters found.")
                throw ExitCode.failure
            }
            guard !self.dryRun else { return }
            guard self.wait else {
                for key in keys { Self.show(["deadLetterKey": .string(key), "result": "QUEUED"], console) }
                return
            }
            try await Self.follow(keys, client, console)
        }

        /// Shows what became of queued letters as soon as it is known; a call is up to its job then.
        private static func follow(_ keys: [String], _ client: JunctionClient, _ console: Console) async throws {
            var waiting = keys
            var hasFailed = false
            while !waiting.isEmpty {
                var left: [String] = []
                for start in stride(from: 0, to: waiting.count, by: 500) {
                    let some = Array(waiting[start..<min(start + 500, waiting.count)])
                    let filter = ValueContext([("deadLetterKey", ["$in": .list(some.map { .string($0) })])])
                    let page = try await client.search(.deadLetters, filter: filter, limit: 500)
                    for item in page.items {
                        guard let key = item["deadLetterKey"]?.asString else { continue }
                        let state = item["state"]?.asString ?? ""
                        let isUnderWay = state == "QUEUED" || (state == "REPLAYING" && item["kind"] != "JOB")
                        if isUnderWay {
                            left.append(key)
                        } else {
                            Self.show(["deadLetterKey": .string(key), "result": .string(state)], console)
                            hasFailed = hasFailed || state == "PARKED"
                        }
                    }
                }
                waiting = left
                if !waiting.isEmpty { try await Task.sleep(for: .milliseconds(200)) }
            }
            if hasFailed { throw ExitCode.failure }
        }
    }
}
