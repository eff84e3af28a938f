internal import Glibc

/// The bytes a SQLite database takes on disk with its log and index.
func databaseBytes(_ path: String) -> Int64 {
    ["", "-wal", "-shm"].reduce(0) { total, suffix in
        var status = stat()
        return stat(path + suffix, &status) == 0 ? total + Int64(status.st_size) : total
    }
}

/// Makes a file or directory durable: its contents, or which files it has.
///
/// Never for a database file: closing the descriptor would drop the locks SQLite has on it.
func makeDurable(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { if descriptor >= 0 { Glibc.close(descriptor) } }
    guard descriptor >= 0, fsync(descriptor) == 0 else {
        throw StoreError(
            .io, "Cannot sync \(path): \(String(cString: strerror(errno))).",
            remedy: "Check the volume and the kernel log for disk errors.")
    }
}
