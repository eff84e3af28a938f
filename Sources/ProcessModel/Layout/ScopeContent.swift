/// What stands directly inside a process or sub-process, sorted by its part in the layout.
struct ScopeContent {
    private(set) var nodes: [ElementID] = []
    /// The boundary events of each node they are attached to.
    private(set) var boundary: [ElementID: [ElementID]] = [:]
    private(set) var flows: [Connection] = []
    /// The associations with both ends known, wherever their ends are.
    private(set) var associations: [Connection] = []
    /// Data, annotations and groups.
    private(set) var artifacts: [ElementID] = []
    /// The lanes without lanes inside, in document order.
    private(set) var lanes: [ElementID] = []
    private(set) var laneSets: [ElementID] = []

    /// A line between two elements.
    struct Connection {
        let element: ElementID
        let source: ElementID
        let target: ElementID
    }

    init(of scope: ElementID, in document: BPMNDocument) {
        var boundaryEvents: [ElementID] = []
        var pendingFlows: [ElementID] = []
        for child in document.children(of: scope) where document[child].isModel {
            let local = document[child].name.local
            guard let role = LayoutRole(local) else {
                addParts(of: child, local, document)
                continue
            }
            switch role {
            case .boundaryEvent: boundaryEvents.append(child)
            case .activity, .event, .gateway, .scope: nodes.append(child)
            case .dataObject, .dataStore, .annotation, .group: artifacts.append(child)
            case .flow: pendingFlows.append(child)
            case .association: addAssociation(child, role: local, owner: nil, document)
            }
        }
        let known = Set(nodes)
        for event in boundaryEvents {
            // One that is attached to nothing here is drawn as if it stood alone.
            if let host = document.target(of: event, "attachedToRef"), known.contains(host) {
                boundary[host, default: []].append(event)
            } else {
                nodes.append(event)
            }
        }
        let ends = Set(nodes).union(boundaryEvents)
        for flow in pendingFlows {
            guard let source = document.target(of: flow, "sourceRef"), ends.contains(source),
                let target = document.target(of: flow, "targetRef"), ends.contains(target)
            else { continue }
            flows.append(Connection(element: flow, source: source, target: target))
        }
        for owner in nodes + boundaryEvents {
            for child in document.children(of: owner, named: ["dataInputAssociation", "dataOutputAssociation"]) {
                addAssociation(child, role: document[child].name.local, owner: owner, document)
            }
        }
    }

    /// Looks into what is no part of the drawing itself: lane sets and the data of a process.
    private mutating func addParts(of child: ElementID, _ local: String, _ document: BPMNDocument) {
        switch local {
        case "laneSet":
            laneSets.append(child)
            addLanes(of: child, document)
        case "ioSpecification":
            artifacts += document.children(of: child, named: ["dataInput", "dataOutput"])
        default:
            return
        }
    }

    /// Recursive: documents are nested at most 256 deep.
    private mutating func addLanes(of laneSet: ElementID, _ document: BPMNDocument) {
        for lane in document.children(of: laneSet, named: ["lane"]) {
            if let inner = document.child(of: lane, named: "childLaneSet"),
                !document.children(of: inner, named: ["lane"]).isEmpty
            {
                addLanes(of: inner, document)
            } else {
                lanes.append(lane)
            }
        }
    }

    /// Data associations belong to a node, which is the end that is no data.
    private mutating func addAssociation(
        _ association: ElementID, role: String, owner: ElementID?, _ document: BPMNDocument
    ) {
        let source = role == "dataOutputAssociation" ? owner : document.target(of: association, "sourceRef")
        let target = role == "dataInputAssociation" ? owner : document.target(of: association, "targetRef")
        guard let source, let target, source != target else { return }
        associations.append(Connection(element: association, source: source, target: target))
    }
}
