/// Requests that carry an idempotency key, and what became of them.
///
/// Durable: what a transaction wrote survives a power failure once `transact` has returned. Beside the journal, because
/// a record must be there before an effect outside begins, whatever the engine commits later.
public protocol IdempotencyStore: Sendable {
    /// Reads, decides and writes in one durable transaction; blocks the calling thread.
    ///
    /// All or nothing, also when `body` throws. Transactions exclude each other.
    /// - Throws: what `body` throws; `StoreError` `.full`, `.io`, `.closed`.
    func transact<Result: Sendable>(
        _ body: @Sendable (any IdempotencyTable) throws(StoreError) -> Result
    ) throws(StoreError) -> Result

    /// Releases files. Idempotent.
    func close()
}

/// The records, inside a transaction.
public protocol IdempotencyTable {
    /// The record of a key; nil when the key is free.
    func find(scope: String, key: String) throws(StoreError) -> IdempotencyRow?

    /// Writes a record, in place of the one with its key.
    func put(_ row: IdempotencyRow) throws(StoreError)

    /// Frees a key.
    func remove(scope: String, key: String) throws(StoreError)

    /// Forgets up to `limit` records that expired before a moment, those in flight aside; how many there were.
    func removeExpired(before milliseconds: Int64, limit: Int) throws(StoreError) -> Int
}

/// One record as it is stored: in flight while `status` is nil.
public struct IdempotencyRow: Sendable, Hashable {
    /// Tenant, principal and operation.
    public var scope: String
    /// The key.
    public var key: String
    /// Digest of what makes two requests the same.
    public var fingerprint: String
    /// Who works on it.
    public var owner: String?
    /// Until when, in Unix milliseconds.
    public var leaseUntil: Int64?
    /// Status of the answer.
    public var status: Int?
    /// Header fields of the answer, a JSON object.
    public var headers: [UInt8]?
    /// Body of the answer.
    public var body: [UInt8]?
    /// When the first request came, in Unix milliseconds.
    public var created: Int64
    /// From when the key is free again, in Unix milliseconds.
    public var expires: Int64

    /// Creates a record.
    public init(
        scope: String, key: String, fingerprint: String, owner: String? = nil, leaseUntil: Int64? = nil,
        status: Int? = nil, headers: [UInt8]? = nil, body: [UInt8]? = nil, created: Int64, expires: Int64
    ) {
        self.scope = scope
        self.key = key
        self.fingerprint = fingerprint
        self.owner = owner
        self.leaseUntil = leaseUntil
        self.status = status
        self.headers = headers
        self.body = body
        self.created = created
        self.expires = expires
    }
}
