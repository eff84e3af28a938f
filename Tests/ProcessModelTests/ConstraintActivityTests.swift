import Testing

@testable import ProcessModel

/// Tasks, sub-processes, call activities and loops.
@Suite struct ConstraintActivityTests {
    private static func task(_ attributes: String, _ content: String = "", _ kind: String = "task") -> String {
        items + amid("<\(kind) id=\"x\" \(attributes)>\(content)</\(kind)>")
    }

    private static let standardLoop = "<standardLoopCharacteristics/>"
    private static let threeTimes =
        "<multiInstanceLoopCharacteristics>\(formal("loopCardinality", "3"))</multiInstanceLoopCharacteristics>"

    static let general: [ConstraintRow] = [
        .init(
            .startQuantity, "zero", broken: task("startQuantity=\"0\""), good: task("startQuantity=\"2\"")),
        .init(
            .completionQuantity, "text", broken: task("completionQuantity=\"one\""),
            good: task("completionQuantity=\"1\"")),
        .init(.twoLoops, "task", broken: task("", standardLoop + threeTimes), good: task("", threeTimes)),
        .init(
            .twoLoopsOnAdHoc, "ad-hoc", broken: task("", standardLoop + threeTimes, "adHocSubProcess"),
            good: task("", standardLoop, "adHocSubProcess")),
        .init(
            .twoLoopsOnCallOrTransaction, "call activity", broken: task("", standardLoop + threeTimes, "callActivity"),
            good: task("", standardLoop, "callActivity")),
        .init(
            .twoLoopsOnCallOrTransaction, "transaction", broken: task("", standardLoop + threeTimes, "transaction"),
            good: task("", standardLoop, "transaction")),
        .init(
            .resourceAndAssignment, "performer",
            broken: task(
                "",
                "<performer id=\"r\"><resourceRef>res</resourceRef><resourceAssignmentExpression/></performer>"),
            good: task("", "<performer id=\"r\"><resourceAssignmentExpression/></performer>")),
        .init(
            .bindingWithoutResource, "potential owner",
            broken: task("", "<potentialOwner id=\"r\"><resourceParameterBinding/></potentialOwner>", "userTask"),
            good: task(
                "",
                "<potentialOwner id=\"r\"><resourceRef>res</resourceRef><resourceParameterBinding/></potentialOwner>",
                "userTask")),
        .init(
            .scriptWithoutFormat, "script", broken: task("", "<script>a</script>", "scriptTask"),
            good: task("scriptFormat=\"text/x\"", "<script>a</script>", "scriptTask")),
        .init(
            .scriptFormat, "name", broken: task("scriptFormat=\"groovy\"", "<script>a</script>", "scriptTask"),
            good: task("scriptFormat=\"application/x-groovy; v=1\"", "<script>a</script>", "scriptTask")),
        .init(
            .instantiatingReceiveTask, "flow", broken: task("instantiate=\"true\"", "", "receiveTask"),
            good: executable("<receiveTask id=\"x\" instantiate=\"true\"/>")),
    ]

    private static let one = ioSpecification([("in", "text")])
    private static let service = "operationRef=\"op\""

