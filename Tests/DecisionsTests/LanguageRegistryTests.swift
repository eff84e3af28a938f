import Testing
import Values

@testable import Decisions

@Suite struct LanguageRegistryTests {
    /// A vocabulary of one word.
    private struct Yes: ExpressionLanguage, ScriptLanguage {
        let identifiers = ["urn:Yes"]
        let formats = ["text/yes"]

        func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression {
            guard source == "YES" else {
                throw FEELError(
                    .init(rawValue: "YES-SYNTAX"), "Expected YES", at: 0, in: source.utf8, remedy: "Write YES")
            }
            return Expression(source: source, variableNames: ["a"]) { scope in
                let warning = EvaluationWarning(message: "careful", offset: 0)
                return Evaluation(value: scope.variable("a") ?? .null, warnings: [warning])
            }
        }

        func compile(_ source: String, knownNames: [String]) throws(FEELError) -> CompiledScript {
            .actions(Saying(word: source))
        }
    }

    private struct Saying: Script {
        let word: String

        func run(_ scope: any VariableScope) -> ScriptOutcome { .assignments([("said", .string(word))]) }
    }

    @Test(arguments: [
        ("feel", "1"), (" FEEL\n", "1"), ("https://www.omg.org/spec/DMN/20191111/FEEL/", "1"), ("text/x-feel", "1"),
        ("JUEL", "${1}"), ("http://www.w3.org/1999/XPath", "1"), ("application/xpath", "1"), (nil, "1"), ("  ", "1"),
    ])
    func lenientLanguages(_ row: (identifier: String?, source: String)) throws {
        let language = try #require(LanguageRegistry.lenient.expressionLanguage(row.identifier))
        #expect(try language.compile(row.source).evaluateValue(MapScope()) == 1)
    }

    @Test(arguments: ["juel", "xpath", "http://www.w3.org/1999/XPath", "groovy", "urn:yes"])
    func theStandardKnowsFEELOnly(identifier: String) {
        #expect(LanguageRegistry.standard.expressionLanguage(identifier) == nil)
        #expect(LanguageRegistry.standard.scriptLanguage(identifier) == nil)
        #expect(LanguageRegistry.standard.expressionLanguage("Feel") != nil)
    }

    @Test func foreignScriptsBecomeJobsWhenLenient() throws {
        let lenient = LanguageRegistry.lenient
        guard case .job(let type) = try #require(lenient.scriptLanguage(" Groovy ")).compile("x = 1") else {
            Issue.record("a groovy script is no job")
            return
        }
        #expect(type == "script:groovy")
        #expect(lenient.scriptLanguage(nil) == nil)
        #expect(JobScripts(format: "Text/JS").formats == ["Text/JS"])
    }

    @Test(arguments: [("feel", "=a + 1"), ("text/feel", "a + 1"), ("juel", "${a + 1}")])
    func anExpressionIsAScript(_ row: (format: String, source: String)) throws {
        let language = try #require(LanguageRegistry.lenient.scriptLanguage(row.format))
        guard case .expression(let expression) = try language.compile(row.source) else {
            Issue.record("\(row.format) is no expression")
            return
        }
        #expect(expression.evaluateValue(MapScope(["a": 1])) == 2)
    }

    @Test func aVocabularyCanBeRegistered() throws {
        var registry = LanguageRegistry.standard
        registry.register(Yes())
        registry.register(script: Yes())
        let expression = try #require(registry.expressionLanguage("URN:yes")).compile("YES")
        #expect(expression.variableNames == ["a"])
        #expect(expression.constant == nil)
        #expect(expression.source == "YES")
        let scope = MapScope(["a": true])
        #expect(expression.evaluate(scope).warnings.map(\.message) == ["careful"])
        #expect(expression.evaluateValue(scope) == true)
        #expect(expression.evaluateCondition(scope) == true)
        #expect(expression.evaluateCondition(MapScope(["a": 1])) == nil)
        Refusal("NO", "YES-SYNTAX", "Expected YES", remedy: "Write YES").check(in: Yes())
        guard case .actions(let script) = try #require(registry.scriptLanguage("TEXT/YES")).compile("hello"),
            case .assignments(let written) = script.run(scope)
        else {
            Issue.record("the script does not run")
            return
        }
        #expect(written.map(\.name) == ["said"])
        #expect(written.map(\.value) == ["hello"])
        #expect(LanguageRegistry.standard.expressionLanguage("urn:yes") == nil)
    }

    @Test func theDefaultsCanBeSet() throws {
        var registry = LanguageRegistry.standard
        registry.defaultExpressionLanguage = Yes()
        registry.defaultScriptLanguage = Yes()
        #expect(try #require(registry.expressionLanguage(nil)).identifiers == ["urn:Yes"])
        #expect(try #require(registry.scriptLanguage("")).formats == ["text/yes"])
        #expect(registry.expressionLanguage("urn:yes") == nil)
        #expect(registry.expressionLanguage("feel") != nil)
    }

    @Test func feelMayBeginWithAnEqualsSign() throws {
        #expect(try FEELLanguage().compile("= 1 + 1").constant == 2)
        #expect(try FEELLanguage().compile("a-b", knownNames: ["a-b"]).variableNames == ["a-b"])
        Refusal("1 +", "FEEL-SYNTAX", "Expected").check(in: FEELLanguage())
        Refusal("", "FEEL-SYNTAX", "Expected").check(in: FEELLanguage())
    }
}
