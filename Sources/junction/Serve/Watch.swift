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

    /// The failure that stopped the engine for good.
    var stoppedBy: @Sendable () -> (any Error)? = { nil }

    /// A timer due within this time is waited for before the hub counts as idle.
    static let timerHorizonMilliseconds: Int64 = 30_000

    private var pause: Duration {
        .milliseconds(self.endsWhenIdle || self.display == .live ? 250 : 1_000)
    }

    /// Returns when the hub is idle; runs until its task is cancelled when it was not told to look for that.
    ///
    /// - Throws: What stopped the engine for good, so that the process ends and whoever supervises it starts it again.
    func run() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let view = ProgressView(style: self.console.errorStyle)
        var before: Snapshot?
        var unmoved = (since: start, snapshot: try self.snapshot(0))
        var lastLine = (at: start, text: "")
        defer { if self.display == .live { self.console.draw([]) } }
        var pause = self.pause
        while true {
            try await Task.sleep(for: pause)
            if let failure = self.stoppedBy() { throw failure }
            if self.display == .none, !self.endsWhenIdle { continue }
            let began = clock.now
            let now: Snapshot
            do {
                now = try self.snapshot((began - start) / .seconds(1))
            } catch {
                self.console.note(self.console.errorStyle.paint("Cannot read the figures: \(error)", .attention))
                pause = .seconds(5)
                continue
            }
            // Reading the figures of a large store takes time; it gets a twentieth of it at most.
            pause = max(self.pause, (clock.now - began) * 20)
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
