extension BPMNTag {
    /// The clause of BPMN 2.0.2 that says what the element does, or, for one that does nothing, what it is.
    var clause: String? {
        switch self {
        case .process: "13.2"
        case .task, .manualTask, .serviceTask, .sendTask, .receiveTask, .userTask, .scriptTask, .businessRuleTask:
            "13.3.3"
        case .subProcess, .transaction, .callActivity: "13.3.4"
        case .adHocSubProcess: "13.3.5"
        case .standardLoopCharacteristics, .loopCharacteristics: "13.3.6"
        case .multiInstanceLoopCharacteristics, .complexBehaviorDefinition, .inputDataItem, .outputDataItem: "13.3.7"
        case .parallelGateway: "13.4.1"
        case .exclusiveGateway: "13.4.2"
        case .inclusiveGateway: "13.4.3"
        case .eventBasedGateway: "13.4.4"
        case .complexGateway: "13.4.5"
        case .startEvent: "13.5.1"
        case .intermediateCatchEvent, .intermediateThrowEvent, .implicitThrowEvent: "13.5.2"
        case .boundaryEvent: "13.5.3"
        case .compensateEventDefinition: "13.5.5"
        case .endEvent: "13.5.6"
        case .timerEventDefinition, .messageEventDefinition, .errorEventDefinition, .terminateEventDefinition,
            .signalEventDefinition, .escalationEventDefinition, .conditionalEventDefinition, .linkEventDefinition,
            .cancelEventDefinition, .eventDefinition, .event:
            "10.5.5"
        case .sequenceFlow: "8.4.13"
        case .globalTask, .globalManualTask, .globalUserTask, .globalScriptTask, .globalBusinessRuleTask: "10.3.7"
        case .resourceRole, .performer, .humanPerformer, .potentialOwner, .resource, .resourceParameter, .rendering,
            .resourceParameterBinding:
            "10.3.2"
        case .ioSpecification, .ioBinding, .dataInput, .dataOutput, .inputSet, .outputSet, .dataInputAssociation,
            .dataOutputAssociation, .dataAssociation, .assignment, .property, .dataObject, .dataObjectReference,
            .dataStore, .dataStoreReference, .dataState:
            "10.4"
        case .laneSet, .lane, .childLaneSet: "10.8"
        case .message: "8.4.11"
        case .error: "8.4.6"
        case .escalation: "8.4.8"
        case .signal: "10.5.5"
        case .itemDefinition: "8.4.10"
        case .interface, .operation, .endPoint: "8.5"
        case .association, .group, .textAnnotation, .artifact, .category, .categoryValue: "8.4.1"
        case .correlationProperty, .correlationPropertyRetrievalExpression, .correlationSubscription, .correlationKey,
            .correlationPropertyBinding:
            "8.4.2"
        case .collaboration, .participant, .participantMultiplicity, .participantAssociation, .messageFlow,
            .messageFlowAssociation, .partnerEntity, .partnerRole:
            "9"
        case .conversation, .subConversation, .callConversation, .conversationNode, .conversationLink,
            .conversationAssociation, .globalConversation:
            "9.5"
        case .choreography, .globalChoreographyTask, .callChoreography, .choreographyTask, .subChoreography: "11"
        case .import, .extension: "8.2"
        default: nil
        }
    }
}
