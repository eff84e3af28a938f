/// The elements of the BPMN 2.0 schema, as the constraints see them (BPMN 2.0.2 clause 15.3).
enum ElementKind: UInt8, CaseIterable, Sendable {
    /// Anything outside the BPMN namespace, unknown to it, or inside `extensionElements`.
    case other

    case definitions, `import`, `extension`, extensionElements, relationship
    case process, collaboration, globalConversation, choreography
    case globalTask, globalManualTask, globalUserTask, globalScriptTask, globalBusinessRuleTask
    case globalChoreographyTask
    case message, error, signal, escalation, itemDefinition, interface, operation, endPoint, category, categoryValue
    case resource, resourceParameter, partnerEntity, partnerRole, dataStore
    case correlationProperty, correlationPropertyRetrievalExpression, messagePath

    case subProcess, transaction, adHocSubProcess
    case task, manualTask, serviceTask, sendTask, receiveTask, userTask, scriptTask, businessRuleTask, callActivity
    case exclusiveGateway, parallelGateway, inclusiveGateway, complexGateway, eventBasedGateway
    case startEvent, endEvent, intermediateCatchEvent, intermediateThrowEvent, boundaryEvent, implicitThrowEvent, event
    case choreographyTask, callChoreography, subChoreography
    case sequenceFlow, incoming, outgoing, conditionExpression, activationCondition

    case timerEventDefinition, messageEventDefinition, errorEventDefinition, terminateEventDefinition
    case signalEventDefinition, escalationEventDefinition, compensateEventDefinition, conditionalEventDefinition
    case linkEventDefinition, cancelEventDefinition, eventDefinition, eventDefinitionRef
    case timeDate, timeDuration, timeCycle, condition, source, target, operationRef

    case script, multiInstanceLoopCharacteristics, standardLoopCharacteristics, loopCondition, loopCardinality
    case completionCondition, complexBehaviorDefinition, loopDataInputRef, loopDataOutputRef
    case inputDataItem, outputDataItem

    case ioSpecification, ioBinding, dataInput, dataOutput, inputSet, outputSet
    case dataInputRefs, optionalInputRefs, whileExecutingInputRefs, outputSetRefs
    case dataOutputRefs, optionalOutputRefs, whileExecutingOutputRefs, inputSetRefs
    case dataInputAssociation, dataOutputAssociation, dataAssociation, sourceRef, targetRef
    case transformation, assignment, from, to
    case property, dataObject, dataObjectReference, dataStoreReference, dataState

    case resourceRole, performer, humanPerformer, potentialOwner, rendering, resourceRef
    case resourceAssignmentExpression, resourceParameterBinding, formalExpression, expression

    case supportedInterfaceRef, inMessageRef, outMessageRef, errorRef, interfaceRef, endPointRef
    case correlationSubscription, correlationKey, correlationPropertyBinding, correlationPropertyRef, dataPath

    case documentation, text, laneSet, lane, flowNodeRef, childLaneSet, partitionElement
    case association, group, textAnnotation, artifact, categoryValueRef
    case participant, participantRef, participantMultiplicity, participantAssociation
    case innerParticipantRef, outerParticipantRef, messageFlow, messageFlowRef, messageFlowAssociation
    case conversation, subConversation, callConversation, conversationLink, conversationAssociation
    case choreographyRef, auditing, monitoring

    /// The kinds by element name.
    static let byName: [String: ElementKind] = {
        var kinds: [String: ElementKind] = [:]
        for kind in allCases where kind != .other { kinds["\(kind)"] = kind }
        return kinds
    }()

    /// What the metamodel says the kind is.
    var traits: ElementTraits { ElementKind.traitTable[Int(rawValue)] }

    private static let traitTable: [ElementTraits] = {
        var table = [ElementTraits](repeating: [], count: allCases.count)
        for (kinds, traits) in ElementTraits.members {
            for kind in kinds { table[Int(kind.rawValue)].formUnion(traits) }
        }
        return table
    }()
}

/// The abstract classes of the metamodel that constraints speak of.
struct ElementTraits: OptionSet, Sendable {
    let rawValue: UInt32

