import Decisions
import Values

extension ProcessReader {
    /// Reads input and output mappings of every vocabulary into a node.
    func readMappings(_ index: Int, _ extensions: Extensions) {
        if let mapping = extensions.first(.zeebeIOMapping) { readZeebeMapping(mapping, into: index) }
        if let mapping = extensions.first(.camundaInputOutput) { readCamundaMapping(mapping, into: index) }
        for mapping in extensions.all(.apgIO) { readAPGMapping(mapping, into: index) }
        for mapping in extensions.all(.camundaIn) {
            readCallMapping(mapping).map { nodes[index].inputs.append($0) }
        }
        for mapping in extensions.all(.camundaOut) {
            readCallMapping(mapping).map { nodes[index].outputs.append($0) }
        }
    }

    private func readZeebeMapping(_ mapping: XMLElement, into index: Int) {
        for child in mapping.children {
            guard child.name.local == "input" || child.name.local == "output" else { continue }
            let source = requiredExpressionOrLiteral("source", of: child)
            guard let target = readTarget(child), let source else { continue }
            add(VariableMapping(source: source, target: target), isInput: child.name.local == "input", at: child, index)
        }
    }

    private func readCamundaMapping(_ mapping: XMLElement, into index: Int) {
        for child in mapping.children {
            guard child.name.local == "inputParameter" || child.name.local == "outputParameter" else { continue }
            guard let name = requiredText("name", of: child), let target = variablePath(name, of: child) else {
                continue
            }
            let source: ExpressionOrLiteral?
            if let structured = child.children.first(where: { _ in true }) {
                source = readStructured(structured)
            } else {
                source = reader.value(child.text, of: child, "the value of \(name)")
            }
            guard let source else { continue }
            add(
                VariableMapping(source: source, target: target), isInput: child.name.local == "inputParameter",
                at: child, index)
        }
    }

    /// A list or map of literals and FEEL expressions becomes one expression; scripts and other languages do not.
    private func readStructured(_ element: XMLElement) -> ExpressionOrLiteral? {
        guard let source = feel(element) else {
            reader.refuseVendorFeature(
                "\(element.name.description) in a mapping",
                .refused("write the value as a FEEL expression with a leading ="), at: element)
            return nil
        }
        return reader.expression(source, of: element, "the value of a mapping").map { .expression($0) }
    }

    private func feel(_ element: XMLElement) -> String? {
        let items = Array(element.children)
        switch element.name.local {
        case "list":
            let values = items.compactMap(feel)
            return values.count == items.count ? "[\(values.joined(separator: ", "))]" : nil
        case "map":
            let entries = items.compactMap { entry -> String? in
                guard let key = entry.attribute("key") else { return nil }
                let inner = entry.children.first { _ in true }
                return (inner.map(feel) ?? feel(text: entry.text)).map { "\(JSON.string(.string(key))): \($0)" }
            }
            return entries.count == items.count ? "{\(entries.joined(separator: ", "))}" : nil
        case "value" where items.isEmpty: return feel(text: element.text)
        default: return nil
        }
    }

    private func feel(text: String) -> String? {
        if text.hasPrefix("=") { return "(\(text.dropFirst()))" }
        return reader.isMarkedJUEL(text) ? nil : JSON.string(.string(text))
    }

    /// Reads `apg:io`: maps, and whether a result is merged.
    ///
    /// `none` cannot be said of a node that has no mappings.
    private func readAPGMapping(_ mapping: XMLElement, into index: Int) {
        var hasOutputs = false
        for child in mapping.children {
            guard child.space == .apg, child.name.local == "map" else {
                reader.reportUnknownPart(child)
                continue
            }
            let direction = requiredText("direction", of: child)
            guard direction == "input" || direction == "output" else {
                if let direction { reportChoice(direction, "direction", ["input", "output"], at: child) }
                continue
            }
            hasOutputs = hasOutputs || direction == "output"
            let source = requiredExpressionOrLiteral("source", of: child)
            guard let target = readTarget(child), let source else { continue }
            add(VariableMapping(source: source, target: target), isInput: direction == "input", at: child, index)
        }
        switch mapping.attribute("output") {
        case nil: return
        case "mapped" where hasOutputs: return
        case "all" where !hasOutputs: return
        case "none", "mapped", "all":
            reader.report(
                .apgNotYet, at: mapping,
                "apg:io output=\"\(mapping.attribute("output") ?? "")\" \(hasOutputs ? "with" : "without") output maps "
                    + "is not executed by this version.",
                remedy: "use output=\"mapped\" with maps, or output=\"all\" without")
        case let other?: reportChoice(other, "output", ["mapped", "all", "none"], at: mapping)
        }
    }

