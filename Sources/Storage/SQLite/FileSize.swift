internal import Glibc

/// The bytes a SQLite database takes on disk with its log and index.
func databaseBytes(_ path: String) -> Int64 {
    ["", "-wal", "-shm"].reduce(0) { total, suffix in
        var status = stat()
        return stat(path + suffix, &status) == 0 ? total + Int64(status.st_size) : total
    }
}
