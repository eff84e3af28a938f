import Testing
import Values

@testable import Decisions

/// An expression and what it evaluates to.
struct Row: Sendable, CustomTestStringConvertible {
    let expression: String
    let expected: Value

    init(_ expression: String, _ expected: Value) {
        self.expression = expression
        self.expected = expected
    }

    var testDescription: String { expression }
}

/// The variables that rows may read.
let sampleVariables: [String: Value] = [
    "amount": 150, "name": "Ann", "yes": true, "no": false, "nothing": .null, "xs": [1, 2, 3, 4, 5], "empty": [],
    "order": [
        "total": 1200, "status": "open", "delivery date": date("2026-03-01"),
        "items": [["sku": "a", "price": 5, "qty": 2], ["sku": "b", "price": 7, "qty": 1], ["sku": "c", "price": 9]],
    ],
    "items": [["sku": "a", "price": 5, "item": "x"], ["sku": "b", "price": 7, "item": "y"]],
    "monthly income": 3000, "i": 2,
]

/// Evaluates text over the sample variables.
func evaluate(
    _ text: String, _ variables: [String: Value] = [:], mode: Expression.Mode = .expression, knownNames: [String] = []
) throws -> Evaluation {
    let expression = try Expression.compile(text, mode: mode, knownNames: knownNames)
    let now = DateTime("2026-01-31T09:05:00Z") ?? .feelEpoch
    let scope = MapScope(sampleVariables.merging(variables) { $1 }, now: now)
    let evaluation = expression.evaluate(scope)
    let value = expression.evaluateValue(scope)
    if case .function = value {
        #expect(evaluation.value.typeName == "function")
    } else {
        #expect(value == evaluation.value, "evaluateValue differs for \(text)")
    }
    return evaluation
}

/// Checks a row, and that the evaluation had nothing to complain about.
func check(_ row: Row, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let evaluation = try evaluate(row.expression)
    #expect(evaluation.value == row.expected, sourceLocation: sourceLocation)
    #expect(evaluation.warnings.isEmpty, sourceLocation: sourceLocation)
}

/// Checks that an expression is null and that the first warning says why.
func checkNull(_ text: String, because part: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let evaluation = try evaluate(text)
    #expect(evaluation.value == .null, sourceLocation: sourceLocation)
    let first = try #require(evaluation.warnings.first, sourceLocation: sourceLocation)
    #expect(first.message.contains(part), sourceLocation: sourceLocation)
}

func number(_ text: String) -> Value { Number(text).map(Value.number) ?? .null }

func date(_ text: String) -> Value { CalendarDate(text).map(Value.date) ?? .null }

func time(_ text: String) -> Value { TimeOfDay(text).map(Value.time) ?? .null }

func dateTime(_ text: String) -> Value { DateTime(text).map(Value.dateTime) ?? .null }

func months(_ count: Int64) -> Value { .yearMonthDuration(YearMonthDuration(months: count)) }

func seconds(_ count: Int64) -> Value { .dayTimeDuration(DayTimeDuration(seconds: count)) }

func range(_ lower: Value?, _ upper: Value?, includesLower: Bool = true, includesUpper: Bool = true) -> Value {
    .range(ValueRange(lower: lower, includesLower: includesLower, upper: upper, includesUpper: includesUpper))
}

/// A reproducible stream of random numbers.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
