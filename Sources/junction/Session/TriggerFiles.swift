import Foundation
import Hub
import HubDocuments
import Logging
import Values

/// The trigger files of a project that is served: what changes in them is taken over while it runs.
struct TriggerFiles: Sendable {
    /// What tells a changed file from an unchanged one.
    private struct Stamp: Hashable {
        var modified: Date?
        var bytes: Int?
    }

    let paths: [String]
    let hub: HubService
    let logger: Logger

    private static let interval = Duration.seconds(1)

    /// Looks at the files every second until the task is cancelled.
    ///
    /// A change is taken over as a whole or not at all: while one file has an error, all triggers stay as they are.
    func watch() async {
        guard !self.paths.isEmpty else { return }
        var taken = self.stamps()
        while !Task.isCancelled {
            do { try await Task.sleep(for: Self.interval) } catch { return }
            let found = self.stamps()
            guard found != taken else { continue }
            taken = found
            self.reload()
        }
    }

    private func stamps() -> [Stamp] {
        self.paths.map { path in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return Stamp(
                modified: attributes?[.modificationDate] as? Date, bytes: (attributes?[.size] as? NSNumber)?.intValue)
        }
    }

    private func reload() {
        let (triggers, diagnostics) = self.hub.configuration.reloading(
            triggers: self.paths, registry: self.hub.registry)
        let errors = diagnostics.filter { $0.severity == .error }
        guard errors.isEmpty else {
            self.logger.warning(
                "The changed trigger files have errors; the triggers stay as they are",
                metadata: ["errors": "\(errors.map(\.description).joined(separator: "; "))"])
            return
        }
        _ = self.hub.reload(triggers: triggers)
    }
}