    static let messages: [ConstraintRow] = [
        .init(
            .serviceTaskInputs, "none", broken: task(service, "", "serviceTask"),
            good: task(service, ioSpecification([("in", "text")], [("out", "number")]), "serviceTask")),
        .init(
            .serviceTaskInputs, "two",
            broken: task(
                service, ioSpecification([("in", "text"), ("in2", "text")], [("out", "number")]), "serviceTask"),
            good: task(service, ioSpecification([("in", "sameText")], [("out", "number")]), "serviceTask")),
        .init(
            .serviceTaskInputItem, "other type",
            broken: task(service, ioSpecification([("in", "number")], [("out", "number")]), "serviceTask"),
            good: task(service, ioSpecification([("in", "sameText")], [("out", "number")]), "serviceTask")),
        .init(
            .serviceTaskOutputs, "none", broken: task(service, one, "serviceTask"),
            good: task(service, ioSpecification([("in", "text")], [("out", "number")]), "serviceTask")),
        .init(
            .serviceTaskOutputs, "one too many",
            broken: task(
                "operationRef=\"oneWay\"", ioSpecification([("in", "text")], [("out", "number")]), "serviceTask"),
            good: task("operationRef=\"oneWay\"", one, "serviceTask")),
        .init(
            .serviceTaskOutputItem, "other type",
            broken: task(service, ioSpecification([("in", "text")], [("out", "text")]), "serviceTask"),
            good: task(service, ioSpecification([("in", "text")], [("out", "number")]), "serviceTask")),
        .init(
            .sendTaskInputSets, "two",
            broken: task("messageRef=\"m\"", "<ioSpecification><inputSet/><inputSet/></ioSpecification>", "sendTask"),
            good: task("messageRef=\"m\"", one, "sendTask")),
        .init(
            .sendTaskInputs, "two",
            broken: task("messageRef=\"m\"", ioSpecification([("in", "text"), ("in2", "text")]), "sendTask"),
            good: task("messageRef=\"m\"", one, "sendTask")),
        .init(
            .sendTaskItem, "other type",
            broken: task("messageRef=\"m\"", ioSpecification([("in", "number")]), "sendTask"),
            good: task("messageRef=\"m\"", one, "sendTask")),
        .init(
            .receiveTaskOutputSets, "two",
            broken: task(
                "messageRef=\"m\"", "<ioSpecification><outputSet/><outputSet/></ioSpecification>", "receiveTask"),
            good: task("messageRef=\"m\"", ioSpecification([], [("out", "text")]), "receiveTask")),
        .init(
            .receiveTaskOutputs, "two",
            broken: task("messageRef=\"m\"", ioSpecification([], [("a", "text"), ("b", "text")]), "receiveTask"),
            good: task("messageRef=\"m\"", ioSpecification([], [("out", "text")]), "receiveTask")),
        .init(
            .receiveTaskItem, "a collection",
            broken: task("messageRef=\"m\"", ioSpecification([], [("out", "texts")]), "receiveTask"),
            good: task("messageRef=\"m\"", ioSpecification([], [("out", "sameText")]), "receiveTask")),
        .init(
            .receiveTaskItem, "no item",
            broken: task(
                "messageRef=\"m\"", "<ioSpecification><dataOutput id=\"o\"/></ioSpecification>", "receiveTask"),
            good: task("", "<ioSpecification><dataOutput id=\"o\"/></ioSpecification>", "receiveTask")),
    ]

    private static let start = "<startEvent id=\"s\">\(ConstraintFlowTests.timer)</startEvent>"

    private static func eventSubProcess(_ content: String, _ more: String = "") -> String {
        executable("<subProcess id=\"e\" triggeredByEvent=\"true\">\(content)</subProcess>\(more)")
    }

