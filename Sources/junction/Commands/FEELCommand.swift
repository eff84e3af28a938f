import ArgumentParser
import Decisions
import Values

struct FEELCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feel",
        abstract: "Evaluate a FEEL expression, and print its value as JSON.",
        discussion: """
            Needs no server. Warnings, which say why a part is null, go to standard error. Exit code 1 when the \
            expression is wrong, or its value is null because something could not be computed.
            """)

    @Argument(help: "The expression, or unary tests with --unary.")
    var expression: String

    @Option(help: "The variables: a JSON object, or @file.")
    var context: JSONArgument?

    @Flag(help: "Read the expression as unary tests about the input, as in a cell of a decision table.")
    var unary = false

    @Option(help: "What unary tests are about: a JSON value.")
    var input: String?

    @Flag(help: "Print one object with the value and the warnings.")
    var json = false

    func validate() throws {
        if unary != (input != nil) { throw ValidationError("--unary and --input go together.") }
    }

    func run() async throws {
        let console = Console(isJSON: json)
        try await carryOut(console) {
            let scope = try DecisionInput.scope(context)
            if let input { scope.variables["?"] = try DecisionInput.value(input) }
            let compiled = try Expression.compile(
                expression, mode: unary ? .unaryTests : .expression, knownNames: Array(scope.variables.keys))
            let evaluation = compiled.evaluate(scope)
            if json {
                console.print(
                    json: [
                        "value": evaluation.value, "warnings": .list(evaluation.warnings.map { .string("\($0)") }),
                    ])
            } else {
                console.print(json: evaluation.value)
                for warning in evaluation.warnings { console.note("warning: \(warning)") }
            }
            console.flush()
            if evaluation.value.isNull, !evaluation.warnings.isEmpty { throw ExitCode.failure }
        }
    }
}

/// The variables of an evaluation on the command line.
enum DecisionInput {
    /// A scope over a JSON object, at the present time.
    static func scope(_ context: JSONArgument?) throws -> MapScope {
        let now = DateTime(epochMilliseconds: Clock.now) ?? .feelEpoch
        guard let context else { return MapScope([:], now: now) }
        let value = try JSON.parse(context.object("--context"))
        return MapScope(value.asContext ?? [:], now: now)
    }

    /// A JSON value of an argument.
    static func value(_ text: String) throws -> Value {
        do {
            return try JSON.parse(text)
        } catch {
            throw ValidationError("--input must be a JSON value such as 12 or '\"text\"': \(error)")
        }
    }
}
