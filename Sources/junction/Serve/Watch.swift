import Values

/// Follows a hub: shows its progress, and ends when nothing moves any more, if it was told to.
struct Watch {
    /// How progress is shown.
    enum Display: Sendable {
        case live
        case plain
        case none
    }

    let display: Display
    let endsWhenIdle: Bool
    /// How long nothing may have moved before the hub counts as idle.
    let idleAfter: Duration
    let console: Console
    /// Reads the figures.
    let snapshot: @Sendable (_ seconds: Double) throws -> Snapshot

    /// A timer due within this time is waited for before the hub counts as idle.
    static let timerHorizonMilliseconds: Int64 = 30_000

    /// Returns when the hub is idle; runs until its task is cancelled when it was not told to look for that.
    func run() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let view = ProgressView(style: self.console.errorStyle)
        var before: Snapshot?
        var unmoved = (since: start, snapshot: try self.snapshot(0))
        var lastLine = (at: start, text: "")
        defer { if self.display == .live { self.console.draw([]) } }
        while true {
            try await Task.sleep(for: .milliseconds(self.endsWhenIdle || self.display == .live ? 250 : 1_000))
            let now = try self.snapshot((clock.now - start) / .seconds(1))
            switch self.display {
            case .live:
                self.console.draw(view.block(now, since: before))
            case .plain:
                let line = view.line(now)
                let isNew = line.drop { $0 != ":" } != lastLine.text.drop { $0 != ":" }
                if isNew, clock.now - lastLine.at >= .seconds(2) {
                    self.console.note(line)
                    lastLine = (clock.now, line)
                }
            case .none:
                break
            }
            if !now.isUnmoved(since: unmoved.snapshot)
                || !now.isStill(at: Clock.now, horizon: Self.timerHorizonMilliseconds)
            {
                unmoved = (clock.now, now)
            } else if self.endsWhenIdle, clock.now - unmoved.since >= self.idleAfter {
                return
            }
            before = now
        }
    }
}
