/// Writes BPMN models of any size, for tests that need more than a handful of nodes.
enum ModelGenerator {
    /// `start → task → … → end`, every tenth node an exclusive gateway with a condition that skips nothing.
    static func sequence(nodes count: Int) -> String {
        var content = "<startEvent id=\"start\"/>\n"
        var previous = "start"
        for number in 1...max(count, 1) {
            let id = "n\(number)"
            if number.isMultiple(of: 10) {
                content += "<exclusiveGateway id=\"\(id)\" default=\"f\(number + 1)\"/>\n"
                let next = number == count ? "end" : "n\(number + 1)"
                content += """
                    <sequenceFlow id="g\(number)" sourceRef="\(id)" targetRef="\(next)">\
                    <conditionExpression>=amount &gt; \(number)</conditionExpression></sequenceFlow>

                    """
            } else {
                content += """
                    <serviceTask id="\(id)" name="Task \(number)"><extensionElements><zeebe:taskDefinition type="work"/>\
                    <zeebe:ioMapping><zeebe:input source="=order.total * 2" target="total"/></zeebe:ioMapping>\
                    </extensionElements></serviceTask>

                    """
            }
            content += "<sequenceFlow id=\"f\(number)\" sourceRef=\"\(previous)\" targetRef=\"\(id)\"/>\n"
            previous = id
        }
        return content
            + "<endEvent id=\"end\"/><sequenceFlow id=\"f\(count + 1)\" sourceRef=\"\(previous)\" targetRef=\"end\"/>"
    }

    /// Sub-processes inside each other, a task in the innermost.
    static func nested(depth: Int) -> String {
        var content =
            "<startEvent id=\"s0\"/><task id=\"x0\"/><sequenceFlow id=\"f0\" sourceRef=\"s0\" targetRef=\"x0\"/>"
        for level in stride(from: 1, through: depth, by: 1) {
            content = """
                <startEvent id="s\(level)"/><sequenceFlow id="f\(level)" sourceRef="s\(level)" targetRef="x\(level)"/>
                <subProcess id="x\(level)">\(content)</subProcess>
                """
        }
        return content
    }
}
