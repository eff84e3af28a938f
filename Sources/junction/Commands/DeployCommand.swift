import ArgumentParser
import JunctionClient
import Values

struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Deploy process documents together: all of them or none.")

    @Argument(help: ArgumentHelp("Documents (.bpmn).", valueName: "file"), completion: .file())
    var files: [String]

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let console = self.options.console()
        try await carryOut(console) {
            let documents = try self.files.map { DeploymentDocument(name: baseName($0), bytes: try FileText.bytes($0)) }
            try await Session.run(self.options, console, createsData: true) { client in
                let deployment = try await client.deploy(documents)
                for diagnostic in deployment.diagnostics { console.note("\(diagnostic)") }
                Self.show(deployment, console)
            }
        }
    }

    static func show(_ deployment: Deployment, _ console: Console) {
        if console.isJSON {
            for process in deployment.processes { console.print(json: Self.value(process, deployment)) }
            return
        }
        var table = Table([.init("PROCESS"), .init("VERSION", right: true), .init("KEY"), .init("DOCUMENT")])
        for process in deployment.processes {
            table.add([process.id, "\(process.version)", "\(process.key)", process.resourceName])
        }
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
}

/// The last part of a path.
func baseName(_ path: String) -> String {
    path.split(separator: "/").last.map { String($0) } ?? path
}
