/// What an element is to the layout.
enum LayoutRole {
    case activity, event, boundaryEvent, gateway
    /// Holds a flow of its own.
    case scope
    case dataObject, dataStore, annotation, group
    /// Connects two nodes of the flow.
    case flow
    /// Connects anything.
    case association

    init?(_ local: String) {
        guard let role = LayoutRole.roles[local] else { return nil }
        self = role
    }

    var isFlowNode: Bool {
        switch self {
        case .activity, .event, .boundaryEvent, .gateway, .scope: true
        default: false
        }
    }

    /// Whether it stands beside what it is associated with.
    var isArtifact: Bool {
        switch self {
        case .dataObject, .dataStore, .annotation, .group: true
        default: false
        }
    }

    private static let roles: [String: LayoutRole] = [
        "task": .activity, "manualTask": .activity, "serviceTask": .activity, "sendTask": .activity,
        "receiveTask": .activity, "userTask": .activity, "scriptTask": .activity, "businessRuleTask": .activity,
        "callActivity": .activity, "choreographyTask": .activity, "callChoreography": .activity,
        "subProcess": .scope, "transaction": .scope, "adHocSubProcess": .scope, "subChoreography": .scope,
        "startEvent": .event, "endEvent": .event, "intermediateCatchEvent": .event, "intermediateThrowEvent": .event,
        "implicitThrowEvent": .event, "event": .event, "boundaryEvent": .boundaryEvent,
        "exclusiveGateway": .gateway, "parallelGateway": .gateway, "inclusiveGateway": .gateway,
        "complexGateway": .gateway, "eventBasedGateway": .gateway,
        "dataObjectReference": .dataObject, "dataStoreReference": .dataStore, "dataInput": .dataObject,
        "dataOutput": .dataObject, "textAnnotation": .annotation, "group": .group,
        "sequenceFlow": .flow, "association": .association, "dataInputAssociation": .association,
        "dataOutputAssociation": .association,
    ]
}
