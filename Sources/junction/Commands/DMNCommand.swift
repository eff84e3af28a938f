import ArgumentParser
import Decisions
import Foundation
import ProcessModel
import Values

/// `junction dmn …`: decision models without a server.
struct DMNCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dmn", abstract: "Evaluate and check decision models (DMN).",
        subcommands: [DMNEvalCommand.self, DMNLintCommand.self])
}

struct DMNEvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Evaluate a decision or decision service, and print its value as JSON.",
        discussion: """
            Models that the file imports are found among the .dmn files of its folder. Warnings go to standard error. \
            Exit code 1 when the model is refused, has no such decision, or the value is null because something could \
            not be computed.
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "file"), completion: .file(extensions: ["dmn"]))
    var file: String

    @Option(help: "Id or name of the decision or decision service; not needed when there is one decision.")
    var decision: String?

    @Option(help: "The input data: a JSON object, or @file.")
    var context: JSONArgument?

    @Flag(help: "Print one object with the value and the warnings.")
    var json = false

    @Flag(help: "Show every evaluated decision with its inputs and the rules that matched.")
    var explain = false

    func run() async throws {
        let console = Console(isJSON: json)
        try await carryOut(console) {
            let model = try DMNFile.model(file)
            let outcome = model.evaluate(
                decision: try name(in: model), inputs: try DecisionInput.scope(context))
            if json {
                console.print(json: DecisionView(outcome, explains: explain).json)
            } else {
                if explain { for line in DecisionView(outcome, explains: true).lines { console.print(line) } }
                console.print(json: outcome.value)
                for warning in outcome.warnings { console.note("warning: \(warning)") }
            }
            console.flush()
            if outcome.isError { throw ExitCode.failure }
        }
    }

    private func name(in model: DecisionModel) throws -> String {
        if let decision {
            if model.has(decision: decision) { return decision }
        } else if model.decisions.count == 1, let only = model.decisions.first {
            return only.id.isEmpty ? only.name : only.id
        }
        let names = (model.decisions + model.services).map { "'\($0.name)'" }.joined(separator: ", ")
        throw CommandFailure(
            .noDecision,
            decision.map { "There is no decision '\($0)' in \(file)." } ?? "\(file) has several decisions.",
            remedy: "Give --decision one of: \(names).")
    }
}

struct DMNLintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Check decision models: every problem at once, with line and element.",
        discussion: "Exit code 1 when there is an error, or with --strict a warning.")

    @Argument(help: ArgumentHelp("Models.", valueName: "file"), completion: .file(extensions: ["dmn"]))
    var files: [String]

    @Flag(help: "Print JSON: one object a finding.")
    var json = false

    @Flag(help: "Count warnings as errors.")
    var strict = false

    func run() async throws {
        let console = Console(isJSON: json)
        try await carryOut(console) {
            let findings = try files.flatMap { try DMNFile.read($0).diagnostics }
            for finding in findings { LintCommand.show(finding, console) }
            console.flush()
            if findings.isEmpty { console.note("No problems in \(files.joined(separator: ", ")).") }
            let limit: Diagnostic.Severity = strict ? .warning : .error
            if findings.contains(where: { $0.severity >= limit }) { throw ExitCode.failure }
        }
    }
}

/// A decision model in a file, with what it imports from its folder.
enum DMNFile {
    /// Reads a model; throws when there is none.
    static func model(_ file: String) throws -> DecisionModel {
        let result = try read(file)
        if let model = result.model { return model }
        throw CommandFailure(
            .refusedModel, "\(file) is refused.", remedy: "Correct what is listed.", diagnostics: result.diagnostics)
    }

    static func read(_ file: String) throws -> DMNImportResult {
        let bytes = try FileText.bytes(file)
        var documents = [(bytes: bytes, file: Optional(file))]
        if !DMNImporter.importedNamespaces(bytes).isEmpty {
            let url = URL(fileURLWithPath: file)
            let folder = url.deletingLastPathComponent()
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            for name in names.sorted() where name.hasSuffix(".dmn") && name != url.lastPathComponent {
                let path = folder.appendingPathComponent(name).path
                documents.append((try FileText.bytes(path), path))
            }
        }
        return DMNImporter.read(all: documents)[0]
    }
}
