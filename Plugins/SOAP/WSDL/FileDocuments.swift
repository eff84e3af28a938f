internal import ConnectorKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Documents in a folder; nothing outside of it is read.
struct FileDocuments: DocumentSource {
    /// The folder, without links.
    private let folder: String

    /// The folder of a description, and its location in it.
    ///
    /// - Throws: `ConnectorError` when there is no such file.
    static func open(_ path: String) throws(ConnectorError) -> (source: FileDocuments, location: String) {
        guard let real = Self.realPath(path) else {
            throw SOAPErrors.unreadable(path, String(cString: strerror(errno)))
        }
        guard let slash = real.lastIndex(of: "/") else { throw SOAPErrors.unreadable(path, "it is no path of a file") }
        return (FileDocuments(folder: String(real[...slash])), real)
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    func location(of reference: String, from base: String) -> String? {
        guard !reference.contains(":"), !reference.hasPrefix("/"), !reference.isEmpty,
            let slash = base.lastIndex(of: "/")
        else { return nil }
        var segments = base[..<slash].split(separator: "/").map(String.init)
        for segment in reference.split(separator: "/") {
            switch segment {
            case ".": continue
            case "..": if segments.popLast() == nil { return nil }
            default: segments.append(String(segment))
            }
        }
        let path = "/" + segments.joined(separator: "/")
        return path.hasPrefix(self.folder) ? path : nil
    }

    /// The document.
    func read(_ location: String, bytesMax: Int) throws(ConnectorError) -> [UInt8] {
        guard let real = Self.realPath(location) else {
            throw SOAPErrors.unreadable(location, String(cString: strerror(errno)))
        }
        guard real.hasPrefix(self.folder) else {
            throw SOAPErrors.unreadable(location, "it is a link that leads out of the description's folder")
        }
        return try contents(of: real, location, bytesMax: bytesMax)
    }
}

/// The bytes of a regular file.
///
/// Reading one of bounded size does not wait for anybody; a pipe or a device might.
private func contents(of path: String, _ location: String, bytesMax: Int) throws(ConnectorError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw SOAPErrors.unreadable(location, String(cString: strerror(errno))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw SOAPErrors.unreadable(location, "it is no regular file")
    }
    guard status.st_size <= bytesMax else {
        throw SOAPErrors.unreadable(location, "it has more than \(bytesMax) bytes")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var count = 0
    while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes { buffer in
            read(file, buffer.baseAddress?.advanced(by: count), buffer.count - count)
        }
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { break }
        count += got
    }
    guard count == bytes.count else { throw SOAPErrors.unreadable(location, "it changed while it was read") }
    return bytes
}
