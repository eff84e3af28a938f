import Foundation

/// Reads the small files a configuration consists of.
public enum DiskFile {
    /// The text of a file; nil when it cannot be read, with the reason in `log`.
    public static func text(_ path: String, log: DiagnosticLog) -> String? {
        guard let bytes = Self.bytes(path, maximum: YAMLDocument.bytesMax) else {
            log.error(
                .unreadable, "The file cannot be read, or has more than \(YAMLDocument.bytesMax) bytes.",
                remedy: "Check its path and permissions.")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            log.error(.unreadable, "The file is not UTF-8 text.", remedy: "Save it as UTF-8.")
            return nil
        }
        return text
    }

    /// The content of a file of at most `maximum` bytes.
    public static func bytes(_ path: String, maximum: Int) -> [UInt8]? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: maximum + 1) else {
            // An empty file reads as nothing.
            return FileManager.default.fileExists(atPath: path) ? [] : nil
        }
        return data.count <= maximum ? [UInt8](data) : nil
    }

    /// `path`, relative to the folder of `file` unless it is absolute.
    public static func sibling(_ path: String, of file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// The variable of the process's environment.
    public static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
