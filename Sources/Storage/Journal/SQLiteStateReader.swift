/// Reads checkpointed entities and inboxes on a connection of its own.
final class SQLiteStateReader: StateReader {
    private let selectState: SQLiteStatement
    private let selectCount: SQLiteStatement
    private let selectInbox: SQLiteStatement
    private let selectBlob: SQLiteStatement
    /// Keys are unsigned but stored signed: the lower half first, then the upper half, each in order.
    private let scanIndexes: [SQLiteStatement]
    private let scanStates: [SQLiteStatement]

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.selectState = try connection.prepare("SELECT state FROM state WHERE scope = ?1 AND key = ?2")
        self.selectCount = try connection.prepare("SELECT count(*) FROM state WHERE scope = ?1")
        self.selectInbox = try connection.prepare(
            "SELECT source, source_sequence, payload FROM inbox WHERE target = ?1 ORDER BY source, source_sequence, part"
        )
        self.selectBlob = try connection.prepare("SELECT bytes FROM blob WHERE hash = ?1")
        var indexes: [SQLiteStatement] = []
        var states: [SQLiteStatement] = []
        for half in ["key >= 0", "key < 0"] {
            indexes.append(
                try connection.prepare(
                    """
                    SELECT key, idx FROM state INDEXED BY state_idx
                    WHERE scope = ?1 AND \(half) AND idx IS NOT NULL ORDER BY key
                    """))
            states.append(
                try connection.prepare("SELECT key, state FROM state WHERE scope = ?1 AND \(half) ORDER BY key"))
        }
        self.scanIndexes = indexes
        self.scanStates = states
    }

    func load(partition: Int, kind: EntityKind, key: UInt64) throws(StoreError) -> [UInt8]? {
        self.selectState.bind(1, stateScope(partition, kind))
        self.selectState.bind(2, key)
        defer { self.selectState.reset() }
        return try self.selectState.step() ? self.selectState.byteArray(0) : nil
    }

    func scanIndex(
        partition: Int, kind: EntityKind, _ body: (_ key: UInt64, _ index: UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        try self.scan(self.scanIndexes, stateScope(partition, kind), body)
    }

    func scan(
        partition: Int, kind: EntityKind, _ body: (_ key: UInt64, _ state: UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        try self.scan(self.scanStates, stateScope(partition, kind), body)
    }

    private func scan(
        _ halves: [SQLiteStatement], _ scope: Int64, _ body: (UInt64, UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        for statement in halves {
            statement.bind(1, scope)
            while try statement.step() { body(statement.uint64(0), statement.bytes(1)) }
        }
    }

    func count(partition: Int, kind: EntityKind) throws(StoreError) -> Int {
        self.selectCount.bind(1, stateScope(partition, kind))
        defer { self.selectCount.reset() }
        return try self.selectCount.step() ? self.selectCount.int(0) : 0
    }

    func inbox(partition: Int) throws(StoreError) -> [InboxMessage] {
        self.selectInbox.bind(1, partition)
        var messages: [InboxMessage] = []
        while try self.selectInbox.step() {
            messages.append(
                InboxMessage(
                    position: InboxPosition(
                        source: self.selectInbox.int(0), sourceSequence: self.selectInbox.uint64(1)),
                    payload: self.selectInbox.byteArray(2)))
        }
        return messages
    }

    func blob(hash: [UInt8]) throws(StoreError) -> [UInt8]? {
        self.selectBlob.bind(1, hash)
        defer { self.selectBlob.reset() }
        return try self.selectBlob.step() ? self.selectBlob.byteArray(0) : nil
    }
}
