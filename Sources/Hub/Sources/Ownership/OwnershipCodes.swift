public import HubDocuments

extension HubCode {
    /// A source was taken over by another node.
    public static let ownershipLost = HubCode(rawValue: "HB610")
    /// Two triggers read the same thing.
    public static let ownedTwice = HubCode(rawValue: "HB611")
    /// The table of owners cannot be read or written.
    public static let ownersUnavailable = HubCode(rawValue: "HB612")
}
