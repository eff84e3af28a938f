import ArgumentParser
import JunctionClient
import Values

extension DeadLetterCommand {
    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Correct the payload of a parked dead letter.",
            discussion: """
                The patch is a JSON Patch (RFC 6902); a payload that is no JSON is one text to it, whose path is "". \
                What was received is kept beside the correction, and the patch is in the audit trail.
                """)

        @Argument(help: "The key of the dead letter.")
        var key: Key

        @Option(help: ArgumentHelp("The patch: JSON, @file, or the name of a file.", valueName: "patch"))
        var patch: String

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                let patch = try Self.document(self.patch)
                try await Session.run(self.options, console) { client in
                    let answer = try await client.editDeadLetter(self.key, patch: patch)
                    guard !console.isJSON else { return console.print(json: answer) }
                    for (name, mark) in [("before", "-"), ("after", "+")] {
                        let text = JSON.pretty(answer[name] ?? .null)
                        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
                            console.print("\(mark) \(line)")
                        }
                    }
                }
            }
        }

        /// The patch given as text, or in a file.
        private static func document(_ text: String) throws -> Value {
            let isText = text.first { !$0.isWhitespace } == "["
            let bytes =
                isText
                ? Array(text.utf8) : try FileText.bytes(text.hasPrefix("@") ? String(text.dropFirst()) : text)
            do {
                return try JSON.parse(bytes)
            } catch {
                throw ValidationError(
                    "--patch needs a JSON Patch such as '[{\"op\":\"replace\",\"path\":\"/amount\",\"value\":12}]': \(error)"
                )
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the dead letters as a whole: counts, the age of the oldest, inflow, alerts.",
            discussion: "Exit status 1 while an alert is raised.")

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let status = try await client.get("/hub/v1/dead-letter-status")
                    if console.isJSON {
                        console.print(json: status)
                    } else {
                        var figures = status.asContext ?? ValueContext()
                        figures["alerts"] = nil
                        for line in Details.lines(.context(figures), console.style) { console.print(line) }
                        for alert in status["alerts"]?.asList ?? [] { console.print(Self.line(alert)) }
                    }
                    let isRaised = (status["alerts"]?.asList ?? []).contains { $0["isRaised"] == .boolean(true) }
                    if isRaised { throw ExitCode.failure }
                }
            }
        }

        private static func line(_ alert: Value) -> String {
            let state = alert["isRaised"] == .boolean(true) ? "RAISED" : "clear"
            let figures = ["value", "limit"].map { "\($0) \(alert[$0]?.asInt64 ?? 0)" }.joined(separator: ", ")
            return "alert \(alert["name"]?.asString ?? "") \(state) (\(alert["code"]?.asString ?? ""): \(figures))"
        }
    }
}
