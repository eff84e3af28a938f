/// Sends commands without waiting for each one's answer, and hands out the answers in order.
struct PQPipeline {
    /// What one run needs.
    struct Run {
        /// How many commands may be without an answer.
        var window = 256
        /// How long the server may take to stop what it was asked to stop.
        var grace = Duration.seconds(2)
        /// Starts the stopping of what runs, without waiting for it.
        var cancel: () -> Void
    }

    /// How a run ended.
    struct Ending: Hashable {
        /// How many commands were sent; the others never were.
        var sent: Int
        /// Why the run was cut short, if it was.
        var stopped: PQFailure?
    }

    /// Runs `commands`, the last of which is `synchronize`.
    ///
    /// `onResult` gets each result with the position of its command, also those of failed and skipped ones; a position
    /// in `rowwise` has its rows one by one. What it throws, or returns `true` for, stops the run as a timeout does.
    ///
    /// At the deadline, or when interrupted, nothing more is sent, the server is asked to stop what it runs, and what
    /// was sent is read to its end for as long as the grace lasts. Throws when the answers can no longer be had.
    static func run(
        _ commands: [PQCommand], on connection: PQConnection, _ limits: PQConnection.Limits, _ run: Run,
        isRowwise: (Int) -> Bool, onResult: (Int, PQResult) -> Bool
    ) throws(PQFailure) -> Ending {
        var state = State(commands: commands, limits: limits, run: run)
        try connection.enterPipeline()
        while state.answered < state.sent || (state.sent < commands.count && state.stopped == nil) {
            do {
                try state.fill(connection)
                guard state.answered < state.sent else { continue }
                try state.readOne(connection, isRowwise, onResult)
            } catch .timedOut where state.stopped == nil {
                state.stop(.timedOut)
            } catch .interrupted where state.stopped == nil {
                state.stop(.interrupted)
            } catch {
                // During the grace period, the reason for the stop is the reason for the failure.
                if let stopped = state.stopped, error == .timedOut { throw stopped }
                throw error
            }
        }
        if state.needsSynchronization { try state.synchronize(connection) }
        try connection.exitPipeline()
        return Ending(sent: state.sent, stopped: state.stopped)
    }

    private struct State {
        let commands: [PQCommand]
        var limits: PQConnection.Limits
        let run: Run
        var sent = 0
        var answered = 0
        var stopped: PQFailure?
        private var isHeadSetUp = false

        init(commands: [PQCommand], limits: PQConnection.Limits, run: Run) {
            self.commands = commands
            self.limits = limits
            self.run = run
        }

        /// Whether what was sent last has no synchronisation point after it.
        var needsSynchronization: Bool { self.sent > 0 && self.commands[self.sent - 1] != .synchronize }

        mutating func stop(_ reason: PQFailure) {
            self.stopped = reason
            self.run.cancel()
            self.limits = PQConnection.Limits(deadline: .now + self.run.grace, interrupt: Interrupt())
        }

        /// Sends as much as the window takes.
        mutating func fill(_ connection: PQConnection) throws(PQFailure) {
            guard self.stopped == nil, self.sent < self.commands.count else { return }
            // Refilled when half empty, so that answers are flushed in large pieces.
            guard self.sent - self.answered <= self.run.window / 2 else { return }
            while self.sent < self.commands.count, self.sent - self.answered < self.run.window {
                try connection.send(self.commands[self.sent])
                self.sent += 1
            }
            if self.needsSynchronization { try connection.requestFlush() }
        }

        /// Reads the answer to one command.
        mutating func readOne(
            _ connection: PQConnection, _ isRowwise: (Int) -> Bool, _ onResult: (Int, PQResult) -> Bool
        ) throws(PQFailure) {
            let position = self.answered
            if !self.isHeadSetUp {
                self.isHeadSetUp = true
                if isRowwise(position) { connection.setSingleRowMode() }
            }
            let isSynchronization = self.commands[position] == .synchronize
            var ends = 0
            while true {
                guard let result = try connection.nextResult(self.limits) else {
                    // A commit that fails at a synchronisation point is a result of its own before the point's.
                    ends += 1
                    guard isSynchronization else { break }
                    guard ends <= 2 else { throw .broken("The server lost count of the pipeline.") }
                    continue
                }
                if onResult(position, result), self.stopped == nil { self.stop(.interrupted) }
                if connection.isBroken { throw .broken(connection.message) }
                // The answer to a synchronisation point has no end.
                if result.status == .synchronized { break }
            }
            self.answered += 1
            self.isHeadSetUp = false
        }

        /// Closes a run that was stopped in the middle.
        mutating func synchronize(_ connection: PQConnection) throws(PQFailure) {
            try connection.send(.synchronize)
            while let result = try connection.nextResult(self.limits) {
                if result.status == .synchronized { return }
            }
        }
    }
}
