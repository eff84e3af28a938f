import Decisions
import Values

/// The parts of one node's element, sorted.
struct NodeParts {
    var extensions = Extensions()
    /// Event definitions, nested or referred to.
    var events: [EventPart] = []
    var multiInstance: XMLElement?
    var standardLoop: XMLElement?
    var script: XMLElement?
    /// The condition of a complex gateway or of an ad-hoc sub-process.
    var condition: XMLElement?
    var dataAssociations: [XMLElement] = []
    var properties: [XMLElement] = []
    var resourceRoles: [XMLElement] = []
}

/// A definition of an event.
struct EventPart {
    let definition: XMLElement
    /// Whether it stands elsewhere and is only referred to.
    let isReferred: Bool
}

extension ProcessReader {
    /// Reads what a node does.
    ///
    /// Scopes come before what is inside them, so inherited settings are known.
    func readNode(_ index: Int) {
        let node = nodes[index]
        findingsBeforeNode = reader.findings.count
        guard !node.isRefused else { return }
        if isGlobalTask, node.kind.isEvent {
            node.event = EventDefinition.none
            return
        }
        if node.kind != .process || !isGlobalTask { reader.checkAttributes(of: node.element, on: .node(node.kind)) }
        let parts = parts(of: node)
        readInheritedPriority(index, parts.extensions)
        if node.kind.isActivity { readMarkers(node, parts) }
        switch node.kind {
        case .process: readProcess(parts)
        case .subProcess, .eventSubProcess, .transaction, .task, .manualTask: break
        case .adHocSubProcess: node.adHoc = readAdHoc(index, parts)
        case .serviceTask, .businessRuleTask, .sendTask: readWork(index, parts)
        case .receiveTask: readReceiveTask(index)
        case .userTask: node.userTask = readUserTask(index, parts)
        case .scriptTask: readScriptTask(index, parts)
        case .callActivity: node.calledElement = readCalledElement(index, parts.extensions)
        case .exclusiveGateway, .parallelGateway, .inclusiveGateway, .eventTrigger: break
        case .complexGateway:
            node.activationCondition = parts.condition.flatMap {
                reader.formalExpression($0, "the activation condition of \(node.id)")
            }
        case .eventBasedGateway: node.eventGatewayType = readEventGatewayType(node)
        case .startEvent, .endEvent, .intermediateCatchEvent, .intermediateThrowEvent, .boundaryEvent:
            readEvent(index, parts)
        }
        readData(index, parts)
        readMappings(index, parts.extensions)
        if node.kind.isActivity || node.kind.isConditionalGateway { readDefaultFlow(index) }
        if let loop = parts.multiInstance, node.kind.isActivity { node.multiInstance = readLoop(loop, index, parts) }
        if node.kind == .boundaryEvent { attach(index) }
    }

    /// Whether this process only wraps a global task.
    private var isGlobalTask: Bool { element.tag?.globalTaskKind != nil }

    /// Whether the node at hand has an error already, which then explains what is missing.
    var hasErrorsInNode: Bool {
        reader.findings[findingsBeforeNode...].contains { $0.diagnostic.severity == .error }
    }

    private func readProcess(_ parts: NodeParts) {
        versionTag = readVersionTag(parts.extensions)
        for role in parts.resourceRoles { reader.mention(.keptForPeople, "<\(role.name.local)>", at: role) }
    }

    // MARK: Parts

    /// Sorts the children of a node; those of scopes that are nodes or flows were taken before.
    private func parts(of node: DraftNode) -> NodeParts {
        var parts = NodeParts()
        // A process that wraps a global task has nothing of its own.
        if node.kind == .process, isGlobalTask { return parts }
        for child in node.element.children {
            guard let tag = child.tag else {
                if !node.kind.isScope || child.space != .bpmn { reader.reportStranger(child) }
                continue
            }
            if take(child, tag, of: node, into: &parts) || tag.isKept { continue }
            // Children of scopes were looked at when they were collected.
            if !node.kind.isScope || node.kind == .eventSubProcess && tag.isPartOfActivity { refusePart(child, tag) }
        }
        return parts
    }

