/// Who reads a source of events, and how far it has read.
///
/// One record per id: a trigger, a path, a queue, a replication slot. At most one owner holds it. Whoever acquires it
/// gets a **fence**, a number larger than every one before it for this id; a write with an older fence is refused, so
/// that an owner that only believes it still owns the source cannot move its position. Safety rests on the fence;
/// the lease decides only when another owner may take over, and the clocks of the owners may differ.
///
/// Durable: what a call wrote survives a power failure once it has returned. Calls block the calling thread, and
/// exclude each other. Each throws `StoreError` `.full`, `.io`, `.closed`. Times are Unix milliseconds.
public protocol SourceStateStore: Sendable {
    /// Takes a source until a moment; the fence, or nil while the lease of another owner runs.
    ///
    /// Nobody's lease runs at the moment it ends. An owner that acquires what it owns gets a new fence: what it
    /// started before under the same name is fenced out.
    func acquire(_ id: String, owner: String, until: Int64, now: Int64) throws(StoreError) -> Int64?

    /// Extends a lease; false when the source was taken or released since.
    ///
    /// A lease that is over can be renewed as long as nobody took the source.
    func renew(_ id: String, owner: String, fence: Int64, until: Int64) throws(StoreError) -> Bool

    /// Gives a source back, its position kept; false when it was taken or released since.
    func release(_ id: String, owner: String, fence: Int64) throws(StoreError) -> Bool

    /// Keeps a position; false, and nothing kept, when the source was taken or released since.
    func save(_ id: String, fence: Int64, memory: [UInt8]) throws(StoreError) -> Bool

    /// The position last kept; nil when there is none.
    func load(_ id: String) throws(StoreError) -> [UInt8]?

    /// All that is known about a source; nil when it was never acquired.
    func find(_ id: String) throws(StoreError) -> SourceState?

    /// The sources whose id begins with a text, by id.
    func list(prefix: String) throws(StoreError) -> [SourceState]

    /// Forgets the position of a source that nobody owns at `now`; false when somebody does.
    ///
    /// True also when there was none. An owner whose lease is over is fenced out. The fence stays, so that it never
    /// falls.
    func reset(_ id: String, now: Int64) throws(StoreError) -> Bool

    /// Releases files. Idempotent.
    func close()
}

/// One source as it is stored.
public struct SourceState: Sendable, Hashable {
    /// What is owned.
    public var id: String
    /// Who owns it.
    public var owner: String?
    /// The fence of the last acquisition.
    public var fence: Int64
    /// Until when nobody else may take it.
    public var leaseUntil: Int64
    /// The position last kept.
    public var memory: [UInt8]?

    /// Creates a state.
    public init(id: String, owner: String?, fence: Int64, leaseUntil: Int64, memory: [UInt8]? = nil) {
        self.id = id
        self.owner = owner
        self.fence = fence
        self.leaseUntil = leaseUntil
        self.memory = memory
    }
}