    static let subProcesses: [ConstraintRow] = [
        .init(
            .eventSubProcessWithFlow, "in", broken: eventSubProcess(start, "<task id=\"t\"/>\(flow("t", "e"))"),
            good: eventSubProcess(start, "<task id=\"t\"/>\(flow("t", "t"))")),
        .init(
            .eventSubProcessWithFlow, "out", broken: eventSubProcess(start, "<task id=\"t\"/>\(flow("e", "t"))"),
            good: eventSubProcess(start)),
        .init(
            .eventSubProcessStarts, "none", broken: eventSubProcess("<task id=\"t\"/>"), good: eventSubProcess(start)),
        .init(
            .eventSubProcessStarts, "two",
            broken: eventSubProcess(start + "<startEvent id=\"s2\">\(ConstraintFlowTests.timer)</startEvent>"),
            good: eventSubProcess(start)),
        .init(
            .transactionMethod, "characters", broken: task("method=\"_invalid_URI!$%\"", "", "transaction"),
            good: task("method=\"##Compensate\"", "", "transaction")),
        .init(
            .transactionMethod, "no scheme", broken: task("method=\"two phases\"", "", "transaction"),
            good: task("method=\"http://example.org/two%20phases\"", "", "transaction")),
        .init(
            .emptyAdHoc, "empty", broken: task("", "", "adHocSubProcess"),
            good: task("", "<task id=\"t\"/>", "adHocSubProcess")),
        .init(
            .adHocContent, "start event",
            broken: task("", "<task id=\"t\"/><startEvent id=\"s\"/>", "adHocSubProcess"),
            good: task("", "<task id=\"t\"/><intermediateThrowEvent id=\"s\"/>", "adHocSubProcess")),
        .init(
            .adHocContent, "choreography",
            broken: task("", "<task id=\"t\"/><choreographyTask id=\"c\"/>", "adHocSubProcess"),
            good: task("", "<task id=\"t\"/>", "adHocSubProcess")),
        .init(
            .choreographyInProcess, "task", broken: executable("<choreographyTask id=\"c\"/>"),
            good: "<choreography id=\"c\"><choreographyTask id=\"t\"/></choreography>"),
        .init(
            .choreographyInSubProcess, "call",
            broken: executable("<subProcess id=\"s\"><callChoreography id=\"c\"/></subProcess>"),
            good: executable("<subProcess id=\"s\"><callActivity id=\"c\"/></subProcess>")),
        .init(
            .subProcessData, "embedded", broken: task("", one, "subProcess"), good: task("", one, "callActivity")),
    ]

    private static func call(_ own: String, _ other: String, _ kind: String = "process") -> String {
        task("calledElement=\"q\"", own, "callActivity") + "<\(kind) id=\"q\">\(other)</\(kind)>"
    }

    private static func task(bound binding: String, in set: String = "is") -> String {
        items
            + """
            <globalTask id="g"><supportedInterfaceRef>if</supportedInterfaceRef><ioSpecification>
            <dataInput id="a" itemSubjectRef="text"/><dataInput id="a2" itemSubjectRef="number"/>
            <dataOutput id="b" itemSubjectRef="number"/>
            <inputSet id="is"><dataInputRefs>a</dataInputRefs></inputSet>
            <inputSet id="is2"><dataInputRefs>a2</dataInputRefs></inputSet>
            <outputSet id="os"><dataOutputRefs>b</dataOutputRefs></outputSet></ioSpecification>\(binding)</globalTask>
            <globalTask id="h"><ioSpecification><inputSet id="other"/><outputSet/></ioSpecification></globalTask>
            <interface id="more"><operation id="far"/></interface>
            """
    }

    private static func binding(_ operation: String, _ input: String) -> String {
        "<ioBinding operationRef=\"\(operation)\" inputDataRef=\"\(input)\" outputDataRef=\"os\"/>"
    }

    private static let bound = binding("op", "is") + binding("oneWay", "is")

    static let calls: [ConstraintRow] = [
        .init(
            .callData, "input missing", broken: call("", one.replacing("\"in\"", with: "\"qin\"")),
            good: call(one, ioSpecification([("qin", "sameText")]))),
        .init(
            .callData, "output of another type",
            broken: call(
                ioSpecification([], [("o", "text")]), ioSpecification([], [("qo", "number")]), "globalTask"),
            good: call(ioSpecification([], [("o", "text")]), ioSpecification([], [("qo", "text")]), "globalTask")),
        .init(
            .missingIOBinding, "none", broken: task(bound: ""), good: task(bound: bound)),
        .init(
            .missingIOBinding, "one of two", broken: task(bound: binding("op", "is")), good: task(bound: bound)),
        .init(
            .wrongIOBinding, "foreign operation", broken: task(bound: bound + binding("far", "is")),
            good: task(bound: bound)),
        .init(
            .wrongIOBinding, "foreign set", broken: task(bound: binding("op", "other")), good: task(bound: bound)),
        .init(
            .wrongIOBinding, "other item", broken: task(bound: binding("op", "is2")), good: task(bound: bound)),
    ]

