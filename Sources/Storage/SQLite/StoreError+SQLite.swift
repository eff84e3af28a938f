internal import CSQLite

extension StoreError {
    /// Translates a SQLite result code; `detail` is SQLite's own message, `action` what was being done.
    package init(sqlite code: Int32, detail: String, path: String, doing action: String) {
        let what = "\(action) in \(path): \(detail) (SQLite result \(code))"
        // The low byte is the primary code, the rest refines it.
        switch code & 0xFF {
        case SQLITE_FULL:
            self.init(
                .full, "The disk or quota is full: \(what)",
                remedy: "Free space on the volume of the data directory; the store then continues by itself.")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self.init(
                .corrupt, "The database file is damaged: \(what)",
                remedy: "Stop the server, keep a copy of the directory, and restore the newest backup; "
                    + "`junction doctor` lists what is still readable.")
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH:
            self.init(
                .io, "The file cannot be opened or written: \(what)",
                remedy: "Check that the data directory exists, is on a writable volume, and belongs to this user.")
        case SQLITE_IOERR:
            self.init(
                .io, "Reading or writing failed: \(what)",
                remedy: "Check the volume and the kernel log for disk errors; restart the server afterwards.")
        case SQLITE_BUSY, SQLITE_LOCKED:
            self.init(
                .io, "The file stayed locked for 10 s: \(what)",
                remedy: "Find the process that holds the database open, such as a backup tool, and let it finish.")
        case SQLITE_MISUSE, SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_RANGE, SQLITE_MISMATCH, SQLITE_TOOBIG:
            self.init(
                .misuse, "The store was used wrongly: \(what)", remedy: "This is a defect of Junction; report it.")
        default:
            self.init(
                .io, "The database failed: \(what)",
                remedy: "Restart the server; if it stays, report it with this line.")
        }
    }

    /// The store was closed.
    static func closed(_ path: String) -> StoreError {
        StoreError(.closed, "The store \(path) is closed.", remedy: "Open it again before using it.")
    }
}
