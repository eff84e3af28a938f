import ArgumentParser
import JunctionClient
import Values

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a process.",
        discussion: "With --wait, prints the variables at the end.")

    @Argument(help: ArgumentHelp("The process id, or the key of one version.", valueName: "process"))
    var process: String

    @Option(
        name: [.customLong("version"), .customLong("process-version")],
        help: ArgumentHelp("The version; default the newest.", valueName: "n"))
    var processVersion: Int?

    @Option(help: ArgumentHelp("The variables: a JSON object, or @file.", valueName: "json"))
    var variables: JSONArgument?

    @Option(help: ArgumentHelp("A name for the instance in the business.", valueName: "text"))
    var businessID: String?

    @Option(help: ArgumentHelp("Repeated with the same key, the first instance is returned.", valueName: "key"))
    var idempotencyKey: String?

    @Option(help: ArgumentHelp("Wait until it has ended, at most this many seconds.", valueName: "seconds"))
    var wait: Double?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let console = self.options.console()
        try await carryOut(console) {
            let variables = try self.variables?.object("--variables")
            try await Session.run(self.options, console) { client in
                let started = try await client.startInstance(
                    self.reference, variables: variables, businessID: self.businessID,
                    idempotencyKey: self.idempotencyKey, awaitCompletion: self.wait.map { .seconds($0) })
                self.show(started, console)
            }
        }
    }

    private var reference: ProcessReference {
        if let key = Key(self.process), self.process.count > 9 { return .definition(key) }
        return .process(id: self.process, version: self.processVersion)
    }

    private func show(_ started: StartedInstance, _ console: Console) {
        if console.isJSON {
            var value = ValueContext([
                ("processInstanceKey", .string("\(started.key)")),
                ("processDefinitionKey", .string("\(started.definitionKey)")),
                ("processDefinitionId", .string(started.processID)),
                ("processDefinitionVersion", .number(Number(started.version))),
                ("alreadyExisted", .boolean(started.alreadyExisted)),
            ])
            if self.wait != nil { value["variables"] = try? JSON.parse(started.variables) }
            console.print(json: .context(value))
            return
        }
        if started.alreadyExisted { console.note("This instance was started before with the same idempotency key.") }
        console.print("\(started.key)")
        if self.wait != nil, let variables = try? JSON.parse(started.variables) {
            console.print(JSON.pretty(variables))
        }
    }
}
