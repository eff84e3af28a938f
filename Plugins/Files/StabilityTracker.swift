/// Decides when a file that appeared is complete.
///
/// Pure.
///
/// A candidate is complete when size, time and inode were the same at `checks` looks over at least `quietFor`, looks
/// being `lookInterval` apart.
struct StabilityTracker: Sendable {
    private struct Candidate: Sendable {
        var entry: RootDirectory.Entry
        var since: Duration
        var lastLook: Duration
        var looks: Int
    }

    private let quietFor: Duration
    private let checks: Int
    private let lookInterval: Duration
    private var candidates: [String: Candidate] = [:]

    init(_ settings: FileSourceSettings) {
        self.quietFor = settings.quietFor
        self.checks = settings.checks
        self.lookInterval = settings.lookInterval
    }

    /// Candidates that are not complete yet.
    var count: Int { self.candidates.count }

    /// When the next look is due; `nil` without candidates.
    var nextLook: Duration? {
        self.candidates.values.map { $0.lastLook + self.lookInterval }.min()
    }

    /// Takes a look at everything there is.
    ///
    /// Returns the complete ones, the longest unchanged on disk first, and forgets them and those that are gone.
    mutating func look(_ entries: [RootDirectory.Entry], at now: Duration, isMarked: (String) -> Bool)
        -> [RootDirectory.Entry]
    {
        var complete: [RootDirectory.Entry] = []
        var next: [String: Candidate] = [:]
        next.reserveCapacity(entries.count)
        for entry in entries {
            var candidate =
                self.candidates[entry.name] ?? Candidate(entry: entry, since: now, lastLook: now, looks: 0)
            if candidate.entry != entry {
                candidate = Candidate(entry: entry, since: now, lastLook: now, looks: 0)
            }
            if candidate.looks == 0 || now >= candidate.lastLook + self.lookInterval {
                candidate.looks += 1
                candidate.lastLook = now
            }
            let isQuiet = candidate.looks >= self.checks && now - candidate.since >= self.quietFor
            if isQuiet || entry.kind != .file || isMarked(entry.name) {
                complete.append(entry)
            } else {
                next[entry.name] = candidate
            }
        }
        self.candidates = next
        return complete.sorted { ($0.modifiedNanoseconds, $0.name) < ($1.modifiedNanoseconds, $1.name) }
    }
}
