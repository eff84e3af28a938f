import Foundation

/// Where the third-party suites are: a folder beside the package.
enum Suites {
    /// The path of a file or folder of a suite.
    static func path(_ relative: String) -> String {
        root.appending(path: relative).path(percentEncoded: false)
    }

    private static let root: URL = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return package.deletingLastPathComponent().appending(path: "shared/conformance", directoryHint: .isDirectory)
    }()
}
