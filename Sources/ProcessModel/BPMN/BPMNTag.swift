/// The elements of the BPMN 2.0 namespace (BPMN 2.0.2 clause 15), by what the importer does with them.
enum BPMNTag: String, Sendable, CaseIterable {
    // Containers
    case definitions, process, subProcess, transaction, adHocSubProcess

    // Flow nodes
    case task, manualTask, serviceTask, sendTask, receiveTask, userTask, scriptTask, businessRuleTask, callActivity
    case exclusiveGateway, parallelGateway, inclusiveGateway, complexGateway, eventBasedGateway
    case startEvent, endEvent, intermediateCatchEvent, intermediateThrowEvent, boundaryEvent
    case implicitThrowEvent, event
    case callChoreography, choreographyTask, subChoreography

    // Flows and their parts
    case sequenceFlow, conditionExpression, incoming, outgoing, activationCondition

    // Event definitions
    case timerEventDefinition, messageEventDefinition, errorEventDefinition, terminateEventDefinition
    case signalEventDefinition, escalationEventDefinition, compensateEventDefinition, conditionalEventDefinition
    case linkEventDefinition, cancelEventDefinition
    case eventDefinitionRef, eventDefinition
    case timeDate, timeDuration, timeCycle, condition, source, target, operationRef

    // Parts of activities
    case script
    case multiInstanceLoopCharacteristics, standardLoopCharacteristics, loopCharacteristics, loopCondition
    case loopCardinality, completionCondition, loopDataInputRef, loopDataOutputRef, inputDataItem, outputDataItem
    case complexBehaviorDefinition

    // Data
    case ioSpecification, ioBinding, dataInput, dataOutput, inputSet, outputSet
    case dataInputRefs, optionalInputRefs, whileExecutingInputRefs, outputSetRefs
    case dataOutputRefs, optionalOutputRefs, whileExecutingOutputRefs, inputSetRefs
    case dataInputAssociation, dataOutputAssociation, dataAssociation
    case sourceRef, targetRef, transformation, assignment, from, to
    case property, dataObject, dataObjectReference, dataStore, dataStoreReference, dataState

    // People
    case resourceRole, performer, humanPerformer, potentialOwner, resource, resourceParameter, rendering
    case resourceRef, resourceAssignmentExpression, resourceParameterBinding, formalExpression, expression

    // Root elements
    case message, error, signal, escalation, itemDefinition, interface, endPoint, category, categoryValue
    case operation, inMessageRef, outMessageRef, errorRef
    case correlationProperty, correlationPropertyRetrievalExpression, messagePath
    case partnerEntity, partnerRole, collaboration, choreography, globalConversation
    case globalChoreographyTask
    case globalTask, globalManualTask, globalUserTask, globalScriptTask, globalBusinessRuleTask
    case `import`, `extension`, relationship

    // Correlation in processes
    case correlationSubscription, correlationKey, correlationPropertyBinding, correlationPropertyRef, dataPath

    // Kept for people and tools
    case documentation, extensionElements, text
    case laneSet, lane, flowNodeRef, childLaneSet, partitionElement, association, group, textAnnotation, artifact
    case participant, participantRef, participantMultiplicity, participantAssociation, interfaceRef, endPointRef
    case messageFlow, messageFlowRef, messageFlowAssociation, innerParticipantRef, outerParticipantRef
    case conversation, subConversation, callConversation, conversationNode, conversationLink, conversationAssociation
    case innerConversationNodeRef, outerConversationNodeRef, choreographyRef, initiatingParticipantRef
    case auditing, monitoring, categoryValueRef
    case supports, supportedInterfaceRef
}

extension BPMNTag {
    /// The kind of node this element becomes, when it is a flow node or scope that is executed.
    var nodeKind: FlowNodeKind? {
        switch self {
        case .subProcess: .subProcess
        case .transaction: .transaction
        case .adHocSubProcess: .adHocSubProcess
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
        case .inclusiveGateway: .inclusiveGateway
        case .complexGateway: .complexGateway
        case .eventBasedGateway: .eventBasedGateway
        case .startEvent: .startEvent
        case .endEvent: .endEvent
        case .intermediateCatchEvent: .intermediateCatchEvent
        case .intermediateThrowEvent: .intermediateThrowEvent
        case .boundaryEvent: .boundaryEvent
        default: nil
        }
    }

    /// The kind of task a global task is.
    var globalTaskKind: FlowNodeKind? {
        switch self {
        case .globalTask: .task
        case .globalManualTask: .manualTask
        case .globalUserTask: .userTask
        case .globalScriptTask: .scriptTask
        case .globalBusinessRuleTask: .businessRuleTask
        default: nil
        }
    }

    /// What a flow node that is not executed is called, and the kind it stands in as while the rest is checked.
    var refusedNode: (noun: String, standIn: FlowNodeKind)? {
        switch self {
        case .implicitThrowEvent: ("implicit throw event", .task)
        case .event: ("generic event", .task)
        case .callChoreography, .choreographyTask, .subChoreography: ("choreography activity", .task)
        default: nil
        }
    }

    /// What an event definition is called; nil when this is none.
    var eventNoun: String? {
        switch self {
        case .timerEventDefinition: "timer"
        case .messageEventDefinition: "message"
        case .errorEventDefinition: "error"
        case .terminateEventDefinition: "terminate"
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
    var isExecutedEventDefinition: Bool { eventNoun != nil && self != .eventDefinition }

    /// Whether the element declares data or moves it.
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
            .monitoring, .categoryValueRef, .rendering, .supports, .supportedInterfaceRef:
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
        case .inclusiveGateway: "inclusive gateway"
        case .complexGateway: "complex gateway"
        case .eventBasedGateway: "event-based gateway"
        case .intermediateThrowEvent: "intermediate throw event"
        case .eventSubProcess: "event sub-process"
        case .transaction: "transaction"
        case .adHocSubProcess: "ad-hoc sub-process"
        case .eventTrigger: "event definition"
        }
    }

    /// Whether it is a task, sub-process or call activity: what boundary events attach to and loops repeat.
    var isActivity: Bool {
        switch self {
        case .subProcess, .transaction, .adHocSubProcess, .callActivity, .task, .manualTask, .serviceTask, .sendTask,
            .receiveTask, .userTask, .scriptTask, .businessRuleTask:
            true
        default: false
        }
    }

    /// Whether it is a gateway that may choose flows by their conditions.
    var isConditionalGateway: Bool {
        switch self {
        case .exclusiveGateway, .inclusiveGateway, .complexGateway: true
        default: false
        }
    }

    /// Whether it is an event.
    var isEvent: Bool {
        switch self {
        case .startEvent, .endEvent, .intermediateCatchEvent, .intermediateThrowEvent, .boundaryEvent: true
        default: false
        }
    }
}
