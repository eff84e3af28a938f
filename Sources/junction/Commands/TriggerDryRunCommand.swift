import ArgumentParser
import ConnectorKit
import Foundation
import Hub
import HubDocuments
import JunctionClient
import Values

extension TriggerCommand {
    struct DryRun: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dry-run", abstract: "Say what a trigger would do with an event, step by step.",
            discussion: """
                Nothing is started, kept or called. With the id of a trigger, the server's declaration is asked; with a file \
                (.yaml or .yml), that document, without a server. Exit code 1 when a record would become a dead letter.
                """)

        @Argument(
            help: ArgumentHelp("The id of a trigger, or a trigger document.", valueName: "trigger"), completion: .file()
        )
        var trigger: String

        @Option(
            help: ArgumentHelp("The payload: a file; - is standard input.", valueName: "file"), completion: .file())
        var payload: String

        @Option(help: ArgumentHelp("The media type of the payload.", valueName: "type"))
        var contentType: String?

        @Option(
            name: .customLong("header"),
            help: ArgumentHelp("A header field of the event; may be repeated.", valueName: "name=value"))
        var headers: [String] = []

        @Option(help: ArgumentHelp("Where the event stands at its source: a JSON object, or @file.", valueName: "json"))
        var coordinates: JSONArgument?

        @Option(help: ArgumentHelp("When it happened, such as 2026-01-31T12:00:00Z.", valueName: "time"))
        var time: String?

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            for header in self.headers where !header.contains("=") {
                throw ValidationError("Expected --header name=value but found \(header)")
            }
        }

        private var isFile: Bool { self.trigger.hasSuffix(".yaml") || self.trigger.hasSuffix(".yml") }

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                let event = try self.event()
                if self.isFile {
                    let trigger = try TriggerFile.read(self.trigger)
                    let now = Int64(Date().timeIntervalSince1970 * 1_000)
                    let runs = trigger.dryRun(try TriggerEventInput(event), now: now)
                    try Self.show(runs.map(\.value), console)
                } else {
                    try await Session.run(self.options, console) { client in
                        let answer = try await client.dryRunTrigger(self.trigger, event: event)
                        try Self.show(answer["records"]?.asList ?? [], console)
                    }
                }
            }
        }

        /// The event as the API takes it.
        private func event() throws -> ValueContext {
            let bytes = try FileText.bytes(self.payload)
            var event = ValueContext()
            if let text = String(validating: bytes, as: UTF8.self) {
                event["payload"] = .string(text)
            } else {
                event["payloadBase64"] = .string(Base64.encode(bytes))
            }
            if self.payload != "-" { event["fileName"] = .string(baseName(self.payload)) }
            event["contentType"] = self.contentType.map { .string($0) }
            event["time"] = self.time.map { .string($0) }
            if !self.headers.isEmpty {
                var fields = ValueContext()
                for header in self.headers {
                    let parts = header.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    fields[String(parts[0])] = .string(String(parts[1]))
                }
                event["headers"] = .context(fields)
            }
            if let coordinates { event["coordinates"] = try JSON.parse(try coordinates.object("--coordinates")) }
            return event
        }

        /// Shows the runs; fails when there are none, or one ends as a dead letter.
        static func show(_ runs: [Value], _ console: Console) throws {
            guard !runs.isEmpty else {
                console.note("The payload holds no record.")
                throw ExitCode.failure
            }
            for (index, run) in runs.enumerated() {
                if console.isJSON {
                    console.print(json: run)
                    continue
                }
                if runs.count > 1 {
                    if index > 0 { console.print("") }
                    console.print(console.style.paint("record \(index + 1)", .strong))
                }
                for line in Self.lines(run, console.style) { console.print(line) }
            }
            if runs.contains(where: { $0["result"]?["decision"] == "deadLetter" }) { throw ExitCode.failure }
        }

        static func lines(_ run: Value, _ style: Style) -> [String] {
            var table = Table([.init("STEP"), .init("STATE", state: true), .init("DETAIL", shrinks: true)])
            for step in run["steps"]?.asList ?? [] {
                let state = step["state"]?.asString ?? ""
                table.add([step["step"]?.asString, state == "none" ? "-" : state, step["detail"]?.asString])
            }
            return table.lines(style)
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a range of a trigger's events again.",
            discussion: """
                From the source itself, in its own words (--from, --to, or --range as JSON); from the inbox, where the trigger \
                keeps one; or from its dead letters. Events keep their dedupe keys, so that what was started before is not \
                started again; dead letters go on as with junction dead-letter replay.
                """)

        @Argument(help: "The id of the trigger.")
        var id: String

        @Option(help: ArgumentHelp("Where the range begins, such as 2026-01-31T12:00:00Z.", valueName: "place"))
        var from: String?

        @Option(help: ArgumentHelp("Where the range ends.", valueName: "place"))
        var to: String?

        @Option(help: ArgumentHelp("The range in the source's own words: a JSON object, or @file.", valueName: "json"))
        var range: JSONArgument?

        @Option(
            help: ArgumentHelp("Where the events come from: source, inbox or letters.", valueName: "origin"),
            completion: .list(["source", "inbox", "letters"]))
        var source = "source"

        @Option(help: ArgumentHelp("At most so fast, such as 50/s.", valueName: "rate"))
        var rate: String?

        @Flag(help: "Only say what would happen.")
        var dryRun = false

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            guard ["source", "inbox", "letters"].contains(self.source) else {
                throw ValidationError("Expected --source source, inbox or letters, but found \(self.source)")
            }
            if self.range != nil, self.from != nil || self.to != nil {
                throw ValidationError("Give --from and --to, or --range")
            }
            if self.source == "source", self.range == nil, self.from == nil, self.to == nil {
                throw ValidationError("A replay from the source needs --from, --to or --range")
            }
        }

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                var request: ValueContext = ["source": .string(self.source), "dryRun": .boolean(self.dryRun)]
                request["from"] = self.from.map { .string($0) }
                request["to"] = self.to.map { .string($0) }
                request["rate"] = self.rate.map { .string($0) }
                if let range { request["range"] = try JSON.parse(try range.object("--range")) }
                let fields = request
                try await Session.run(self.options, console) { client in
                    try Self.show(try await client.replayTrigger(self.id, fields), console)
                }
            }
        }

        private static func show(_ report: Value, _ console: Console) throws {
            let forecast = report["forecast"]?.asList ?? []
            guard !console.isJSON else { return console.print(json: report) }
            if !forecast.isEmpty { try? DryRun.show(forecast, console) }
            let counts = (report.asContext ?? ValueContext()).filter { ($0.value.asInt64 ?? 0) > 0 }
                .map { "\($0.key) \($0.value)" }
            guard !counts.isEmpty || !forecast.isEmpty else {
                console.note("No events found.")
                throw ExitCode.failure
            }
            console.print(counts.joined(separator: ", "))
        }
    }
}
