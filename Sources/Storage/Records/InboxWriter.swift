/// Writes and forgets the events of the inbox.
final class InboxWriter {
    private let connection: SQLiteConnection
    private let upsert: SQLiteStatement
    private let purge: SQLiteStatement

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.connection = connection
        self.upsert = try connection.prepareUpsert("inbox", columns: 12)
        self.purge = try connection.prepare(
            "DELETE FROM inbox WHERE key IN (SELECT key FROM inbox WHERE last_day < ?1 LIMIT ?2)")
    }

    func write(_ record: InboxRecord) throws(StoreError) {
        let row = self.upsert
        row.bind(1, record.key)
        row.bind(2, record.trigger)
        row.bind(3, record.eventID)
        row.bind(4, record.dedupeKey)
        row.bind(5, record.receivedAt)
        row.bind(6, record.lastDay)
        row.bind(7, Int(record.effect))
        row.bind(8, record.effectKey)
        row.bind(9, record.contentType)
        row.bindText(10, record.headers)
        row.bindText(11, record.coordinates)
        row.bind(12, record.payload)
        try row.run()
    }

    /// Forgets events whose last day is over; how many.
    func purge(at milliseconds: Int64, limit: Int) throws(StoreError) -> Int {
        self.purge.bind(1, InboxRecord.day(of: milliseconds))
        self.purge.bind(2, limit)
        try self.purge.run()
        return self.connection.changes
    }
}
