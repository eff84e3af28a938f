/// More BPMN text: everything that waits for something.
extension Model {
    /// A process of one activity between start and end, with other elements beside it.
    static func single(_ id: String, _ activity: String, named task: String = "task", beside: String = "") -> String {
        process(
            id,
            """
            <bpmn:startEvent id="start"/>\(activity)<bpmn:endEvent id="end"/>\(flow("start", task))\(flow(task, "end"))\
            \(beside)
            """)
    }

    /// A user task for the groups `clerks` and `bosses`.
    static func userTask(_ id: String = "task") -> String {
        """
        <bpmn:userTask id="\(id)" name="Approve"><bpmn:extensionElements><zeebe:userTask/>\
        <zeebe:assignmentDefinition candidateGroups="clerks,bosses"/></bpmn:extensionElements></bpmn:userTask>
        """
    }

    /// A user task that no flow leaves: completing it makes an incident.
    static func deadEnd(_ id: String) -> String {
        process(
            id,
            """
            <bpmn:startEvent id="start"/>\(userTask())<bpmn:endEvent id="end"/>\(flow("start", "task"))\
            <bpmn:sequenceFlow id="never" sourceRef="task" targetRef="end"><bpmn:conditionExpression>=1 = 2\
            </bpmn:conditionExpression></bpmn:sequenceFlow>
            """)
    }

    /// A timer at an activity that leads to an end of its own.
    static func timer(at activity: String, _ duration: String, interrupting: Bool = true) -> String {
        """
        <bpmn:boundaryEvent id="late" attachedToRef="\(activity)" cancelActivity="\(interrupting)">\
        <bpmn:timerEventDefinition><bpmn:timeDuration>\(duration)</bpmn:timeDuration></bpmn:timerEventDefinition>\
        </bpmn:boundaryEvent><bpmn:endEvent id="lateEnd"/>\(flow("late", "lateEnd"))
        """
    }

    /// A wait for a duration.
    static func delay(_ id: String, _ duration: String) -> String {
        single(
            id,
            """
            <bpmn:intermediateCatchEvent id="task"><bpmn:timerEventDefinition><bpmn:timeDuration>\(duration)\
            </bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
            """)
    }

    /// A process that calls another one.
    static func calling(_ id: String, _ called: String) -> String {
        single(
            id,
            """
            <bpmn:callActivity id="task"><bpmn:extensionElements><zeebe:calledElement processId="\(called)" \
            propagateAllChildVariables="true"/></bpmn:extensionElements></bpmn:callActivity>
            """)
    }

    /// A job once for each item of a list.
    static func eachItem(_ id: String, type: String = "work") -> String {
        let loop = """
            <bpmn:multiInstanceLoopCharacteristics isSequential="false"><bpmn:extensionElements>\
            <zeebe:loopCharacteristics inputCollection="=items" inputElement="item"/></bpmn:extensionElements>\
            </bpmn:multiInstanceLoopCharacteristics>
            """
        return single(id, job("task", type: type, extra: loop))
    }

    /// Two jobs at once, joined.
    static func both(_ id: String) -> String {
        process(
            id,
            """
            <bpmn:startEvent id="start"/><bpmn:parallelGateway id="split"/>\(job("left", type: "work"))\
            \(job("right", type: "work"))<bpmn:parallelGateway id="join"/><bpmn:endEvent id="end"/>\
            \(flow("start", "split"))\(flow("split", "left"))\(flow("split", "right"))\(flow("left", "join"))\
            \(flow("right", "join"))\(flow("join", "end"))
            """)
    }
}