    /// Takes a child that is read on this kind of node.
    private func take(_ child: XMLElement, _ tag: BPMNTag, of node: DraftNode, into parts: inout NodeParts) -> Bool {
        let kind = node.kind
        switch tag {
        case .incoming, .outgoing: return true
        case .extensionElements: reader.readExtensions(child, on: .node(kind), into: &parts.extensions)
        case .multiInstanceLoopCharacteristics where kind.isActivity: parts.multiInstance = child
        case .standardLoopCharacteristics where kind.isActivity: parts.standardLoop = child
        case .loopCharacteristics where kind.isActivity:
            reader.report(
                .unsupportedMarker, at: child,
                "Expected a loop of \(node.id) to be of a known kind, but it is abstract.",
                remedy: "use standardLoopCharacteristics or multiInstanceLoopCharacteristics")
        case .script where kind == .scriptTask: parts.script = child
        case .activationCondition where kind == .complexGateway: parts.condition = child
        case .completionCondition where kind == .adHocSubProcess: parts.condition = child
        case .eventDefinitionRef where kind.isEvent: addReferredEvent(child, to: &parts)
        case let tag where kind.isEvent && tag.eventNoun != nil:
            parts.events.append(EventPart(definition: child, isReferred: false))
        // Data inputs and outputs are variables, which need no declaration.
        case .ioSpecification where kind.isActivity || kind == .process, .dataInput where kind.isThrowing,
            .dataOutput where kind.isCatching, .inputSet where kind.isThrowing, .outputSet where kind.isCatching:
            return true
        case .ioBinding where kind == .callActivity || kind == .process || isGlobalTask: return true
        case .dataInputAssociation where kind.isActivity || kind.isThrowing,
            .dataOutputAssociation where kind.isActivity || kind.isCatching:
            parts.dataAssociations.append(child)
        case .property where kind.isScope || kind.isActivity || kind.isEvent: parts.properties.append(child)
        case .resourceRole where kind.isActivity || kind == .process,
            .performer where kind.isActivity || kind == .process,
            .humanPerformer where kind.isActivity || kind == .process,
            .potentialOwner where kind.isActivity || kind == .process:
            parts.resourceRoles.append(child)
        default: return false
        }
        return true
    }

    private func addReferredEvent(_ reference: XMLElement, to parts: inout NodeParts) {
        if let definition = reader.resolve(reference.text), definition.tag?.eventNoun != nil {
            parts.events.append(EventPart(definition: definition, isReferred: true))
        } else {
            reader.report(
                .unknownEventDefinition, at: reference,
                "Expected eventDefinitionRef to name an event definition, but found \"\(reference.text)\".",
                remedy: "define it under <definitions>, or inside the event")
        }
    }

    // MARK: Attributes

    /// Reads what the standard lets every activity have: loop, quantities, compensation.
    private func readMarkers(_ node: DraftNode, _ parts: NodeParts) {
        node.isForCompensation = reader.boolean("isForCompensation", of: node.element) ?? false
        node.startQuantity = readQuantity("startQuantity", of: node)
        node.completionQuantity = readQuantity("completionQuantity", of: node)
        guard let loop = parts.standardLoop else { return }
        if parts.multiInstance != nil {
            reader.report(
                .badLoop, at: loop, "Expected one loop marker on \(node.id), but it has two.", remedy: "keep one")
        }
        node.standardLoop = readStandardLoop(loop, node)
    }

    private func readQuantity(_ local: String, of node: DraftNode) -> Int {
        guard let text = node.element.attribute(local) else { return 1 }
        if let quantity = Int(text), (1...1_000_000).contains(quantity) { return quantity }
        reader.report(
            .badAttribute, at: node.element,
            "Expected \(local) of \(node.id) to be a number from 1, but found \"\(text)\".", remedy: "write 1 or more")
        return 1
    }

    private func readEventGatewayType(_ node: DraftNode) -> EventGatewayType {
        let type = node.element.attribute("eventGatewayType") ?? "Exclusive"
        if type != "Exclusive", type != "Parallel" {
            reportChoice(type, "eventGatewayType", ["Exclusive", "Parallel"], at: node.element)
        }
        guard reader.boolean("instantiate", of: node.element) == true else {
            if type == "Parallel" {
                reader.report(
                    .unsupportedMarker, at: node.element,
                    "Expected only an instantiating gateway to be parallel, but \(node.id) is not instantiating.",
                    remedy: "add instantiate=\"true\", or remove eventGatewayType")
            }
            return .exclusive
        }
        return type == "Parallel" ? .instantiatingParallel : .instantiatingExclusive
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
    /// Whether it is an event that catches.
    var isCatching: Bool { self == .startEvent || self == .intermediateCatchEvent || self == .boundaryEvent }

    /// Whether it is an event that throws.
    var isThrowing: Bool { self == .endEvent || self == .intermediateThrowEvent }
}
