internal import Foundation

/// A directory that goes with the object.
public final class TemporaryDirectory: Sendable {
    /// Its path.
    public let path: String

    /// Creates a directory below the system's directory for temporary files.
    public init() {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("junction-test-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            fatalError("Cannot create \(url.path): \(error)")
        }
        self.path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }
}
