import ArgumentParser
import Decisions
import Engine
import ProcessModel
import Values

/// What mutated inputs are given to.
enum FuzzTarget: String, CaseIterable, ExpressibleByArgument {
    case bpmn
    case dmn
    case feel
    case juel
    case xpath

    /// Words that mean something in the format.
    var words: [String] {
        switch self {
        case .bpmn:
            [
                "<subProcess id=\"s\">", "</subProcess>", "<sequenceFlow id=\"f\" sourceRef=\"a\" targetRef=\"b\"/>",
                "<!DOCTYPE a [<!ENTITY b \"c\">]>", "&b;", "&#x0;", "<![CDATA[", "]]>", "<?a b?>", "xmlns=\"\"",
                "triggeredByEvent=\"true\"", "isForCompensation=\"true\"", "<complexGateway id=\"g\"/>", "\u{FEFF}",
            ]
        case .dmn:
            [
                "<decision id=\"q\" name=\"q\">", "</decision>",
                "<literalExpression><text>q(1)</text></literalExpression>",
                "<rule id=\"r\">", "</rule>", "<inputEntry id=\"n\"><text>-</text></inputEntry>",
                "hitPolicy=\"PRIORITY\"",
                "<requiredDecision href=\"#d2\"/>", "<import namespace=\"urn:corpus:discount\" name=\"a\"/>", "<text>",
                "</text>", "typeRef=\"tOrder\"", "<context>", "</context>", "<!DOCTYPE a>", "&amp;", "&b;",
            ]
        case .feel, .juel, .xpath:
            [
                "(", ")", "[", "]", "{", "}", "..", "for i in ", " return ", "some x in ", " satisfies ",
                "function(x) ",
                "if ", " then ", " else ", "@\"P1Y\"", "\"", "\\u", "date(", "${", "#{", "$x/", "//", "::", "not(",
                " between ", " and ", " instance of ", "**", "-", "?", "1e999", "\u{1F600}",
            ]
        }
    }

    /// How files of the corpus end.
    var fileExtension: String { rawValue }

    /// Gives an input to everything that reads its format.
    ///
    /// Whatever the input is, this returns: results are of no interest.
    func run(_ bytes: [UInt8]) {
        switch self {
        case .bpmn: runModel(bytes)
        case .dmn: runDecisions(bytes)
        case .feel:
            let text = String(decoding: bytes, as: UTF8.self)
            for mode in [Expression.Mode.expression, .unaryTests] {
                if let expression = try? Expression.compile(text, mode: mode) { evaluate(expression) }
            }
        case .juel, .xpath:
            let text = String(decoding: bytes, as: UTF8.self)
            guard let language = LanguageRegistry.lenient.expressionLanguage(rawValue),
                let expression = try? language.compile(text, knownNames: [])
            else { return }
            evaluate(expression)
        }
    }

    private func evaluate(_ expression: Expression) {
        let order: Value = ["items": [["price": 10, "name": "a"], ["price": 2, "name": "b"]], "total": 12]
        let scope = MapScope(["x": 7, "order": order, "text": "order", "?": 3])
        _ = expression.evaluate(scope)
        _ = expression.evaluateCondition(scope)
    }

    private func runDecisions(_ bytes: [UInt8]) {
        guard let model = DMNImporter.read(bytes, file: nil).model else { return }
        let scope = MapScope(["order": ["total": 120, "kind": "old"]])
        for element in model.decisions + model.services { _ = model.evaluate(decision: element.id, inputs: scope) }
    }

    private func runModel(_ bytes: [UInt8]) {
        for profile in [ImportProfile.lenient, .standard, .strict] {
            let imported = BPMNImporter.read(bytes, file: nil, profile: profile)
            guard !imported.isRefused, profile == .standard else { continue }
            let host = PartitionHost()
            guard (try? host.deploy(imported.processes, resource: bytes)) != nil else { continue }
            for process in imported.processes { _ = host.start(process.id, ValueContext()) }
            for _ in 0..<20 {
                guard let due = host.nextDue else { break }
                host.now = Swift.max(host.now, due)
                host.send(.tick)
            }
        }
        guard let document = try? BPMNDocument(bytes) else { return }
        _ = try? BPMNDocument(document.withLayout().export())
        _ = document.svg()
    }
}
