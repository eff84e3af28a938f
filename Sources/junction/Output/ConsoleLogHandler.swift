import Logging
import Values

/// Writes log lines to standard error, above the live display.
struct ConsoleLogHandler: LogHandler {
    /// How a line is written.
    enum Format: String, CaseIterable, Sendable {
        /// `time level message key=value …`
        case text
        /// One JSON object a line.
        case json
    }

    let console: Console
    let format: Format
    var logLevel: Logger.Level
    var metadata = Logger.Metadata()

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = self.metadata.merging(event.metadata ?? [:]) { _, new in new }
        self.console.note(
            Self.line(
                at: Clock.now, event.level, "\(event.message)", metadata.sorted { $0.key < $1.key },
                format: self.format,
                style: self.console.errorStyle))
    }

    static func line(
        at time: Int64, _ level: Logger.Level, _ message: String,
        _ metadata: [(key: String, value: Logger.MetadataValue)],
        format: Format, style: Style
    ) -> String {
        switch format {
        case .json:
            var value = ValueContext([
                ("time", .string(Timestamp.text(time))), ("level", .string(level.rawValue)),
                ("message", .string(message)),
            ])
            for (key, item) in metadata { value[key] = .string("\(item)") }
            return JSON.string(.context(value))
        case .text:
            let tone: Style.Tone = level >= .error ? .bad : level == .warning ? .attention : .quiet
            var line =
                style.paint(Timestamp.text(time), .quiet) + " " + style.paint(level.rawValue, tone) + " " + message
            for (key, item) in metadata { line += " \(key)=\(Self.quoted("\(item)"))" }
            return line
        }
    }

    /// The text as it is when it is one word, else as a JSON string.
    private static func quoted(_ text: String) -> String {
        let isWord = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "=" }
        return isWord ? text : JSON.string(.string(text))
    }
}
