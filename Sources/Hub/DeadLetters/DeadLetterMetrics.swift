import Metrics

/// Figures of the dead letters as a whole.
struct DeadLetterMetrics: Sendable {
    let open = Gauge(label: "dead_letters_open")
    let oldestSeconds = Gauge(label: "dead_letters_oldest_age_seconds")
    let inflow = Gauge(label: "dead_letters_inflow")
    let replays = Counter(label: "dead_letter_replays_total")
    let purged = Counter(label: "dead_letters_purged_total")
    private let alerts = [
        "age": Gauge(label: "dead_letter_alert", dimensions: [("alert", "age")]),
        "inflow": Gauge(label: "dead_letter_alert", dimensions: [("alert", "inflow")]),
    ]

    func alert(_ name: String, isRaised: Bool) {
        self.alerts[name]?.record(isRaised ? 1 : 0)
    }
}
