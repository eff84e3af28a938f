internal import ConnectorKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A system call that failed.
struct FileFailure: Error {
    var call: String
    var path: String
    var number: Int32

    /// The failure of `call`, with the number of the calling thread's last error.
    static func last(_ call: String, _ path: String) -> FileFailure {
        FileFailure(call: call, path: path, number: errno)
    }

    /// What a call on a path that does not exist would say.
    static func missing(_ path: String) -> FileFailure { FileFailure(call: "stat", path: path, number: ENOENT) }

    /// What a call on a path that must not exist would say.
    static func taken(_ path: String) -> FileFailure { FileFailure(call: "rename", path: path, number: EEXIST) }
}

/// Errors of this connector, in the taxonomy.
enum FileErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let system = "CON-2001"
        static let outside = "CON-2002"
        static let notFound = "CON-2003"
        static let exists = "CON-2004"
        static let notAFile = "CON-2005"
        static let tooLarge = "CON-2006"
        static let content = "CON-2007"
        static let readOnly = "CON-2008"
        static let replay = "CON-2009"
    }

    static func system(_ failure: FileFailure) -> ConnectorError {
        let words = String(cString: strerror(failure.number))
        let place = failure.path.isEmpty ? "" : " on \(failure.path)"
        let message = "\(failure.call)\(place) failed: \(words)."
        switch failure.number {
        case ENOENT:
            return ConnectorError(
                .notFound, code: Code.notFound, "There is no \(failure.path).",
                remedy: "Check the path; it is relative to the connection's root.")
        case ENOTDIR, ELOOP:
            return Self.notAFile(failure.path, "leads through something that is no directory, or a symbolic link")
        case EEXIST:
            return ConnectorError(
                .conflict, code: Code.exists, "\(failure.path) exists already.",
                remedy: "Use another name, or allow overwriting.")
        case EACCES, EPERM, EROFS:
            return ConnectorError(
                .permission, code: Code.system, message, remedy: "Give this process the right to it.")
        case ENOSPC, EDQUOT:
            return ConnectorError(
                .quotaExhausted, code: Code.system, message, remedy: "Free space on the disk.", isRetryable: true)
        case EINTR, EAGAIN, EMFILE, ENFILE, ENOMEM, EIO, EBUSY, ESTALE:
            return ConnectorError(
                .transient, code: Code.system, message, remedy: "Usually passes; check limits and disk if not.")
        default:
            return ConnectorError(.unknown, code: Code.system, message, remedy: "Check the path and the disk.")
        }
    }

    static func outside(_ path: String) -> ConnectorError {
        ConnectorError(
            .permission, code: Code.outside, "\"\(path.prefix(200))\" is not a path below the connection's root.",
            remedy: "Write a relative path without . and .. between slashes.")
    }

    static func notAFile(_ path: String, _ what: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.notAFile, "\(path) \(what).",
            remedy: "Only regular files are read and written; links are never followed.")
    }

    static func tooLarge(_ path: String, _ size: Int, _ maximum: Int) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.tooLarge, "\(path) has \(size) bytes; at most \(maximum) are allowed.",
            remedy: "Raise maxFileBytes, or split the file.")
    }
}