    /// An activity that runs for each item of `in`, of the type of the collection.
    private static func loop(
        _ content: String, _ attributes: String = "", kind: String = "task", collection: String = "texts",
        more: String = ""
    ) -> String {
        task(
            "",
            """
            <ioSpecification><dataInput id="in" itemSubjectRef="\(collection)" isCollection="true"/><dataOutput id="out" \
            itemSubjectRef="\(collection)" isCollection="true"/><inputSet/><outputSet/></ioSpecification>
            <multiInstanceLoopCharacteristics \(attributes)>\(content)</multiInstanceLoopCharacteristics>
            """, kind) + more
    }

    private static let over = "<loopDataInputRef>in</loopDataInputRef>"

    static let loops: [ConstraintRow] = [
        .init(.noLoopSource, "nothing", broken: loop(""), good: loop(formal("loopCardinality", "2"))),
        .init(
            .noLoopSource, "a vendor's collection", broken: loop("<extensionElements/>"),
            good: loop(
                "<extensionElements><zeebe:loopCharacteristics inputCollection=\"=a\"/></extensionElements>")),
        .init(
            .unresolvedLoopData, "nothing of the name",
            broken: loop("<loopDataInputRef>none</loopDataInputRef>"), good: loop(over)),
        .init(
            .unresolvedLoopData, "an item definition", broken: loop("<loopDataInputRef>texts</loopDataInputRef>"),
            good: loop(over)),
        .init(
            .unresolvedLoopData, "data of another element",
            broken: loop(
                "<loopDataInputRef>d</loopDataInputRef>", more: "<process id=\"q\"><dataObject id=\"d\"/></process>"),
            good: loop(
                "<loopDataInputRef>d</loopDataInputRef>", kind: "subProcess",
                more: "<process id=\"q\"><dataObject id=\"d\"/></process>")),
        .init(
            .loopInputItem, "other type", broken: loop(over + "<inputDataItem itemSubjectRef=\"number\"/>"),
            good: loop(over + "<inputDataItem itemSubjectRef=\"text\"/>")),
        .init(
            .loopOutputItem, "a collection again",
            broken: loop(
                over + "<loopDataOutputRef>out</loopDataOutputRef><outputDataItem itemSubjectRef=\"texts\"/>"),
            good: loop(over + "<loopDataOutputRef>out</loopDataOutputRef><outputDataItem itemSubjectRef=\"text\"/>")),
        .init(
            .loopOutputItem, "out of no collection",
            broken: loop(
                over + "<loopDataOutputRef>out</loopDataOutputRef><outputDataItem itemSubjectRef=\"text\"/>",
                collection: "sameText"),
            good: loop(over + "<loopDataOutputRef>out</loopDataOutputRef><outputDataItem/>")),
        .init(
            .completionNotBoolean, "a number", broken: loop(over + formal("completionCondition", "3")),
            good: loop(over + formal("completionCondition", "count > 3"))),
        .init(
            .completionNotBoolean, "declared type",
            broken: loop(over + "<completionCondition evaluatesToTypeRef=\"number\">a</completionCondition>"),
            good: loop(over + "<completionCondition evaluatesToTypeRef=\"xsd:boolean\">a</completionCondition>")),
        .init(
            .behaviorCondition, "missing", broken: loop(over + "<complexBehaviorDefinition/>"),
            good: loop(
                over + "<complexBehaviorDefinition><condition>count > 3</condition></complexBehaviorDefinition>")),
        .init(
            .behaviorCondition, "text",
            broken: loop(
                over + "<complexBehaviorDefinition><condition>\"soon\"</condition></complexBehaviorDefinition>"),
            good: loop(over + "<complexBehaviorDefinition><condition>true</condition></complexBehaviorDefinition>")),
    ]

    @Test(arguments: general + messages) func activities(_ row: ConstraintRow) throws { try row.check() }

    @Test(arguments: subProcesses + calls + loops) func scopes(_ row: ConstraintRow) throws { try row.check() }
}
