import Decisions
import Engine
import ProcessModel
import Values

/// One run of one document: a partition of its own with a clock that stands still unless told.
struct BetsyRun {
    let document: [UInt8]
    let file: String

    private static let taskMilliseconds: Int64 = 10_000

    /// What a run left behind.
    struct Result {
        /// The trace, in the words of the suite.
        var lines: [String]
        /// What stood in the way, for people.
        var notes: [String] = []
    }

    /// Runs the process once.
    func result(of processID: String, _ run: BetsySuite.Run) throws -> Result {
        let trace = BetsyTrace()
        var languages = LanguageRegistry.standard
        languages.defaultExpressionLanguage = BetsyConditions()
        languages.defaultScriptLanguage = BetsyScripts(trace: trace)
        // The documents run as they are; whether they keep the rules of the standard is the other half of the suite.
        let imported = BPMNImporter.read(document, file: file, languages: languages, checksConstraints: false)
        guard !imported.isRefused else {
            let errors = imported.diagnostics.filter { $0.severity == .error }
            return Result(lines: ["ERROR_deployment"], notes: errors.map(\.description))
        }
        let host = PartitionHost()
        try host.deploy(imported.processes, resource: document)
        if run.startsParallelProcess { _ = host.start("ParallelProcess", ValueContext()) }
        guard host.start(processID, run.variables) else { return Result(lines: ["ERROR_runtime"]) }
        let intervals = advance(host, by: run.delayMilliseconds)
        var lines = trace.lines
        if overlap(intervals["CREATE_TIMESTAMP_LOG_1"], intervals["CREATE_TIMESTAMP_LOG_2"]) {
            lines.append("EXECUTION_parallel")
        }
        for incident in host.incidents {
            lines.append(incident.type == "UNHANDLED_ERROR_EVENT" ? "ERROR_thrownErrorEvent" : "ERROR_runtime")
        }
        if trace.hasMarker, run.expectedTrace.contains("MARKER_exists") { lines.append("MARKER_exists") }
        return Result(lines: lines, notes: host.incidents.map(\.message))
    }

    /// Lets time pass, from one due time to the next; returns when each lasting task ran.
    private func advance(_ host: PartitionHost, by milliseconds: Int64) -> [String: ClosedRange<Int64>] {
        let end = host.now + milliseconds
        var running: [(job: ActivatedJob, began: Int64)] = []
        var intervals: [String: ClosedRange<Int64>] = [:]
        while true {
            for job in host.takeJobs(types: BetsyScripts.lasting) { running.append((job, host.now)) }
            let ends = running.map { $0.began + Self.taskMilliseconds }.min()
            let due = [ends, host.nextDue].compactMap { $0 }.min()
            guard let due, due <= end else { return intervals }
            host.now = Swift.max(host.now, due)
            host.send(.tick)
            for (job, began) in running where began + Self.taskMilliseconds <= host.now {
                host.send(.completeJob(key: job.key.rawValue, variables: .empty))
                intervals[job.type] = began...host.now
            }
            running.removeAll { $0.began + Self.taskMilliseconds <= host.now }
        }
    }

    private func overlap(_ first: ClosedRange<Int64>?, _ second: ClosedRange<Int64>?) -> Bool {
        guard let first, let second else { return false }
        return first.lowerBound < second.upperBound && second.lowerBound < first.upperBound
    }
}
