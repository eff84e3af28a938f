import ProcessModel
import Testing
import Values

/// Everything outside the executed part of BPMN and its vendor vocabularies: refused, never read as something weaker.
@Suite struct RefusalTests {
    @Test(arguments: ["implicitThrowEvent", "event", "callChoreography", "choreographyTask", "subChoreography"])
    func flowNodes(element: String) {
        Case(element, around("<\(element) id=\"x\"/>"), "BP501").check()
    }

    @Test(arguments: [
        Case("event definition in a task", around("<task id=\"x\"><timerEventDefinition/></task>"), "BP501"),
        Case("unknown element in a process", around("<task id=\"x\"/>") + "<nonsense/>", "BP508"),
        Case("unknown element in a task", around("<task id=\"x\"><nonsense/></task>"), "BP508"),
        Case("unknown root element", around("<task id=\"x\"/>"), root: "<nonsense/>", "BP508"),
    ])
    func elements(_ row: Case) { row.check() }

    @Test(arguments: [
        Case("abstract loop", around("<task id=\"x\"><loopCharacteristics/></task>"), "BP503"),
        Case(
            "two loops",
            around(
                """
                <task id="x"><standardLoopCharacteristics/><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>
                </multiInstanceLoopCharacteristics></task>
                """), "BP323"),
        Case(
            "negative rounds", around("<task id=\"x\"><standardLoopCharacteristics loopMaximum=\"-1\"/></task>"),
            "BP323"),
        Case("no tokens to start", around("<task id=\"x\" startQuantity=\"0\"/>"), "BP109"),
        Case("no tokens to leave", around("<task id=\"x\" completionQuantity=\"none\"/>"), "BP109"),
        Case("compensation in the flow", around("<task id=\"x\" isForCompensation=\"true\"/>"), "BP328"),
        Case(
            "transaction triggered by an event",
            around("<task id=\"x\"/>")
                + "<transaction id=\"t\" triggeredByEvent=\"true\"><startEvent id=\"s\"><errorEventDefinition/></startEvent></transaction>",
            "BP503"),
        Case(
            "loop on an event sub-process",
            around("<task id=\"x\"/>") + """
                <subProcess id="e" triggeredByEvent="true"><standardLoopCharacteristics/><startEvent id="s"><errorEventDefinition/>
                </startEvent></subProcess>
                """, "BP501"),
    ])
    func markers(_ row: Case) { row.check() }

    @Test(arguments: [
        Case("input of an event that waits", event("startEvent", "<dataInput id=\"d\"/>"), "BP506"),
        Case("output of an event that throws", event("intermediateThrowEvent", "<dataOutput id=\"d\"/>"), "BP506"),
        Case("association of a gateway", around("<task id=\"x\"/>") + "<dataAssociation/>", "BP506"),
        Case("input set of a task", around("<task id=\"x\"><inputSet/></task>"), "BP506"),
        Case("input of a process", around("<task id=\"x\"/>") + "<dataInput id=\"d\"/>", "BP506"),
    ])
    func dataFlow(_ row: Case) { row.check() }

    private static func event(_ element: String, _ content: String) -> String {
        element == "startEvent"
            ? "<startEvent id=\"x\">\(content)</startEvent>" : around("<\(element) id=\"x\">\(content)</\(element)>")
    }

    @Test(arguments: ["groovy", "javascript", "juel", "text/x-groovy"])
    func scriptFormats(format: String) {
        Case(format, around("<scriptTask id=\"x\" scriptFormat=\"\(format)\"><script>1</script></scriptTask>"), "BP505")
            .check()
    }

    @Test(arguments: [
        "class", "delegateExpression", "expression", "resource", "skipExpression", "triggerable", "initiator",
    ])
    func camundaAttributes(attribute: String) {
        Case(attribute, around("<serviceTask id=\"x\" camunda:\(attribute)=\"v\"/>"), "BP601").check()
    }

