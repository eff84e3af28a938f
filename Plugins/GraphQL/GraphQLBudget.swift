internal import HTTPTransport
internal import Values

/// What a service says about the cost of a call and about what is left of a quota.
///
/// Two habits are known: `extensions.cost` of Shopify, a bucket that refills; and `x-ratelimit-*` fields or a `rateLimit`
/// object of GitHub, a number until a moment.
struct GraphQLBudget: Sendable {
    private static let waitMax = Duration.seconds(86_400)

    var requestedCost: Number?
    var actualCost: Number?
    /// The size of the bucket, or of the quota.
    var limit: Number?
    /// What is left in it.
    var remaining: Number?
    /// How much comes back each second.
    var restoreRate: Number?
    /// When it is full again, in Unix seconds.
    var resetsAtSeconds: Int64?

    init(_ response: GraphQLResponse) {
        if let cost = response.extensions?["cost"] {
            self.requestedCost = cost["requestedQueryCost"]?.asNumber
            self.actualCost = cost["actualQueryCost"]?.asNumber
            let status = cost["throttleStatus"]
            self.limit = status?["maximumAvailable"]?.asNumber
            self.remaining = status?["currentlyAvailable"]?.asNumber
            self.restoreRate = status?["restoreRate"]?.asNumber
        } else if let limit = response.data?["rateLimit"], limit.asContext != nil {
            self.actualCost = limit["cost"]?.asNumber
            self.limit = limit["limit"]?.asNumber
            self.remaining = limit["remaining"]?.asNumber
        }
        func number(_ names: String...) -> Int64? {
            names.lazy.compactMap { response.http.header($0).flatMap { Int64($0) } }.first
        }
        if self.limit == nil { self.limit = number("x-ratelimit-limit", "ratelimit-limit").map { Number($0) } }
        if self.remaining == nil {
            self.remaining = number("x-ratelimit-remaining", "ratelimit-remaining").map { Number($0) }
        }
        self.resetsAtSeconds = number("x-ratelimit-reset")
    }

    /// How long to wait before the next call; nil when the service does not say.
    func wait(now: Int64) -> Duration? {
        if let rate = self.restoreRate?.double, rate > 0, let remaining = self.remaining?.double {
            let missing = (self.requestedCost?.double ?? 1) - remaining
            return .seconds(min(max(missing / rate, 1), 86_400))
        }
        guard let reset = self.resetsAtSeconds else { return nil }
        // Some services give seconds from now, some a moment.
        let seconds = reset > 1_000_000_000 ? reset - now / 1_000 : reset
        return min(.seconds(max(seconds, 1)), Self.waitMax)
    }

    /// For traces.
    var facts: ValueContext {
        var facts = ValueContext()
        facts["requestedCost"] = self.requestedCost.map { .number($0) }
        facts["actualCost"] = self.actualCost.map { .number($0) }
        facts["rateLimit"] = self.limit.map { .number($0) }
        facts["rateRemaining"] = self.remaining.map { .number($0) }
        facts["rateRestoresPerSecond"] = self.restoreRate.map { .number($0) }
        facts["rateResetsAtSeconds"] = self.resetsAtSeconds.map { .number(Number($0)) }
        return facts
    }
}
