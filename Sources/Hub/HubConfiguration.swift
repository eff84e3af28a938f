import ConnectorKit
import Decisions
import HubDocuments
public import Resilience
public import Values

/// Everything that is declared for the hub: connections, resilience profiles and triggers.
public struct HubConfiguration: Sendable {
    /// Named resilience profiles, the built-in ones included.
    public var profiles: [ResilienceProfile] = ResilienceProfile.builtIn
    /// The connections.
    public var connections: [ConnectionDeclaration] = []
    /// The triggers.
    public var triggers: [TriggerDeclaration] = []

    /// Creates an empty configuration.
    public init() {}

    /// Reads a connections file and trigger files, and checks that they fit each other and `registry`.
    ///
    /// Everything wrong is in `diagnostics`; a document with an error is left out of the result. Unreadable files are
    /// errors too. Paths of schema files are relative to the trigger file that names them. Expressions in the parameters
    /// of connections see `variables`. `guards` is as for `ConnectionsDocument.read`.
    public static func load(
        connections: String?, triggers: [String], registry: ConnectorRegistry, variables: ValueContext = ValueContext(),
        guards: (_ connector: String) -> ConnectorGuards? = { _ in nil }
    ) -> (configuration: HubConfiguration, diagnostics: [Diagnostic]) {
        var configuration = HubConfiguration()
        var diagnostics: [Diagnostic] = []
        if let connections {
            let log = DiagnosticLog(file: connections)
            if let text = DiskFile.text(connections, log: log) {
                let document = ConnectionsDocument.read(text, log: log, variables: variables, guards: guards)
                configuration.profiles = document.profiles
                configuration.connections = document.connections
            }
            diagnostics += log.diagnostics
        }
        let read = Self.triggers(triggers, profiles: configuration.profiles)
        configuration.triggers = read.triggers
        diagnostics += read.diagnostics
        diagnostics += configuration.contradictions(registry: registry)
        return (configuration, diagnostics)
    }

    /// Reads trigger files again, and checks that they fit the connections and `registry`.
    ///
    /// As `load`, for a hub that runs: connections and profiles stay what they are.
    public func reloading(
        triggers paths: [String], registry: ConnectorRegistry
    ) -> (triggers: [TriggerDeclaration], diagnostics: [Diagnostic]) {
        var next = self
        let read = Self.triggers(paths, profiles: self.profiles)
        next.triggers = read.triggers
        return (read.triggers, read.diagnostics + next.triggerFindings(registry))
    }

    private static func triggers(
        _ paths: [String], profiles: [ResilienceProfile]
    ) -> (triggers: [TriggerDeclaration], diagnostics: [Diagnostic]) {
        var triggers: [TriggerDeclaration] = []
        var diagnostics: [Diagnostic] = []
        for path in paths {
            let log = DiagnosticLog(file: path)
            if let text = DiskFile.text(path, log: log) {
                let trigger = TriggerDeclaration.read(text, log: log, profiles: profiles) { reference in
                    DiskFile.text(DiskFile.sibling(reference, of: path), log: DiagnosticLog(file: reference))
                }
                if let trigger { triggers.append(trigger) }
            }
            diagnostics += log.diagnostics
        }
        return (triggers, diagnostics)
    }

    /// What does not fit together: names that lead nowhere or stand twice, parameters a connector does not know.
    public func contradictions(registry: ConnectorRegistry) -> [Diagnostic] {
        self.connections.flatMap { Self.findings($0, registry) } + self.triggerFindings(registry)
    }

    private static func findings(_ connection: ConnectionDeclaration, _ registry: ConnectorRegistry) -> [Diagnostic] {
        func report(_ code: HubCode, _ message: String, _ remedy: String?) -> Diagnostic {
            Diagnostic(
                code: code.rawValue, severity: .error, message: message, remedy: remedy, file: connection.file,
                line: connection.line)
        }
        guard let module = registry.module(connection.connector) else {
            return [
                report(
                    .unknownName,
                    "Connection \(connection.id) uses the connector \"\(connection.connector)\", which does not exist.",
                    registry.remedy(forUnknown: connection.connector))
            ]
        }
        let known = module.descriptor(for: connection.parameters).operations.map(\.id)
        var diagnostics = connection.operations.keys.sorted().filter { !known.contains($0) }.map { name in
            report(
                .unknownName,
                "Connection \(connection.id): the connector \(connection.connector) has no operation \"\(name)\".",
                ClosestMatch.of(name, in: known).map { "Did you mean \"\($0)\"?" }
                    ?? "Use one of \(known.joined(separator: ", ")).")
        }
        // With endpoints, each has to be complete together with what they have in common.
        let places =
            connection.endpoints.isEmpty
            ? ["parameters"] : connection.endpoints.indices.map { "endpoints[\($0)]" }
        for (endpoint, place) in places.enumerated() {
            let parameters = connection.parameters(endpoint: endpoint)
            diagnostics += Self.violations(of: parameters, schema: module.descriptor.parameters).map {
                report(.invalidValue, "connections.\(connection.id).\(place)\($0.path): \($0.message)", nil)
            }
        }
        return diagnostics
    }

