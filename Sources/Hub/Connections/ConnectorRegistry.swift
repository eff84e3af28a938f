public import ConnectorKit
import HubDocuments
import Values

/// The connectors there are, by id: one explicit table, filled by whoever starts the hub.
public struct ConnectorRegistry: Sendable {
    /// Gives a module that does the same in a process of its own; nil: cannot.
    public typealias Isolator = @Sendable (any ConnectorModule) -> (any ConnectorModule)?

    /// The modules, in the order given.
    public let modules: [any ConnectorModule]
    private let byID: [String: any ConnectorModule]
    private let isolate: Isolator
    /// Connectors that run in a process of their own unless a connection says otherwise, where that is possible.
    private let isolated: Set<String>

    /// Creates the table; of two modules with one id the first counts.
    public init(
        _ modules: [any ConnectorModule], isolated: Set<String> = [], isolate: @escaping Isolator = { _ in nil }
    ) {
        self.modules = modules
        self.isolate = isolate
        self.isolated = isolated
        self.byID = Dictionary(modules.map { ($0.descriptor.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The module called `id`.
    public func module(_ id: String) -> (any ConnectorModule)? {
        self.byID[id]
    }

    /// The module a connection is made with: its connector, in a process of its own if it asks for that.
    ///
    /// Throws `HubError` for a connector that does not exist or cannot be isolated.
    func module(for declaration: ConnectionDeclaration) throws(HubError) -> any ConnectorModule {
        guard let module = self.module(declaration.connector) else {
            throw HubError(
                .unknownName,
                "Connection \(declaration.id) uses the connector \"\(declaration.connector)\", which does not exist.",
                remedy: self.remedy(forUnknown: declaration.connector))
        }
        switch declaration.isolation {
        case .some(.none): return module
        case nil: return self.isolated.contains(declaration.connector) ? self.isolate(module) ?? module : module
        case .process:
            guard let isolated = self.isolate(module) else {
                throw HubError(
                    .notSupported,
                    "Connection \(declaration.id) asks for a process of its own, which this program cannot start.",
                    remedy: "Run it with junction serve, or remove isolation.")
            }
            return isolated
        }
    }

    /// What to say to somebody who named a connector that does not exist.
    func remedy(forUnknown id: String) -> String {
        let names = self.modules.map(\.descriptor.id)
        return ClosestMatch.of(id, in: names).map { "Did you mean \"\($0)\"?" }
            ?? "Use one of \(names.joined(separator: ", "))."
    }
}
