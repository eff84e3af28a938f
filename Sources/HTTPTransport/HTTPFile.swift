internal import Crypto
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Why a file cannot be used; the number is an `errno`.
public struct HTTPFileError: Error, Sendable, Hashable {
    /// The name of the file.
    public var name: String
    /// What was tried.
    public var action: String
    /// Why it failed.
    public var number: Int32

    /// The system's words for the number.
    public var reason: String { String(cString: strerror(self.number)) }
}

/// An open regular file, to be sent.
///
/// It is as long as when it was opened; when it shrinks before it is sent, the request fails.
public final class HTTPFile: Sendable {
    /// Its name, for messages.
    public let name: String
    /// Its length in bytes.
    public let count: Int64
    let descriptor: Int32

    init(name: String, descriptor: Int32) throws(HTTPFileError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw HTTPFileError(name: name, action: "look at", number: number)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw HTTPFileError(name: name, action: "send", number: EINVAL)
        }
        self.name = name
        self.descriptor = descriptor
        self.count = Int64(status.st_size)
    }

    deinit { close(self.descriptor) }

    /// Gives all of it to `body`, piece by piece.
    func read(_ body: (UnsafeRawBufferPointer) -> Void) throws(HTTPFileError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1_024, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while offset < self.count {
            let count = pread(self.descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            guard count > 0 else {
                throw HTTPFileError(name: self.name, action: "read", number: count == 0 ? EIO : errno)
            }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
    }
}

/// The one directory a connection reads files from that it sends, and writes bodies to that it receives.
///
/// Names are those of files right in it. Nothing outside is ever reached: no path, no symbolic link.
public final class BlobDirectory: Sendable {
    private let descriptor: Int32

    /// Opens it.
    public init(path: String) throws(HTTPFileError) {
        self.descriptor = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw HTTPFileError(name: path, action: "open", number: errno) }
    }

    deinit { close(self.descriptor) }

    /// Whether `name` can be that of a file in the directory: no path, not hidden, at most 200 bytes.
    public static func isName(_ name: String) -> Bool {
        (1...200).contains(name.utf8.count) && !name.hasPrefix(".")
            && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 < 0x20 || $0 == 0x7F }
    }

    /// Opens a file to be sent.
    public func open(_ name: String) throws(HTTPFileError) -> HTTPFile {
        guard Self.isName(name) else { throw HTTPFileError(name: name, action: "open", number: EINVAL) }
        let file = openat(self.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw HTTPFileError(name: name, action: "open", number: errno) }
        return try HTTPFile(name: name, descriptor: file)
    }

    /// Opens a file to be sent, on a thread that may wait for the disk.
    public func opened(_ name: String) async throws(HTTPFileError) -> HTTPFile {
        try await Blocking.run { () throws(HTTPFileError) -> HTTPFile in try self.open(name) }
    }

    /// Starts a file as `create` does, on a thread that may wait for the disk.
    public func created(_ name: String) async throws(HTTPFileError) -> BlobFile {
        try await Blocking.run { () throws(HTTPFileError) -> BlobFile in try self.create(name) }
    }

    /// Starts a file that appears under `name`, in place of an earlier one, when it is complete.
    public func create(_ name: String) throws(HTTPFileError) -> BlobFile {
        guard Self.isName(name) else { throw HTTPFileError(name: name, action: "create", number: EINVAL) }
        let directory = fcntl(self.descriptor, F_DUPFD_CLOEXEC, 0)
        guard directory >= 0 else { throw HTTPFileError(name: name, action: "create", number: errno) }
        let draft = ".\(name).\(String(UInt64.random(in: 0 ... .max), radix: 36)).part"
        let file = openat(directory, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard file >= 0 else {
            let number = errno
            close(directory)
            throw HTTPFileError(name: name, action: "create", number: number)
        }
        return BlobFile(name: name, draft: draft, file: file, directory: directory)
    }
}

