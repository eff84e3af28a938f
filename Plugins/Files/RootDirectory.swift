internal import ConnectorKit
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A directory tree that is never left.
///
/// Every path is walked from an open handle of the root, one component at a time, without following symbolic links and
/// without `..`: what a path means cannot change between a check and its use.
///
/// Owns its handle. `@unchecked Sendable`: immutable, and the calls it makes are safe from any thread.
final class RootDirectory: @unchecked Sendable {
    /// The root's own path, for messages and for absolute paths below it.
    let path: String
    private let handle: Int32

    /// What is known about a directory entry.
    struct Entry: Sendable, Hashable {
        enum Kind: String, Sendable {
            case file, directory, link, special
        }
        var name: String
        var kind: Kind
        var size: Int
        /// Time of the last change of the content, in nanoseconds since 1970.
        var modifiedNanoseconds: Int64
        var inode: UInt64
    }

    init(_ path: String) throws {
        let handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw FileErrors.system(.last("open", path)) }
        self.path = path
        self.handle = handle
    }

    deinit { close(self.handle) }

    /// The components of `path`, which must be relative, or absolute and below the root.
    ///
    /// Empty: the root itself.
    func components(_ path: String) throws -> [String] {
        var rest = path[...]
        if path.hasPrefix("/") {
            let root = self.path.hasSuffix("/") ? self.path : self.path + "/"
            if path + "/" == root { return [] }
            guard path.hasPrefix(root) else { throw FileErrors.outside(path) }
            rest = path.dropFirst(root.count)
        }
        let parts = rest.split(separator: "/").map(String.init)
        guard !parts.contains("."), !parts.contains(".."), !path.utf8.contains(0) else {
            throw FileErrors.outside(path)
        }
        return parts
    }

    /// Opens the directory at `path` and gives it to `body`.
    func withDirectory<Result>(_ path: String, create: Bool = false, _ body: (Int32) throws -> Result) throws -> Result
    {
        try self.withDirectory(components: try self.components(path)[...], create: create, body)
    }

    /// Opens the directory that holds the last component of `path` and gives both to `body`.
    func withParent<Result>(
        of path: String, create: Bool = false, _ body: (Int32, String) throws -> Result
    ) throws -> Result {
        let parts = try self.components(path)
        guard let name = parts.last else { throw FileErrors.outside(path) }
        return try self.withDirectory(components: parts.dropLast(), create: create) { try body($0, name) }
    }

    private func withDirectory<Result>(
        components: ArraySlice<String>, create: Bool, _ body: (Int32) throws -> Result
    ) throws -> Result {
        var current = self.handle
        defer { if current != self.handle { close(current) } }
        var walked = ""
        for component in components {
            walked += walked.isEmpty ? component : "/" + component
            if create, mkdirat(current, component, 0o770) != 0, errno != EEXIST {
                throw FileErrors.system(.last("mkdir", walked))
            }
            let next = openat(current, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else { throw FileErrors.system(.last("open", walked)) }
            if current != self.handle { close(current) }
            current = next
        }
        return try body(current)
    }

    // MARK: - Entries

    /// What `name` in `directory` is; `nil` when it is gone.
    ///
    /// Never follows a link.
    static func entry(_ directory: Int32, _ name: String) throws -> Entry? {
        var status = stat()
        guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw FileErrors.system(.last("stat", name))
        }
        return Entry(name, status)
    }

    /// The entries of an open directory, in no order, without `.` and `..`.
    ///
    /// Names that are not UTF-8 are left out.
    static func entries(_ directory: Int32) throws -> [Entry] {
        // A handle of its own: fdopendir takes it over, and reading moves its position.
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw FileErrors.system(.last("open", ".")) }
        guard let stream = fdopendir(copy) else {
            let failure = FileFailure.last("opendir", ".")
            close(copy)
            throw FileErrors.system(failure)
        }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while let next = readdir(stream) {
            let name = withUnsafeBytes(of: &next.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name, name != ".", name != ".." else { continue }
            if let entry = try Self.entry(directory, name) { entries.append(entry) }
        }
        return entries
    }

    // MARK: - Contents

    /// Reads a regular file of at most `maximum` bytes.
    ///
    /// Returns its content and what it was when it was read to the end.
    static func read(_ directory: Int32, _ name: String, maximum: Int) throws -> (bytes: [UInt8], entry: Entry) {
        let file = try FileHandleReader(directory, name)
        guard file.entry.size <= maximum else { throw FileErrors.tooLarge(name, file.entry.size, maximum) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(file.entry.size + 1)
        try file.forEachChunk { chunk in
            bytes += chunk
            guard bytes.count <= maximum else { throw FileErrors.tooLarge(name, bytes.count, maximum) }
        }
        return (bytes, try file.entryNow())
    }

    /// Writes a file so that others see the old content or the new, whole; durable when it returns.
    ///
    /// Without `replacing`, an existing file is left alone and `conflict` thrown.
    static func write(_ directory: Int32, _ name: String, _ bytes: [UInt8], replacing: Bool, token: String) throws {
        try Self.write(directory, name, replacing: replacing, token: token) { append in try append(bytes) }
    }

    /// Writes a file like `write`, with the pieces `body` appends; when it throws nothing of them stays.
    static func write(
        _ directory: Int32, _ name: String, replacing: Bool, token: String,
        _ body: (_ append: ([UInt8]) throws -> Void) throws -> Void
    ) throws {
        let temporary = ".\(token).tmp"
        let file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o660)
        guard file >= 0 else { throw FileErrors.system(.last("create", name)) }
        do {
            defer { close(file) }
            try body { bytes in
                var written = 0
                while written < bytes.count {
                    let count = bytes.withUnsafeBytes {
                        Glibc.write(file, $0.baseAddress?.advanced(by: written), bytes.count - written)
                    }
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw FileErrors.system(.last("write", name)) }
                    written += count
                }
            }
            guard fsync(file) == 0 else { throw FileErrors.system(.last("fsync", name)) }
        } catch {
            unlinkat(directory, temporary, 0)
            throw error
        }
        let code: Int32
        if replacing {
            code = renameat(directory, temporary, directory, name)
        } else {
            // A link is refused when the name is taken; a rename would not be.
            code = linkat(directory, temporary, directory, name, 0)
        }
        let failure = FileFailure.last(replacing ? "rename" : "link", name)
        if !replacing || code != 0 { unlinkat(directory, temporary, 0) }
        guard code == 0 else { throw FileErrors.system(failure) }
        try Self.sync(directory)
    }

    /// Removes an entry that is no directory.
    ///
    /// That it is gone already, or cannot be removed, is left to the next look.
    static func remove(_ directory: Int32, _ name: String) {
        unlinkat(directory, name, 0)
    }

    /// Removes an entry that is no directory; that it is gone already is fine.
    static func delete(_ directory: Int32, _ name: String) throws {
        guard unlinkat(directory, name, 0) == 0 || errno == ENOENT else {
            throw FileErrors.system(.last("unlink", name))
        }
    }

    /// Moves an entry, links and specials too, within one file system.
    ///
    /// Durable once both directories are synced.
    static func move(_ from: Int32, _ name: String, to: Int32, as newName: String) throws {
        guard renameat(from, name, to, newName) == 0 else { throw FileErrors.system(.last("rename", name)) }
    }

    /// Makes changes to the entries of an open directory durable.
    static func sync(_ directory: Int32) throws {
        guard fsync(directory) == 0 else { throw FileErrors.system(.last("fsync", ".")) }
    }
}

extension RootDirectory.Entry {
    /// The time of the last change, in UTC; null for times no calendar holds.
    var modified: Value {
        DateTime(epochMilliseconds: self.modifiedNanoseconds / 1_000_000, offsetSeconds: 0).map { .dateTime($0) }
            ?? .null
    }

    init(_ name: String, _ status: stat) {
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            default: .special
            }
        self.init(
            name: name, kind: kind, size: Int(status.st_size),
            modifiedNanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            inode: UInt64(status.st_ino))
    }
}
