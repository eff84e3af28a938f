import ArgumentParser
import HubDocuments
import JunctionClient
import ProcessModel
import Values

struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Deploy processes and decisions together: all of them or none.")

    @Argument(help: ArgumentHelp("Documents: BPMN and DMN.", valueName: "file"), completion: .file())
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "How strictly BPMN documents are read: lenient for models made for other engines.",
            valueName: ImportProfile.allCases.map(\.rawValue).joined(separator: "|")))
    var profile = ImportProfile.standard

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let console = self.options.console()
        try await carryOut(console) {
            let documents = try self.files.map { DeploymentDocument(name: baseName($0), bytes: try FileText.bytes($0)) }
            try await Session.run(self.options, console, createsData: true) { client in
                let deployment = try await client.deploy(
                    documents, profile: self.profile == .standard ? nil : self.profile.rawValue)
                for diagnostic in deployment.diagnostics { console.note("\(diagnostic)") }
                Self.show(deployment, console)
            }
        }
    }

    static func show(_ deployment: Deployment, _ console: Console) {
        if console.isJSON {
            for process in deployment.processes { console.print(json: Self.value(process, deployment)) }
            for decision in deployment.decisions { console.print(json: Self.value(decision, deployment)) }
            return
        }
        Self.show("PROCESS", deployment.processes.map { ($0.id, $0.version, $0.key, $0.resourceName) }, console)
        Self.show("DECISION", deployment.decisions.map { ($0.id, $0.version, $0.key, $0.resourceName) }, console)
    }

    private static func show(
        _ what: String, _ rows: [(id: String, version: Int, key: Key, file: String)], _ console: Console
    ) {
        guard !rows.isEmpty else { return }
        var table = Table([.init(what), .init("VERSION", right: true), .init("KEY"), .init("DOCUMENT")])
        for row in rows { table.add([row.id, "\(row.version)", "\(row.key)", row.file]) }
        for line in table.lines(console.style) { console.print(line) }
    }

    private static func value(_ process: Deployment.Process, _ deployment: Deployment) -> Value {
        .context(
            ValueContext([
                ("processDefinitionId", .string(process.id)),
                ("processDefinitionVersion", .number(Number(process.version))),
                ("processDefinitionKey", .string("\(process.key)")), ("resourceName", .string(process.resourceName)),
                ("deploymentKey", .string("\(deployment.key)")),
            ]))
    }

    private static func value(_ decision: Deployment.Decision, _ deployment: Deployment) -> Value {
        .context(
            ValueContext([
                ("decisionDefinitionId", .string(decision.id)), ("name", .string(decision.name)),
                ("version", .number(Number(decision.version))),
                ("decisionDefinitionKey", .string("\(decision.key)")),
                ("decisionRequirementsKey", .string("\(decision.requirementsKey)")),
                ("resourceName", .string(decision.resourceName)), ("deploymentKey", .string("\(deployment.key)")),
            ]))
    }
}

/// The last part of a path.
func baseName(_ path: String) -> String {
    path.split(separator: "/").last.map { String($0) } ?? path
}
