/// The elements of the BPMN 2.0 namespace (BPMN 2.0.2 clause 15), by what the importer does with them.
enum BPMNTag: String, Sendable, CaseIterable {
    // Containers
    case definitions, process, subProcess

    // Flow nodes that are executed
    case task, manualTask, serviceTask, sendTask, receiveTask, userTask, scriptTask, businessRuleTask, callActivity
    case exclusiveGateway, parallelGateway
    case startEvent, endEvent, intermediateCatchEvent, boundaryEvent

    // Flow nodes that are refused
    case inclusiveGateway, complexGateway, eventBasedGateway
    case intermediateThrowEvent, implicitThrowEvent, event
    case transaction, adHocSubProcess
    case callChoreography, choreographyTask, subChoreography

    // Flows and their parts
    case sequenceFlow, conditionExpression, incoming, outgoing

    // Event definitions
    case timerEventDefinition, messageEventDefinition, errorEventDefinition, terminateEventDefinition
    case signalEventDefinition, escalationEventDefinition, compensateEventDefinition, conditionalEventDefinition
    case linkEventDefinition, cancelEventDefinition
    case eventDefinitionRef, eventDefinition
    case timeDate, timeDuration, timeCycle

    // Parts of activities
    case script
    case multiInstanceLoopCharacteristics, standardLoopCharacteristics, loopCharacteristics
    case loopCardinality, completionCondition, loopDataInputRef, loopDataOutputRef, inputDataItem, outputDataItem
    case complexBehaviorDefinition

    // Data
    case ioSpecification, ioBinding, dataInput, dataOutput, inputSet, outputSet
    case dataInputAssociation, dataOutputAssociation, dataAssociation
    case property, dataObject, dataObjectReference, dataStore, dataStoreReference, dataState

    // People
    case resourceRole, performer, humanPerformer, potentialOwner, resource, rendering

    // Root elements
    case message, error, signal, escalation, itemDefinition, interface, endPoint, category, correlationProperty
    case partnerEntity, partnerRole, collaboration, choreography, globalConversation
    case globalTask, globalManualTask, globalUserTask, globalScriptTask, globalBusinessRuleTask
    case `import`, `extension`, relationship

    // Kept for people and tools
    case documentation, extensionElements, text
    case laneSet, lane, association, group, textAnnotation, artifact
    case participant, messageFlow, conversation
    case auditing, monitoring, categoryValueRef
    case supports, supportedInterfaceRef, correlationSubscription, correlationKey
}

extension BPMNTag {
    /// The kind of node this element becomes, when it is a flow node or scope that is executed.
    var nodeKind: FlowNodeKind? {
        switch self {
        case .subProcess: .subProcess
        case .task: .task
        case .manualTask: .manualTask
        case .serviceTask: .serviceTask
        case .sendTask: .sendTask
        case .receiveTask: .receiveTask
        case .userTask: .userTask
        case .scriptTask: .scriptTask
        case .businessRuleTask: .businessRuleTask
        case .callActivity: .callActivity
        case .exclusiveGateway: .exclusiveGateway
        case .parallelGateway: .parallelGateway
        case .startEvent: .startEvent
        case .endEvent: .endEvent
        case .intermediateCatchEvent: .intermediateCatchEvent
        case .boundaryEvent: .boundaryEvent
        default: nil
        }
    }

    /// What a flow node that is not executed is called, and the kind it stands in as while the rest is checked.
    var refusedNode: (noun: String, standIn: FlowNodeKind)? {
        switch self {
        case .inclusiveGateway: ("inclusive gateway", .parallelGateway)
        case .complexGateway: ("complex gateway", .parallelGateway)
        case .eventBasedGateway: ("event-based gateway", .parallelGateway)
        case .intermediateThrowEvent, .implicitThrowEvent: ("throw event", .task)
        case .event: ("generic event", .task)
        case .transaction: ("transaction", .subProcess)
        case .adHocSubProcess: ("ad-hoc sub-process", .subProcess)
        case .callChoreography, .choreographyTask, .subChoreography: ("choreography activity", .task)
        default: nil
        }
    }

    /// What an event definition that is not executed is called.
    var refusedEvent: String? {
        switch self {
        case .signalEventDefinition: "signal"
        case .escalationEventDefinition: "escalation"
        case .compensateEventDefinition: "compensation"
        case .conditionalEventDefinition: "conditional"
        case .linkEventDefinition: "link"
        case .cancelEventDefinition: "cancel"
        case .eventDefinition: "generic"
        default: nil
        }
    }

    /// Whether this is an event definition that is executed, in some position.
    var isExecutedEventDefinition: Bool {
        switch self {
        case .timerEventDefinition, .messageEventDefinition, .errorEventDefinition, .terminateEventDefinition: true
        default: false
        }
    }

    /// Whether the element says something about data flow that a model depends on and that is not executed.
    var isDataFlow: Bool {
        switch self {
        case .ioSpecification, .ioBinding, .dataInput, .dataOutput, .inputSet, .outputSet, .dataInputAssociation,
            .dataOutputAssociation, .dataAssociation:
            true
        default: false
        }
    }

    /// Whether the element is for people and tools and never changes what a process does.
    var isKept: Bool {
        switch self {
        case .documentation, .text, .laneSet, .lane, .association, .group, .textAnnotation, .artifact, .auditing,
            .monitoring, .categoryValueRef, .property, .dataObject, .dataObjectReference, .dataStoreReference,
            .rendering,
            .supports, .supportedInterfaceRef:
            true
        default: false
        }
    }

    /// Whether the element assigns people in the standard's own way.
    var isResourceRole: Bool {
        switch self {
        case .resourceRole, .performer, .humanPerformer, .potentialOwner: true
        default: false
        }
    }
}

extension FlowNodeKind {
    /// What people call it.
    var noun: String {
        switch self {
        case .process: "process"
        case .subProcess: "sub-process"
        case .callActivity: "call activity"
        case .task: "task"
        case .manualTask: "manual task"
        case .serviceTask: "service task"
        case .sendTask: "send task"
        case .receiveTask: "receive task"
        case .userTask: "user task"
        case .scriptTask: "script task"
        case .businessRuleTask: "business rule task"
        case .exclusiveGateway: "exclusive gateway"
        case .parallelGateway: "parallel gateway"
        case .startEvent: "start event"
        case .endEvent: "end event"
        case .intermediateCatchEvent: "intermediate catch event"
        case .boundaryEvent: "boundary event"
        }
    }

    /// Whether it is a task, sub-process or call activity: what boundary events attach to and loops repeat.
    var isActivity: Bool {
        switch self {
        case .subProcess, .callActivity, .task, .manualTask, .serviceTask, .sendTask, .receiveTask, .userTask,
            .scriptTask, .businessRuleTask:
            true
        case .process, .exclusiveGateway, .parallelGateway, .startEvent, .endEvent, .intermediateCatchEvent,
            .boundaryEvent:
            false
        }
    }

    /// Whether it is an event.
    var isEvent: Bool {
        switch self {
        case .startEvent, .endEvent, .intermediateCatchEvent, .boundaryEvent: true
        default: false
        }
    }
}
