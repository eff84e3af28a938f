import Foundation

/// A folder with files that goes away with its owner.
final class Folder {
    let path: String

    init(_ files: [String: String]) throws {
        self.path = FileManager.default.temporaryDirectory.appending(path: "hub-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.path + "/sub", withIntermediateDirectories: true)
        for (name, content) in files {
            try Data(content.utf8).write(to: URL(filePath: self.path + "/" + name))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }
}
