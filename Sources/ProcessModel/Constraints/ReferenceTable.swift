/// One reference of the metamodel: where it stands and what it may point to (BPMN 2.0.2 clause 15.3).
struct ModelReference: Sendable {
    /// What a reference may point to.
    enum Target: Sendable {
        case traits(ElementTraits)
        case kinds([ElementKind])
        /// Any element with an id.
        case anything

        func allows(_ kind: ElementKind) -> Bool {
            switch self {
            case .traits(let traits): !kind.traits.isDisjoint(with: traits)
            case .kinds(let kinds): kinds.contains(kind)
            case .anything: true
            }
        }
    }

    /// The attribute; empty when the reference is the text of a child element.
    let attribute: String
    let target: Target
    /// How much the reference matters.
    let weight: ConstraintRule.Weight
    /// What it points to, for messages.
    let noun: String

    init(_ attribute: String, _ target: Target, _ noun: String, _ weight: ConstraintRule.Weight) {
        self.attribute = attribute
        self.target = target
        self.noun = noun
        self.weight = weight
    }
}

extension ModelReference {
    /// The references in attributes, by kind of element.
    static let inAttributes: [[ModelReference]] = {
        var table = [[ModelReference]](repeating: [], count: ElementKind.allCases.count)
        for (owners, references) in attributeRows {
            for owner in owners { table[Int(owner.rawValue)] += references }
        }
        return table
    }()

    /// The references that are the text of an element, by its kind.
    static let inText: [ModelReference?] = {
        var table = [ModelReference?](repeating: nil, count: ElementKind.allCases.count)
        for (kinds, reference) in textRows {
            for kind in kinds { table[Int(kind.rawValue)] = reference }
        }
        return table
    }()

    private static let item = Target.kinds([.itemDefinition])
    private static let message = Target.kinds([.message])
    private static let participant = Target.kinds([.participant])
    private static let activities = ElementKind.allCases.filter { $0.traits.contains(.activity) }

    private static let attributeRows: [([ElementKind], [ModelReference])] = [
        (
            activities + [.exclusiveGateway, .inclusiveGateway, .complexGateway],
            [.init("default", .kinds([.sequenceFlow]), "a sequence flow", .execution)]
        ),
        ([.boundaryEvent], [.init("attachedToRef", .traits(.activity), "an activity", .execution)]),
        ([.messageEventDefinition], [.init("messageRef", message, "a message", .execution)]),
        ([.errorEventDefinition], [.init("errorRef", .kinds([.error]), "an error", .execution)]),
        ([.escalationEventDefinition], [.init("escalationRef", .kinds([.escalation]), "an escalation", .execution)]),
        ([.signalEventDefinition], [.init("signalRef", .kinds([.signal]), "a signal", .execution)]),
        ([.compensateEventDefinition], [.init("activityRef", .traits(.activity), "an activity", .execution)]),
        (
            [.sendTask, .receiveTask],
            [
                .init("messageRef", message, "a message", .execution),
                .init("operationRef", .kinds([.operation]), "an operation", .doubtful),
            ]
        ),
        ([.serviceTask], [.init("operationRef", .kinds([.operation]), "an operation", .doubtful)]),
        ([.callActivity], [.init("calledElement", .traits(.callable), "a process or global task", .formal)]),
        ([.dataObjectReference], [.init("dataObjectRef", .kinds([.dataObject]), "a data object", .execution)]),
        ([.dataStoreReference], [.init("dataStoreRef", .kinds([.dataStore]), "a data store", .doubtful)]),
        (
            [
                .dataObject, .dataObjectReference, .dataStore, .dataStoreReference, .dataInput, .dataOutput, .property,
                .inputDataItem, .outputDataItem,
            ], [.init("itemSubjectRef", item, "an item definition", .formal)]
        ),
        ([.message], [.init("itemRef", item, "an item definition", .formal)]),
        ([.error, .signal, .escalation], [.init("structureRef", item, "an item definition", .formal)]),
        ([.resourceParameter], [.init("type", item, "an item definition", .formal)]),
        (
            [.multiInstanceLoopCharacteristics],
            [
                .init("oneBehaviorEventRef", .traits(.eventDefinition), "an event definition", .execution),
                .init("noneBehaviorEventRef", .traits(.eventDefinition), "an event definition", .execution),
            ]
        ),
        (
            [.ioBinding],
            [
                .init("operationRef", .kinds([.operation]), "an operation", .doubtful),
                .init("inputDataRef", .kinds([.inputSet]), "an input set", .doubtful),
                .init("outputDataRef", .kinds([.outputSet]), "an output set", .doubtful),
            ]
        ),
        (
            [.process],
            [.init("definitionalCollaborationRef", .traits(.collaboration), "a collaboration", .doubtful)]
        ),
        ([.participant], [.init("processRef", .kinds([.process]), "a process", .doubtful)]),
        (
            [.messageFlow],
            [
                // Gateways and artifacts have rules of their own.
                .init("sourceRef", .traits([.interactionNode, .flowNode, .artifact]), "a pool or node", .doubtful),
                .init("targetRef", .traits([.interactionNode, .flowNode, .artifact]), "a pool or node", .doubtful),
                .init("messageRef", message, "a message", .doubtful),
            ]
        ),
        (
            [.conversationLink],
            [
                .init("sourceRef", .traits(.interactionNode), "a participant or conversation", .doubtful),
                .init("targetRef", .traits(.interactionNode), "a participant or conversation", .doubtful),
            ]
        ),
        (
            [.association],
            [
                .init("sourceRef", .anything, "an element", .doubtful),
                .init("targetRef", .anything, "an element", .doubtful),
            ]
        ),
        ([.group], [.init("categoryValueRef", .kinds([.categoryValue]), "a category value", .formal)]),
        ([.lane], [.init("partitionElementRef", .anything, "an element", .doubtful)]),
        (
            [.choreographyTask, .callChoreography, .subChoreography, .globalChoreographyTask],
            [.init("initiatingParticipantRef", participant, "a participant", .doubtful)]
        ),
        (
            [.callChoreography],
            [.init("calledChoreographyRef", .traits(.choreography), "a choreography", .doubtful)]
        ),
        (
            [.callConversation],
            [.init("calledCollaborationRef", .traits(.collaboration), "a collaboration", .doubtful)]
        ),
        (
            [.conversationAssociation],
            [
                .init("innerConversationNodeRef", .traits(.conversationNode), "a conversation", .doubtful),
                .init("outerConversationNodeRef", .traits(.conversationNode), "a conversation", .doubtful),
            ]
        ),
        (
            [.messageFlowAssociation],
            [
                .init("innerMessageFlowRef", .kinds([.messageFlow]), "a message flow", .doubtful),
                .init("outerMessageFlowRef", .kinds([.messageFlow]), "a message flow", .doubtful),
            ]
        ),
        ([.correlationPropertyRetrievalExpression], [.init("messageRef", message, "a message", .doubtful)]),
        (
            [.correlationSubscription],
            [.init("correlationKeyRef", .kinds([.correlationKey]), "a correlation key", .doubtful)]
        ),
        (
            [.correlationPropertyBinding],
            [.init("correlationPropertyRef", .kinds([.correlationProperty]), "a correlation property", .doubtful)]
        ),
        (
            [.resourceParameterBinding],
            [.init("parameterRef", .kinds([.resourceParameter]), "a resource parameter", .doubtful)]
        ),
    ]

