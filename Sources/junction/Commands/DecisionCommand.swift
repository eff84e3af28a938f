import ArgumentParser
import JunctionClient
import Values

struct DecisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decision", abstract: "List, show and evaluate decisions, and what evaluations came to.",
        subcommands: [List.self, Show.self, Evaluate.self, Evaluations.self, Evaluation.self])

    private static let definitions = Listing(
        resource: .decisionDefinitions, plural: "decisions",
        fields: [
            .init(.init("KEY"), "decisionDefinitionKey"),
            .init(.init("DECISION", shrinks: true), "decisionDefinitionId"),
            .init(.init("VERSION", right: true), "version"), .init(.init("NAME", shrinks: true), "name"),
            .init(.init("MODEL", shrinks: true), "decisionRequirementsName"),
        ])

    private static let evaluations = Listing(
        resource: .decisionInstances, plural: "evaluations",
        fields: [
            .init(.init("KEY"), "decisionEvaluationInstanceKey"),
            .init(.init("DECISION", shrinks: true), "decisionDefinitionId"),
            .init(.init("VERSION", right: true), "decisionDefinitionVersion"),
            .init(.init("STATE", state: true)) { $0["state"]?.asString?.lowercased() },
            .init(.init("INSTANCE"), "processInstanceKey"), .instant("AT", "evaluationDate"),
            .init(.init("RESULT", shrinks: true)) { item in
                item["evaluationFailure"]?.asString ?? item["result"]?.asString
            },
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the newest version of each decision.")

        @Flag(help: "List older versions, too.")
        var versions = false

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            let filter = self.versions ? ValueContext() : ValueContext([("isLatestVersion", .boolean(true))])
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    try await definitions.show(
                        client, console, options: self.list, filter: filter,
                        sort: [("decisionDefinitionId", false), ("version", true)])
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one version of a decision.")

        @Argument(help: "The key of the version.")
        var key: Key

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await showDetails(.decisionDefinitions, self.key, self.options)
        }
    }

    struct Evaluate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Evaluate a decision; the evaluation is recorded.",
            discussion: "Prints the result as JSON; with --json the whole outcome. Exit code 1 when it failed.")

        @Argument(help: "The id of the decision: its newest version; or the key of a version.")
        var decision: String

        @Option(help: ArgumentHelp("What the decision sees: a JSON object, or @file.", valueName: "json"))
        var variables: JSONArgument?

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            let variables = try self.variables?.object("--variables")
            let reference = Key(self.decision).map { DecisionReference.definition($0) } ?? .decision(id: self.decision)
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let outcome = try await client.evaluateDecision(reference, variables: variables)
                    if console.isJSON { console.print(json: outcome) }
                    if let failure = outcome["failureMessage"]?.asString {
                        console.note("The decision failed: \(failure)")
                        throw ExitCode.failure
                    }
                    if !console.isJSON { console.print(outcome["output"]?.asString ?? "null") }
                }
            }
        }
    }

    struct Evaluations: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List evaluated decisions, the newest first.")

        @Option(help: ArgumentHelp("Only this decision.", valueName: "id"))
        var decision: String?

        @Option(help: ArgumentHelp("Only those this process instance asked for.", valueName: "key"))
        var instance: Key?

        @Flag(help: "Only those that failed.")
        var failed = false

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = ValueContext()
            if let decision { filter["decisionDefinitionId"] = .string(decision) }
            if let instance { filter["processInstanceKey"] = .string("\(instance)") }
            if self.failed { filter["state"] = "FAILED" }
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await evaluations.show(
                        client, console, options: self.list, filter: filter,
                        sort: [("decisionEvaluationInstanceKey", true)])
                }
            }
        }
    }

    struct Evaluation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one evaluated decision with its inputs and the rules that matched.")

        @Argument(help: "The key of the evaluated decision.")
        var key: Key

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await showDetails(.decisionInstances, self.key, self.options)
        }
    }
}
