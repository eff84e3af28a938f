import ConnectorKit
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
    /// of connections see `variables`.
    public static func load(
        connections: String?, triggers: [String], registry: ConnectorRegistry, variables: ValueContext = ValueContext()
    ) -> (configuration: HubConfiguration, diagnostics: [Diagnostic]) {
        var configuration = HubConfiguration()
        var diagnostics: [Diagnostic] = []
        if let connections {
            let log = DiagnosticLog(file: connections)
            if let text = DiskFile.text(connections, log: log) {
                let document = ConnectionsDocument.read(text, log: log, variables: variables)
                configuration.profiles = document.profiles
                configuration.connections = document.connections
            }
            diagnostics += log.diagnostics
        }
        for path in triggers {
            let log = DiagnosticLog(file: path)
            if let text = DiskFile.text(path, log: log) {
                let trigger = TriggerDeclaration.read(text, log: log, profiles: configuration.profiles) { reference in
                    DiskFile.text(DiskFile.sibling(reference, of: path), log: DiagnosticLog(file: reference))
                }
                if let trigger { configuration.triggers.append(trigger) }
            }
            diagnostics += log.diagnostics
        }
        diagnostics += configuration.contradictions(registry: registry)
        return (configuration, diagnostics)
    }

    /// What does not fit together: names that lead nowhere or stand twice, sources owned twice.
    public func contradictions(registry: ConnectorRegistry) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for connection in self.connections where registry.module(connection.connector) == nil {
            diagnostics.append(
                Diagnostic(
                    code: HubCode.unknownName.rawValue, severity: .error,
                    message: "Connection \(connection.id) uses the connector \"\(connection.connector)\", which does "
                        + "not exist.",
                    remedy: registry.remedy(forUnknown: connection.connector), file: connection.file,
                    line: connection.line))
        }
        var seen: [String: String] = [:]
        for trigger in self.triggers {
            func report(_ code: HubCode, _ message: String, _ remedy: String) {
                diagnostics.append(
                    Diagnostic(
                        code: code.rawValue, severity: .error, message: message, remedy: remedy, file: trigger.file))
            }
            if let other = seen[trigger.id] {
                report(
                    .contradiction, "The trigger \(trigger.id) is declared in \(other) too.",
                    "Give each trigger an id of its own.")
            }
            seen[trigger.id] = trigger.file
            let name = trigger.source.connection
            guard let connection = self.connections.first(where: { $0.id == name }) else {
                let error = HubError.unknownConnection(name, known: self.connections.map(\.id))
                report(error.code, error.message, error.remedy)
                continue
            }
            let needed = trigger.source.kind.connector
            if connection.connector != needed.id {
                report(
                    .contradiction,
                    "A \(trigger.source.kind.rawValue) source needs a connection of the connector \(needed.id), but "
                        + "\(name) belongs to \(connection.connector).",
                    "Use another connection.")
            }
        }
        return diagnostics
    }
}
