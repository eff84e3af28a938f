import ArgumentParser
import ConnectorKit
import Hub
import HubDocuments
import Logging
import Resilience
import Values

extension TriggerCommand {
    struct Lint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check trigger documents: every problem at once, with its place.",
            discussion: """
                Without files, those of the project, together with its connections and connectors: names that lead nowhere, \
                sources that are owned twice. Needs no server. Exit code 1 when there is an error, or with --strict a warning.
                """)

        @OptionGroup var triggers: TriggerFileOptions

        @Flag(help: "Count warnings as errors.")
        var strict = false

        func run() async throws {
            let console = Console(isJSON: self.triggers.json)
            try await carryOut(console) {
                let (files, findings) = try await self.triggers.findings()
                for finding in findings { LintCommand.show(finding, console) }
                console.flush()
                if findings.isEmpty { console.note("No problems in \(files.joined(separator: ", ")).") }
                let limit: Diagnostic.Severity = self.strict ? .warning : .error
                if findings.contains(where: { $0.severity >= limit }) { throw ExitCode.failure }
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the tests of trigger documents; nothing is started and nothing is connected to.",
            discussion: "Without files, those of the project. Exit code 1 when a test failed.")

        @OptionGroup var triggers: TriggerFileOptions

        func run() async throws {
            let console = Console(isJSON: self.triggers.json)
            try await carryOut(console) {
                var table = Table([.init("TRIGGER"), .init("RESULT", state: true), .init("TEST", shrinks: true)])
                var failures: [String] = []
                var count = 0
                for file in try self.triggers.paths() {
                    let trigger = try TriggerFile.read(file, profiles: try self.triggers.profiles())
                    for result in TriggerTestRunner(trigger).run(trigger.tests) {
                        count += 1
                        if console.isJSON {
                            console.print(json: result.wire(of: trigger))
                        } else {
                            table.add([trigger.id, result.hasPassed ? "passed" : "failed", result.name])
                        }
                        if !result.hasPassed { failures.append("\(file):\(result.position.line): \(result.name)") }
                        if !console.isJSON { failures += result.failures.map { "    \($0)" } }
                    }
                }
                if !console.isJSON, count > 0 {
                    for line in table.lines(console.style) { console.print(line) }
                }
                console.flush()
                guard failures.isEmpty else {
                    for failure in failures { console.note(failure) }
                    throw ExitCode.failure
                }
                console.note(count == 1 ? "1 test passed." : "\(count) tests passed.")
            }
        }
    }

    /// Which trigger documents are meant.
    struct TriggerFileOptions: ParsableArguments {
        @Argument(help: ArgumentHelp("Trigger documents.", valueName: "file"), completion: .file())
        var files: [String] = []

        @Option(
            help: ArgumentHelp("The folder of the project.", discussion: "Default: here.", valueName: "dir"),
            completion: .directory)
        var project: String?

        @Flag(help: "Print JSON: one object, or one a line for lists.")
        var json = false

        private func configuration() throws -> ProjectConfiguration? {
            try ProjectConfiguration.load(folder: self.project ?? ".", isRequired: self.project != nil)
        }

        /// The files named, or those of the project.
        func paths() throws -> [String] {
            guard self.files.isEmpty else { return self.files }
            let files = try self.configuration()?.triggers ?? []
            guard !files.isEmpty else {
                throw CommandFailure(
                    .configuration, "The project has no triggers.",
                    remedy: "Name files, or list them under triggers: in the project file.")
            }
            return files
        }

        /// The resilience profiles of the project: those a trigger may name.
        func profiles() throws -> [ResilienceProfile] {
            guard let path = try self.configuration()?.connections else { return ResilienceProfile.builtIn }
            let log = DiagnosticLog(file: path)
            return DiskFile.text(path, log: log).map { ConnectionsDocument.read($0, log: log).profiles }
                ?? ResilienceProfile.builtIn
        }

        /// The files, and what is wrong with them: of files that are named each by itself, of a project's together with
        /// everything they name.
        func findings() async throws -> (files: [String], findings: [Diagnostic]) {
            let files = try self.paths()
            guard self.files.isEmpty, let project = try self.configuration() else {
                let profiles = try self.profiles()
                return (files, files.flatMap { TriggerFile.findings($0, profiles: profiles) })
            }
            let quiet = Logger(label: "lint") { _ in SwiftLogNoOpLogHandler() }
            let connectors = try await ModuleTable.load(project, isStarted: false, logger: quiet)
            let (_, diagnostics) = HubConfiguration.load(
                connections: project.connections, triggers: project.triggers,
                registry: ConnectorRegistry(connectors.modules), guards: { connectors.guards(of: $0) })
            // What is wrong with the connections is theirs: junction lint says it.
            return (files, diagnostics.filter { $0.file != project.connections })
        }
    }
}

/// Trigger documents on disk.
enum TriggerFile {
    private static func read(
        _ path: String, profiles: [ResilienceProfile], log: DiagnosticLog
    ) -> TriggerDeclaration? {
        DiskFile.text(path, log: log).flatMap { text in
            TriggerDeclaration.read(text, log: log, profiles: profiles) { reference in
                DiskFile.text(DiskFile.sibling(reference, of: path), log: DiagnosticLog(file: reference))
            }
        }
    }

    /// What is wrong with a document by itself.
    static func findings(_ path: String, profiles: [ResilienceProfile]) -> [Diagnostic] {
        let log = DiagnosticLog(file: path)
        _ = Self.read(path, profiles: profiles, log: log)
        return log.diagnostics
    }

    /// Reads a document that must be right.
    static func read(
        _ path: String, profiles: [ResilienceProfile] = ResilienceProfile.builtIn
    ) throws(CommandFailure) -> TriggerDeclaration {
        let log = DiagnosticLog(file: path)
        guard let trigger = Self.read(path, profiles: profiles, log: log) else {
            throw CommandFailure(
                .configuration, "The trigger \(path) has errors.",
                remedy: "Correct them; junction trigger lint shows them too.",
                diagnostics: log.diagnostics.filter { $0.severity == .error })
        }
        return trigger
    }
}

extension TriggerTestRunner.Result {
    /// The result as one object.
    fileprivate func wire(of trigger: TriggerDeclaration) -> Value {
        [
            "triggerId": .string(trigger.id), "file": .string(trigger.file),
            "line": .number(Number(self.position.line)), "name": .string(self.name),
            "passed": .boolean(self.hasPassed), "failures": .list(self.failures.map { .string($0) }),
        ]
    }
}
