import Decisions
import Values

/// Reads a parsed XML document as DMN.
struct DMNReader {
    let document: XMLDocument
    let file: String?
    var findings: [Diagnostic] = []
    /// The namespace of the document's own elements.
    private var space = ""
    /// The language of texts that name none; nil means FEEL.
    private var foreignLanguage: String?

    /// The namespaces of DMN, without a slash at the end, by version.
    static let namespaces: [String: String] = [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
        "http://www.omg.org/spec/DMN/20151101": "1.1",
        "http://www.omg.org/spec/DMN/20180521/MODEL": "1.2",
        "https://www.omg.org/spec/DMN/20191111/MODEL": "1.3",
        "https://www.omg.org/spec/DMN/20211108/MODEL": "1.4",
        "https://www.omg.org/spec/DMN/20230324/MODEL": "1.5",
        "https://www.omg.org/spec/DMN/20240513/MODEL": "1.6",
    ]

    /// The most findings kept.
    static let findingsMax = 500

    init(document: XMLDocument, file: String?) {
        self.document = document
        self.file = file
    }

    static func isDMN(_ namespace: String) -> Bool {
        namespaces[namespace.hasSuffix("/") ? String(namespace.dropLast()) : namespace] != nil
    }

    // MARK: Findings

    mutating func find(_ code: DMNCode, _ message: String, remedy: String, at element: XMLElement) {
        guard findings.count < Self.findingsMax else { return }
        findings.append(
            Diagnostic(
                code: code.rawValue, severity: code.severity, message: message, remedy: remedy, file: file,
                line: element.line, elementID: element.attribute("id")))
    }

    // MARK: Elements

    func place(_ element: XMLElement) -> DMNPlace { DMNPlace(id: element.attribute("id"), line: element.line) }

    /// The name of an element with its white space made single spaces.
    func name(_ element: XMLElement) -> String { Self.normalized(element.attribute("name") ?? "") }

