/// Where a partition gets what is not in its memory: its checkpoint and large values.
///
/// Called on the partition's thread; answers depend on the store alone, so processing stays deterministic. A source
/// that cannot read answers nil and remembers it: nothing of its partition may become durable afterwards.
public protocol StateSource: AnyObject {
    /// The state of an entity at the last checkpoint.
    func load(kind: UInt8, key: UInt64) -> [UInt8]?

    /// The name large values get: SHA-256 of the bytes.
    ///
    /// Nil when the source keeps none, so that they stay in the state.
    func hash(_ bytes: [UInt8]) -> [UInt8]?

    /// A stored large value by its hash.
    func blob(hash: [UInt8]) -> [UInt8]?
}

extension StateSource {
    /// Keeps no large values.
    public func hash(_ bytes: [UInt8]) -> [UInt8]? { nil }

    /// Has none.
    public func blob(hash: [UInt8]) -> [UInt8]? { nil }
}
