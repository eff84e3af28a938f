import ArgumentParser
import JunctionClient
import Values

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "List, take and answer jobs.",
        subcommands: [List.self, Activate.self, Complete.self, Fail.self])

    static let listing = Listing(
        resource: .jobs, plural: "jobs",
        fields: [
            .init(.init("KEY"), "jobKey"), .init(.init("TYPE", shrinks: true), "type"),
            .init(.init("STATE", state: true)) { $0["state"]?.asString?.lowercased() },
            .init(.init("RETRIES", right: true), "retries"), .init(.init("ELEMENT", shrinks: true), "elementId"),
            .init(.init("INSTANCE"), "processInstanceKey"), .init(.init("WORKER", shrinks: true), "worker"),
            .init(.init("ERROR", shrinks: true), "errorMessage"),
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List jobs that have not ended.")

        @Option(help: ArgumentHelp("Only jobs of this type.", valueName: "type"))
        var type: String?

        @Option(help: ArgumentHelp("Only jobs of this instance.", valueName: "key"))
        var instance: Key?

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = ValueContext()
            if let type { filter["type"] = .string(type) }
            if let instance { filter["processInstanceKey"] = .string("\(instance)") }
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await listing.show(
                        client, console, options: self.list, filter: filter, sort: [("jobKey", false)])
                }
            }
        }
    }

    struct Activate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lock jobs of a type and print them with their variables.")

        @Argument(help: "The job type.")
        var type: String

        @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
        var maximum = 1

        @Option(help: ArgumentHelp("Seconds they stay locked.", valueName: "seconds"))
        var lock = 300.0

        @Option(help: ArgumentHelp("Seconds to wait for the first one.", valueName: "seconds"))
        var wait = 1.0

        @Option(help: ArgumentHelp("The name of the worker.", valueName: "name"))
        var worker = "junction-cli"

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let jobs = try await client.activateJobs(
                        self.type, worker: self.worker, maximum: self.maximum, lock: .seconds(self.lock),
                        waiting: .seconds(self.wait))
                    guard !jobs.isEmpty else {
                        console.note("No job of type \(self.type) is free.")
                        throw ExitCode.failure
                    }
                    self.show(jobs, console)
                }
            }
        }

        private func show(_ jobs: [Job], _ console: Console) {
            if console.isJSON {
                for job in jobs { console.print(json: Self.value(job)) }
                return
            }
            var table = Table([
                .init("KEY"), .init("ELEMENT"), .init("INSTANCE"), .init("RETRIES", right: true),
                .init("VARIABLES", shrinks: true),
            ])
            for job in jobs {
                table.add([
                    "\(job.key)", job.elementID, "\(job.processInstanceKey)", "\(job.retries)",
                    String(decoding: job.variables, as: UTF8.self),
                ])
            }
            for line in table.lines(console.style) { console.print(line) }
        }

        private static func value(_ job: Job) -> Value {
            .context(
                ValueContext([
                    ("jobKey", .string("\(job.key)")), ("type", .string(job.type)),
                    ("processInstanceKey", .string("\(job.processInstanceKey)")),
                    ("processDefinitionId", .string(job.processID)), ("elementId", .string(job.elementID)),
                    ("elementInstanceKey", .string("\(job.elementInstanceKey)")),
                    ("customHeaders", .context(job.headers)), ("retries", .number(Number(job.retries))),
                    ("deadline", .number(Number(job.deadline))), ("variables", job.variablesValue),
                    ("idempotencyKey", .string(job.idempotencyKey)),
                ]))
        }
    }

    struct Complete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Complete a job with its result.")

        @Argument(help: "The key of the job.")
        var key: Key

        @Option(help: ArgumentHelp("The result: a JSON object, or @file.", valueName: "json"))
        var variables: JSONArgument?

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let variables = try self.variables?.object("--variables")
            try await forEach([self.key], self.options, done: "completed") { client, key in
                try await client.completeJob(key, variables: variables)
            }
        }
    }

    struct Fail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Report a failed attempt of a job; without retries left, an incident.")

        @Argument(help: "The key of the job.")
        var key: Key

        @Option(help: ArgumentHelp("Attempts left.", valueName: "n"))
        var retries = 0

        @Option(help: ArgumentHelp("Seconds until the next attempt.", valueName: "seconds"))
        var backoff = 0.0

        @Option(help: ArgumentHelp("What happened.", valueName: "text"))
        var message = "failed by an operator"

        @Option(help: ArgumentHelp("Throw this BPMN error instead.", valueName: "code"))
        var error: String?

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await forEach([self.key], self.options, done: "failed") { client, key in
                if let error {
                    try await client.throwJobError(key, code: error, message: self.message)
                } else {
                    try await client.failJob(
                        key, retries: self.retries, message: self.message, backoff: .seconds(self.backoff))
                }
            }
        }
    }
}
