import Metrics

/// Counts the requests of one operation, and how long they take.
struct RouteMetrics: Sendable {
    private let succeeded: Counter
    private let refused: Counter
    private let failed: Counter
    private let duration: Timer

    init(operation: String) {
        func counter(_ outcome: String) -> Counter {
            Counter(label: "http_requests_total", dimensions: [("operation", operation), ("outcome", outcome)])
        }
        self.succeeded = counter("succeeded")
        self.refused = counter("refused")
        self.failed = counter("failed")
        self.duration = Timer(label: "http_request_duration_seconds", dimensions: [("operation", operation)])
    }

    /// A request was answered with `status`.
    func record(status: Int, since start: ContinuousClock.Instant) {
        switch status {
        case ..<400: self.succeeded.increment()
        case ..<500: self.refused.increment()
        default: self.failed.increment()
        }
        self.duration.recordNanoseconds((ContinuousClock.now - start).nanoseconds)
    }
}
