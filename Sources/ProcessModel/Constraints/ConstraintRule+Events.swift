extension ConstraintRule {
    static let eventRules: [ConstraintRule] = [
        .init(
            .errorWithoutCode, "10.5.5", .doubtful, "An error end event without an error code",
            "define an error with an errorCode and let errorRef name it"),
        .init(
            .escalationWithoutCode, "10.5.5", .doubtful, "An escalation that is thrown without a code",
            "define an escalation with an escalationCode and let escalationRef name it"),
        .init(
            .sharedThrowDefinition, "10.5.5", .doubtful, "The definition of a throw event is used by another event too",
            "give each event a definition of its own"),
        .init(
            .startEventWithIncoming, "10.5.2", .execution, "A start event with an incoming flow",
            "let the flow lead to the node after the start event"),
        .init(.noStartEvent, "10.5.3", .formal, "End events without a start event", "add a start event"),
        .init(
            .startEventDefinition, "10.5.2", .execution, "A start event of a process with a forbidden trigger",
            "use no trigger, or a message, timer, conditional or signal"),
        .init(
            .calledWithoutNoneStart, "10.3.6", .execution, "A called process without a none start event",
            "add a start event without event definition to the called process"),
        .init(
            .subProcessStartDefinition, "10.5.2", .execution, "The start event of a sub-process has a trigger",
            "remove the event definition, or set triggeredByEvent on the sub-process"),
        .init(
            .startEventWithoutOutgoing, "10.5.2", .execution, "A start event without an outgoing flow",
            "connect it to the first node, or remove it"),
        .init(
            .startEventSendsMessage, "10.5.2", .execution, "A start event sends a message",
            "turn the message flow round, or let another node send the message"),
        .init(
            .startEventReceivesMessage, "10.5.2", .execution,
            "A start event without message trigger receives a message",
            "add a messageEventDefinition"),
        .init(
            .endEventWithOutgoing, "10.5.3", .execution, "An end event with an outgoing flow",
            "use an intermediate throw event, or remove the flow"),
        .init(.noEndEvent, "10.5.2", .formal, "Start events without an end event", "add an end event"),
        .init(
            .cancelOutsideTransaction, "10.5.3", .execution, "A cancel end event outside a transaction",
            "move it into a transaction, or use an error end event"),
        .init(
            .endEventWithoutIncoming, "10.5.3", .execution, "An end event without an incoming flow",
            "connect it, or remove it"),
        .init(
            .endEventReceivesMessage, "10.5.3", .execution, "An end event receives a message",
            "turn the message flow round, or let another node receive the message"),
        .init(
            .endEventSendsMessage, "10.5.3", .execution, "An end event without message definition sends a message",
            "add a messageEventDefinition"),
        .init(
            .boundaryDefinition, "10.5.4", .execution, "A boundary event with a forbidden trigger",
            "use a message, timer, error, escalation, cancel, compensation, conditional or signal"),
        .init(
            .cancelBoundary, "10.5.4", .execution, "A cancel boundary event on something that is no transaction",
            "attach it to a transaction, or use an error"),
        .init(
            .boundaryEventWithIncoming, "10.5.4", .execution, "A boundary event with an incoming flow",
            "let the flow lead to the activity or to the node after the event"),
        .init(
            .boundaryWithoutOutgoing, "10.5.4", .doubtful, "A boundary event without an outgoing flow",
            "connect it to what handles the event"),
        .init(
            .compensationBoundaryFlow, "10.5.4", .execution, "A compensation boundary event with a sequence flow",
            "connect the handler by an association"),
        .init(
            .intermediateWithoutIncoming, "10.5.4", .doubtful, "An intermediate event without an incoming flow",
            "connect it, or make it a start event"),
        .init(
            .intermediateWithoutOutgoing, "10.5.4", .doubtful, "An intermediate event without an outgoing flow",
            "connect it, or make it an end event"),
        .init(
            .linkWithFlow, "10.5.4", .execution, "A link event with a flow on the wrong side",
            "a throwing link has incoming flows only, a catching link outgoing flows only"),
        .init(
            .linkPartnersDisagree, "10.5.5", .execution, "Link events that do not name each other",
            "let the target of each throwing link name it among its sources"),
        .init(
            .messageFlowDirection, "10.5.4", .doubtful, "A message flow against the direction of its event",
            "a throw event sends and a catch event receives; turn the message flow round"),
        .init(
            .cancelBoundaryByReference, "10.5.4", .execution,
            "A cancel definition is referred to by a boundary event outside a transaction",
            "attach the event to a transaction, or use an error"),
        .init(
            .compensatedActivity, "10.7", .execution, "A compensation event names an activity it cannot compensate",
            "let activityRef name an activity of the same level that has a compensation handler"),
        .init(
            .compensationCatch, "10.5.4", .execution, "A compensation event that catches in normal flow",
            "attach it to an activity, or start an event sub-process with it"),
        .init(
            .condition, "10.5.5", .formal, "A conditional event without a formal condition",
            "add <condition xsi:type=\"tFormalExpression\">"),
        .init(
            .linkWithoutSource, "10.5.5", .execution, "A catching link that nothing leads to",
            "add a throwing link of the same name"),
        .init(
            .linkTargets, "10.5.5", .execution, "A throwing link without exactly one target",
            "keep one catching link of the same name on the same level"),
        .init(
            .linkAcrossLevels, "10.5.5", .execution, "A link into another level or process",
            "use links only within one process level"),
        .init(
            .messageEventWithoutMessage, "10.5.5", .formal, "A message event without a message",
            "define a message and let messageRef name it"),
        .init(
            .messageEventWithoutOperation, "10.5.5", .formal, "A message event without an operation",
            "let operationRef name the operation the message belongs to"),
        .init(
            .catchWithoutDefinition, "10.5.4", .execution, "An event that waits without a trigger",
            "add the event definition it waits for"),
        .init(
            .boundaryWithoutDefinition, "10.5.4", .execution, "A boundary event without a trigger",
            "add the event definition it waits for"),
        .init(
            .severalTimerValues, "10.5.5", .execution, "A timer with more than one value",
            "keep one of timeDate, timeCycle and timeDuration"),
        .init(
            .timerDate, "10.5.5", .execution, "A timer date that is not ISO 8601",
            "write a date such as 2026-01-31T12:00:00Z, or an expression with a leading ="),
        .init(
            .timerCycle, "10.5.5", .execution, "A timer cycle that is not ISO 8601",
            "write a repeating interval such as R3/PT10M, or an expression with a leading ="),
        .init(
            .timerDuration, "10.5.5", .execution, "A timer duration that is not ISO 8601",
            "write a duration such as PT15M, or an expression with a leading ="),
        .init(
            .noCompensationHandler, "10.7", .execution, "A compensation boundary event without a handler",
            "draw an association from it to the activity that compensates"),
        .init(
            .handlerNotMarked, "10.7", .execution, "A compensation handler that is not marked as one",
            "set isForCompensation=\"true\" on the activity"),
        .init(
            .endEventDefinition, "10.5.3", .execution, "An end event with a forbidden definition",
            "use a message, error, escalation, cancel, compensation, signal or terminate, or none"),
        .init(
            .boundaryNotInterrupting, "10.5.4", .execution,
            "A boundary event of this kind cannot leave its activity running",
            "remove cancelActivity=\"false\"; errors, cancellations and compensation always interrupt"),
        .init(
            .catchDefinition, "10.5.4", .execution, "An intermediate catch event with a forbidden trigger",
            "use a message, timer, conditional, link or signal"),
        .init(
            .throwDefinition, "10.5.4", .execution, "An intermediate throw event with a forbidden definition",
            "use a message, escalation, compensation, link or signal, or none"),
    ]
}
