public import ConnectorKit
import Values

/// The connectors there are, by id: one explicit table, filled by whoever starts the hub.
public struct ConnectorRegistry: Sendable {
    /// The modules, in the order given.
    public let modules: [any ConnectorModule]
    private let byID: [String: any ConnectorModule]

    /// Creates the table; of two modules with one id the first counts.
    public init(_ modules: [any ConnectorModule]) {
        self.modules = modules
        self.byID = Dictionary(modules.map { ($0.descriptor.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The module called `id`.
    public func module(_ id: String) -> (any ConnectorModule)? {
        self.byID[id]
    }

    /// What to say to somebody who named a connector that does not exist.
    func remedy(forUnknown id: String) -> String {
        let names = self.modules.map(\.descriptor.id)
        return ClosestMatch.of(id, in: names).map { "Did you mean \"\($0)\"?" }
            ?? "Use one of \(names.joined(separator: ", "))."
    }
}
