import Decisions
import Synchronization
import Values

/// The trace of one run, and the marker some scripts set.
final class BetsyTrace: Sendable {
    private struct Content {
        var lines: [String] = []
        var hasMarker = false
    }

    private let content = Mutex(Content())

    var lines: [String] { content.withLock { $0.lines } }
    var hasMarker: Bool { content.withLock { $0.hasMarker } }

    func append(_ line: String) { content.withLock { $0.lines.append(line) } }
    func setMarker() { content.withLock { $0.hasMarker = true } }
    func clear() { content.withLock { $0.lines = [] } }
}

/// The suite's conditions: comparisons as in FEEL, and `name.contains("a")`, negated by `!`.
struct BetsyConditions: ExpressionLanguage {
    let identifiers = ["betsy"]

    func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression {
        try Expression.compile(feel(source), knownNames: knownNames)
    }

    private func feel(_ source: String) -> String {
        if source.hasPrefix("!") { return "not(\(feel(String(source.dropFirst()))))" }
        let parts = source.split(separator: ".contains(", maxSplits: 1)
        guard parts.count == 2, source.hasSuffix(")") else { return source }
        return "contains(\(parts[0]), \(parts[1])"
    }
}

/// The suite's script tasks: bodies are words, not code.
///
/// What takes time becomes a job, so that the clock of the run controls it.
struct BetsyScripts: ScriptLanguage {
    let formats = ["betsy"]
    let trace: BetsyTrace

    /// The words whose task takes ten seconds.
    static let lasting = ["WAIT_TEN_SECONDS", "CREATE_TIMESTAMP_LOG_1", "CREATE_TIMESTAMP_LOG_2"]

    func compile(_ source: String, knownNames: [String]) throws(FEELError) -> CompiledScript {
        let words = source.split(whereSeparator: \.isWhitespace).map(String.init)
        if let word = words.first(where: Self.lasting.contains) { return .job(type: word) }
        return .actions(BetsyScript(words: words, trace: trace))
    }
}

/// The words of one script task.
struct BetsyScript: Script {
    let words: [String]
    let trace: BetsyTrace

    func run(_ scope: any VariableScope) -> ScriptOutcome {
        var assignments: [(name: String, value: Value)] = []
        for word in words {
            switch word {
            case "CREATE_LOG_FILE": trace.clear()
            case "CREATE_MARKER_FILE": trace.setMarker()
            case "SET_STRING_DATA": assignments.append(("data", .string("String")))
            case "LOG_DATA":
                if scope.variable("data") == .string("String") { trace.append("DATA_correct") }
            case "INCREMENT_INTEGER_VARIABLE", "INCREMENT_INTEGER_VARIABLE_AND_LOG":
                guard let number = scope.variable("integerVariable")?.asInt64 else {
                    return .failure("integerVariable is no whole number")
                }
                assignments.append(("integerVariable", .number(Number(number + 1))))
                if word.hasSuffix("LOG") { trace.append("INCREMENT_correct") }
            case "THROW_ERROR": return .error(code: "ERR_CODE", message: nil)
            case let word where word.hasPrefix("SCRIPT_"): trace.append(word)
            default: return .failure("\(word) is no word of the suite")
            }
        }
        return .assignments(assignments)
    }
}