    @Test(arguments: [
        "camunda:field", "camunda:connector", "camunda:executionListener", "camunda:errorEventDefinition",
        "zeebe:executionListeners", "zeebe:linkedResources",
    ])
    func vendorElements(element: String) {
        Case(element, around(serviceTask("<\(element)/>")), "BP601").check()
    }

    @Test(arguments: [
        Case("mail task", around("<serviceTask id=\"x\" camunda:type=\"mail\"/>"), "BP601"),
        Case("topic alone", around("<serviceTask id=\"x\" camunda:topic=\"t\"/>"), "BP601"),
        Case("external task without topic", around("<serviceTask id=\"x\" camunda:type=\"external\"/>"), "BP608"),
        Case("JUEL topic", around("<serviceTask id=\"x\" camunda:type=\"external\" camunda:topic=\"${t}\"/>"), "BP604"),
        Case("JUEL assignee", around("<userTask id=\"x\" camunda:assignee=\"${u}\"/>"), "BP604"),
        Case(
            "script parameter",
            around(
                serviceTask(
                    "<camunda:inputOutput><camunda:inputParameter name=\"a\"><camunda:script/></camunda:inputParameter></camunda:inputOutput>"
                )),
            "BP601"),
        Case(
            "JUEL parameter",
            around(
                serviceTask(
                    "<camunda:inputOutput><camunda:inputParameter name=\"a\">${b}</camunda:inputParameter></camunda:inputOutput>"
                )), "BP604"),
        Case(
            "business key",
            around(
                "<callActivity id=\"x\" calledElement=\"c\"><extensionElements><camunda:in businessKey=\"k\"/></extensionElements></callActivity>"
            ),
            "BP601"),
        Case(
            "some variables",
            around(
                "<callActivity id=\"x\" calledElement=\"c\"><extensionElements><camunda:in variables=\"some\"/></extensionElements></callActivity>"
            ),
            "BP109"),
        Case(
            "mapping without source",
            around(
                "<callActivity id=\"x\" calledElement=\"c\"><extensionElements><camunda:in target=\"t\"/></extensionElements></callActivity>"
            ),
            "BP608"),
        Case("unknown camunda attribute", around("<task id=\"x\" camunda:novel=\"1\"/>"), "BP603"),
        Case("unknown camunda element", around(serviceTask("<camunda:novel/>")), "BP603"),
        Case("unknown zeebe element", around(serviceTask("<zeebe:novel/>")), "BP603"),
        Case("form on a service task", around(serviceTask("<zeebe:formDefinition formId=\"f\"/>")), "BP610"),
        Case("assignee on a service task", around(serviceTask(attributes: "camunda:assignee=\"a\"")), "BP610"),
        Case(
            "loop settings on the task", around(serviceTask("<zeebe:loopCharacteristics inputCollection=\"=i\"/>")),
            "BP610"),
        Case("two task definitions", around(serviceTask("<zeebe:taskDefinition type=\"again\"/>")), "BP609"),
        Case(
            "two vocabularies", around(serviceTask(attributes: "camunda:type=\"external\" camunda:topic=\"t\"")),
            "BP609"),
        Case(
            "no job type",
            around(
                "<serviceTask id=\"x\"><extensionElements><zeebe:taskDefinition/></extensionElements></serviceTask>"),
            "BP608"),
        Case(
            "unknown binding",
            around(
                "<callActivity id=\"x\"><extensionElements><zeebe:calledElement processId=\"c\" bindingType=\"newest\"/></extensionElements></callActivity>"
            ),
            "BP109"),
        Case(
            "binding without tag",
            around(
                "<callActivity id=\"x\"><extensionElements><zeebe:calledElement processId=\"c\" bindingType=\"versionTag\"/></extensionElements></callActivity>"
            ),
            "BP608"),
        Case(
            "version that is no number",
            around(
                "<callActivity id=\"x\" calledElement=\"c\" camunda:calledElementBinding=\"version\" camunda:calledElementVersion=\"v\"/>"
            ),
            "BP608"),
    ])
    func vendorSettings(_ row: Case) { row.check() }

