import HubDocuments
import Metrics

/// Figures of one trigger.
struct TriggerMetrics: Sendable {
    let received: Counter
    let failed: Counter
    /// 1 while an open breaker keeps the source from being read.
    let held: Gauge
    /// How old the newest event of a batch was when it was read, in milliseconds.
    let lag: Gauge
    /// From the beginning of the work on a record to its durable end.
    let seconds: Timer
    let results: [TriggerCounters.Result: Counter]
    private let trigger: String

    init(trigger: String) {
        self.trigger = trigger
        func counter(_ result: String) -> Counter {
            Counter(label: "trigger_events_total", dimensions: [("trigger", trigger), ("result", result)])
        }
        self.received = counter("received")
        self.failed = counter("failed")
        self.held = Gauge(label: "trigger_paused_by_outage", dimensions: [("trigger", trigger)])
        self.lag = Gauge(label: "trigger_lag_milliseconds", dimensions: [("trigger", trigger)])
        self.seconds = Timer(label: "trigger_event_seconds", dimensions: [("trigger", trigger)])
        self.results = Dictionary(
            uniqueKeysWithValues: TriggerCounters.Result.allCases.map { ($0, counter($0.rawValue)) })
    }

    /// An event went no further than this step, for this reason.
    func refused(at stage: TriggerPipeline.Stage, code: HubCode) {
        Counter(
            label: "trigger_refusals_total",
            dimensions: [("trigger", self.trigger), ("stage", stage.rawValue), ("code", code.rawValue)]
        ).increment()
    }
}
