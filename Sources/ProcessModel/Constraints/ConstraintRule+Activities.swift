extension ConstraintRule {
    static let activityRules: [ConstraintRule] = [
        .init(
            .startQuantity, "10.3", .execution, "A start quantity below one", "write a whole number of one or more"),
        .init(
            .completionQuantity, "10.3", .execution, "A completion quantity below one",
            "write a whole number of one or more"),
        .init(
            .resourceAndAssignment, "10.3.1", .doubtful, "A resource role with both a resource and an expression",
            "keep either the resource with its bindings or the assignment expression"),
        .init(
            .bindingWithoutResource, "10.3.1", .doubtful, "A resource parameter binding without a resource",
            "add resourceRef, or remove the bindings"),
        .init(
            .twoLoops, "10.3.8", .doubtful, "An activity with two loop markers",
            "keep either the standard loop or the multi-instance marker"),
        .init(
            .serviceTaskInputs, "10.3.3", .formal, "A service task whose inputs do not fit its operation",
            "give it one input set with one data input"),
        .init(
            .serviceTaskInputItem, "10.3.3", .formal, "A service task whose input item is not that of the operation",
            "give data input and incoming message of the operation the same item definition"),
        .init(
            .serviceTaskOutputs, "10.3.3", .formal, "A service task whose outputs do not fit its operation",
            "give it one output set with one data output when the operation answers, and none when it does not"),
        .init(
            .serviceTaskOutputItem, "10.3.3", .formal, "A service task whose output item is not that of the operation",
            "give data output and outgoing message of the operation the same item definition"),
        .init(
            .sendTaskInputSets, "10.3.3", .formal, "A send task with several input sets", "keep one input set"),
        .init(.sendTaskInputs, "10.3.3", .formal, "A send task with several data inputs", "keep one data input"),
        .init(
            .sendTaskItem, "10.3.3", .formal, "A send task whose input item is not that of its message",
            "give data input and message the same item definition"),
        .init(
            .instantiatingReceiveTask, "10.3.3", .execution, "An instantiating receive task with incoming flows",
            "remove the incoming flows, or set instantiate to false"),
        .init(
            .receiveTaskOutputSets, "10.3.3", .formal, "A receive task with several output sets",
            "keep one output set"),
        .init(
            .receiveTaskOutputs, "10.3.3", .formal, "A receive task with several data outputs",
            "keep one data output"),
        .init(
            .receiveTaskItem, "10.3.3", .formal, "A receive task whose output item is not that of its message",
            "give data output and message the same item definition"),
        .init(
            .scriptWithoutFormat, "10.3.3", .formal, "A script without a script format",
            "name the language of the script in scriptFormat"),
        .init(
            .twoLoopsOnAdHoc, "10.3.5", .doubtful, "An ad-hoc sub-process with two loop markers",
            "keep either the standard loop or the multi-instance marker"),
        .init(
            .twoLoopsOnCallOrTransaction, "10.3.5", .doubtful, "A call activity or transaction with two loop markers",
            "keep either the standard loop or the multi-instance marker"),
        .init(
            .eventSubProcessWithFlow, "10.3.5", .execution, "An event sub-process with a sequence flow",
            "remove the flow; its start event alone starts it"),
        .init(
            .eventSubProcessStarts, "10.3.5", .execution, "An event sub-process without exactly one start event",
            "keep one start event"),
        .init(
            .eventSubProcessTrigger, "10.5.2", .execution,
            "The start event of an event sub-process has no trigger, or a forbidden one",
            "use a message, timer, escalation, conditional or signal, or an interrupting error or compensation"),
        .init(
            .transactionMethod, "10.3.5", .doubtful, "A transaction method that is not a URI",
            "write ##Compensate, ##Image, ##Store or a URI"),
        .init(
            .emptyAdHoc, "10.3.5", .doubtful, "An ad-hoc sub-process without an activity",
            "add the activities people choose from"),
        .init(
            .adHocContent, "10.3.5", .doubtful, "An ad-hoc sub-process with start or end events",
            "remove start events, end events, conversations and choreography activities from it"),
        .init(
            .callData, "10.3.6", .formal, "A call activity and what it calls disagree about their data",
            "give both the same data inputs and outputs with the same item definitions"),
        .init(
            .missingIOBinding, "10.3.6", .formal, "A callable element offers an operation without an io binding",
            "add an ioBinding for each operation of its interfaces"),
        .init(
            .wrongIOBinding, "10.3.6", .formal, "An io binding that does not fit its operation or sets",
            "let it name an operation of a supported interface, and an input and output set of this element"),
        .init(
            .noLoopSource, "10.3.8", .execution, "A multi-instance activity that does not say how often it runs",
            "add a loopCardinality or a loopDataInputRef"),
        .init(
            .unresolvedLoopData, "10.3.8", .execution, "A multi-instance activity over data that does not exist",
            "let loopDataInputRef name a data input of the activity, or data a sub-process can see"),
        .init(
            .loopOutputItem, "10.3.8", .formal,
            "The output item of a multi-instance activity does not fit the collection",
            "let the collection hold items of the type of outputDataItem"),
        .init(
            .loopInputItem, "10.3.8", .formal,
            "The input item of a multi-instance activity does not fit the collection",
            "let the collection hold items of the type of inputDataItem"),
        .init(
            .completionNotBoolean, "10.3.8", .doubtful, "A completion condition that is not a boolean",
            "write an expression that yields true or false"),
        .init(
            .behaviorCondition, "10.3.8", .doubtful, "A complex behaviour without a usable condition",
            "add a condition that yields true or false"),
        .init(
            .scriptFormat, "10.3.3", .formal, "A script format that is not a MIME type",
            "write a MIME type such as text/javascript"),
    ]

    static let dataRules: [ConstraintRule] = [
        .init(
            .collectionMismatch, "10.4.1", .formal, "Data and its item definition disagree about being a collection",
            "set isCollection alike on both"),
        .init(
            .dataReferenceName, "10.4.1", .formal, "A data object reference is not named \"object [state]\"",
            "name it as the data object, followed by the state in square brackets"),
        .init(
            .misplacedDataObject, "10.4.1", .doubtful, "A data object outside a process or sub-process",
            "move it into the process or sub-process that uses it"),
        .init(
            .misplacedProperty, "10.4.1", .doubtful, "A property on something other than a process, activity or event",
            "move it to a process, activity or event"),
        .init(
            .subProcessData, "10.3.5", .formal, "A sub-process with an io specification",
            "remove it; activities inside use the data around them"),
        .init(
            .inputAssociationPlace, "10.4.1", .formal, "A data input association where none is allowed",
            "attach it to an activity or throw event, and let it fill a data input of that element"),
        .init(
            .dataInputPlace, "10.4.1", .formal, "A data input where none is allowed",
            "move it into the ioSpecification of an activity or callable element, or into a throw event"),
        .init(
            .outputAssociationPlace, "10.4.1", .formal, "A data output association where none is allowed",
            "attach it to an activity or catch event, and let it read a data output of that element"),
        .init(
            .dataOutputPlace, "10.4.1", .formal, "A data output where none is allowed",
            "move it into the ioSpecification of an activity or callable element, or into a catch event"),
        .init(
            .inputInNoSet, "10.4.1", .formal, "A data input in no input set", "name it in an input set"),
        .init(
            .optionalInput, "10.4.1", .formal, "An optional input that the input set does not have",
            "name it under dataInputRefs too"),
        .init(
            .whileExecutingInput, "10.4.1", .formal, "A while-executing input that the input set does not have",
            "name it under dataInputRefs too"),
        .init(
            .setsDisagree, "10.4.1", .formal, "Input and output sets that do not name each other",
            "let inputSetRefs and outputSetRefs name each other"),
        .init(
            .outputInNoSet, "10.4.1", .formal, "A data output in no output set", "name it in an output set"),
        .init(
            .optionalOutput, "10.4.1", .formal, "An optional output that the output set does not have",
            "name it under dataOutputRefs too"),
        .init(
            .whileExecutingOutput, "10.4.1", .formal, "A while-executing output that the output set does not have",
            "name it under dataOutputRefs too"),
        .init(
            .associationItems, "10.4.1", .formal, "A data association between different types",
            "give both ends the same item definition, or add a transformation"),
        .init(
            .associationSources, "10.4.1", .doubtful, "A data association with several sources",
            "keep one source, or add a transformation"),
        .init(
            .eventData, "10.5.1", .formal, "An event whose data does not fit the number of its definitions",
            "give it one data input or output for each event definition that carries an item"),
        .init(
            .eventDataItem, "10.5.1", .formal, "An event whose data has another type than its definition",
            "give the data and what the definition names the same item definition"),
    ]
}
