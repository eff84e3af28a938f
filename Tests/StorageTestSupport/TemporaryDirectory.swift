internal import Foundation

/// A directory that goes with the object.
public final class TemporaryDirectory: Sendable {
    /// Its path.
    public let path: String

    /// Creates a directory, in memory where the system offers that: tests need no disk that survives them, and syncing
    /// one takes most of their time.
    public init() {
        let memory = URL(fileURLWithPath: "/dev/shm", isDirectory: true)
        let hasMemory = FileManager.default.isWritableFile(atPath: memory.path)
        let parent = hasMemory ? memory : FileManager.default.temporaryDirectory
        let url = parent.appendingPathComponent("junction-test-\(UUID().uuidString)", isDirectory: true)
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
