import Synchronization
public import Values

/// Keeps the position of one source between its lives: a cursor, a listing, the last time that was due.
///
/// For sources whose remote keeps none. A source saves when a batch is acknowledged, never before: what it has not saved
/// it reads again.
public protocol SourceMemory: Sendable {
    /// What was saved last; `nil` for a source that never saved.
    ///
    /// Throws `ConnectorError`.
    func load() async throws -> Value?

    /// Keeps `value` in place of what was saved before; durable when it returns.
    ///
    /// Throws `ConnectorError`; also when somebody else has taken the source over meanwhile.
    func save(_ value: Value) async throws
}

/// Remembers as long as it lives: for tests, and for hosts that keep nothing.
public final class VolatileSourceMemory: SourceMemory {
    private let value = Mutex<Value?>(nil)

    /// Remembers nothing yet.
    public init() {}

    /// See `SourceMemory.load()`.
    public func load() -> Value? { self.value.withLock { $0 } }

    /// See `SourceMemory.save(_:)`.
    public func save(_ value: Value) { self.value.withLock { $0 = value } }
}