    /// `camunda:in` and `camunda:out`; `variables="all"` is read with the called element.
    private func readCallMapping(_ mapping: XMLElement) -> VariableMapping? {
        if mapping.attribute("variables") != nil { return nil }
        if mapping.attribute("businessKey") != nil {
            reader.refuseVendorFeature(
                "The business key of camunda:in", .refused("map it to a variable with source and target"), at: mapping)
            return nil
        }
        let name = mapping.attribute("source")
        let text = mapping.attribute("sourceExpression")
        guard let source = name ?? text, !source.isEmpty else {
            reader.report(
                .incompleteExtension, at: mapping,
                "Expected source or sourceExpression on \(mapping.name.description), but both are missing.",
                remedy: "add one")
            return nil
        }
        guard let target = readTarget(mapping) else { return nil }
        return reader.expression(source, of: mapping, "the source of \(mapping.name.description)").map {
            VariableMapping(source: .expression($0), target: target)
        }
    }

    private func add(_ mapping: VariableMapping, isInput: Bool, at element: XMLElement, _ index: Int) {
        guard isInput else {
            nodes[index].outputs.append(mapping)
            return
        }
        guard !nodes[index].kind.isCatching else {
            reader.report(
                .misplacedExtension, at: element,
                "Expected only output mappings on a \(nodes[index].kind.noun), but found an input mapping.",
                remedy: "remove it; an event that waits has no input")
            return
        }
        nodes[index].inputs.append(mapping)
    }

    // MARK: Names

    /// The path in the `target` attribute.
    func readTarget(_ element: XMLElement) -> [String]? {
        requiredText("target", of: element).flatMap { variablePath($0, of: element) }
    }

    /// The name in the `variable` attribute.
    func readVariable(_ element: XMLElement) -> String? {
        requiredText("variable", of: element).flatMap { variableName($0, of: element) }
    }

    /// A variable name.
    func variableName(_ text: String, of element: XMLElement) -> String? {
        variablePath(text, of: element).flatMap { path in
            guard path.count == 1 else {
                reportName(text, of: element)
                return nil
            }
            return path[0]
        }
    }

    /// A variable name and member names, joined by dots.
    func variablePath(_ text: String, of element: XMLElement) -> [String]? {
        if text[...].isVariableName { return [text] }
        let path = text.split(separator: ".", omittingEmptySubsequences: false)
        // Other engines let variables have any name, dots included.
        if reader.profile == .lenient, !path.allSatisfy(\.isVariableName) { return [text] }
        guard path.allSatisfy(\.isVariableName) else {
            reportName(text, of: element)
            return nil
        }
        return path.map(String.init)
    }

    private func reportName(_ text: String, of element: XMLElement) {
        reader.report(
            .badVariableName, at: element, "Expected a variable name, but found \"\(text)\".",
            remedy: "use letters, digits and _, not beginning with a digit")
    }

    func reportChoice(_ found: String, _ attribute: String, _ choices: [String], at element: XMLElement) {
        reader.report(
            .badAttribute, at: element,
            "Expected \(attribute) to be one of \(choices.joined(separator: ", ")), but found \"\(found)\".",
            remedy: "choose one of these")
    }
}

extension Substring {
    /// Whether FEEL reads this as one name without spaces or operators.
    var isVariableName: Bool {
        guard let first = unicodeScalars.first, first.isNameStart else { return false }
        return unicodeScalars.dropFirst().allSatisfy(\.isNamePart)
    }
}

extension Unicode.Scalar {
    fileprivate var isNameStart: Bool {
        switch self {
        case "a"..."z", "A"..."Z", "_": true
        default: !isASCII && properties.isAlphabetic
        }
    }

    fileprivate var isNamePart: Bool {
        switch self {
        case "0"..."9": true
        default: isNameStart
        }
    }
}