    @Test(arguments: [
        Case(
            "listener on a flow",
            around("<task id=\"x\"/>").replacing(
                "targetRef=\"x\"/>",
                with:
                    "targetRef=\"x\"><extensionElements><camunda:executionListener/></extensionElements></sequenceFlow>"
            ),
            "BP601"),
        Case(
            "skipped flow",
            around("<task id=\"x\"/>").replacing(
                "targetRef=\"x\"/>", with: "targetRef=\"x\" camunda:skipExpression=\"s\"/>"),
            "BP601"),
        Case("subscription of a task", around(serviceTask("<zeebe:subscription correlationKey=\"=k\"/>")), "BP610"),
        Case(
            "job of a message", around("<task id=\"x\"/>"),
            root: """
                <message id="m" name="n"><extensionElements><zeebe:taskDefinition type="t"/></extensionElements></message>
                """, "BP610"),
        Case("topic of an error", around("<task id=\"x\"/>"), root: "<error id=\"e\" camunda:topic=\"t\"/>", "BP610"),
    ])
    func extensionsElsewhere(_ row: Case) { row.check() }

    @Test func settingsOfOtherEnginesAreMentionedOnce() {
        let found = findings(
            around(
                serviceTask(
                    "<camunda:failedJobRetryTimeCycle>R3/PT1M</camunda:failedJobRetryTimeCycle>",
                    attributes: "camunda:asyncBefore=\"true\" camunda:exclusive=\"false\"")),
            process: "camunda:historyTimeToLive=\"P30D\" camunda:candidateStarterGroups=\"g\"")
        #expect(found.map(\.code) == ["BP602", "BP602", "BP602", "BP602"])
        #expect(found.first?.message == "camunda:historyTimeToLive (once) has no effect here.")
        #expect(found.allSatisfy { $0.severity == .info })
    }

    @Test(arguments: [
        "capability", "sla", "assignment", "due", "escalation", "form", "task", "trigger", "sensitive", "cost",
        "stepUp",
        "edge", "callback", "notify", "audit", "collaboration",
    ])
    func apgItemsOfLaterVersions(item: String) {
        Case(
            item, around("<userTask id=\"x\"><extensionElements><apg:\(item)/></extensionElements></userTask>"), "BP605"
        ).check()
    }

    private static func call(
        _ content: String, _ more: String = "", attributes: String = "connector=\"http\" operation=\"get\""
    )
        -> String
    {
        around(
            "<serviceTask id=\"x\"><extensionElements><apg:call \(attributes)>\(content)</apg:call>\(more)</extensionElements></serviceTask>"
        )
    }