    static func normalized(_ name: String) -> String {
        name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The children that belong to DMN, by their names.
    func children(_ element: XMLElement) -> [(name: String, element: XMLElement)] {
        element.children.compactMap { child in
            let name = child.name
            return name.uri == space ? (name.local, child) : nil
        }
    }

    func child(_ element: XMLElement, _ name: String) -> XMLElement? {
        for child in element.children where child.name.local == name && child.name.uri == space { return child }
        return nil
    }

    func text(_ element: XMLElement?) -> String? {
        element.flatMap { child($0, "text") }?.text
    }

    /// The type of an element: an attribute, or a child of item definitions.
    func type(_ element: XMLElement) -> String? {
        (element.attribute("typeRef") ?? child(element, "typeRef")?.text).map(Self.normalized)
    }

    // MARK: Document

    mutating func read() -> DMNDefinitions? {
        let root = document.root
        space = root.name.uri
        guard root.name.local == "definitions", Self.isDMN(space) else {
            find(
                .notDMN, "Expected DMN definitions but found '\(root.name.local)' of the namespace '\(space)'.",
                remedy: "export the model as DMN 1.1 to 1.5", at: root)
            return nil
        }
        foreignLanguage = foreign(root.attribute("expressionLanguage"))
        var definitions = DMNDefinitions()
        definitions.id = root.attribute("id")
        definitions.name = name(root)
        definitions.namespace = root.attribute("namespace") ?? ""
        definitions.file = file
        for (kind, element) in children(root) {
            switch kind {
            case "import": readImport(element).map { definitions.imports.append($0) }
            case "itemDefinition": definitions.itemDefinitions.append(item(element))
            case "inputData":
                definitions.inputData.append(
                    DMNInputData(name: named(element), place: place(element), variable: variable(of: element)))
            case "decision": definitions.decisions.append(decision(element))
            case "businessKnowledgeModel": definitions.knowledgeModels.append(knowledge(element))
            case "decisionService": definitions.services.append(service(element))
            case "drgElement", "artifact", "elementCollection", "knowledgeSource", "businessContextElement",
                "performanceIndicator", "organizationUnit", "association", "textAnnotation", "group", "description",
                "extensionElements", "extensionAttributes", "DMNDI":
                continue
            default:
                find(
                    .unknownElement, "The element '\(kind)' is not known and has no effect.",
                    remedy: "remove it, or check its spelling", at: element)
            }
        }
        return definitions
    }

    private mutating func readImport(_ element: XMLElement) -> DMNImport? {
        let type = element.attribute("importType") ?? ""
        guard Self.isDMN(type) else {
            find(
                .unsupportedImport, "An import of the type '\(type)' is not supported.",
                remedy: "import DMN models only, and define types as item definitions", at: element)
            return nil
        }
        return DMNImport(
            name: name(element), namespace: element.attribute("namespace") ?? "", place: place(element))
    }

    /// The name of an element that must have one.
    private mutating func named(_ element: XMLElement) -> String {
        let name = self.name(element)
        if name.isEmpty {
            find(
                .badAttribute, "The \(element.name.local) has no name.", remedy: "give it a name", at: element)
        }
        return name
    }

    private func variable(of element: XMLElement) -> DMNVariable {
        child(element, "variable").map { variable($0) } ?? DMNVariable(name: "", type: type(element))
    }

    func variable(_ element: XMLElement) -> DMNVariable {
        DMNVariable(name: name(element), type: type(element))
    }

    private mutating func item(_ element: XMLElement) -> DMNItemDefinition {
        var item = DMNItemDefinition(name: named(element), place: place(element))
        item.isCollection = element.attribute("isCollection").map { $0 == "true" || $0 == "1" } ?? false
        item.type = type(element)
        for (kind, part) in children(element) {
            switch kind {
            case "itemComponent": item.components.append(self.item(part))
            case "allowedValues": item.allowedValues = text(part)
            case "typeConstraint": item.typeConstraint = text(part)
            case "functionItem":
                let parameters = children(part).filter { $0.name == "parameters" }.map { variable($0.element) }
                item.function = .init(
                    parameters: parameters, result: part.attribute("outputTypeRef").map(Self.normalized))
            default: continue
            }
        }
        return item
    }

    private mutating func decision(_ element: XMLElement) -> DMNDecision {
        var decision = DMNDecision(name: named(element), place: place(element), variable: variable(of: element))
        decision.requirements = requirements(element)
        decision.expression = expression(in: element)
        decision.versionTag = versionTag(of: element)
        return decision
    }

    /// The label other engines' modelers give a version: an attribute, or an extension element.
    private func versionTag(of element: XMLElement) -> String? {
        for (name, value) in element.attributes where name.local == "versionTag" { return value }
        guard let extensions = child(element, "extensionElements") else { return nil }
        for part in extensions.children where part.name.local == "versionTag" { return part.attribute("value") }
        return nil
    }

    private mutating func knowledge(_ element: XMLElement) -> DMNKnowledgeModel {
        var model = DMNKnowledgeModel(name: named(element), place: place(element), variable: variable(of: element))
        model.requirements = requirements(element)
        if let logic = child(element, "encapsulatedLogic") {
            model.logic = function(logic)
            model.logicType = type(logic)
        }
        return model
    }

    private mutating func requirements(_ element: XMLElement) -> [DMNReference] {
        var references: [DMNReference] = []
        for (kind, requirement) in children(element) where Self.requirementKinds.contains(kind) {
            for (role, target) in children(requirement) where Self.requirementRoles.contains(role) {
                reference(target).map { references.append($0) }
            }
        }
        return references
    }

    private static let requirementKinds: Set = ["informationRequirement", "knowledgeRequirement"]
    private static let requirementRoles: Set = ["requiredDecision", "requiredInput", "requiredKnowledge"]

    private mutating func reference(_ element: XMLElement) -> DMNReference? {
        guard let href = element.attribute("href"), !href.isEmpty else {
            find(
                .badAttribute, "The \(element.name.local) has no href.", remedy: "name the element it refers to",
                at: element)
            return nil
        }
        guard let hash = href.lastIndex(of: "#") else {
            return DMNReference(namespace: nil, id: href, line: element.line)
        }
        let namespace = String(href[..<hash])
        let own = document.root.attribute("namespace")
        return DMNReference(
            namespace: namespace.isEmpty || namespace == own ? nil : namespace,
            id: String(href[href.index(after: hash)...]), line: element.line)
    }

    private mutating func service(_ element: XMLElement) -> DMNDecisionService {
        var service = DMNDecisionService(
            name: named(element), place: place(element), variable: variable(of: element))
        for (kind, part) in children(element) {
            switch kind {
            case "outputDecision": reference(part).map { service.outputs.append($0) }
            case "encapsulatedDecision": reference(part).map { service.encapsulated.append($0) }
            case "inputDecision": reference(part).map { service.inputDecisions.append($0) }
            case "inputData": reference(part).map { service.inputData.append($0) }
            default: continue
            }
        }
        return service
    }

    // MARK: Language

    /// The language, unless it is FEEL.
    private func foreign(_ language: String?) -> String? {
        guard let language, !language.isEmpty else { return nil }
        let isFEEL = FEELLanguage().identifiers.contains {
            $0 == language.lowercased() || $0 == language || $0 == language + "/"
        }
        return isFEEL ? nil : language
    }

    /// The language of an element's text, unless it is FEEL.
    func foreignLanguage(_ element: XMLElement) -> String? {
        guard let language = element.attribute("expressionLanguage") else { return foreignLanguage }
        return foreign(language)
    }
}
