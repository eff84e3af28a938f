import Values

/// What became of the cases of one suite.
struct SuiteReport: Sendable {
    /// A case that did not pass, and why.
    struct Failure: Sendable {
        let name: String
        let reason: String
    }

    /// One group of cases, for the table of `docs/conformance.md`.
    struct Group: Sendable {
        let name: String
        var passed = 0
        var failed = 0
        var skipped = 0
    }

    /// The outcome of one case.
    enum Outcome: Sendable {
        case passed
        case failed(String)
        /// Not run, with the reason; counts neither as passed nor as failed.
        case skipped(String)
    }

    /// The groups in the order of their first case.
    private(set) var groups: [Group] = []
    /// The failures, in the order of the cases.
    private(set) var failures: [Failure] = []
    /// The cases not run, in the order of the cases.
    private(set) var omissions: [Failure] = []
    /// What else a suite counts, by its key in the JSON.
    private(set) var counts: [String: Int] = [:]

    var passed: Int { groups.reduce(0) { $0 + $1.passed } }
    var failed: Int { groups.reduce(0) { $0 + $1.failed } }
    var skipped: Int { groups.reduce(0) { $0 + $1.skipped } }
    var total: Int { passed + failed + skipped }

    /// Takes in the outcome of a case.
    mutating func record(_ name: String, in group: String, _ outcome: Outcome) {
        let position = groups.firstIndex { $0.name == group } ?? groups.endIndex
        if position == groups.endIndex { groups.append(Group(name: group)) }
        switch outcome {
        case .passed:
            groups[position].passed += 1
        case .failed(let reason):
            groups[position].failed += 1
            failures.append(Failure(name: name, reason: reason))
        case .skipped(let reason):
            groups[position].skipped += 1
            omissions.append(Failure(name: name, reason: reason))
        }
    }

    /// Counts something besides the outcomes.
    mutating func count(_ what: String) {
        counts[what, default: 0] += 1
    }

    /// `{total, passed, failed, skipped, failures: [{case, reason}]}`, and what else the suite counts.
    var json: Value {
        var context: ValueContext = [
            "total": .number(Number(total)), "passed": .number(Number(passed)), "failed": .number(Number(failed)),
            "skipped": .number(Number(skipped)),
            "failures": .list(failures.map { ["case": .string($0.name), "reason": .string($0.reason)] }),
        ]
        for (what, count) in counts.sorted(by: { $0.key < $1.key }) { context[what] = .number(Number(count)) }
        return .context(context)
    }
}
