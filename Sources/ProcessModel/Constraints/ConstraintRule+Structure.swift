extension ConstraintRule {
    static let identityRules: [ConstraintRule] = [
        .init(
            .duplicateID, "8.3.1", .execution, "An id is used twice", "give one of the two elements another id"),
        .init(.missingID, "8.3.1", .formal, "An element without an id", "give the element an id"),
        .init(
            .textFormat, "8.3.3", .doubtful, "A text format that is not a MIME type",
            "write a MIME type such as text/plain"),
        .init(
            .informalExpression, "8.4.6", .formal, "A natural-language expression in an executable process",
            "add xsi:type=\"tFormalExpression\" to the element"),
        .init(
            .emptyExpression, "8.4.6", .doubtful, "An empty formal expression",
            "write the expression, or remove the element"),
        .init(
            .expressionLanguage, "8.4.6", .formal, "An expression language that is not a URI",
            "write the URI of the language, or remove the attribute"),
    ]

    static let flowRules: [ConstraintRule] = [
        .init(
            .flowToArtifact, "7.6", .execution, "A sequence flow leads to an artifact",
            "let it lead to an activity, a gateway or an event, or draw an association"),
        .init(
            .flowFromArtifact, "7.6", .execution, "A sequence flow begins at an artifact",
            "let it begin at an activity, a gateway or an event, or draw an association"),
        .init(
            .flowSource, "8.4.13", .execution, "A sequence flow begins at something that cannot pass a token on",
            "let it begin at an activity, a gateway or an event of the process"),
        .init(
            .flowTarget, "8.4.13", .execution, "A sequence flow leads to something that cannot take a token",
            "let it lead to an activity, a gateway or an event of the process"),
        .init(
            .unlistedFlow, "8.4.7", .formal, "A node's lists of flows and the flows themselves disagree",
            "let each node list exactly the sequence flows that name it; modelling tools do so when they save"),
        .init(
            .notImmediate, "8.4.13", .doubtful, "A sequence flow of an executable process is not immediate",
            "remove isImmediate; an executed process moves at once"),
        .init(
            .lonelyConditionalFlow, "8.4.13", .doubtful,
            "The only outgoing sequence flow of an activity is conditional",
            "add a second flow, or remove the condition"),
        .init(
            .foreignDefaultFlow, "8.4.13", .execution, "The default flow of a node begins elsewhere",
            "let default name one of the node's own outgoing sequence flows"),
        .init(
            .flowAcrossPools, "7.6", .execution, "A sequence flow crosses the border of a pool",
            "connect pools with message flows"),
        .init(
            .noIncoming, "10.5.2", .doubtful, "A node without incoming flow beside a start event",
            "connect it, or remove it"),
        .init(
            .noOutgoing, "10.5.3", .formal, "A node without outgoing flow beside an end event",
            "connect it to what follows or to an end event"),
        .init(
            .flowAcrossLevels, "7.6", .execution, "A sequence flow crosses the border of a sub-process",
            "end it at the sub-process and go on from a start event inside, or use an event"),
    ]

    static let collaborationRules: [ConstraintRule] = [
        .init(
            .messageFlowToArtifact, "7.6", .doubtful, "A message flow leads to an artifact",
            "let it lead to a pool, an activity or an event"),
        .init(
            .messageFlowFromArtifact, "7.6", .doubtful, "A message flow begins at an artifact",
            "let it begin at a pool, an activity or an event"),
        .init(
            .choreographyReference, "9.5", .doubtful,
            "A choreography or global conversation refers to a choreography",
            "remove choreographyRef; only a collaboration has one"),
        .init(
            .participantMinimum, "9.3.1", .doubtful, "A participant multiplicity with a wrong minimum",
            "write a whole number of zero or more"),
        .init(
            .participantMaximum, "9.3.1", .doubtful, "A participant multiplicity with a wrong maximum",
            "write a whole number of one or more, not below the minimum"),
        .init(
            .messageFlowEnds, "9.4", .doubtful, "A message flow that does not connect two pools",
            "let it connect a pool, activity or event to one in another pool"),
        .init(
            .globalConversationContent, "9.5", .doubtful, "A global conversation with more than participants and flows",
            "keep only participants, message flows and correlation keys, or make it a collaboration"),
        .init(
            .closedChoreography, "9.7", .doubtful, "A message flow that a closed choreography does not have",
            "map it to a message flow of the choreography, or set isClosed to false"),
        .init(
            .publicExecutable, "10.2.1", .doubtful, "A public process is marked executable",
            "set processType to Private, or isExecutable to false"),
        .init(
            .choreographyInProcess, "11.5", .execution, "A choreography activity inside a process",
            "use a task, sub-process or call activity"),
        .init(
            .choreographyInSubProcess, "11.5", .execution, "A choreography activity inside a sub-process",
            "use a task, sub-process or call activity"),
    ]

    static let gatewayRules: [ConstraintRule] = [
        .init(
            .convergingGateway, "10.6", .doubtful, "A converging gateway with several outgoing flows",
            "correct gatewayDirection, or the flows"),
        .init(
            .divergingGateway, "10.6", .doubtful, "A diverging gateway with several incoming flows",
            "correct gatewayDirection, or the flows"),
        .init(
            .mixedGateway, "10.6", .doubtful, "A mixed gateway without several flows on both sides",
            "correct gatewayDirection, or the flows"),
        .init(
            .pointlessGateway, "10.6", .formal, "A gateway that neither splits nor joins",
            "remove it, or connect the missing flows"),
        .init(
            .fewEvents, "10.6.6", .execution, "An event-based gateway with fewer than two outgoing flows",
            "add the other events it chooses between, or use the event without the gateway"),
        .init(
            .conditionAfterEventGateway, "10.6.6", .execution, "A condition on a flow from an event-based gateway",
            "remove the condition; the event decides"),
        .init(
            .eventGatewaySuccessor, "10.6.6", .execution, "An event-based gateway leads to something that cannot wait",
            "let it lead to receive tasks, or to message, timer, conditional or signal catch events"),
        .init(
            .mixedReceivers, "10.6.6", .execution, "Message events and receive tasks after one event-based gateway",
            "use message events only, or receive tasks only"),
        .init(
            .receiverWithBoundary, "10.6.6", .execution,
            "A receive task after an event-based gateway has a boundary event",
            "remove the boundary event, or wait for it beside the task"),
        .init(
            .receiverWithOtherFlows, "10.6.6", .execution,
            "A successor of an event-based gateway has other incoming flows",
            "let only the gateway lead to it"),
        .init(
            .instantiatingGateway, "10.6.6", .execution, "An instantiating gateway with incoming flows",
            "remove the incoming flows, or set instantiate to false"),
    ]
}
