import ArgumentParser
import ConnectorKit
import ConnectorSpecs
import Hub
import HubDocuments
import ProcessModel
import Values

struct LintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Check documents: every problem at once, with line and element.",
        discussion: """
            Reads BPMN documents (.bpmn, .xml), decision models (.dmn), connections, triggers, connector specifications
            and project files (.yaml, .yml). Needs no server. Exit code 1 when there is an error, or with --strict a
            warning. With --report, says of each element of a BPMN document whether it is executed, kept or refused.
            """)

    @Argument(help: ArgumentHelp("Documents.", valueName: "file"), completion: .file())
    var files: [String]

    @Flag(help: "Print JSON: one object a finding.")
    var json = false

    @Flag(help: "Count warnings as errors.")
    var strict = false

    @Flag(help: "List the elements of BPMN documents: what becomes of each, by which clause, against which rules.")
    var report = false

    @Option(
        help: "How strictly to hold BPMN documents to the standard: strict, standard or lenient.",
        transform: { text in
            guard let profile = ImportProfile(rawValue: text) else {
                throw ValidationError("Expected strict, standard or lenient, but found \(text).")
            }
            return profile
        })
    var profile = ImportProfile.standard

    func run() async throws {
        let console = Console(isJSON: self.json)
        try await carryOut(console) {
            let limit: Diagnostic.Severity = self.strict ? .warning : .error
            var count = 0
            var isAcceptable = true
            for file in self.files {
                let (diagnostics, elements) = try Linter.check(file, profile: self.profile)
                if self.report { Self.show(elements, of: file, console) }
                for diagnostic in diagnostics { Self.show(diagnostic, console) }
                count += diagnostics.filter { $0.severity > .info }.count
                if diagnostics.contains(where: { $0.severity >= limit }) { isAcceptable = false }
            }
            console.flush()
            if count == 0 { console.note("No problems in \(self.files.joined(separator: ", ")).") }
            if !isAcceptable { throw ExitCode.failure }
        }
    }

    /// Prints what becomes of each element.
    private static func show(_ elements: [ModelReport.Row], of file: String, _ console: Console) {
        if console.isJSON {
            for element in elements {
                var wire = element.json.asContext ?? ValueContext()
                wire["file"] = .string(file)
                console.print(json: .context(wire))
            }
            return
        }
        guard !elements.isEmpty else { return }
        var table = Table([
            .init("LINE", right: true), .init("STATE"), .init("ELEMENT"), .init("ID", shrinks: true), .init("CLAUSE"),
            .init("FINDINGS"),
        ])
        for element in elements {
            table.add([
                "\(element.line)", element.disposition.rawValue, element.element, element.id ?? "",
                element.clause ?? "", (element.codes + element.rules.map { "rule \($0)" }).joined(separator: " "),
            ])
        }
        for line in table.lines(console.style) { console.print(line) }
    }

    static func show(_ diagnostic: Diagnostic, _ console: Console) {
        guard console.isJSON else {
            let tone: Style.Tone =
                switch diagnostic.severity {
                case .error: .bad
                case .warning: .attention
                case .info: .quiet
                }
            let rule = BPMNImporter.rule(of: diagnostic).map { " (BPMN 2.0.2 clause \($0.clause), rule \($0.number))" }
            console.print(console.style.paint("\(diagnostic)\(rule ?? "")", tone))
            return
        }
        var wire = diagnostic.wire.asContext ?? ValueContext()
        if let rule = BPMNImporter.rule(of: diagnostic) {
            wire["rule"] = .string(rule.number)
            wire["clause"] = .string(rule.clause)
        }
        console.print(json: .context(wire))
    }
}

/// Finds the problems of a document by what it is.
enum Linter {
    /// The findings, and for a BPMN document what becomes of its elements.
    static func check(
        _ file: String, profile: ImportProfile = .standard
    ) throws -> (diagnostics: [Diagnostic], elements: [ModelReport.Row]) {
        let bytes = try FileText.bytes(file)
        switch file.split(separator: ".").last.map({ $0.lowercased() }) {
        case "dmn": return (try DMNFile.read(file).diagnostics, [])
        case "yaml", "yml": return (try Self.yaml(bytes, file: file), [])
        default:
            let report = BPMNImporter.report(bytes, file: file, profile: profile)
            return (report.diagnostics, report.rows)
        }
    }

    private static func yaml(_ bytes: [UInt8], file: String) throws -> [Diagnostic] {
        let log = DiagnosticLog(file: file)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(.notText, "\(file) is not UTF-8 text.", remedy: "Save it as UTF-8.")
        }
        guard let document = YAMLDocument.parse(text, log: log) else { return log.diagnostics }
        switch Self.kind(of: document) {
        case "Trigger":
            // Checked together with the connections of the project, by `junction serve`; here, by itself.
            _ = TriggerDeclaration.read(text, log: log) { reference in
                let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
                    separator: "/")
                let path = reference.hasPrefix("/") || folder.isEmpty ? reference : folder + "/" + reference
                return (try? FileText.bytes(path)).map { String(decoding: $0, as: UTF8.self) }
            }
        case ConnectorSpec.kind:
            _ = ConnectorSpec.read(text, log: log)
        case "Connections":
            _ = ConnectionsDocument.read(text, log: log)
        default:
            _ = ProjectConfiguration.read(document, folder: ".", log: log)
        }
        return log.diagnostics
    }

    private static func kind(of document: DocumentNode) -> String? {
        guard case .mapping(let entries) = document.content,
            let entry = entries.first(where: { $0.key == "kind" }), case .string(let kind) = entry.value.content
        else { return nil }
        return kind
    }
}