    static let flowNode = ElementTraits(rawValue: 1 << 0)
    static let activity = ElementTraits(rawValue: 1 << 1)
    /// Embedded sub-processes of every kind.
    static let subProcess = ElementTraits(rawValue: 1 << 2)
    static let gateway = ElementTraits(rawValue: 1 << 3)
    static let catchEvent = ElementTraits(rawValue: 1 << 4)
    static let throwEvent = ElementTraits(rawValue: 1 << 5)
    static let eventDefinition = ElementTraits(rawValue: 1 << 6)
    static let artifact = ElementTraits(rawValue: 1 << 7)
    /// What a call activity may call.
    static let callable = ElementTraits(rawValue: 1 << 8)
    /// What carries an item: the ends of data associations.
    static let itemAware = ElementTraits(rawValue: 1 << 9)
    static let collaboration = ElementTraits(rawValue: 1 << 10)
    static let choreography = ElementTraits(rawValue: 1 << 11)
    static let choreographyActivity = ElementTraits(rawValue: 1 << 12)
    static let conversationNode = ElementTraits(rawValue: 1 << 13)
    /// What message flows and conversation links connect.
    static let interactionNode = ElementTraits(rawValue: 1 << 14)
    /// What others refer to, so that it must have an id.
    static let identified = ElementTraits(rawValue: 1 << 15)
    /// What contains flow nodes of a process.
    static let processLevel = ElementTraits(rawValue: 1 << 16)
    /// Flow elements other than nodes, artifacts and the like: kept beside nodes.
    static let resourceRole = ElementTraits(rawValue: 1 << 17)

    static let event: ElementTraits = [.catchEvent, .throwEvent]

    fileprivate static let activities: [ElementKind] = [
        .task, .manualTask, .serviceTask, .sendTask, .receiveTask, .userTask, .scriptTask, .businessRuleTask,
        .callActivity, .subProcess, .transaction, .adHocSubProcess,
    ]

    fileprivate static let members: [([ElementKind], ElementTraits)] = [
        (activities, [.flowNode, .activity, .interactionNode, .identified]),
        ([.subProcess, .transaction, .adHocSubProcess], [.subProcess, .processLevel]),
        ([.process], .processLevel),
        (
            [.exclusiveGateway, .parallelGateway, .inclusiveGateway, .complexGateway, .eventBasedGateway],
            [.flowNode, .gateway, .identified]
        ),
        (
            [.startEvent, .intermediateCatchEvent, .boundaryEvent],
            [.flowNode, .catchEvent, .interactionNode, .identified]
        ),
        ([.endEvent, .intermediateThrowEvent], [.flowNode, .throwEvent, .interactionNode, .identified]),
        ([.implicitThrowEvent], .throwEvent),
        ([.choreographyTask, .callChoreography, .subChoreography], [.flowNode, .choreographyActivity, .identified]),
        (
            [
                .timerEventDefinition, .messageEventDefinition, .errorEventDefinition, .terminateEventDefinition,
                .signalEventDefinition, .escalationEventDefinition, .compensateEventDefinition,
                .conditionalEventDefinition, .linkEventDefinition, .cancelEventDefinition, .eventDefinition,
            ], .eventDefinition
        ),
        ([.association, .group, .textAnnotation, .artifact], .artifact),
        (
            [
                .process, .globalTask, .globalManualTask, .globalUserTask, .globalScriptTask, .globalBusinessRuleTask,
            ], [.callable, .identified]
        ),
        (
            [
                .dataObject, .dataObjectReference, .dataStore, .dataStoreReference, .dataInput, .dataOutput, .property,
                .inputDataItem, .outputDataItem,
            ], .itemAware
        ),
        ([.dataObject, .dataObjectReference, .dataStore, .dataStoreReference, .dataInput, .dataOutput], .identified),
        ([.collaboration, .globalConversation, .choreography, .globalChoreographyTask], .collaboration),
        ([.choreography, .globalChoreographyTask], .choreography),
        ([.conversation, .subConversation, .callConversation], [.conversationNode, .interactionNode, .identified]),
        ([.participant], [.interactionNode, .identified]),
        ([.resourceRole, .performer, .humanPerformer, .potentialOwner], .resourceRole),
        (
            [
                .sequenceFlow, .messageFlow, .message, .error, .signal, .escalation, .itemDefinition, .interface,
                .operation, .categoryValue, .resource, .correlationProperty, .correlationKey,
            ], .identified
        ),
    ]
}

extension ElementKind {
    /// What people call it.
    var noun: String {
        var words = ""
        for character in "\(self)" {
            if character.isUppercase { words += " " }
            words += character.lowercased()
        }
        return words
    }
}
