internal import CSQLite
internal import Glibc

/// Copies an embedded store while it is in use.
public enum StoreBackup {
    /// Copies the files of a data directory into another directory, which is created; a server started there continues
    /// from the moment the backup began.
    ///
    /// Meanwhile the write-ahead logs of the store grow, because the copied moment has to stay readable.
    /// - Throws: `.misuse` when the target already holds a store, `.full`, `.io`.
    public static func copy(
        directory: String, to target: String, options: SQLiteOptions = SQLiteOptions()
    ) throws(StoreError) {
        let lock = try DirectoryLock(directory: target)
        defer { withExtendedLifetime(lock) {} }
        // First: the copied journal then has everything that came before the copied positions, and what comes again is
        // known by its key.
        try Self.copyIfThere("/sources.db", from: directory, to: target, options)
        let (records, journal) = try Self.openSameMoment(directory: directory, options: options)
        try Self.copy(records, to: target + "/records.db")
        try Self.copy(journal, to: target + "/journal.db")
        // Afterwards: a call the copied journal still has to make is known here if it was made meanwhile.
        try Self.copyIfThere("/idempotency.db", from: directory, to: target, options)
    }

    private static func copyIfThere(
        _ file: String, from directory: String, to target: String, _ options: SQLiteOptions
    ) throws(StoreError) {
        guard access(directory + file, F_OK) == 0 else { return }
        try Self.copy(try SQLiteConnection.reader(path: directory + file, options: options), to: target + file)
    }

    /// Connections with a snapshot each, such that the journal has everything the records miss.
    private static func openSameMoment(
        directory: String, options: SQLiteOptions
    ) throws(StoreError) -> (records: SQLiteConnection, journal: SQLiteConnection) {
        for _ in 0..<10 {
            let records = try SQLiteConnection.reader(path: directory + "/records.db", options: options)
            let journal = try SQLiteConnection.reader(path: directory + "/journal.db", options: options)
            try records.execute("BEGIN")
            let positions = try StoreDoctor.positions(records)
            try journal.execute("BEGIN")
            let heads = try JournalLookup(journal).heads()
            // Between the two snapshots a trim may have dropped what these records have not seen.
            if heads.enumerated().allSatisfy({ $1.base <= positions[$0] ?? 0 }) { return (records, journal) }
        }
        throw StoreError(
            .io, "The journal of \(directory) was trimmed ten times while a backup began.", remedy: "Try again.")
    }

    private static func copy(_ source: SQLiteConnection, to path: String) throws(StoreError) {
        let target = try SQLiteConnection(path: path, access: .readWrite)
        guard try target.integer("SELECT count(*) FROM sqlite_schema") == 0 else {
            throw StoreError(
                .misuse, "\(path) exists already.", remedy: "Back up into a new directory.")
        }
        guard let backup = sqlite3_backup_init(target.handle, "main", source.handle, "main") else {
            throw target.failure(sqlite3_extended_errcode(target.handle), doing: "backing up")
        }
        let code = sqlite3_backup_step(backup, -1)
        let finished = sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE, finished == SQLITE_OK else {
            throw target.failure(code == SQLITE_DONE ? finished : code, doing: "backing up \(source.path)")
        }
    }
}
