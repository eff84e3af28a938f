/// What the rules look up: kinds, ids, flows and who uses what; built in one pass over the document.
struct ConstraintIndex {
    /// The kind of each element.
    private(set) var kinds: [ElementKind]
    /// Elements whose id stands earlier too.
    private(set) var duplicates: [Int32] = []
    /// The first sequence flow into and out of each element, and the next after each flow; -1 ends a list.
    private(set) var firstIncoming: [Int32]
    private(set) var firstOutgoing: [Int32]
    private(set) var nextIncoming: [Int32]
    private(set) var nextOutgoing: [Int32]
    /// The message flows by the index of the element they lead to or begin at.
    private(set) var messageFlowsTo: [Int32: [Int32]] = [:]
    private(set) var messageFlowsFrom: [Int32: [Int32]] = [:]
    /// The boundary events by activity.
    private(set) var boundaryEvents: [Int32: [Int32]] = [:]
    /// The associations by each of their ends.
    private(set) var associations: [Int32: [Int32]] = [:]
    /// The events that refer to a definition.
    private(set) var definitionUsers: [Int32: [Int32]] = [:]
    /// The participants by process.
    private(set) var participants: [Int32: [Int32]] = [:]
    /// The link event definitions by name.
    private(set) var links: [String: [Int32]] = [:]
    /// The link event definitions whose target is a definition.
    private(set) var linkSources: [Int32: [Int32]] = [:]
    /// The processes that are executed.
    private(set) var executedProcesses: Set<Int32> = []
    /// Whether the document imports others, which references may lead to.
    private(set) var hasImports = false
    /// Whether any process is executed.
    var executesAny: Bool { !executedProcesses.isEmpty }

    private var ids: [String: Int32] = [:]
    /// Whether some sequence flow does not say itself where it begins or leads.
    private var hasOpenFlows = false
    private var sources: [Int32]
    private var targets: [Int32]

    init(_ document: XMLDocument) {
        let count = document.elementCount
        let absent = [Int32](repeating: -1, count: count)
        (firstIncoming, firstOutgoing, nextIncoming, nextOutgoing) = (absent, absent, absent, absent)
        (sources, targets) = (absent, absent)
        kinds = ConstraintIndex.classify(document)
        collectIDs(document)
        // Backwards, so that each list is in document order.
        for number in stride(from: count - 1, through: 0, by: -1) { connect(document.element(at: number)) }
        if hasOpenFlows {
            for number in stride(from: count - 1, through: 0, by: -1)
            where kinds[number] == .incoming || kinds[number] == .outgoing {
                connectByLists(document.element(at: number))
            }
        }
        findExecuted(document)
    }

    private static func classify(_ document: XMLDocument) -> [ElementKind] {
        let byName = document.names.map { $0.space == .bpmn ? ElementKind.byName[$0.local] ?? .other : .other }
        var kinds = [ElementKind](repeating: .other, count: document.elementCount)
        for number in 0..<document.elementCount {
            let element = document.element(at: number)
            if let parent = element.parent {
                let around = kinds[Int(parent.index)]
                // What stands inside extensions, or inside what is no BPMN, is none of the standard's business.
                if around == .other || around == .extensionElements { continue }
            }
            kinds[number] = byName[element.nameNumber]
        }
        return kinds
    }

    private mutating func collectIDs(_ document: XMLDocument) {
        ids.reserveCapacity(document.elementCount / 2)
        for number in 0..<document.elementCount where kinds[number] != .other {
            guard let id = document.element(at: number).attribute("id") else { continue }
            if let first = ids.updateValue(Int32(number), forKey: id) {
                ids[id] = first
                duplicates.append(Int32(number))
            }
        }
    }

    private mutating func connect(_ element: XMLElement) {
        let own = element.index
        switch kinds[Int(own)] {
        case .sequenceFlow:
            if let source = named("sourceRef", of: element) { begin(own, at: source) }
            if let target = named("targetRef", of: element) { lead(own, to: target) }
            if sources[Int(own)] < 0 || targets[Int(own)] < 0 { hasOpenFlows = true }
        case .messageFlow:
            if let source = named("sourceRef", of: element) { messageFlowsFrom[source, default: []].append(own) }
            if let target = named("targetRef", of: element) { messageFlowsTo[target, default: []].append(own) }
        case .association:
            for end in ["sourceRef", "targetRef"] {
                if let end = named(end, of: element) { associations[end, default: []].append(own) }
            }
        case .boundaryEvent:
            if let host = named("attachedToRef", of: element) { boundaryEvents[host, default: []].append(own) }
        case .participant:
            if let process = named("processRef", of: element) { participants[process, default: []].append(own) }
        case .eventDefinitionRef:
            if let definition = self.element(named: element.text), let event = element.parent {
                definitionUsers[definition, default: []].append(event.index)
            }
        case .linkEventDefinition:
            if let name = element.attribute("name") { links[name, default: []].append(own) }
        case .target:
            if let parent = element.parent, let target = self.element(named: element.text) {
                linkSources[target, default: []].append(parent.index)
            }
        case .import:
            hasImports = true
        default: break
        }
    }

    private mutating func begin(_ flow: Int32, at source: Int32) {
        sources[Int(flow)] = source
        nextOutgoing[Int(flow)] = firstOutgoing[Int(source)]
        firstOutgoing[Int(source)] = flow
    }

    private mutating func lead(_ flow: Int32, to target: Int32) {
        targets[Int(flow)] = target
        nextIncoming[Int(flow)] = firstIncoming[Int(target)]
        firstIncoming[Int(target)] = flow
    }

    /// Some tools say only in the nodes what a flow connects.
    private mutating func connectByLists(_ list: XMLElement) {
        guard let node = list.parent?.index, let flow = element(named: list.text),
            kinds[Int(flow)] == .sequenceFlow
        else { return }
        if kinds[Int(list.index)] == .outgoing {
            if sources[Int(flow)] < 0 { begin(flow, at: node) }
        } else if targets[Int(flow)] < 0 {
            lead(flow, to: node)
        }
    }

    /// Executed is what is marked so, or, when no process is marked either way, all.
    private mutating func findExecuted(_ document: XMLDocument) {
        var marked: [Int32] = []
        var unmarked: [Int32] = []
        for child in document.root.children where kinds[Int(child.index)] == .process {
            switch child.attribute("isExecutable") {
            case "true", "1": marked.append(child.index)
            case nil: unmarked.append(child.index)
            default: break
            }
        }
        executedProcesses = Set(marked.isEmpty ? unmarked : marked)
    }

    private func named(_ attribute: String, of element: XMLElement) -> Int32? {
        element.attribute(attribute).flatMap { self.element(named: $0) }
    }

    /// The element a reference names; a prefix does not count, as in the importer.
    func element(named reference: String) -> Int32? {
        if let element = ids[reference] { return element }
        guard let colon = reference.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return ids[String(reference[reference.index(after: colon)...])]
    }

    /// Where a sequence flow begins.
    func source(of flow: Int32) -> Int? { sources[Int(flow)] < 0 ? nil : Int(sources[Int(flow)]) }

    /// Where a sequence flow leads.
    func target(of flow: Int32) -> Int? { targets[Int(flow)] < 0 ? nil : Int(targets[Int(flow)]) }

    /// Whether an element belongs to a process that is executed, or to none.
    func isExecuted(_ element: XMLElement) -> Bool {
        var next: XMLElement? = element
        while let candidate = next {
            if kinds[Int(candidate.index)] == .process { return executedProcesses.contains(candidate.index) }
            next = candidate.parent
        }
        return true
    }
}
