/// Processes that scenarios run.
enum BenchModels {
    private static func document(_ process: String, messages: String = "") -> [UInt8] {
        Array(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" \
            xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="urn:junction:bench">
            \(messages)
            \(process)
            </bpmn:definitions>
            """.utf8)
    }

    private static func task(_ id: String, extra: String = "") -> String {
        """
        <bpmn:serviceTask id="\(id)"><bpmn:extensionElements><zeebe:taskDefinition type="noop"/>\
        </bpmn:extensionElements>\(extra)</bpmn:serviceTask>
        """
    }

    private static func flow(_ source: String, _ target: String, _ condition: String? = nil) -> String {
        guard let condition else {
            return "<bpmn:sequenceFlow id=\"\(source)-\(target)\" sourceRef=\"\(source)\" targetRef=\"\(target)\"/>\n"
        }
        return """
            <bpmn:sequenceFlow id="\(source)-\(target)-if" sourceRef="\(source)" targetRef="\(target)">\
            <bpmn:conditionExpression>\(condition)</bpmn:conditionExpression></bpmn:sequenceFlow>

            """
    }

    /// A chain of no-op service tasks.
    static func sequence(_ count: Int, id: String = "sequence") -> [UInt8] {
        var body = "<bpmn:startEvent id=\"start\"/>\n"
        var previous = "start"
        for number in 0..<count {
            body += task("task\(number)") + "\n" + flow(previous, "task\(number)")
            previous = "task\(number)"
        }
        body += "<bpmn:endEvent id=\"end\"/>\n" + flow(previous, "end")
        return document("<bpmn:process id=\"\(id)\" isExecutable=\"true\">\(body)</bpmn:process>")
    }

    /// Waits for a message with its own key.
    static func parked() -> [UInt8] {
        document(
            """
            <bpmn:process id="parked" isExecutable="true"><bpmn:startEvent id="start"/>
            <bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="wake"/>\
            </bpmn:intermediateCatchEvent>
            <bpmn:endEvent id="end"/>\(flow("start", "wait"))\(flow("wait", "end"))</bpmn:process>
            """,
            messages: """
                <bpmn:message id="wake" name="wake"><bpmn:extensionElements>\
                <zeebe:subscription correlationKey="=id"/></bpmn:extensionElements></bpmn:message>
                """)
    }

    /// A parallel multi-instance no-op task and its join.
    static func fanOut(_ count: Int) -> [UInt8] {
        let loop = """
            <bpmn:multiInstanceLoopCharacteristics isSequential="false"><bpmn:loopCardinality>\(count)\
            </bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>
            """
        return document(
            """
            <bpmn:process id="fanout" isExecutable="true"><bpmn:startEvent id="start"/>\(task("work", extra: loop))
            <bpmn:endEvent id="end"/>\(flow("start", "work"))\(flow("work", "end"))</bpmn:process>
            """)
    }

    /// A chain of exclusive gateways, each with a condition that holds and a default flow that is not taken.
    static func gateways(_ count: Int) -> [UInt8] {
        var body = "<bpmn:startEvent id=\"start\"/><bpmn:endEvent id=\"other\"/>\n"
        var previous = "start"
        for number in 0..<count {
            body += "<bpmn:exclusiveGateway id=\"gate\(number)\" default=\"gate\(number)-other\"/>\n"
            body += flow(previous, "gate\(number)", number == 0 ? nil : "=amount &gt; \(number)")
            body += flow("gate\(number)", "other")
            previous = "gate\(number)"
        }
        body += "<bpmn:endEvent id=\"end\"/>\n" + flow(previous, "end", "=amount &gt; 0")
        return document("<bpmn:process id=\"gateways\" isExecutable=\"true\">\(body)</bpmn:process>")
    }

    /// A model of about `count` flow nodes: alternating script-free tasks, gateways and blocks.
    static func large(_ count: Int) -> [UInt8] {
        var body = "<bpmn:startEvent id=\"start\"/>\n"
        var previous = "start"
        var number = 0
        while number < count - 2 {
            if number % 10 == 3 {
                body += """
                    <bpmn:exclusiveGateway id="n\(number)" default="n\(number)-n\(number + 1)"/>
                    <bpmn:task id="n\(number + 1)"/><bpmn:task id="n\(number + 2)"/><bpmn:exclusiveGateway id="n\(number + 3)"/>

                    """
                body += flow(previous, "n\(number)") + flow("n\(number)", "n\(number + 1)")
                body += flow("n\(number)", "n\(number + 2)", "=amount &gt; \(number)")
                body += flow("n\(number + 1)", "n\(number + 3)") + flow("n\(number + 2)", "n\(number + 3)")
                previous = "n\(number + 3)"
                number += 4
            } else {
                body += "<bpmn:task id=\"n\(number)\" name=\"Step \(number)\"/>\n" + flow(previous, "n\(number)")
                previous = "n\(number)"
                number += 1
            }
        }
        body += "<bpmn:endEvent id=\"end\"/>\n" + flow(previous, "end")
        return document("<bpmn:process id=\"large\" isExecutable=\"true\">\(body)</bpmn:process>")
    }
}
