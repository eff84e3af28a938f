import Glibc
import Storage
import Synchronization

/// Places between "done" and "recorded" at which the kill tests end the process, as a power failure would.
///
/// The environment variable `JUNCTION_CRASH_POINT` names one, with how often it is passed before: `after-commit:3`.
/// Without it, a point costs one comparison with nil.
enum CrashPoint: String, CaseIterable, Sendable {
    /// A group is complete but not written.
    case beforeCommit = "before-commit"
    /// A group is durable, nothing of it is released.
    case afterCommit = "after-commit"
    /// Everything a group caused is released.
    case afterRelease = "after-release"
    /// A group with a checkpoint is durable, and nobody knows yet.
    case duringCheckpoint = "during-checkpoint"
    /// Rows are complete but not written.
    case beforeProjection = "before-projection"
    /// Rows are written, and nobody knows yet.
    case afterProjection = "after-projection"
    /// Batches were dropped from the journal.
    case afterTrim = "after-trim"

    static let variable = "JUNCTION_CRASH_POINT"

    /// A point with how often it may still be passed.
    final class Armed: Sendable {
        let point: CrashPoint
        private let passes: Atomic<Int>

        init(_ point: CrashPoint, passes: Int) {
            self.point = point
            self.passes = Atomic(passes)
        }

        /// Whether this pass is the one that ends the process.
        func isDue() -> Bool { passes.wrappingSubtract(1, ordering: .relaxed).newValue == 0 }
    }

    private static let armed: Armed? = try? parse(getenv(variable).map { String(cString: $0) })

    /// Ends the process when this point is armed and due.
    func pass() {
        guard let armed = Self.armed, armed.point == self, armed.isDue() else { return }
        kill(getpid(), SIGKILL)
    }

    /// Reads the variable; nil when it is not set.
    ///
    /// - Throws: `StoreError.misuse` when it names no point: a test that kills nothing must not look like one that passed.
    static func parse(_ text: String?) throws(StoreError) -> Armed? {
        guard let text, !text.isEmpty else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let point = parts.first.flatMap({ CrashPoint(rawValue: String($0)) }),
            let passes = parts.count == 2 ? Int(parts[1]) : 1, passes > 0
        else {
            throw StoreError(
                .misuse, "Expected \(variable) to name a crash point and a number, but got \"\(text)\".",
                remedy: "Unset it, or use one of \(allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return Armed(point, passes: passes)
    }

    /// Refuses to start with a variable that names no point.
    static func check() throws(StoreError) {
        _ = try parse(getenv(variable).map { String(cString: $0) })
    }
}
