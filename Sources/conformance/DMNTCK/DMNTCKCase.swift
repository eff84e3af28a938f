import Decisions
import Values

/// One test case of the DMN TCK.
struct DMNTCKCase: Sendable {
    /// One expected result.
    struct Result: Sendable {
        let decision: String
        let expected: Value
        /// Whether an error must be reported.
        let isError: Bool
    }

    let id: String
    let inputs: ValueContext
    /// The decision service to invoke; nil when decisions are evaluated one by one.
    let service: String?
    /// Whether a knowledge model is to be invoked.
    let isKnowledgeModel: Bool
    let results: [Result]

    init(_ element: XMLTree) throws {
        id = element.attributes["id"] ?? ""
        var inputs = ValueContext()
        for node in element.children("inputNode") {
            inputs[node.attributes["name"] ?? ""] = try Self.value(node)
        }
        self.inputs = inputs
        let type = element.attributes["type"] ?? "decision"
        service = type == "decisionService" ? element.attributes["invocableName"] : nil
        isKnowledgeModel = type == "bkm"
        results = try element.children("resultNode").map { node in
            Result(
                decision: node.attributes["name"] ?? "", expected: try node.child("expected").map(Self.value) ?? .null,
                isError: node.attributes["errorResult"] == "true")
        }
    }

    /// The value of a `valueType` element: a value, a list, or components.
    private static func value(_ element: XMLTree) throws -> Value {
        if element.attributes["nil"] == "true" { return .null }
        let components = element.children("component")
        if !components.isEmpty {
            return .context(
                ValueContext(try components.map { ($0.attributes["name"] ?? "", try value($0)) }))
        }
        if let list = element.child("list") {
            if list.attributes["nil"] == "true" { return .null }
            return .list(try list.children("item").map(value))
        }
        guard let simple = element.child("value"), simple.attributes["nil"] != "true" else { return .null }
        return try scalar(simple.text, type: simple.attributes["type"])
    }

    private static func scalar(_ text: String, type: String?) throws -> Value {
        guard let type = type.flatMap({ $0.split(separator: ":").last.map(String.init) }) else { return untyped(text) }
        let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let value: Value?
        switch type {
        case "string", "anySimpleType", "anyType": value = .string(text)
        case "boolean": value = .boolean(trimmed == "true" || trimmed == "1")
        case "decimal", "double", "integer", "int", "long", "float", "short": value = Number(trimmed).map(Value.number)
        case "date": value = CalendarDate(trimmed).map(Value.date)
        case "time": value = TimeOfDay(trimmed).map(Value.time)
        case "dateTime": value = DateTime(trimmed).map(Value.dateTime)
        case "duration":
            value =
                YearMonthDuration(trimmed).map(Value.yearMonthDuration)
                ?? DayTimeDuration(trimmed).map(Value.dayTimeDuration)
        default: value = nil
        }
        guard let value else { throw SuiteFailure("Expected a value of the type \(type) but found '\(text)'.") }
        return value
    }

    /// A value whose type nothing says: what its text looks like, null when there is none.
    private static func untyped(_ text: String) -> Value {
        if text.isEmpty { return .null }
        if let number = Number(text) { return .number(number) }
        if let moment = DateTime(text) { return .dateTime(moment) }
        if let date = CalendarDate(text) { return .date(date) }
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: return .string(text)
        }
    }

    // MARK: Comparing

    /// Whether a value is the expected one; numbers may differ by 1e-8, as upstream accepts.
    static func matches(_ value: Value, _ expected: Value) -> Bool {
        switch (value, expected) {
        case (.number(let a), .number(let b)):
            return a == b || abs(a.double - b.double) < 1e-8
        case (.list(let a), .list(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { matches($0, $1) }
        case (.context(let a), .context(let b)):
            return a.count == b.count && b.allSatisfy { key, wanted in a[key].map { matches($0, wanted) } ?? false }
        case (.dateTime(let a), .dateTime(let b)): return a == b || DateTime.compare(a, b) == 0
        case (.time(let a), .time(let b)): return a == b || TimeOfDay.compare(a, b) == 0
        default: return value == expected
        }
    }
}
