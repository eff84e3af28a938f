/// What a response says about a limit on calls, in the usual header fields.
struct RateLimitFields {
    /// How many calls are left.
    let remaining: String?
    private let reset: String?

    init(_ response: HTTPResponse) {
        func first(_ names: [String]) -> String? { names.lazy.compactMap { response.header($0) }.first }
        self.remaining = first(["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"])
            .map { String($0.prefix(20)) }
        self.reset = first([
            "x-ratelimit-reset-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset",
        ])
    }

    var isUsedUp: Bool { self.remaining == "0" }

    /// How long until the limit is new: the field holds seconds from now, or a Unix time in seconds or milliseconds.
    ///
    /// At most a day; `nil` when it is no number.
    func untilReset(now: Int64) -> Duration? {
        guard let number = self.reset.flatMap({ Double($0) }), number >= 0, number < 1e15 else { return nil }
        let milliseconds: Double =
            switch number {
            case ..<1e9: number * 1_000
            case ..<1e11: number * 1_000 - Double(now)
            default: number - Double(now)
            }
        return .milliseconds(Int64(min(max(milliseconds, 0), 86_400_000)))
    }
}
