import Foundation

/// Writes BPMN documents from a compact notation, so that a test shows the shape of its process.
///
/// Flows are chains such as `start -> [=x > 1] a -> end`; several are separated by line breaks or `;`. `[default]`
/// marks the default flow. A node nobody defines gets its kind from its id: `start…`, `end…`, `xor…`, `and…`, `ior…`,
/// `gate…` are events and gateways, `m…` a manual task; everything else is a service task whose job type is its id.
enum Model {
    /// A document with one process.
    static func process(
        _ flows: String, id: String = "p", tag: String? = nil, nodes: [String] = [], root: [String] = []
    ) -> String {
        document([definition(flows, id: id, tag: tag, nodes: nodes)], root: root)
    }

    static func document(_ processes: [String], root: [String] = []) -> String {
        """
        <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" \
        xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:apg="urn:junction:apg:1.0">
        \((root + processes).joined(separator: "\n"))
        </definitions>
        """
    }

    static func definition(_ flows: String, id: String = "p", tag: String? = nil, nodes: [String] = []) -> String {
        let version = tag.map { "<extensionElements><zeebe:versionTag value=\"\($0)\"/></extensionElements>" } ?? ""
        return "<process id=\"\(id)\" isExecutable=\"true\">\(version)\n\(content(flows, nodes: nodes))\n</process>"
    }

    /// The nodes and flows of a scope.
    static func content(_ flows: String, nodes: [String] = []) -> String {
        var parts = nodes
        var known = Set(nodes.compactMap(firstID))
        var names: [String: Int] = [:]
        var edges: [String] = []
        var defaults: [String: String] = [:]
        var order: [String] = []
        for chain in flows.split(whereSeparator: { $0 == "\n" || $0 == ";" }) {
            var source: String?
            for step in chain.components(by: "->") {
                var step = step
                var condition: String?
                if step.hasPrefix("["), let close = step.lastIndex(of: "]") {
                    condition = String(step[step.index(after: step.startIndex)..<close])
                    step = String(step[step.index(after: close)...].drop { $0 == " " })
                }
                order.append(step)
                if let source {
                    let base = "\(source)_\(step)"
                    names[base, default: 0] += 1
                    let id = names[base] == 1 ? base : "\(base)_\(names[base] ?? 0)"
                    if condition == "default" {
                        defaults[source] = id
                        condition = nil
                    }
                    let body = condition.map { "<conditionExpression>\(escape($0))</conditionExpression>" } ?? ""
                    edges.append(
                        "<sequenceFlow id=\"\(id)\" sourceRef=\"\(source)\" targetRef=\"\(step)\">\(body)</sequenceFlow>"
                    )
                }
                source = step
            }
        }
        for id in order where known.insert(id).inserted { parts.append(node(id, defaultFlow: defaults[id])) }
        for (id, flow) in defaults {
            guard let position = parts.firstIndex(where: { firstID($0) == id && !$0.contains("default=") }) else {
                continue
            }
            parts[position].replaceFirst("id=\"\(id)\"", with: "id=\"\(id)\" default=\"\(flow)\"")
        }
        return (parts + edges).joined(separator: "\n")
    }

    private static func node(_ id: String, defaultFlow: String?) -> String {
        let attributes = "id=\"\(id)\"" + (defaultFlow.map { " default=\"\($0)\"" } ?? "")
        if id.hasPrefix("start") { return "<startEvent \(attributes)/>" }
        if id.hasPrefix("end") { return "<endEvent \(attributes)/>" }
        if id.hasPrefix("xor") { return "<exclusiveGateway \(attributes)/>" }
        if id.hasPrefix("and") { return "<parallelGateway \(attributes)/>" }
        if id.hasPrefix("ior") { return "<inclusiveGateway \(attributes)/>" }
        if id.hasPrefix("gate") { return "<eventBasedGateway \(attributes)/>" }
        if id.hasPrefix("m") { return "<manualTask \(attributes)/>" }
        return task(id).replacingFirst("id=\"\(id)\"", with: attributes)
    }

    // MARK: Nodes

    static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// A service task with a job.
    static func task(
        _ id: String, type: String? = nil, retries: String? = nil, io: String = "", extensions: String = "",
        loop: String = "", tag: String = "serviceTask"
    ) -> String {
        let attempts = retries.map { " retries=\"\(escape($0))\"" } ?? ""
        return """
            <\(tag) id="\(id)"><extensionElements><zeebe:taskDefinition type="\(escape(type ?? id))"\(attempts)/>\
            \(extensions)\(io)</extensionElements>\(loop)</\(tag)>
            """
    }

    /// Input and output mappings, each `source > target`.
    static func io(_ inputs: [(String, String)] = [], _ outputs: [(String, String)] = []) -> String {
        let parts =
            inputs.map { "<zeebe:input source=\"\(escape($0.0))\" target=\"\($0.1)\"/>" }
            + outputs.map { "<zeebe:output source=\"\(escape($0.0))\" target=\"\($0.1)\"/>" }
        return "<zeebe:ioMapping>\(parts.joined())</zeebe:ioMapping>"
    }

