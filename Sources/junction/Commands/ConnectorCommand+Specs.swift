import ArgumentParser
import ConnectorSpecs
import Foundation
import HubDocuments
import Values

extension ConnectorCommand {
    struct Lint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check specifications: every problem at once, with its place.",
            discussion:
                "Without files, those of the project. Exit code 1 when there is an error, or with --strict a warning.")

        @Argument(help: ArgumentHelp("Specifications.", valueName: "file"), completion: .file())
        var files: [String] = []

        @Flag(help: "Count warnings as errors.")
        var strict = false

        @OptionGroup var options: ProjectOptions

        func run() async throws {
            let console = Console(isJSON: self.options.json)
            try await carryOut(console) {
                let files = try self.options.files(self.files)
                var findings: [Diagnostic] = []
                for file in files {
                    let log = DiagnosticLog(file: file)
                    _ = ConnectorFiles.read(file, log: log)
                    for diagnostic in log.diagnostics { LintCommand.show(diagnostic, console) }
                    findings += log.diagnostics
                }
                console.flush()
                if findings.isEmpty { console.note("No problems in \(files.joined(separator: ", ")).") }
                let limit: Diagnostic.Severity = self.strict ? .warning : .error
                if findings.contains(where: { $0.severity >= limit }) { throw ExitCode.failure }
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the tests of specifications; nothing is sent to anybody.",
            discussion: "Without files, those of the project. Exit code 1 when a test failed.")

        @Argument(help: ArgumentHelp("Specifications.", valueName: "file"), completion: .file())
        var files: [String] = []

        @OptionGroup var options: ProjectOptions

        func run() async throws {
            let console = Console(isJSON: self.options.json)
            try await carryOut(console) {
                var table = Table([
                    .init("CONNECTOR"), .init("TARGET"), .init("RESULT", state: true), .init("TEST", shrinks: true),
                ])
                var failures: [String] = []
                var count = 0
                for file in try self.options.files(self.files) {
                    let spec = try ConnectorFiles.connector(file).spec
                    for result in await SpecTestRunner(spec).run() {
                        count += 1
                        let place = "\(file):\(result.position.line)"
                        if console.isJSON {
                            console.print(json: result.wire(of: spec, file: file))
                        } else {
                            table.add([
                                spec.metadata.id, result.target, result.hasPassed ? "passed" : "failed", result.name,
                            ])
                        }
                        if !result.hasPassed { failures.append("\(place): \(result.name)") }
                        if !console.isJSON { failures += result.failures.map { "    \($0)" } }
                    }
                }
                if !console.isJSON {
                    for line in table.lines(console.style) { console.print(line) }
                }
                console.flush()
                guard failures.isEmpty else {
                    for failure in failures { console.note(failure) }
                    throw ExitCode.failure
                }
                console.note("\(count) tests passed.")
            }
        }
    }

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin a specification: one operation, and a test that passes.")

        @Argument(help: "Id of the connector: lower case letters, digits, dots and dashes.")
        var id: String

        @Option(help: "Name for people. Default: the id.")
        var title: String?

        @OptionGroup var output: OutputOptions
        @OptionGroup var options: ProjectOptions

        func run() async throws {
            let console = Console(isJSON: self.options.json)
            try await carryOut(console) {
                try checkConnectorID(self.id)
                let text = SpecScaffold.text(id: self.id, title: self.title)
                try self.output.write(text, id: self.id, folder: self.options.folder, console)
            }
        }
    }

    struct ImportOpenAPI: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import-openapi", abstract: "Make a specification out of an OpenAPI document (3.0 or 3.1).",
            discussion: """
                Takes servers, security schemes, operations and schemas over, with a test for each operation. What was left \
                out is listed. Idempotency, pagination and what errors mean are for you to add.
                """)

        @Argument(
            help: ArgumentHelp("The document, JSON or YAML; - is standard input.", valueName: "file"),
            completion: .file())
        var file: String

        @Option(help: "Id of the connector. Default: made of the title.")
        var id: String?

        @OptionGroup var output: OutputOptions
        @OptionGroup var options: ProjectOptions

        func run() async throws {
            let console = Console(isJSON: self.options.json)
            try await carryOut(console) {
                if let id { try checkConnectorID(id) }
                guard let text = String(validating: try FileText.bytes(self.file), as: UTF8.self) else {
                    throw CommandFailure(.notText, "\(self.file) is not UTF-8 text.", remedy: "Save it as UTF-8.")
                }
                let log = DiagnosticLog(file: self.file)
                let importer = OpenAPIImporter(text, id: self.id, log: log)
                for diagnostic in log.diagnostics { console.note("\(diagnostic)") }
                guard let result = importer.text else { throw ExitCode.failure }
                try self.output.write(result, id: importer.connectorID, folder: self.options.folder, console)
            }
        }
    }

    /// Where a new specification goes.
    struct OutputOptions: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "Where to write it; - is standard output.",
                discussion: "Default: connector-specs/ID.yaml in the folder of the project.", valueName: "file"),
            completion: .file())
        var output: String?

        @Flag(help: "Replace the file if it exists.")
        var force = false

        func write(_ text: String, id: String, folder: String, _ console: Console) throws {
            if self.output == "-" {
                console.print(bytes: Array(text.utf8))
                return
            }
            let path = self.output ?? join(join(folder, ConnectorFiles.folder), id + ".yaml")
            guard self.force || !FileManager.default.fileExists(atPath: path) else {
                throw CommandFailure(
                    .unwritableFile, "\(path) exists already.", remedy: "Choose another file, or add --force.")
            }
            try FileText.replace(path, with: Array(text.utf8))
            if console.isJSON {
                console.print(json: ["connectorId": .string(id), "file": .string(path)])
            } else {
                console.print(path)
            }
        }
    }
}

/// Refuses an id that a specification cannot have.
private func checkConnectorID(_ id: String) throws {
    let isRight =
        id.first.map { $0.isASCII && $0.isLowercase } ?? false
        && id.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-" || $0 == ".") }
    guard isRight else {
        throw ValidationError(
            "Expected an id of lower case letters, digits, dots and dashes that begins with a letter, but found \(id).")
    }
}

extension ConnectorCommand.ProjectOptions {
    /// The files named, or those of the project.
    fileprivate func files(_ named: [String]) throws -> [String] {
        guard named.isEmpty else { return named }
        let project = try ProjectConfiguration.load(folder: self.folder, isRequired: false)
        let files = ConnectorFiles.paths(project, folder: self.folder)
        guard !files.isEmpty else {
            throw CommandFailure(
                .configuration, "The project has no connector specifications.",
                remedy: "Name files, or begin one with: junction connector new ID")
        }
        return files
    }
}

extension SpecTestRunner.Result {
    /// The result as one object.
    fileprivate func wire(of spec: ConnectorSpec, file: String) -> Value {
        [
            "connectorId": .string(spec.metadata.id), "file": .string(file),
            "line": .number(Number(self.position.line)),
            "target": .string(self.target), "name": .string(self.name), "passed": .boolean(self.hasPassed),
            "failures": .list(self.failures.map { .string($0) }),
        ]
    }
}
