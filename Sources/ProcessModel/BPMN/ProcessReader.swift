import Decisions

/// Reads one process of a document into an executable graph.
///
/// Three passes: collect nodes and flows of all scopes, connect them, read what each node does. Checks of the whole
/// graph follow.
final class ProcessReader {
    let reader: BPMNReader
    let element: XMLElement
    let id: String
    var nodes: [DraftNode] = []
    var flows: [DraftFlow] = []
    private(set) var nodeIndexes: [String: Int] = [:]
    private(set) var flowIndexes: [String: Int] = [:]
    var versionTag: String?
    /// How many findings the document had before the node at hand was read.
    var findingsBeforeNode = 0

    init(reader: BPMNReader, element: XMLElement) {
        self.reader = reader
        self.element = element
        id = element.attribute("id") ?? ""
    }

    /// Reads everything; findings go to the document's reader.
    func read() {
        _ = elementID(of: element)
        nodes.append(DraftNode(element: element, id: id, kind: .process, scope: -1))
        collect(element, scope: 0)
        connect()
        for index in nodes.indices { readNode(index) }
        for index in flows.indices { readFlow(index) }
        checkStructure()
    }

    /// The finished graph; only asked for when the document has no errors.
    func build() -> ExecutableProcess {
        let built = nodes.enumerated().map { index, draft in
            FlowNode(
                index: index, id: draft.id, name: name(of: draft.element), kind: draft.kind, scope: draft.scope,
                line: draft.element.line, incoming: draft.incoming, outgoing: draft.outgoing,
                defaultFlow: draft.defaultFlow, event: draft.event, attachedTo: draft.attachedTo,
                isInterrupting: draft.isInterrupting, boundaryEvents: draft.boundaryEvents, start: draft.start,
                job: draft.job, userTask: draft.userTask, script: draft.script, calledElement: draft.calledElement,
                multiInstance: draft.multiInstance, inputs: draft.inputs, outputs: draft.outputs)
        }
        let builtFlows = flows.enumerated().compactMap { index, draft -> SequenceFlow? in
            guard let source = draft.source, let target = draft.target else { return nil }
            return SequenceFlow(
                index: index, id: draft.id, source: source, target: target, condition: draft.condition)
        }
        let starts = nodes.indices.filter { nodes[$0].kind == .startEvent && nodes[$0].scope == 0 }
        return ExecutableProcess(
            id: id, name: name(of: element), versionTag: versionTag, nodes: built, flows: builtFlows,
            noneStart: nodes[0].start,
            messageStarts: starts.filter { if case .message = nodes[$0].event { true } else { false } },
            timerStarts: starts.filter { if case .timer = nodes[$0].event { true } else { false } })
    }

