import Decisions
import Values

/// The parts of one node's element, sorted.
struct NodeParts {
    var extensions = Extensions()
    /// Executed and refused event definitions, nested or referred to.
    var events: [XMLElement] = []
    var loop: XMLElement?
    var script: XMLElement?
}

extension ProcessReader {
    /// Reads what a node does.
    ///
    /// Scopes come before what is inside them, so inherited settings are known.
    func readNode(_ index: Int) {
        let node = nodes[index]
        findingsBeforeNode = reader.findings.count
        guard !node.isRefused else { return }
        reader.checkAttributes(of: node.element, on: .node(node.kind))
        checkMarkers(of: node)
        let parts = parts(of: node)
        readInheritedPriority(index, parts.extensions)
        switch node.kind {
        case .process: versionTag = readVersionTag(parts.extensions)
        case .subProcess, .task, .manualTask: break
        case .serviceTask, .sendTask, .businessRuleTask: readJobTask(index, parts.extensions)
        case .receiveTask: readReceiveTask(index)
        case .userTask: nodes[index].userTask = readUserTask(index, parts.extensions)
        case .scriptTask: readScriptTask(index, parts)
        case .callActivity: nodes[index].calledElement = readCalledElement(index, parts.extensions)
        case .exclusiveGateway, .parallelGateway: break
        case .startEvent, .endEvent, .intermediateCatchEvent, .boundaryEvent: readEvent(index, parts.events)
        }
        readMappings(index, parts.extensions)
        if node.kind.isActivity || node.kind == .exclusiveGateway { readDefaultFlow(index) }
        if node.kind.isActivity, let loop = parts.loop { nodes[index].multiInstance = readLoop(loop) }
        if node.kind == .boundaryEvent { attach(index) }
    }

    /// Whether the node at hand has an error already, which then explains what is missing.
    var hasErrorsInNode: Bool {
        reader.findings[findingsBeforeNode...].contains { $0.diagnostic.severity == .error }
    }

    /// Sorts the children of a node; those of scopes that are nodes or flows were taken before.
    private func parts(of node: DraftNode) -> NodeParts {
        var parts = NodeParts()
        for child in node.element.children {
            guard let tag = child.name.tag else {
                if child.name.space == .bpmn, !node.kind.isScope { reader.reportUnknown(child) }
                continue
            }
            switch tag {
            case .incoming, .outgoing: continue
            case .extensionElements:
                reader.readExtensions(child, on: .node(node.kind), into: &parts.extensions)
            case .multiInstanceLoopCharacteristics where node.kind.isActivity: parts.loop = child
            case .standardLoopCharacteristics where node.kind.isActivity,
                .loopCharacteristics where node.kind.isActivity:
                reader.report(
                    .unsupportedMarker, at: child, "The loop marker of \(node.id) is not executed by this version.",
                    remedy: "draw the loop with an exclusive gateway")
            case .script where node.kind == .scriptTask: parts.script = child
            case .eventDefinitionRef where node.kind.isEvent: addReferredEvent(child, to: &parts)
            case let tag where node.kind.isEvent && (tag.isExecutedEventDefinition || tag.refusedEvent != nil):
                parts.events.append(child)
            case let tag where node.kind == .process || node.kind == .subProcess && !tag.isPartOfActivity: continue
            case let tag where tag.isKept: continue
            default: refusePart(child, tag)
            }
        }
        return parts
    }

    private func addReferredEvent(_ reference: XMLElement, to parts: inout NodeParts) {
        if let definition = reader.resolve(reference.text),
            let tag = definition.name.tag, tag.isExecutedEventDefinition || tag.refusedEvent != nil
        {
            parts.events.append(definition)
        } else {
            reader.report(
                .unknownEventDefinition, at: reference,
                "Expected eventDefinitionRef to name an event definition, but found \"\(reference.text)\".",
                remedy: "define it under <definitions>, or inside the event")
        }
    }

    /// Refuses attributes of the standard that change what a node does and are not executed.
    private func checkMarkers(of node: DraftNode) {
        let element = node.element
        func refuse(_ marker: String, remedy: String) {
            reader.report(
                .unsupportedMarker, at: element, "\(marker) on \(node.id) is not executed by this version.",
                remedy: remedy)
        }
        if node.kind.isActivity {
            if reader.boolean("isForCompensation", of: element) == true {
                refuse("isForCompensation", remedy: "undo the work on an explicit path, such as from an error boundary")
            }
            for quantity in ["startQuantity", "completionQuantity"] {
                if let text = element.attribute(quantity), text != "1" {
                    refuse("\(quantity)=\"\(text)\"", remedy: "use parallel gateways to split and join tokens")
                }
            }
        }
        if node.kind == .receiveTask, reader.boolean("instantiate", of: element) == true {
            refuse("instantiate", remedy: "use a message start event")
        }
        if node.kind.isEvent, reader.boolean("parallelMultiple", of: element) == true {
            refuse("parallelMultiple", remedy: "wait for each event in a branch of its own")
        }
    }

    private func readDefaultFlow(_ index: Int) {
        let node = nodes[index]
        guard let reference = node.element.attribute("default"), !reference.isEmpty else { return }
        if let flow = node.outgoing.first(where: {
            flows[$0].id == reference || reference.hasSuffix(":" + flows[$0].id)
        }) {
            nodes[index].defaultFlow = flow
        } else {
            reader.report(
                .defaultNotOutgoing, at: node.element,
                "Expected the default flow of \(node.id) to leave it, but \(reference) does not.",
                remedy: "choose one of its outgoing flows")
        }
    }

    private func readVersionTag(_ extensions: Extensions) -> String? {
        let tag =
            extensions.first(.zeebeVersionTag)?.attribute("value") ?? element.attribute("versionTag", in: .camunda)
        return tag.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func readInheritedPriority(_ index: Int, _ extensions: Extensions) {
        let scope = nodes[index].scope
        var priority = scope >= 0 ? nodes[scope].priority : nil
        if let element = extensions.first(.apgPriority) {
            priority = requiredValue("value", of: element) { reader, element in
                reader.integer("value", of: element, 0...100, "apg:priority")
            }
        }
        nodes[index].priority = priority
    }

    /// Reads an attribute an extension cannot do without.
    func requiredValue<Read>(
        _ local: String, of element: XMLElement, _ read: (BPMNReader, XMLElement) -> Read?
    ) -> Read? {
        guard let text = element.attribute(local), !text.isEmpty else {
            reader.report(
                .incompleteExtension, at: element,
                "Expected the attribute \(local) on \(element.name.description), but it is missing.",
                remedy: "add it")
            return nil
        }
        return read(reader, element)
    }

    /// Reads an attribute an extension cannot do without, as plain text.
    func requiredText(_ local: String, of element: XMLElement) -> String? {
        requiredValue(local, of: element) { _, element in element.attribute(local) }
    }

    /// Reads an attribute an extension cannot do without, as text or expression.
    func requiredExpressionOrLiteral(_ local: String, of element: XMLElement) -> ExpressionOrLiteral? {
        requiredValue(local, of: element) { reader, element in
            reader.attributeValue(local, of: element, "\(local) of \(element.name.description)")
        }
    }
}

extension FlowNodeKind {
    /// Whether it contains flow nodes.
    fileprivate var isScope: Bool { self == .process || self == .subProcess }
}