    private static let textRows: [([ElementKind], ModelReference)] = [
        ([.eventDefinitionRef], .init("", .traits(.eventDefinition), "an event definition", .execution)),
        (
            [.loopDataInputRef, .loopDataOutputRef],
            .init("", .traits(.itemAware), "a data input, output or object", .execution)
        ),
        ([.sourceRef, .targetRef], .init("", .traits(.itemAware), "data", .doubtful)),
        ([.incoming, .outgoing], .init("", .kinds([.sequenceFlow]), "a sequence flow", .formal)),
        (
            [.dataInputRefs, .optionalInputRefs, .whileExecutingInputRefs],
            .init("", .kinds([.dataInput]), "a data input", .doubtful)
        ),
        (
            [.dataOutputRefs, .optionalOutputRefs, .whileExecutingOutputRefs],
            .init("", .kinds([.dataOutput]), "a data output", .doubtful)
        ),
        ([.inputSetRefs], .init("", .kinds([.inputSet]), "an input set", .doubtful)),
        ([.outputSetRefs], .init("", .kinds([.outputSet]), "an output set", .doubtful)),
        ([.operationRef], .init("", .kinds([.operation]), "an operation", .doubtful)),
        ([.source, .target], .init("", .kinds([.linkEventDefinition]), "a link event definition", .formal)),
        ([.inMessageRef, .outMessageRef], .init("", message, "a message", .doubtful)),
        ([.errorRef], .init("", .kinds([.error]), "an error", .doubtful)),
        ([.supportedInterfaceRef, .interfaceRef], .init("", .kinds([.interface]), "an interface", .doubtful)),
        ([.endPointRef], .init("", .kinds([.endPoint]), "an end point", .doubtful)),
        ([.resourceRef], .init("", .kinds([.resource]), "a resource", .doubtful)),
        ([.flowNodeRef], .init("", .traits(.flowNode), "a flow node", .doubtful)),
        ([.categoryValueRef], .init("", .kinds([.categoryValue]), "a category value", .formal)),
        (
            [.participantRef, .innerParticipantRef, .outerParticipantRef],
            .init("", participant, "a participant", .doubtful)
        ),
        ([.messageFlowRef], .init("", .kinds([.messageFlow]), "a message flow", .doubtful)),
        ([.choreographyRef], .init("", .traits(.choreography), "a choreography", .doubtful)),
        (
            [.correlationPropertyRef],
            .init("", .kinds([.correlationProperty]), "a correlation property", .doubtful)
        ),
    ]
}