    @Test(arguments: [
        Case("unknown item", around(serviceTask("<apg:novel/>")), "BP606"),
        Case("apg attribute", around("<task id=\"x\" apg:priority=\"1\"/>"), "BP606"),
        Case("unknown part of a call", call("<apg:without/>"), "BP606"),
        Case("call without connector", call("", attributes: "operation=\"get\""), "BP608"),
        Case("call without operation", call("", attributes: "connector=\"http\""), "BP608"),
        Case("with without target", call("<apg:with source=\"a\"/>"), "BP608"),
        Case("with without source", call("<apg:with target=\"a\"/>"), "BP608"),
        Case("resilience without anything", call("", "<apg:resilience/>"), "BP608"),
        Case("an empty profile", call("", "<apg:resilience profile=\"\"/>"), "BP608"),
        Case("no duration", call("", "<apg:resilience><apg:timeout attempt=\"soon\"/></apg:resilience>"), "BP616"),
        Case(
            "attempt longer than all",
            call("", "<apg:resilience><apg:timeout attempt=\"9s\" total=\"1s\"/></apg:resilience>"),
            "BP616"),
        Case("out of range", call("", "<apg:resilience><apg:bulkhead max=\"0\"/></apg:resilience>"), "BP616"),
        Case("unknown policy", call("", "<apg:resilience><apg:retyr max=\"5\"/></apg:resilience>"), "BP616"),
        Case("unknown setting", call("", "<apg:resilience><apg:retry maxx=\"5\"/></apg:resilience>"), "BP616"),
        Case(
            "a policy twice", call("", "<apg:resilience><apg:retry max=\"5\"/><apg:retry max=\"6\"/></apg:resilience>"),
            "BP609"),
        Case(
            "error with a literal", call("", "<apg:errors><apg:error when=\"true\" code=\"E\"/></apg:errors>"), "BP403"),
        Case("error without code", call("", "<apg:errors><apg:error when=\"=true\"/></apg:errors>"), "BP608"),
        Case("unknown part of errors", call("", "<apg:errors><apg:mistake/></apg:errors>"), "BP606"),
        Case("errors without a call", around(serviceTask("<apg:errors/>")), "BP610"),
        Case("resilience without a call", around(serviceTask("<apg:resilience profile=\"p\"/>")), "BP610"),
        Case("call beside a task definition", call("", "<zeebe:taskDefinition type=\"t\"/>"), "BP609"),
        Case(
            "result on a user task",
            around(
                "<userTask id=\"x\"><extensionElements><apg:result variable=\"r\"/></extensionElements></userTask>"),
            "BP610"),
        Case("priority out of range", around(serviceTask("<apg:priority value=\"101\"/>")), "BP405"),
        Case("priority without value", around(serviceTask("<apg:priority/>")), "BP608"),
        Case(
            "map without direction", around(serviceTask("<apg:io><apg:map source=\"=a\" target=\"b\"/></apg:io>")),
            "BP608"),
        Case(
            "map with another direction",
            around(
                serviceTask(
                    "<apg:io><apg:map direction=\"both\" source=\"=a\" target=\"b\"/></apg:io>")), "BP109"),
        Case("unknown part of io", around(serviceTask("<apg:io><apg:mop/></apg:io>")), "BP606"),
        Case("no output", around(serviceTask("<apg:io output=\"none\"/>")), "BP605"),
        Case("mapped without maps", around(serviceTask("<apg:io output=\"mapped\"/>")), "BP605"),
        Case("unknown output", around(serviceTask("<apg:io output=\"some\"/>")), "BP109"),
        Case(
            "assignment without value",
            around(
                "<scriptTask id=\"x\"><extensionElements><apg:set variable=\"a\"/></extensionElements></scriptTask>"),
            "BP608"),
        Case(
            "assignment of wrong FEEL",
            around(
                "<scriptTask id=\"x\"><extensionElements><apg:set variable=\"a\" value=\"=1 +\"/></extensionElements></scriptTask>"
            ),
            "BP401"),
    ])
    func apgItems(_ row: Case) { row.check() }

    @Test(arguments: [
        ("<apg:call conector=\"http\" operation=\"get\" connector=\"http\"/>", "did you mean connector?"),
        (
            "<apg:call connector=\"http\" operation=\"get\"><apg:with target=\"a\" value=\"b\" source=\"c\"/></apg:call>",
            "use one of: target, source"
        ),
        ("<apg:call connector=\"http\" operation=\"get\"/><apg:errors all=\"1\"/>", "remove it"),
        ("<apg:cal connector=\"http\" operation=\"get\"/>", "did you mean apg:call?"),
        ("<apg:nothingLikeIt/>", "correct the name"),
    ])
    func apgNamesAreCorrected(_ row: (xml: String, remedy: String)) throws {
        let found = findings(
            around("<serviceTask id=\"x\"><extensionElements>\(row.xml)</extensionElements></serviceTask>"))
        #expect(try #require(found.first).code == "BP606")
        #expect(found.first?.remedy == row.remedy)
    }

    @Test func elementNamesAreCorrected() {
        #expect(findings("<startEvent id=\"s\"/><servceTask id=\"x\"/>").first?.remedy == "did you mean serviceTask?")
        let zeebe = findings(around(serviceTask("<zeebe:ioMappings/>")))
        #expect(zeebe.first?.remedy == "did you mean zeebe:ioMapping?")
    }
}
