import Storage
import Synchronization
import Values

/// What the calls of jobs that are replayed are to be sent instead, by job.
///
/// Safe from any thread. The letters say the same, so that it can be read again after a restart.
final class JobRedrives: Sendable {
    /// How a replayed call differs.
    struct Redrive: Sendable, Hashable {
        /// The dead letter that is replayed.
        var letter: Key
        /// The corrected input; nil for the job's own.
        var input: [UInt8]?
        /// Appended to the idempotency key; nil keeps it.
        var suffix: String?

        /// What a letter that is being replayed says.
        init(_ letter: DeadLetterRecord, _ report: DeadLetterReport) {
            self.letter = Key(rawValue: letter.key)
            self.input = letter.originalPayload == nil ? nil : letter.payload
            self.suffix = report.keySuffix(of: self.letter)
        }

        /// A replay with this input, nil for the job's own, and this suffix of its key.
        init(letter: Key, input: [UInt8]?, suffix: String?) {
            self.letter = letter
            self.input = input
            self.suffix = suffix
        }
    }

    private let state = Mutex<(redrives: [Key: Redrive], isLoaded: Bool)>(([:], false))

    /// Whether the letters of earlier runs were read.
    var isLoaded: Bool { self.state.withLock { $0.isLoaded } }

    subscript(job: Key) -> Redrive? {
        self.state.withLock { $0.redrives[job] }
    }

    func set(_ redrive: Redrive, for job: Key) {
        self.state.withLock { $0.redrives[job] = redrive }
    }

    func remove(_ job: Key) {
        _ = self.state.withLock { $0.redrives.removeValue(forKey: job) }
    }

    /// Takes what earlier runs of the hub left; what this one knows already is newer.
    func load(_ redrives: [(job: Key, redrive: Redrive)]) {
        self.state.withLock { state in
            guard !state.isLoaded else { return }
            for (job, redrive) in redrives where state.redrives[job] == nil { state.redrives[job] = redrive }
            state.isLoaded = true
        }
    }
}
