public import HubDocuments

/// Where a trigger's events come from.
public struct SourceDeclaration: Sendable {
    /// The type.
    public var type: SourceType
    /// The connection it uses; nil for the hub's own sources.
    public var connection: String?
    /// The event of the connection's connector; nil for the hub's own sources.
    public var event: String?
    /// The type's own parameters; expressions see the connection's parameters as `connection`.
    public var parameters: ValueTemplate
    /// Where the parameters stand in the trigger's file.
    public var position: DocumentPosition

    /// What is shown as the place events come from.
    public var name: String { self.connection ?? self.type.name }
}
