/// Which calls are remembered durably before they are sent, so that a crash in the middle cannot send them twice.
public struct CallRecording: Sendable, Hashable {
    /// Which calls.
    public enum Which: String, Sendable, Hashable, CaseIterable {
        /// None: a crash in the middle sends an unsafe call again.
        case never
        /// Those whose effect would happen twice.
        case unsafe
        /// All but those that change nothing.
        case effects
    }

    /// Which calls.
    ///
    /// Default: unsafe ones.
    public var which: Which = .unsafe
    /// How long an answer is remembered.
    ///
    /// Default 24 h.
    public var retention: Duration = .seconds(86_400)

    /// Creates the default.
    public init() {}

    /// Whether a call of this `safety` is remembered.
    public func applies(to safety: RepeatSafety) -> Bool {
        switch self.which {
        case .never: false
        case .unsafe: safety == .unsafe
        case .effects: safety != .safe
        }
    }
}
