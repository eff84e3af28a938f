import Glibc
import Synchronization
import Values

/// Where a command writes: data to standard output, everything else to standard error.
///
/// A reader that closes standard output early ends the program quietly with success.
final class Console: Sendable {
    private struct State {
        /// Lines of the live display that stand at the end of standard error now.
        var liveLines = 0
        var buffer: [UInt8] = []
    }

    /// One JSON object a line instead of tables.
    let isJSON: Bool
    /// How standard output is marked up.
    let style: Style
    /// How standard error is marked up.
    let errorStyle: Style
    private let state = Mutex(State())

    private let streams: Streams

    init(isJSON: Bool, environment: Environment = .current, streams: Streams = .current) {
        self.isJSON = isJSON
        self.style = environment.style(of: STDOUT_FILENO)
        self.errorStyle = environment.style(of: STDERR_FILENO)
        self.streams = streams
    }

    /// Whether standard error is a terminal.
    var isInteractive: Bool { self.errorStyle.width != nil }

    // MARK: Data

    /// Writes a line of data.
    func print(_ line: String) {
        self.state.withLock { state in
            state.buffer += line.utf8
            state.buffer.append(UInt8(ascii: "\n"))
            if state.buffer.count >= 32 << 10 { self.flush(&state) }
        }
    }

    /// Writes data as it is.
    func print(bytes: [UInt8]) {
        self.state.withLock { $0.buffer += bytes }
    }

    /// Writes a JSON value as one line of data.
    func print(json value: Value) {
        self.print(JSON.string(value))
    }

    /// Writes what is buffered; call before the program ends or waits.
    func flush() {
        self.state.withLock { self.flush(&$0) }
    }

    private func flush(_ state: inout State) {
        if !state.buffer.isEmpty { self.streams.data(state.buffer) }
        state.buffer = []
    }

    // MARK: Notes

    /// Writes a line for people, above the live display.
    func note(_ line: String) {
        self.state.withLock { state in
            self.flush(&state)
            self.streams.notes(Array((Self.erase(&state) + line + "\n").utf8))
        }
    }

    /// Draws the live display at the end of standard error, in place of the one before.
    func draw(_ lines: [String]) {
        self.state.withLock { state in
            let text = Self.erase(&state) + lines.map { $0 + "\n" }.joined()
            state.liveLines = lines.count
            if !text.isEmpty { self.streams.notes(Array(text.utf8)) }
        }
    }

    private static func erase(_ state: inout State) -> String {
        guard state.liveLines > 0 else { return "" }
        defer { state.liveLines = 0 }
        // To the first line of the display, then clear to the end of the screen.
        return "\u{1B}[\(state.liveLines)F\u{1B}[J"
    }
}
