import ArgumentParser
import JunctionClient
import Values

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Deploy a document, start its process and follow it to the end.",
        discussion: """
            Prints the path the instance took. Ends when the instance has ended, or when it cannot move without a \
            person, a message, a worker or an operator. Exit code 0 when it completed, else 1.
            """)

    @Argument(help: ArgumentHelp("The document (.bpmn).", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The variables: a JSON object, or @file.", valueName: "json"))
    var variables: JSONArgument?

    @Option(help: ArgumentHelp("The process to start, when the document has several.", valueName: "id"))
    var process: String?

    @Option(help: ArgumentHelp("Follow it for at most this many seconds.", valueName: "seconds"))
    var timeout = 300.0

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let console = self.options.console()
        try await carryOut(console) {
            let variables = try self.variables?.object("--variables")
            let document = DeploymentDocument(name: baseName(self.file), bytes: try FileText.bytes(self.file))
            let command = self
            try await Session.run(self.options, console, createsData: true, runsConnectors: true) { client in
                let deployment = try await client.deploy([document])
                for diagnostic in deployment.diagnostics { console.note("\(diagnostic)") }
                let process = try command.process(in: deployment)
                let started = try await client.startInstance(.definition(process.key), variables: variables)
                let view = InstanceView(client: client, console: console)
                let end = try await Follower(view: view, key: started.key, timeout: .seconds(command.timeout)).follow()
                try view.show(end.path, variables: nil)
                if let reason = end.reason { console.note(reason) }
                guard end.path["state"]?.asString == "COMPLETED" else { throw ExitCode.failure }
            }
        }
    }

    private func process(in deployment: Deployment) throws -> Deployment.Process {
        let processes = deployment.processes
        if let process {
            if let match = processes.first(where: { $0.id == process }) { return match }
        } else if processes.count == 1 {
            return processes[0]
        }
        throw CommandFailure(
            .ambiguousProcess,
            "The document has \(processes.count) processes: \(processes.map(\.id).joined(separator: ", ")).",
            remedy: "Name one of them with --process.")
    }
}

/// Follows one instance until it has ended or cannot move by itself.
struct Follower {
    let view: InstanceView
    let key: Key
    let timeout: Duration

    /// How it ended; `reason` says why it did not move on.
    struct End {
        var path: Value
        var reason: String?
    }

    func follow() async throws -> End {
        let clock = ContinuousClock()
        let deadline = clock.now + self.timeout
        var pause = Duration.milliseconds(5)
        var still: (path: Value, since: ContinuousClock.Instant)?
        while true {
            let path = try await self.view.path(self.key)
            if path["state"]?.asString != "ACTIVE" { return End(path: path, reason: nil) }
            if clock.now >= deadline {
                return End(
                    path: path, reason: "It has not ended within \(self.timeout.components.seconds) s; it goes on.")
            }
            if let reason = Self.standstill(path) {
                // Twice the same picture, some time apart: what just arrived may be on its way.
                if let still, still.path == path, clock.now - still.since >= .milliseconds(300) {
                    return End(path: path, reason: reason)
                }
                if still?.path != path { still = (path, clock.now) }
            } else {
                still = nil
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(250))
        }
    }

    /// Why an instance cannot move by itself; nil when a timer, a connector or a child may move it.
    static func standstill(_ path: Value) -> String? {
        var waits: [String] = []
        Self.collect(path["elements"]?.asList ?? [], into: &waits)
        let moving: Set<String> = ["TIMER", "CONNECTOR", "CHILD"]
        guard !waits.isEmpty, waits.allSatisfy({ !moving.contains($0) }) else { return nil }
        let words = [
            ("INCIDENT", "an operator: see junction incident list"), ("PERSON", "a person: see junction task list"),
            ("MESSAGE", "a message"), ("JOB", "a worker"),
        ]
        return "It waits for "
            + words.filter { waits.contains($0.0) }.map(\.1).joined(separator: ", and for ") + "."
    }

    /// What the active elements without active content wait for; an element that waits for nothing is under way.
    private static func collect(_ elements: [Value], into waits: inout [String]) {
        for element in elements where element["state"]?.asString == "ACTIVE" {
            let children = element["elements"]?.asList ?? []
            if let wait = element["waitsFor"]?.asString {
                waits.append(wait)
            } else if !children.contains(where: { $0["state"]?.asString == "ACTIVE" }) {
                waits.append("CHILD")
            }
            Self.collect(children, into: &waits)
        }
    }
}