    private func triggerFindings(_ registry: ConnectorRegistry) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var seen: [String: String] = [:]
        var owned: [(trigger: String, resources: [String])] = []
        for trigger in self.triggers {
            func report(_ code: HubCode, _ message: String, _ remedy: String?, at position: DocumentPosition? = nil) {
                diagnostics.append(
                    Diagnostic(
                        code: code.rawValue, severity: .error, message: message, remedy: remedy, file: trigger.file,
                        line: position?.line, column: position?.column))
            }
            if let other = seen[trigger.id] {
                report(
                    .contradiction, "The trigger \(trigger.id) is declared in \(other) too.",
                    "Give each trigger an id of its own.")
            }
            seen[trigger.id] = trigger.file
            if let call = trigger.target.call {
                for finding in self.findings(of: call, registry) {
                    report(finding.code, finding.message, finding.remedy)
                }
            }
            guard let name = trigger.source.connection else {
                diagnostics += Self.findings(ofOwn: trigger)
                continue
            }
            guard let connection = self.connections.first(where: { $0.id == name }) else {
                let error = HubError.unknownConnection(name, known: self.connections.map(\.id))
                report(error.code, error.message, error.remedy)
                continue
            }
            let type = trigger.source.type
            if case .connector(let connector, _) = type.host, connection.connector != connector {
                report(
                    .contradiction,
                    "A \(type.name) source needs a connection of the connector \(connector), but \(name) "
                        + "belongs to \(connection.connector).",
                    "Use another connection.")
                continue
            }
            let descriptor = registry.module(connection.connector)?.descriptor(for: connection.parameters)
            let event = trigger.source.event.flatMap { descriptor?.event($0) }
            if event == nil, type.host == .anyConnector {
                let known = descriptor?.events.map(\.id) ?? []
                report(
                    .unknownName,
                    "The connector \(connection.connector) has no event \"\(trigger.source.event ?? "")\".",
                    known.isEmpty ? "It has no events." : "Use one of \(known.joined(separator: ", ")).",
                    at: trigger.source.position)
            }
            do {
                let parameters = try trigger.source.parameters.evaluate(
                    MapScope(["connection": connection.parameters]))
                owned.append(
                    (
                        trigger.id,
                        SourceOwnership.resources(of: type.name, connection: name, parameters: parameters)
                    ))
                for violation in Self.violations(of: parameters, schema: event?.parameters ?? true) {
                    report(
                        .invalidValue, "source.\(type.name)\(violation.path): \(violation.message)", nil,
                        at: trigger.source.position)
                }
            } catch {
                report(
                    .invalidExpression, "source.\(type.name).\(error.path): \(error.reason)",
                    "Expressions here see the connection's parameters as connection.", at: trigger.source.position)
            }
        }
        diagnostics += IngressSettings.contradictions(self.triggers.compactMap(\.ingress))
        diagnostics += self.conflicts(owned)
        return diagnostics
    }

    /// What several triggers read, reported where the later one is declared.
    private func conflicts(_ owned: [(trigger: String, resources: [String])]) -> [Diagnostic] {
        var found: [Diagnostic] = []
        for index in owned.indices {
            for var diagnostic in SourceOwnership.conflicts(Array(owned[...index])).dropFirst(found.count) {
                if let trigger = self.triggers.first(where: { $0.id == owned[index].trigger }) {
                    diagnostic.file = trigger.file
                    diagnostic.line = trigger.source.position.line
                    diagnostic.column = trigger.source.position.column
                }
                found.append(diagnostic)
            }
        }
        return found
    }

    /// What is wrong with a source of the hub's own.
    private static func findings(ofOwn trigger: TriggerDeclaration) -> [Diagnostic] {
        let found: [Diagnostic]
        if let ingress = trigger.ingress {
            found = IngressSettings.read(ingress).diagnostics
        } else if let parameters = try? trigger.source.parameters.evaluate(MapScope([:])) {
            found = CronSource.diagnostics(for: parameters, now: SystemConnectorClock().unixMilliseconds)
        } else {
            found = []
        }
        return found.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.file = trigger.file
            diagnostic.line = diagnostic.line ?? trigger.source.position.line
            diagnostic.column = diagnostic.column ?? trigger.source.position.column
            return diagnostic
        }
    }

    /// What is wrong with a call a trigger makes.
    private func findings(of call: TriggerTarget.Call, _ registry: ConnectorRegistry) -> [HubError] {
        guard let connection = self.connections.first(where: { $0.id == call.connection }) else {
            return [HubError.unknownConnection(call.connection, known: self.connections.map(\.id))]
        }
        guard let module = registry.module(connection.connector) else { return [] }
        let known = module.descriptor(for: connection.parameters).operations.map(\.id)
        guard !known.contains(call.operation) else { return [] }
        return [
            HubError(
                .unknownName, "The connector \(connection.connector) has no operation \"\(call.operation)\".",
                remedy: ClosestMatch.of(call.operation, in: known).map { "Did you mean \"\($0)\"?" }
                    ?? "Use one of \(known.joined(separator: ", ")).")
        ]
    }

    /// What in `parameters` a connector's own schema does not allow; nothing when the schema says more than is read.
    private static func violations(of parameters: Value, schema: Value) -> [JSONSchema.Violation] {
        let log = DiagnosticLog(file: "")
        let compiled = JSONSchema(
            DocumentNode(value: schema, at: DocumentPosition(line: 1, column: 1)), path: "", log: log)
        return log.isAcceptable ? compiled.violations(of: parameters) : []
    }
}
