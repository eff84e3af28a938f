import Decisions
import ProcessModel
import Testing
import Values

/// A BPMN document around the content of one executable process `p`; the process begins on line 2.
func document(_ content: String, root: String = "", process: String = "") -> [UInt8] {
    let namespaces = """
        xmlns="\(Namespace.bpmn)" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" \
        xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:apg="urn:junction:apg:1.0" xmlns:tool="urn:tool"
        """
    return Array(
        """
        <definitions \(namespaces)>
        <process id="p" isExecutable="true" \(process)>
        \(content)
        </process>
        \(root)
        </definitions>
        """.utf8)
}

enum Namespace {
    static let bpmn = "http://www.omg.org/spec/BPMN/20100524/MODEL"
}

/// `start → node → end`, where the node is written out; the node stands on line 4.
func around(_ node: String, id: String = "x") -> String {
    """
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="\(id)"/>
    \(node)
    <sequenceFlow id="f2" sourceRef="\(id)" targetRef="end"/><endEvent id="end"/>
    """
}

/// A service task `x` with a job and more extension elements.
func serviceTask(_ extensions: String = "", attributes: String = "", children: String = "") -> String {
    """
    <serviceTask id="x" \(attributes)><extensionElements><zeebe:taskDefinition type="work"/>\(extensions)\
    </extensionElements>\(children)</serviceTask>
    """
}

/// Reads a document without the constraints of the standard, which have tests of their own.
func importOnly(
    _ bytes: [UInt8], file: String?, profile: ImportProfile = .standard, languages: LanguageRegistry? = nil
) -> ImportResult {
    BPMNImporter.read(bytes, file: file, profile: profile, languages: languages, checksConstraints: false)
}

/// The one process of a document that must be free of errors.
func imported(
    _ content: String, root: String = "", process: String = "", location: SourceLocation = #_sourceLocation
) throws -> ExecutableProcess {
    let result = importOnly(document(content, root: root, process: process), file: nil)
    #expect(result.diagnostics.filter { $0.severity == .error } == [], sourceLocation: location)
    return try #require(result.processes.first, sourceLocation: location)
}

/// The node `x` of `start → x → end`.
func importedNode(_ node: String, root: String = "", location: SourceLocation = #_sourceLocation) throws -> FlowNode {
    try #require(imported(around(node), root: root, location: location).node(id: "x"), sourceLocation: location)
}

/// The findings of a document with these contents.
func findings(_ content: String, root: String = "", process: String = "") -> [Diagnostic] {
    importOnly(document(content, root: root, process: process), file: "model.bpmn").diagnostics
}

/// The codes of errors and warnings among findings.
func codes(_ findings: [Diagnostic]) -> [String] {
    findings.filter { $0.severity > .info }.map(\.code)
}

extension ExpressionOrLiteral {
    /// `=source` of an expression, or the literal: easy to compare.
    var text: String {
        switch self {
        case .literal(let text): text
        case .expression(let expression): "=" + expression.source
        }
    }
}

extension VariableMapping {
    /// `target ← source`.
    var text: String { target.joined(separator: ".") + " ← " + source.text }
}

extension EventDefinition {
    /// What an event waits for, as text.
    var text: String {
        switch self {
        case .none: "none"
        case .timer(.date(let value)): "date \(value.text)"
        case .timer(.duration(let value)): "duration \(value.text)"
        case .timer(.cycle(let value)): "cycle \(value.text)"
        case .message(let message): "message \(message.name.text) by \(message.correlationKey?.source ?? "nothing")"
        case .signal(let signal): "signal \(signal.name.text)"
        case .error(let code): "error \(code ?? "*")"
        case .escalation(let code): "escalation \(code ?? "*")"
        case .conditional(let condition): "conditional \(condition.source)"
        case .link(let name): "link \(name)"
        case .compensation(let compensation):
            "compensation \(compensation.activity.map(String.init) ?? "*")"
                + (compensation.waitsForCompletion ? "" : " without waiting")
        case .cancel: "cancel"
        case .terminate: "terminate"
        case .multiple(let isParallel): isParallel ? "parallel multiple" : "multiple"
        }
    }
}

extension ScriptDefinition {
    /// The expression, when the script is one.
    var expression: Expression? {
        if case .expression(let expression) = work { return expression }
        return nil
    }
}