    private func name(of element: XMLElement) -> String? {
        element.attribute("name").flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Collecting

    /// Takes the nodes and flows of a scope, outermost first.
    private func collect(_ container: XMLElement, scope: Int) {
        for child in container.children {
            guard let tag = child.name.tag else {
                if child.name.space == .bpmn { reader.reportUnknown(child) }
                continue
            }
            if let kind = tag.nodeKind {
                let isEventSubProcess = kind == .subProcess && reader.boolean("triggeredByEvent", of: child) == true
                if isEventSubProcess { refuseNode(child, "event sub-process") }
                add(child, kind, scope: scope, isRefused: isEventSubProcess)
            } else if let refused = tag.refusedNode {
                refuseNode(child, refused.noun)
                add(child, refused.standIn, scope: scope, isRefused: true)
            } else if tag == .sequenceFlow {
                let flow = DraftFlow(element: child, id: elementID(of: child), scope: scope)
                flowIndexes[flow.id] = flows.count
                flows.append(flow)
            } else {
                checkScopeChild(child, tag, of: container)
            }
        }
    }

    private func add(_ element: XMLElement, _ kind: FlowNodeKind, scope: Int, isRefused: Bool) {
        let index = nodes.count
        let id = elementID(of: element)
        nodeIndexes[id] = index
        nodes.append(DraftNode(element: element, id: id, kind: kind, scope: scope, isRefused: isRefused))
        if kind == .subProcess { collect(element, scope: index) }
    }

    private func refuseNode(_ element: XMLElement, _ noun: String) {
        reader.report(
            .unsupportedElement, at: element, "The \(noun) is not executed by this version.",
            remedy: "model it with exclusive and parallel gateways, sub-processes and boundary events")
    }

    /// A child of a process or sub-process that is neither node nor flow.
    private func checkScopeChild(_ child: XMLElement, _ tag: BPMNTag, of container: XMLElement) {
        if tag.isKept || tag == .extensionElements { return }
        if container.name.tag != .process, tag.isPartOfActivity { return }
        refusePart(child, tag)
    }

    /// Refuses a part of a process or node that would change what it does.
    func refusePart(_ child: XMLElement, _ tag: BPMNTag) {
        if tag.isDataFlow {
            reader.report(
                .unsupportedData, at: child, "<\(tag.rawValue)> is not executed by this version.",
                remedy: "map variables with zeebe:ioMapping or apg:io, and remove it")
        } else if tag.isResourceRole {
            reader.report(
                .unsupportedElement, at: child, "People assigned with <\(tag.rawValue)> are not read by this version.",
                remedy: "assign them with zeebe:assignmentDefinition")
        } else {
            reader.report(
                .unsupportedElement, at: child, "<\(tag.rawValue)> is not executed here by this version.",
                remedy: "remove it, or move it where BPMN allows it")
        }
    }

    /// The id of an element; one made from its line, and a finding, when it has none.
    private func elementID(of element: XMLElement) -> String {
        if let id = element.attribute("id"), !id.isEmpty { return id }
        reader.report(
            .missingID, at: element, "Expected an id on <\(element.name.local)>, but it has none.",
            remedy: "give it an id that is unique in the document")
        return "\(element.name.local)@\(element.line).\(element.index)"
    }

    // MARK: Connecting

    private func connect() {
        for index in flows.indices {
            flows[index].source = endpoint("sourceRef", of: flows[index])
            flows[index].target = endpoint("targetRef", of: flows[index])
        }
        completeFromNodes()
        for (index, flow) in flows.enumerated() {
            if flow.source == nil { reportDangling(flow, "sourceRef") }
            if flow.target == nil { reportDangling(flow, "targetRef") }
            guard let source = flow.source, let target = flow.target else { continue }
            nodes[source].outgoing.append(index)
            nodes[target].incoming.append(index)
            if nodes[source].scope != nodes[target].scope {
                reader.report(
                    .flowCrossesScope, at: flow.element,
                    "Expected flow \(flow.id) to stay within one scope, but it leads from \(nodes[source].id) to "
                        + "\(nodes[target].id).",
                    remedy: "end the inner path with an end event and continue after the sub-process")
            }
        }
        for index in nodes.indices where nodes[index].outgoing.count > 1 { orderOutgoing(of: index) }
    }

    private func endpoint(_ attribute: String, of flow: DraftFlow) -> Int? {
        flow.element.attribute(attribute).flatMap(nodeIndex)
    }

    /// The index of the node a reference names.
    func nodeIndex(_ reference: String) -> Int? {
        if let index = nodeIndexes[reference] { return index }
        guard let colon = reference.firstIndex(of: ":") else { return nil }
        return nodeIndexes[String(reference[reference.index(after: colon)...])]
    }

    /// Takes missing ends of flows from the nodes' `incoming` and `outgoing`, and compares those with the flows.
    private func completeFromNodes() {
        for index in nodes.indices {
            for child in nodes[index].element.children {
                guard let tag = child.name.tag, tag == .incoming || tag == .outgoing else { continue }
                let reference = child.text
                guard let flow = flowIndex(reference) else {
                    reportMismatch(child, reference, "there is no such sequence flow")
                    continue
                }
                let isOutgoing = tag == .outgoing
                let end = isOutgoing ? flows[flow].source : flows[flow].target
                if end == nil, flows[flow].element.attribute(isOutgoing ? "sourceRef" : "targetRef") == nil {
                    if isOutgoing { flows[flow].source = index } else { flows[flow].target = index }
                } else if let end, end != index {
                    reportMismatch(child, reference, "that flow \(isOutgoing ? "leaves" : "enters") \(nodes[end].id)")
                }
            }
        }
    }

    private func flowIndex(_ reference: String) -> Int? {
        if let index = flowIndexes[reference] { return index }
        guard let colon = reference.firstIndex(of: ":") else { return nil }
        return flowIndexes[String(reference[reference.index(after: colon)...])]
    }

    /// Conditions are tried in the order of a node's `outgoing` children, where it has them all.
    private func orderOutgoing(of index: Int) {
        let order = nodes[index].element.children.lazy
            .filter { $0.name.tag == .outgoing }
            .compactMap { self.flowIndex($0.text) }
        let listed = Array(order)
        if listed.count == nodes[index].outgoing.count, Set(listed) == Set(nodes[index].outgoing) {
            nodes[index].outgoing = listed
        }
    }

    private func reportMismatch(_ element: XMLElement, _ reference: String, _ found: String) {
        reader.report(
            .flowMismatch, at: element,
            "Expected <\(element.name.local)> \(reference) to agree with the sequence flow, but \(found).",
            remedy: "the flow's sourceRef and targetRef decide; correct or remove the entry")
    }

    private func reportDangling(_ flow: DraftFlow, _ attribute: String) {
        let found =
            flow.element.attribute(attribute).map { "\($0) is no flow node of process \(id)" } ?? "it is missing"
        reader.report(
            .danglingFlow, at: flow.element,
            "Expected \(attribute) of flow \(flow.id) to name a flow node, but \(found).",
            remedy: "connect the flow at both ends, or remove it")
    }

    // MARK: Flows

    private func readFlow(_ index: Int) {
        let flow = flows[index]
        reader.checkExtensions(of: flow.element, on: .other("sequence flow"))
        guard let body = flow.element.children.first(where: { $0.name.tag == .conditionExpression }) else { return }
        flows[index].hasCondition = true
        reader.checkAttributes(of: body, on: .other("condition"))
        guard let source = flow.source else { return }
        let node = nodes[source]
        if node.kind.isEvent || node.kind == .parallelGateway, !node.isRefused {
            reader.report(
                .conditionNotAllowed, at: flow.element,
                "Expected no condition on flow \(flow.id), but it leaves the \(node.kind.noun) \(node.id).",
                remedy: "put an exclusive gateway in between")
        }
        guard reader.checkLanguage(of: body, body.text, "the condition of \(flow.id)") else { return }
        let condition = reader.expression(body.text, of: body, "the condition of \(flow.id)")
        if node.defaultFlow == index {
            reader.report(
                .conditionOnDefault, at: flow.element,
                "The condition of \(flow.id) is never evaluated, because it is the default flow of \(node.id).",
                remedy: "remove the condition, or choose another default flow")
        } else {
            flows[index].condition = condition
        }
    }
}

extension BPMNTag {
    /// Whether the element is read as a part of the activity around it.
    var isPartOfActivity: Bool {
        switch self {
        case .incoming, .outgoing, .multiInstanceLoopCharacteristics, .standardLoopCharacteristics,
            .loopCharacteristics, .ioSpecification, .dataInputAssociation, .dataOutputAssociation, .resourceRole,
            .performer, .humanPerformer, .potentialOwner:
            true
        default: false
        }
    }
}
