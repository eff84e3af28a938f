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
    /// Associations as written: the ids at their ends.
    var associations: [(source: String, target: String)] = []
    /// The nodes directly in each scope, by the index of the scope.
    var members: [[Int]] = []
    /// How instances recognise their messages, as the standard writes it.
    private(set) var correlationSubscriptions: [XMLElement] = []
    /// The names under which data stores are read and written, in the order of appearance.
    var dataStores: [String] = []
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
        if let kind = element.tag?.globalTaskKind {
            collectGlobalTask(kind)
        } else {
            collect(element, scope: 0)
        }
        connect()
        // Nodes of event definitions come behind and are read with their events.
        for index in nodes.indices { readNode(index) }
        for index in flows.indices { readFlow(index) }
        connectLinks()
        connectCompensationHandlers()
        findStarts()
        checkStructure()
    }

    /// The finished graph; only asked for when the document has no errors.
    func build() -> ExecutableProcess {
        let built = nodes.enumerated().map { index, draft in
            FlowNode(
                index: index, id: draft.id, name: name(of: draft.element), kind: draft.kind, scope: draft.scope,
                line: draft.element.line, incoming: draft.incoming, outgoing: draft.outgoing,
                defaultFlow: draft.defaultFlow, event: draft.event, attachedTo: draft.attachedTo,
                isInterrupting: draft.isInterrupting, boundaryEvents: draft.boundaryEvents, triggers: draft.triggers,
                triggerOf: draft.triggerOf, eventSubProcesses: draft.eventSubProcesses,
                compensationHandler: draft.compensationHandler, isForCompensation: draft.isForCompensation,
                activationCondition: draft.activationCondition, eventGatewayType: draft.eventGatewayType,
                isInstantiating: draft.isInstantiating, startQuantity: draft.startQuantity,
                completionQuantity: draft.completionQuantity, start: draft.start, implicitStarts: draft.implicitStarts,
                dataObjects: draft.dataObjects, job: draft.job, userTask: draft.userTask, script: draft.script,
                calledElement: draft.calledElement, calledDecision: draft.calledDecision,
                multiInstance: draft.multiInstance, standardLoop: draft.standardLoop, adHoc: draft.adHoc,
                inputs: draft.inputs, outputs: draft.outputs)
        }
        let builtFlows = flows.enumerated().compactMap { index, draft -> SequenceFlow? in
            guard let source = draft.source, let target = draft.target else { return nil }
            return SequenceFlow(
                index: index, id: draft.id, source: source, target: target, condition: draft.condition)
        }
        let starts = eventStarts
        return ExecutableProcess(
            id: id, name: name(of: element), versionTag: versionTag, nodes: built, flows: builtFlows,
            noneStart: nodes[0].start,
            messageStarts: starts.filter { if case .message = nodes[$0].event { true } else { false } },
            timerStarts: starts.filter { if case .timer = nodes[$0].event { true } else { false } },
            signalStarts: starts.filter { if case .signal = nodes[$0].event { true } else { false } },
            conditionalStarts: starts.filter { if case .conditional = nodes[$0].event { true } else { false } },
            dataStores: dataStores)
    }

    private func name(of element: XMLElement) -> String? {
        element.attribute("name").flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Collecting

    /// Takes the nodes and flows of a scope, outermost first.
    private func collect(_ container: XMLElement, scope: Int) {
        for child in container.children {
            guard let tag = child.tag else {
                if child.space == .bpmn { reader.reportUnknown(child) }
                continue
            }
            if let kind = tag.nodeKind {
                add(child, self.kind(of: child, kind), scope: scope)
            } else if let refused = tag.refusedNode {
                refuseNode(child, refused.noun)
                add(child, refused.standIn, scope: scope, isRefused: true)
            } else if tag == .sequenceFlow {
                let flow = DraftFlow(element: child, id: elementID(of: child), scope: scope)
                flowIndexes[flow.id] = flows.count
                flows.append(flow)
            } else if tag == .association {
                if let source = child.attribute("sourceRef"), let target = child.attribute("targetRef") {
                    associations.append((source, target))
                }
            } else {
                if tag == .correlationSubscription { correlationSubscriptions.append(child) }
                checkScopeChild(child, tag, of: container)
            }
        }
    }

    /// The kind of a node, which for sub-processes depends on what triggers them.
    private func kind(of element: XMLElement, _ kind: FlowNodeKind) -> FlowNodeKind {
        guard kind.isScope, reader.boolean("triggeredByEvent", of: element) == true else { return kind }
        if kind != .subProcess {
            reader.report(
                .unsupportedMarker, at: element,
                "Expected only a plain sub-process to be triggered by an event, but this is a \(kind.noun).",
                remedy: "put the \(kind.noun) inside an event sub-process")
        }
        return .eventSubProcess
    }

    private func add(_ element: XMLElement, _ kind: FlowNodeKind, scope: Int, isRefused: Bool = false) {
        let index = nodes.count
        let id = elementID(of: element)
        nodeIndexes[id] = index
        nodes.append(DraftNode(element: element, id: id, kind: kind, scope: scope, isRefused: isRefused))
        if kind == .eventSubProcess { nodes[scope].eventSubProcesses.append(index) }
        if kind.isScope { collect(element, scope: index) }
    }

    /// Puts a global task into a process of its own, so that it can be called like one.
    private func collectGlobalTask(_ kind: FlowNodeKind) {
        let steps: [(suffix: String, kind: FlowNodeKind)] = [
            (suffix: "start", kind: .startEvent), (suffix: "task", kind: kind), (suffix: "end", kind: .endEvent),
        ]
        for (offset, step) in steps.enumerated() {
            nodes.append(DraftNode(element: element, id: "\(id)#\(step.suffix)", kind: step.kind, scope: 0))
            guard offset > 0 else { continue }
            var flow = DraftFlow(element: element, id: "\(id)#flow\(offset)", scope: 0)
            flow.source = offset
            flow.target = offset + 1
            flows.append(flow)
        }
    }

    private func refuseNode(_ element: XMLElement, _ noun: String) {
        reader.report(
            .unsupportedElement, at: element, "The \(noun) is not executed in a process.",
            remedy: "replace it with a task, an event or a call activity")
    }

    /// A child of a process or sub-process that is neither node nor flow.
    private func checkScopeChild(_ child: XMLElement, _ tag: BPMNTag, of container: XMLElement) {
        if tag.isKept || tag == .extensionElements { return }
        if tag.isPartOfScope {
            reader.checkExtensions(of: child, on: .other("data element"))
            return
        }
        if container.tag == .process {
            if tag.isPartOfProcess { return }
        } else if tag.isPartOfActivity {
            return
        }
        if container.tag == .adHocSubProcess, tag == .completionCondition { return }
        refusePart(child, tag)
    }

    /// Refuses a part of a process or node that has no meaning there.
    func refusePart(_ child: XMLElement, _ tag: BPMNTag) {
        reader.report(
            tag.isDataFlow ? .unsupportedData : .unsupportedElement, at: child,
            "<\(tag.rawValue)> has no meaning in <\(child.parent?.name.local ?? "")>.",
            remedy: "remove it, or move it where BPMN allows it")
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
        for index in flows.indices where flows[index].source == nil {
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
                guard let tag = child.tag, tag == .incoming || tag == .outgoing else { continue }
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
            .filter { $0.tag == .outgoing }
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
        guard flow.element.tag == .sequenceFlow else { return }
        reader.checkExtensions(of: flow.element, on: .other("sequence flow"))
        guard let body = flow.element.children.first(where: { $0.tag == .conditionExpression }) else { return }
        flows[index].hasCondition = true
        reader.checkAttributes(of: body, on: .other("condition"))
        guard let source = flow.source else { return }
        let node = nodes[source]
        guard !node.isRefused, node.kind.isActivity || node.kind.isConditionalGateway else {
            reportCondition(of: flow, node)
            flows[index].hasCondition = node.isRefused
            return
        }
        let condition = reader.formalExpression(body, "the condition of \(flow.id)")
        if node.defaultFlow == index {
            reader.report(
                .conditionOnDefault, at: flow.element,
                "The condition of \(flow.id) is never evaluated, because it is the default flow of \(node.id).",
                remedy: "remove the condition, or choose another default flow")
        } else {
            flows[index].condition = condition
        }
    }

    /// Says that a condition has no place on a flow: parallel gateways pass over it, events cannot have any.
    private func reportCondition(of flow: DraftFlow, _ node: DraftNode) {
        guard !node.isRefused else { return }
        if node.kind == .parallelGateway {
            reader.report(
                .conditionIgnored, at: flow.element,
                "The condition of \(flow.id) is never evaluated, because \(node.id) is a parallel gateway.",
                remedy: "remove the condition, or use an inclusive gateway")
        } else {
            reader.report(
                .conditionNotAllowed, at: flow.element,
                "Expected no condition on flow \(flow.id), but it leaves the \(node.kind.noun) \(node.id).",
                remedy: "put an exclusive gateway in between")
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

    /// Whether the element is read as a part of the process around it.
    fileprivate var isPartOfProcess: Bool {
        switch self {
        case .ioSpecification, .ioBinding, .resourceRole, .performer, .humanPerformer, .potentialOwner,
            .correlationSubscription:
            true
        default: false
        }
    }

    /// Whether the element declares data of the scope around it.
    fileprivate var isPartOfScope: Bool {
        switch self {
        case .property, .dataObject, .dataObjectReference, .dataStoreReference: true
        default: false
        }
    }
}
