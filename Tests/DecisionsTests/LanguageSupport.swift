import Testing
import Values

@testable import Decisions

/// An expression of a language and its value over the sample variables and those of this file.
func evaluate(_ source: String, in language: any ExpressionLanguage) throws -> Evaluation {
    let expression = try language.compile(source)
    let variables = sampleVariables.merging(languageVariables) { $1 }
    let scope = MapScope(variables, now: DateTime("2026-01-31T09:05:00Z") ?? .feelEpoch)
    let evaluation = expression.evaluate(scope)
    #expect(expression.evaluateValue(scope) == evaluation.value, "evaluateValue differs for \(source)")
    if case .boolean(let flag) = evaluation.value { #expect(expression.evaluateCondition(scope) == flag) }
    #expect(expression.source == source)
    return evaluation
}

private let languageVariables: [String: Value] = [
    "s": "Hello", "n": "42", "t": "true", "blank": "", "loopCounter": 1, "numberOfInstances": 4, "emptyMap": [:],
    "due": date("2026-03-01"), "oneDay": seconds(86_400), "count": 3,
    "map": ["key": "v", "other key": 7, "list": [10, 20], "id": "m1"],
    "book": ["title": "T", "id": "b1", "author": ["name": "Ann"], "tag": ["x", "y", "x"]],
]

/// A source that does not compile, and what the error says.
struct Refusal: Sendable, CustomTestStringConvertible {
    let source: String
    let code: String
    let message: String
    let remedy: String

    init(_ source: String, _ code: String, _ message: String, remedy: String = "") {
        (self.source, self.code, self.message, self.remedy) = (source, code, message, remedy)
    }

    var testDescription: String { source }

    func check(in language: any ExpressionLanguage) {
        let error = #expect(throws: FEELError.self) { try language.compile(source) }
        guard let error else { return }
        #expect(error.code.rawValue == code)
        #expect(error.message.contains(message), "\(error)")
        #expect(remedy.isEmpty || error.remedy?.contains(remedy) == true, "\(error)")
        #expect((0...source.utf8.count).contains(error.offset))
    }
}

/// Compiles random texts made of pieces of a language; those that compile are evaluated.
func checkRandomTexts(
    _ language: any ExpressionLanguage, pieces: [String], seed: UInt64, wrap: (String) -> String = { $0 }
) throws {
    var random = SplitMix64(state: seed)
    let scope = MapScope(sampleVariables.merging(languageVariables) { $1 })
    var compiled = 0
    for _ in 0..<300 {
        let count = Int.random(in: 1...9, using: &random)
        let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined(separator: " ")
        let source = wrap(text)
        do throws(FEELError) {
            let expression = try language.compile(source)
            compiled += 1
            let (first, second) = (expression.evaluate(scope), expression.evaluateValue(scope))
            #expect(first.value == second, "seed \(seed): \(source)")
        } catch {
            #expect((0...source.utf8.count).contains(error.offset), "seed \(seed): \(source)")
        }
    }
    #expect(compiled > 0, "seed \(seed): no text compiles")
}
