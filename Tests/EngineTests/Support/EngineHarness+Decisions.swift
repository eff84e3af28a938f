import Decisions
import Engine
import ProcessModel
import Testing
import Values

extension EngineHarness {
    /// Deploys DMN documents, imported ones first, with a process when one is given.
    @discardableResult
    func deploy(
        decisions documents: [String], process: String? = nil, location: SourceLocation = #_sourceLocation
    ) throws -> [DeployedDecisions] {
        var models: [String: DecisionModel] = [:]
        var new: [NewDecisions] = []
        for (position, document) in documents.enumerated() {
            let resource = Array(document.utf8)
            let result = DMNImporter.read(resource, file: "m\(position).dmn", imports: models)
            let model = try #require(
                result.isRefused ? nil : result.model, "\(result.diagnostics)", sourceLocation: location)
            let imports = DMNImporter.importedNamespaces(resource).compactMap { namespace in
                new.firstIndex { $0.model.namespace == namespace }.map { NewDecisions.Import.together($0) }
                    ?? registry.decisions.model(namespace: namespace).map { .deployed($0.key.rawValue) }
            }
            models[model.namespace] = model
            new.append(
                NewDecisions(model: model, resourceName: "m\(position).dmn", resource: resource, imports: imports))
        }
        let resource = process.map { Array($0.utf8) }
        let processes = resource.map { BPMNImporter.read($0, file: "p.bpmn").processes } ?? []
        let started = processes.map { NewProcess(process: $0, resourceName: "p.bpmn", resource: resource ?? []) }
        submit(started)
        let reply = send(.deploy(started, decisions: new))
        guard case .deployed(_, _, let keys) = reply else {
            Issue.record("\(reply)", sourceLocation: location)
            return []
        }
        return keys.compactMap { registry.decisions.model(key: Key(rawValue: $0)) }
    }

    /// Makes decision models known, as the runtime does once they are durable.
    func confirm(_ deployed: [DecisionsDeployed]) {
        for item in deployed {
            let imports = item.imports.compactMap { registry.decisions.model(key: Key(rawValue: $0)) }
            let result = DMNImporter.read(
                item.resource, file: nil,
                imports: Dictionary(imports.map { ($0.model.namespace, $0.model) }, uniquingKeysWith: { $1 }))
            if let model = result.model {
                registry.decisions.add(DeployedDecisions(item, model: model, imports: imports))
            }
        }
    }
}

/// Decision models as text.
enum DecisionText {
    /// A model with an id; its namespace is `urn:<id>`.
    static func model(_ id: String, _ content: String..., imports: [String] = []) -> String {
        let references = imports.map {
            "<import name=\"\($0)\" namespace=\"urn:\($0)\" importType=\"https://www.omg.org/spec/DMN/20191111/MODEL/\"/>"
        }
        return """
            <definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" \
            xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="\(id)" name="\(id) model" namespace="urn:\(id)">
            \((references + content).joined(separator: "\n"))
            </definitions>
            """
    }

    static func input(_ name: String) -> String { "<inputData id=\"in_\(name)\" name=\"\(name)\"/>" }

    /// A decision with a literal expression; `of` names input data, `after` decisions it requires.
    static func literal(
        _ id: String, _ expression: String, of inputs: [String] = [], after decisions: [String] = [],
        tag: String? = nil
    ) -> String {
        let label = tag.map { "<extensionElements><zeebe:versionTag value=\"\($0)\"/></extensionElements>" } ?? ""
        return """
            <decision id="\(id)" name="\(id)">\(label)\(requirements(inputs, decisions))\
            <literalExpression><text>\(expression)</text></literalExpression></decision>
            """
    }

    /// A first-hit table over one input: `rules` maps unary tests to outputs.
    static func table(_ id: String, on input: String, _ rules: [(String, String)]) -> String {
        let rows = rules.enumerated().map { index, rule in
            """
            <rule id="r\(index + 1)"><inputEntry id="i\(index)"><text>\(rule.0)</text></inputEntry>\
            <outputEntry id="o\(index)"><text>\(rule.1)</text></outputEntry></rule>
            """
        }
        return """
            <decision id="\(id)" name="\(id)">\(requirements([input], []))\
            <decisionTable id="t" hitPolicy="FIRST"><input id="c1" label="the \(input)">\
            <inputExpression><text>\(input)</text></inputExpression></input>\
            <output id="c2" name="out"/>\(rows.joined())</decisionTable></decision>
            """
    }

    private static func requirements(_ inputs: [String], _ decisions: [String]) -> String {
        let data = inputs.map { "<informationRequirement><requiredInput href=\"#in_\($0)\"/></informationRequirement>" }
        let others = decisions.map {
            let reference = $0.contains("#") ? $0 : "#" + $0
            return "<informationRequirement><requiredDecision href=\"\(reference)\"/></informationRequirement>"
        }
        return (data + others).joined()
    }

    /// A business rule task.
    static func task(
        _ id: String, _ decision: String, to variable: String, binding: String = "", io: String = ""
    ) -> String {
        """
        <businessRuleTask id="\(id)"><extensionElements><zeebe:calledDecision decisionId="\(Model.escape(decision))" \
        resultVariable="\(variable)" \(binding)/>\(io)</extensionElements></businessRuleTask>
        """
    }
}
