import Foundation
import Values

/// Reads files, with errors that say what to do.
enum FileText {
    /// The bytes of a file; `-` is standard input.
    static func bytes(_ path: String) throws(CommandFailure) -> [UInt8] {
        if path == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw CommandFailure(
                .unreadableFile, "Cannot read \(path): \((error as NSError).localizedDescription)",
                remedy: "Check the name and that the file may be read.")
        }
    }

    /// Replaces a file in one step: readers see the old content or the new.
    static func replace(_ path: String, with bytes: [UInt8]) throws(CommandFailure) {
        do {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url, options: .atomic)
        } catch {
            throw CommandFailure(
                .unwritableFile, "Cannot write \(path): \((error as NSError).localizedDescription)",
                remedy: "Check that the folder may be written and the disk has room.")
        }
    }
}
