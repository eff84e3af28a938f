import Foundation

/// The files of this repository.
enum Repository {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The specifications that come with the program.
    static func specifications() throws -> [URL] {
        let folder = Self.root.appending(path: "connector-specs")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }.sorted().map { folder.appending(path: $0) }
    }
}
