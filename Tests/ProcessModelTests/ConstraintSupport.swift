import Testing
import Values

@testable import ProcessModel

/// A rule, a document that breaks it and the same document without the breach; both given as the content of
/// `definitions`.
struct ConstraintRow: Sendable, CustomTestStringConvertible {
    let constraint: Constraint
    let name: String
    let broken: String
    let good: String

    init(_ constraint: Constraint, _ name: String, broken: String, good: String) {
        self.constraint = constraint
        self.name = name
        self.broken = broken
        self.good = good
    }

    var testDescription: String { "\(constraint.rawValue) \(name)" }

    /// In the strict profile the first document breaks the rule and the second does not.
    func check(location: SourceLocation = #_sourceLocation) throws {
        let code = constraint.rawValue
        let findings = try constraintFindings(broken)
        let hits = findings.filter { $0.code == code }
        #expect(!hits.isEmpty, "found instead: \(findings)", sourceLocation: location)
        for hit in hits {
            #expect(hit.severity == .error && hit.line != nil && hit.remedy?.isEmpty == false, sourceLocation: location)
            #expect(hit.message.hasPrefix("Expected ") && hit.message.contains(" but "), sourceLocation: location)
        }
        #expect(try constraintFindings(good).filter { $0.code == code } == [], sourceLocation: location)
    }
}

/// A document with this content of `definitions`.
func constraintDocument(_ content: String) -> [UInt8] {
    Array(
        """
        <definitions xmlns="\(Namespace.bpmn)" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
        xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
        \(content)
        </definitions>
        """.utf8)
}

/// The constraints that a document with this content of `definitions` breaks.
func constraintFindings(_ content: String, profile: ImportProfile = .strict) throws -> [Diagnostic] {
    let document = try XMLDocument(constraintDocument(content))
    return withExtendedLifetime(document) {
        BPMNConstraints.check(document, profile: profile, file: "model.bpmn")
    }
}

/// An executable process `p`.
func executable(_ content: String, _ attributes: String = "") -> String {
    "<process id=\"p\" isExecutable=\"true\" \(attributes)>\(content)</process>"
}

/// A sequence flow, with the id `source-target`.
func flow(_ source: String, _ target: String, _ content: String = "") -> String {
    "<sequenceFlow id=\"\(source)-\(target)\" sourceRef=\"\(source)\" targetRef=\"\(target)\">\(content)</sequenceFlow>"
}

/// `start → x → end` in an executable process, where `x` is written out.
func amid(_ node: String) -> String {
    executable("<startEvent id=\"start\"/>\(flow("start", "x"))\(node)\(flow("x", "end"))<endEvent id=\"end\"/>")
}

/// A formal expression element.
func formal(_ element: String, _ text: String) -> String {
    "<\(element) xsi:type=\"tFormalExpression\">\(text)</\(element)>"
}

/// Two item definitions of different types, a collection of the first, and a message of the first.
let items = """
    <itemDefinition id="text" structureRef="String"/><itemDefinition id="number" structureRef="xsd:int"/>
    <itemDefinition id="texts" structureRef="String" isCollection="true"/>
    <itemDefinition id="sameText" structureRef="String"/>
    <message id="m" itemRef="text"/><message id="n" itemRef="number"/>
    <interface id="if" name="if"><operation id="op" name="op"><inMessageRef>m</inMessageRef>\
    <outMessageRef>n</outMessageRef></operation><operation id="oneWay" name="o"><inMessageRef>m</inMessageRef>\
    </operation></interface>
    """

/// An io specification with these inputs and outputs, each an id with its item, in one set each.
func ioSpecification(_ inputs: [(String, String)], _ outputs: [(String, String)] = []) -> String {
    let data =
        inputs.map { "<dataInput id=\"\($0.0)\" itemSubjectRef=\"\($0.1)\"/>" }.joined()
        + outputs.map { "<dataOutput id=\"\($0.0)\" itemSubjectRef=\"\($0.1)\"/>" }.joined()
    let inputRefs = inputs.map { "<dataInputRefs>\($0.0)</dataInputRefs>" }.joined()
    let outputRefs = outputs.map { "<dataOutputRefs>\($0.0)</dataOutputRefs>" }.joined()
    return """
        <ioSpecification>\(data)<inputSet>\(inputRefs)</inputSet><outputSet>\(outputRefs)</outputSet></ioSpecification>
        """
}