/// A file that is being written, under a name nobody sees before it is complete.
public final class BlobFile: HTTPBodySink {
    /// What became of it.
    public struct Written: Sendable, Hashable {
        /// Its name in the directory.
        public var name: String
        /// Its length in bytes.
        public var bytes: Int64
        /// Its SHA-256, in hexadecimal.
        public var sha256: String
    }

    private struct State {
        var hash = SHA256()
        var bytes: Int64 = 0
        var error: Int32 = 0
        var isFinished = false
    }

    private let name: String
    private let draft: String
    private let file: Int32
    private let directory: Int32
    private let state = Mutex(State())

    fileprivate init(name: String, draft: String, file: Int32, directory: Int32) {
        self.name = name
        self.draft = draft
        self.file = file
        self.directory = directory
    }

    /// Removes it unless it was finished.
    deinit {
        self.discard()
        close(self.file)
        close(self.directory)
    }

    /// Adds bytes; false when the disk takes no more.
    public func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        self.state.withLock { state in
            var rest = bytes
            while !rest.isEmpty {
                #if canImport(Glibc)
                    let count = Glibc.write(self.file, rest.baseAddress, rest.count)
                #elseif canImport(Musl)
                    let count = Musl.write(self.file, rest.baseAddress, rest.count)
                #else
                    let count = Darwin.write(self.file, rest.baseAddress, rest.count)
                #endif
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    state.error = errno
                    return false
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            state.hash.update(bufferPointer: bytes)
            state.bytes += Int64(bytes.count)
            return true
        }
    }

    /// Why `write` took no more; `nil` if it did not refuse.
    public var refusal: HTTPFileError? {
        let number = self.state.withLock { $0.error }
        return number == 0 ? nil : HTTPFileError(name: self.name, action: "write", number: number)
    }

    /// Removes what was written, unless it was finished; what is written from now on goes nowhere.
    public func discard() {
        if !self.state.withLock({ $0.isFinished }) { unlinkat(self.directory, self.draft, 0) }
    }

    /// Makes it durable and gives it its name.
    ///
    /// Waits for the disk, on a thread of its own.
    public func finish() async throws(HTTPFileError) -> Written {
        try await Blocking.run { [self] () throws(HTTPFileError) -> Written in
            guard fsync(self.file) == 0, renameat(self.directory, self.draft, self.directory, self.name) == 0 else {
                throw HTTPFileError(name: self.name, action: "write", number: errno)
            }
            _ = fsync(self.directory)
            return self.state.withLock { state in
                state.isFinished = true
                return Written(name: self.name, bytes: state.bytes, sha256: Hex.encode(state.hash.finalize()))
            }
        }
    }
}

/// Reads files of a few kilobytes, such as certificates.
enum SmallFile {
    private static let bytesMaximum = 1 << 20

    static func read(_ path: String) throws(HTTPFileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw HTTPFileError(name: path, action: "open", number: errno) }
        let file = try HTTPFile(name: path, descriptor: descriptor)
        guard file.count <= Self.bytesMaximum else { throw HTTPFileError(name: path, action: "read", number: EFBIG) }
        var bytes: [UInt8] = []
        try file.read { bytes += $0 }
        return bytes
    }
}

/// Runs calls that wait for the disk, so that no thread of Swift's tasks does.
enum Blocking {
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func run<Result: Sendable>(
        _ body: @escaping @Sendable () throws(HTTPFileError) -> Result
    ) async throws(HTTPFileError) -> Result {
        let result: Swift.Result<Result, HTTPFileError> = await withCheckedContinuation { continuation in
            let work = Work { continuation.resume(returning: Swift.Result(catching: body)) }
            let box = Unmanaged.passRetained(work)
            var thread = pthread_t()
            if pthread_create(&thread, nil, Self.main, box.toOpaque()) == 0 {
                pthread_detach(thread)
            } else {
                // No thread to be had: waiting here is still better than not doing it.
                box.takeRetainedValue().body()
            }
        }
        return try result.get()
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
    }
}
