/// Where a partition gets what is not in its memory: its checkpoint and the deployed processes.
///
/// Called on the partition's thread; answers depend on the store alone, so processing stays deterministic. A source
/// that cannot read must not return: the runtime stops the partition by throwing from its own driver.
public protocol StateSource: AnyObject {
    /// The state of an entity at the last checkpoint.
    func load(kind: UInt8, key: UInt64) -> [UInt8]?
}
