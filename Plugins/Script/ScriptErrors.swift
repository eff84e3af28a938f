internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum ScriptErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let failed = "CON-3301"
        static let undeclared = "CON-3302"
        static let sandbox = "CON-3303"
        static let notStarted = "CON-3304"
        static let malformed = "CON-3305"
        static let tooLarge = "CON-3306"
        static let killed = "CON-3307"
        static let busy = "CON-3308"
    }

    static func undeclared(_ name: String, known: [String]) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.undeclared, "The connection declares no program \"\(name.prefix(80))\".",
            remedy: ClosestMatch.of(name, in: known).map { "Did you mean \($0)?" }
                ?? "Use one of \(known.joined(separator: ", ")).")
    }

    static func noSandbox(_ reason: String) -> ConnectorError {
        ConnectorError(
            .unsupported, code: Code.sandbox, "A sandbox is required and cannot be had: \(reason)",
            remedy: "Install bubblewrap and allow user namespaces, or set sandbox to preferred or none.")
    }

    static func noNetworkIsolation(_ reason: String) -> ConnectorError {
        ConnectorError(
            .unsupported, code: Code.sandbox, "Programs cannot be kept from the network here: \(reason)",
            remedy: "Install bubblewrap, allow user namespaces, or declare network: host if that is acceptable.")
    }

    static func missing(_ name: String, _ command: String) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.notStarted, "The program \(name) cannot be run: there is no executable \(command).",
            remedy: "Install it, or correct the command of \(name).")
    }

    static func noPath(_ name: String, _ path: String) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.notStarted, "The program \(name) cannot be run: there is no \(path).",
            remedy: "Create it, or correct directory, readable and writable of \(name).")
    }

    static func notStarted(_ name: String, _ reason: String) -> ConnectorError {
        ConnectorError(
            .transient, code: Code.notStarted, "The program \(name) was not started: \(reason)",
            remedy: "Correct its command, directory or limits; a lack of processes or memory usually passes.")
    }

    static func malformed(_ name: String, _ reason: String, details: ValueContext) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformed, "The program \(name) ended well, but its output \(reason)",
            remedy: "Correct the program, or declare another output.", mayHaveExecuted: true, details: details)
    }

    static func tooLarge(_ name: String, _ maximum: Int, details: ValueContext) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.tooLarge, "The program \(name) wrote more than \(maximum) bytes and was killed.",
            remedy: "Let it write less, or raise maxOutput.", mayHaveExecuted: true, details: details)
    }

    static func inputTooLarge(_ bytes: Int, _ maximum: Int) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.tooLarge, "The input has \(bytes) bytes; at most \(maximum) are allowed.",
            remedy: "Pass less, or raise maxInput.")
    }

    static func killed(
        _ kind: ConnectorError.Kind, _ name: String, _ what: String, details: ValueContext
    ) -> ConnectorError {
        ConnectorError(
            kind, code: Code.killed, "The program \(name) \(what).",
            remedy: "Allow more time, processor time or memory, or find out what it waits for.",
            mayHaveExecuted: true, details: details)
    }

    static func busy(_ maximum: Int) -> ConnectorError {
        ConnectorError(
            .transient, code: Code.busy, "All \(maximum) places for programs are taken.",
            remedy: "Usually passes; raise maxConcurrent, or limit the calls with a bulkhead.")
    }

    static func failed(
        _ name: String, _ code: Int, _ meaning: ExitMeaning, lastWords: String, details: ValueContext
    ) -> ConnectorError {
        let words = lastWords.isEmpty ? "" : ": \(lastWords)"
        return ConnectorError(
            meaning.kind, code: Code.failed, "The program \(name) ended with code \(code)\(words)",
            remedy: "What it wrote to standard error tells more; exitCodes of \(name) says what its codes mean.",
            mayHaveExecuted: meaning.mayHaveExecuted, details: details)
    }
}
