import ArgumentParser
import ConnectorKit
import ConnectorSpecs
import Values

struct ConnectorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connector", abstract: "Show connectors, and check, test and make declarative ones.",
        discussion: """
            A declarative connector is a file (a specification) that says how one service is called. A project has those \
            under connectors: of its project file, else those in its folder connector-specs. Needs no server.
            """,
        subcommands: [List.self, Show.self, Lint.self, Test.self, New.self, ImportOpenAPI.self, Docs.self])

    /// Options of the commands that look at a project.
    struct ProjectOptions: ParsableArguments {
        @Option(
            help: ArgumentHelp("The folder of the project.", discussion: "Default: here.", valueName: "dir"),
            completion: .directory)
        var project: String?

        @Flag(help: "Print JSON: one object, or one a line for lists.")
        var json = false

        var folder: String { self.project ?? "." }

        /// The connectors, each with where it comes from: the built-in ones, then those of the project.
        ///
        /// Plugins describe themselves only when they run, so they are named alone.
        func connectors() throws -> [Known] {
            let project = try ProjectConfiguration.load(folder: self.folder, isRequired: false)
            var known = ModuleTable.builtIn.map { Known(descriptor: $0.descriptor, origin: "built in") }
            for path in ConnectorFiles.paths(project, folder: self.folder) {
                known.append(Known(descriptor: try ConnectorFiles.connector(path).descriptor, origin: path))
            }
            return known
        }
    }

    /// A connector, and where it comes from.
    struct Known {
        var descriptor: ConnectorDescriptor
        var origin: String
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the connectors.")

        @OptionGroup var options: ProjectOptions

        func run() async throws {
            let console = Console(isJSON: self.options.json)
            try await carryOut(console) {
                var table = Table([
                    .init("ID"), .init("VERSION", right: true), .init("OPERATIONS", right: true),
                    .init("EVENTS", right: true), .init("TITLE", shrinks: true), .init("FROM", shrinks: true),
                ])
                for known in try self.options.connectors() {
                    let descriptor = known.descriptor
                    if console.isJSON {
                        console.print(json: [
                            "connectorId": .string(descriptor.id), "version": .number(Number(descriptor.version)),
                            "title": .string(descriptor.title), "summary": .string(descriptor.summary),
                            "operations": .list(descriptor.operations.map { .string($0.id) }),
                            "events": .list(descriptor.events.map { .string($0.id) }), "from": .string(known.origin),
                        ])
                    } else {
                        table.add([
                            descriptor.id, "\(descriptor.version)", "\(descriptor.operations.count)",
                            "\(descriptor.events.count)", descriptor.title, known.origin,
                        ])
                    }
                }
                guard !console.isJSON else { return }
                for line in table.lines(console.style) { console.print(line) }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a connector can do: its parameters, operations and events.")

        @Argument(help: "Id of the connector.")
        var id: String

        @OptionGroup var options: ProjectOptions

        func run() async throws {
            let console = Console(isJSON: self.options.json)
            try await carryOut(console) {
                let all = try self.options.connectors()
                guard let known = all.first(where: { $0.descriptor.id == self.id }) else {
                    throw CommandFailure(
                        .configuration, "There is no connector \(self.id).",
                        remedy: ClosestMatch.of(self.id, in: all.map(\.descriptor.id)).map { "Did you mean \($0)?" }
                            ?? "See: junction connector list")
                }
                if console.isJSON {
                    console.print(json: known.descriptor.wire(from: known.origin))
                } else {
                    for line in known.descriptor.lines(from: known.origin, console.style) { console.print(line) }
                }
            }
        }
    }
}

extension ConnectorDescriptor {
    /// Everything about the connector as one object.
    fileprivate func wire(from origin: String) -> Value {
        [
            "connectorId": .string(self.id), "version": .number(Number(self.version)), "title": .string(self.title),
            "summary": .string(self.summary), "from": .string(origin), "parameters": self.parameters,
            "secrets": .list(
                self.secrets.map {
                    [
                        "parameter": .string($0.parameter), "title": .string($0.title),
                        "required": .boolean($0.isRequired),
                    ]
                }),
            "operations": .list(
                self.operations.map {
                    [
                        "operationId": .string($0.id), "title": .string($0.title), "summary": .string($0.summary),
                        "effect": .string($0.effect.rawValue), "idempotency": .string($0.idempotency.words),
                        "repeatable": .boolean($0.isRepeatable), "input": $0.input, "output": $0.output,
                    ]
                }),
            "events": .list(
                self.events.map {
                    [
                        "eventId": .string($0.id), "title": .string($0.title), "summary": .string($0.summary),
                        "delivery": .string($0.delivery.rawValue), "ordered": .boolean($0.isOrdered),
                        "parameters": $0.parameters, "payload": $0.payload,
                    ]
                }),
        ]
    }

    /// The connector for people.
    fileprivate func lines(from origin: String, _ style: Style) -> [String] {
        var lines = [
            style.paint("\(self.title) (\(self.id), version \(self.version))", .strong), self.summary,
            style.paint("From: \(origin)", .quiet),
        ]
        let required = (self.parameters["required"]?.asList ?? []).compactMap(\.asString)
        if let parameters = self.parameters["properties"]?.asContext, !parameters.isEmpty {
            var table = Table([.init("PARAMETER"), .init("NEEDED"), .init("TYPE"), .init("MEANING", shrinks: true)])
            for (name, schema) in parameters {
                table.add([
                    name, required.contains(name) ? "yes" : "", Listing.Field.text(schema["type"]),
                    Listing.Field.text(schema["description"] ?? schema["title"]),
                ])
            }
            lines += [""] + table.lines(style)
        }
        if !self.operations.isEmpty {
            var table = Table([.init("OPERATION"), .init("EFFECT"), .init("TWICE"), .init("TITLE", shrinks: true)])
            for operation in self.operations {
                table.add([operation.id, operation.effect.rawValue, operation.idempotency.words, operation.title])
            }
            lines += [""] + table.lines(style)
        }
        if !self.events.isEmpty {
            var table = Table([.init("EVENT"), .init("DELIVERY"), .init("TITLE", shrinks: true)])
            for event in self.events { table.add([event.id, event.delivery.rawValue, event.title]) }
            lines += [""] + table.lines(style)
        }
        return lines
    }
}

extension OperationIdempotency {
    /// What happens when the operation is carried out twice, in a word or two.
    fileprivate var words: String {
        switch self {
        case .none: "happens twice"
        case .natural: "changes nothing more"
        case .key(let window): "known by its key" + (window.map { " for " + Quantity.text($0) } ?? "")
        }
    }
}
