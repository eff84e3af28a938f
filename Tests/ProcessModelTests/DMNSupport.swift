import Decisions
import ProcessModel
import Testing
import Values

/// A DMN document around these elements; the first line of the content is line 2.
func dmn(
    _ content: String, namespace: String = "https://www.omg.org/spec/DMN/20230324/MODEL/", name: String = "urn:test"
) -> [UInt8] {
    Array(
        """
        <definitions xmlns="\(namespace)" name="test" namespace="\(name)">
        \(content)
        </definitions>
        """.utf8)
}

/// `literalExpression` of a text.
func literal(_ text: String, type: String? = nil) -> String {
    let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    return "<literalExpression\(typeAttribute(type))><text>\(escaped)</text></literalExpression>"
}

/// `variable`, `parameter` and the like.
func named(_ element: String, _ name: String, type: String? = nil) -> String {
    #"<\#(element) name="\#(name)"\#(typeAttribute(type))/>"#
}

private func typeAttribute(_ type: String?) -> String {
    type.map { #" typeRef="\#($0)""# } ?? ""
}

/// An input of the id and name `name`.
func input(_ name: String, type: String? = nil) -> String {
    #"<inputData id="\#(name)" name="\#(name)">\#(named("variable", name, type: type))</inputData>"#
}

/// A decision of the id and name `name`.
func decision(
    _ name: String, type: String? = nil, requires: [String] = [], decisions: [String] = [], knows: [String] = [],
    _ logic: String
) -> String {
    let requirements =
        requires.map { ##"<informationRequirement><requiredInput href="#\##($0)"/></informationRequirement>"## }
        + decisions.map { ##"<informationRequirement><requiredDecision href="#\##($0)"/></informationRequirement>"## }
        + knows.map { ##"<knowledgeRequirement><requiredKnowledge href="#\##($0)"/></knowledgeRequirement>"## }
    return """
        <decision id="\(name)" name="\(name)">\(named("variable", name, type: type))\(requirements.joined())\
        \(logic)</decision>
        """
}

/// A knowledge model of the id and name `name`.
func knowledge(
    _ name: String, _ parameters: [(String, String?)] = [], type: String? = nil, logicType: String? = nil,
    _ logic: String
) -> String {
    let formal = parameters.map { named("formalParameter", $0.0, type: $0.1) }.joined()
    return """
        <businessKnowledgeModel id="\(name)" name="\(name)">\(named("variable", name, type: type))\
        <encapsulatedLogic\(typeAttribute(logicType))>\(formal)\(logic)</encapsulatedLogic></businessKnowledgeModel>
        """
}

/// Reads a document that must have no errors.
func model(_ content: String) throws -> DecisionModel {
    let result = DMNImporter.read(dmn(content), file: "test.dmn")
    let errors = result.diagnostics.filter { $0.severity == .error }
    #expect(errors.isEmpty, "\(errors)")
    return try #require(result.model)
}

/// Evaluates `d` of a document, with and without a record.
func evaluate(
    _ content: String, _ inputs: ValueContext = [:], decision: String = "d",
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> DecisionOutcome {
    let model = try model(content)
    let outcome = model.evaluate(decision: decision, inputs: inputs)
    let value = model.evaluateValue(decision: decision, inputs: MapScope(inputs))
    if value.typeName != "function" {
        #expect(value == outcome.value, "evaluateValue differs", sourceLocation: sourceLocation)
    }
    return outcome
}

/// A document and the value of its decision `d`.
struct DMNRow: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let content: String
    let inputs: ValueContext
    let expected: Value
    /// A part of a warning, when there must be one; none may be there otherwise.
    let warning: String?

    init(
        _ name: String, _ content: String, _ inputs: ValueContext, _ expected: Value, warning: String? = nil
    ) {
        self.testDescription = name
        self.content = content
        self.inputs = inputs
        self.expected = expected
        self.warning = warning
    }

    init(_ name: String, _ content: String, _ expected: Value, warning: String? = nil) {
        self.init(name, content, [:], expected, warning: warning)
    }

    func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let outcome = try evaluate(content, inputs, sourceLocation: sourceLocation)
        #expect(outcome.value == expected, "\(outcome.warnings)", sourceLocation: sourceLocation)
        if let warning {
            #expect(
                outcome.warnings.contains { $0.message.contains(warning) }, "\(outcome.warnings)",
                sourceLocation: sourceLocation)
        } else {
            #expect(outcome.warnings.isEmpty, "\(outcome.warnings)", sourceLocation: sourceLocation)
        }
        #expect(outcome.isError == (outcome.value.isNull && warning != nil), sourceLocation: sourceLocation)
    }
}