    static func script(_ id: String, _ expression: String, to variable: String, io: String = "", loop: String = "")
        -> String
    {
        """
        <scriptTask id="\(id)"><extensionElements><zeebe:script expression="\(escape(expression))" \
        resultVariable="\(variable)"/>\(io)</extensionElements>\(loop)</scriptTask>
        """
    }

    static func user(_ id: String, extensions: String = "", io: String = "", loop: String = "") -> String {
        "<userTask id=\"\(id)\"><extensionElements><zeebe:userTask/>\(extensions)\(io)</extensionElements>\(loop)</userTask>"
    }

    static func sub(_ id: String, _ flows: String, nodes: [String] = [], io: String = "", loop: String = "") -> String {
        "<subProcess id=\"\(id)\"><extensionElements>\(io)</extensionElements>\(loop)\n\(content(flows, nodes: nodes))\n</subProcess>"
    }

    static func call(
        _ id: String, _ processID: String, attributes: String = "", io: String = "", loop: String = ""
    ) -> String {
        """
        <callActivity id="\(id)"><extensionElements><zeebe:calledElement processId="\(escape(processID))" \
        \(attributes)/>\(io)</extensionElements>\(loop)</callActivity>
        """
    }

    /// A multi-instance marker.
    static func loop(
        over collection: String? = nil, as element: String? = nil, times: String? = nil, sequential: Bool = false,
        output: (variable: String, element: String)? = nil, until condition: String? = nil
    ) -> String {
        var attributes = ""
        if let collection { attributes += " inputCollection=\"\(escape(collection))\"" }
        if let element { attributes += " inputElement=\"\(element)\"" }
        if let output {
            attributes += " outputCollection=\"\(output.variable)\" outputElement=\"\(escape(output.element))\""
        }
        let extensions =
            attributes.isEmpty
            ? "" : "<extensionElements><zeebe:loopCharacteristics\(attributes)/></extensionElements>"
        let cardinality = times.map { "<loopCardinality>\(escape($0))</loopCardinality>" } ?? ""
        let completion = condition.map { "<completionCondition>\(escape($0))</completionCondition>" } ?? ""
        return """
            <multiInstanceLoopCharacteristics isSequential="\(sequential)">\(extensions)\(cardinality)\(completion)\
            </multiInstanceLoopCharacteristics>
            """
    }

    // MARK: Events

    static func timer(_ kind: String, _ value: String) -> String {
        "<timerEventDefinition><\(kind)>\(escape(value))</\(kind)></timerEventDefinition>"
    }

    static func duration(_ value: String) -> String { timer("timeDuration", value) }

    static func onMessage(_ reference: String) -> String { "<messageEventDefinition messageRef=\"\(reference)\"/>" }

    static func onError(_ reference: String?) -> String {
        "<errorEventDefinition\(reference.map { " errorRef=\"\($0)\"" } ?? "")/>"
    }

    static func boundary(
        _ id: String, on activity: String, _ event: String, interrupting: Bool = true, io: String = ""
    ) -> String {
        """
        <boundaryEvent id="\(id)" attachedToRef="\(activity)" cancelActivity="\(interrupting)">\
        <extensionElements>\(io)</extensionElements>\(event)</boundaryEvent>
        """
    }

    static func start(_ id: String, _ event: String) -> String { "<startEvent id=\"\(id)\">\(event)</startEvent>" }

    static func end(_ id: String, _ event: String) -> String { "<endEvent id=\"\(id)\">\(event)</endEvent>" }

    static func catching(_ id: String, _ event: String, io: String = "") -> String {
        """
        <intermediateCatchEvent id="\(id)"><extensionElements>\(io)</extensionElements>\(event)</intermediateCatchEvent>
        """
    }

    static func receive(_ id: String, _ message: String, io: String = "", loop: String = "") -> String {
        """
        <receiveTask id="\(id)" messageRef="\(message)"><extensionElements>\(io)</extensionElements>\(loop)</receiveTask>
        """
    }

    static let terminate = "<terminateEventDefinition/>"

    // MARK: Root elements

    static func message(_ id: String, name: String? = nil, key: String? = "=key") -> String {
        let subscription = key.map {
            "<extensionElements><zeebe:subscription correlationKey=\"\(escape($0))\"/></extensionElements>"
        }
        return "<message id=\"\(id)\" name=\"\(escape(name ?? id))\">\(subscription ?? "")</message>"
    }

    static func error(_ id: String, _ code: String) -> String { "<error id=\"\(id)\" errorCode=\"\(code)\"/>" }

    private static func firstID(_ element: String) -> String? {
        guard let start = element.range(of: "id=\"") else { return nil }
        return String(element[start.upperBound...].prefix { $0 != "\"" })
    }
}

extension StringProtocol {
    /// The parts between separators, without surrounding spaces.
    fileprivate func components(by separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.range(of: separator) {
            parts.append(rest[..<range.lowerBound].trimmed)
            rest = rest[range.upperBound...]
        }
        parts.append(rest.trimmed)
        return parts
    }

    private var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension String {
    func replacingFirst(_ text: String, with replacement: String) -> String {
        var result = self
        result.replaceFirst(text, with: replacement)
        return result
    }

    fileprivate mutating func replaceFirst(_ text: String, with replacement: String) {
        if let range = range(of: text) { replaceSubrange(range, with: replacement) }
    }
}
