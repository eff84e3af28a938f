import ArgumentParser
import JunctionClient
import Values

struct TriggerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trigger", abstract: "Check, try and look after triggers.",
        subcommands: [
            Lint.self, Test.self, List.self, Show.self, Pause.self, Resume.self, DryRun.self, Replay.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the triggers and what they have done.")

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await listItems("/hub/v1/triggers", plural: "triggers", self.options, fields: fields)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a trigger: where it stands, what it has done, how it is declared.")

        @Argument(help: "The id of the trigger.")
        var id: String

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let trigger = try await client.trigger(self.id)
                    if console.isJSON {
                        console.print(json: trigger)
                    } else {
                        for line in Details.lines(trigger, console.style) { console.print(line) }
                    }
                }
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop triggers after the records they work on; events stay at their sources.")

        @OptionGroup var names: NamedTriggers

        func run() async throws { try await self.names.each("paused") { try await $0.pauseTrigger($1) } }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Arm paused triggers again.")

        @OptionGroup var names: NamedTriggers

        func run() async throws { try await self.names.each("resumed") { try await $0.resumeTrigger($1) } }
    }

    struct NamedTriggers: ParsableArguments {
        @Argument(help: "The ids of the triggers.")
        var ids: [String]

        @OptionGroup var options: GlobalOptions

        /// Does `work` to each trigger, and says so.
        func each(
            _ done: String, _ work: @escaping @Sendable (JunctionClient, String) async throws -> Void
        ) async throws {
            let console = self.options.console()
            let ids = self.ids
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    var hasFailed = false
                    for id in ids {
                        do {
                            try await work(client, id)
                            console.note("\(id) \(done)")
                        } catch let error as ClientError where error.status != nil {
                            console.show(error)
                            hasFailed = true
                        }
                    }
                    if hasFailed { throw ExitCode.failure }
                }
            }
        }
    }

    static let fields: [Listing.Field] = [
        .init(.init("ID"), "triggerId"), .init(.init("SOURCE"), "source"), .init(.init("STATE", state: true), "state"),
        .init(.init("TARGET", shrinks: true), "workflow"), .init(.init("RECEIVED", right: true), "received"),
        .init(.init("STARTED", right: true), "started"), .init(.init("CORRELATED", right: true), "correlated"),
        .init(.init("DUPLICATE", right: true), "duplicates"), .init(.init("FILTERED", right: true), "filtered"),
        .init(.init("DEAD LETTERS", right: true), "deadLettered"), .init(.init("PENDING", right: true), "pending"),
        .init(.init("TROUBLE", shrinks: true), "trouble"),
    ]
}
