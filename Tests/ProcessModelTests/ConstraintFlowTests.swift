import Testing
import Values

@testable import ProcessModel

/// Sequence flows, levels and gateways.
@Suite struct ConstraintFlowTests {
    static let flows: [ConstraintRow] = [
        .init(
            .flowToArtifact, "annotation",
            broken: executable("<task id=\"x\"/>\(flow("x", "n"))<textAnnotation id=\"n\"/>"),
            good: executable("<task id=\"x\"/>\(flow("x", "y"))<task id=\"y\"/>")),
        .init(
            .flowToArtifact, "association",
            broken: executable(
                "<task id=\"x\"/>\(flow("x", "n"))<association id=\"n\" sourceRef=\"x\" targetRef=\"x\"/>"),
            good: executable("<task id=\"x\"/>\(flow("x", "y"))<task id=\"y\"/>")),
        .init(
            .flowFromArtifact, "group", broken: executable("<task id=\"x\"/>\(flow("n", "x"))<group id=\"n\"/>"),
            good: executable("<task id=\"x\"/>\(flow("x", "y"))<task id=\"y\"/>")),
        .init(
            .flowSource, "event sub-process",
            broken: executable(
                "<subProcess id=\"x\" triggeredByEvent=\"true\"/>\(flow("x", "y"))<task id=\"y\"/>"),
            good: executable("<subProcess id=\"x\"/>\(flow("x", "y"))<task id=\"y\"/>")),
        .init(
            .flowSource, "data object",
            broken: executable("<dataObject id=\"x\"/>\(flow("x", "y"))<task id=\"y\"/>"),
            good: executable("<intermediateThrowEvent id=\"x\"/>\(flow("x", "y"))<task id=\"y\"/>")),
        .init(
            .flowTarget, "event sub-process",
            broken: executable(
                "<subProcess id=\"y\" triggeredByEvent=\"true\"/>\(flow("x", "y"))<task id=\"x\"/>"),
            good: executable("<transaction id=\"y\"/>\(flow("x", "y"))<task id=\"x\"/>")),
        .init(
            .flowTarget, "process", broken: executable("<task id=\"x\"/>\(flow("x", "p"))"),
            good: executable("<task id=\"x\"/>\(flow("x", "x"))")),
        .init(
            .unlistedFlow, "not in outgoing",
            broken: executable("<task id=\"x\"/>\(flow("x", "y"))<task id=\"y\"><incoming>x-y</incoming></task>"),
            good: executable(
                "<task id=\"x\"><outgoing>x-y</outgoing></task>\(flow("x", "y"))"
                    + "<task id=\"y\"><incoming>q:x-y</incoming></task>")),
        .init(
            .unlistedFlow, "in the wrong list",
            broken: executable(
                "<task id=\"x\"><incoming>x-y</incoming><outgoing>x-y</outgoing></task>\(flow("x", "y"))"
                    + "<task id=\"y\"><incoming>x-y</incoming></task>"),
            good: executable(
                "<task id=\"x\"><outgoing>x-y</outgoing></task>\(flow("x", "y"))"
                    + "<task id=\"y\"><incoming>x-y</incoming></task>")),
        .init(
            .notImmediate, "executable",
            broken: executable(
                "<task id=\"x\"/><sequenceFlow id=\"f\" sourceRef=\"x\" targetRef=\"x\" isImmediate=\"false\"/>"),
            good: executable(
                "<task id=\"x\"/><sequenceFlow id=\"f\" sourceRef=\"x\" targetRef=\"x\" isImmediate=\"true\"/>")),
        .init(
            .lonelyConditionalFlow, "task",
            broken: executable("<task id=\"x\"/>\(flow("x", "y", formal("conditionExpression", "a")))<task id=\"y\"/>"),
            good: executable(
                "<task id=\"x\"/>\(flow("x", "y", formal("conditionExpression", "a")))\(flow("x", "x"))<task id=\"y\"/>"
            )),
        .init(
            .foreignDefaultFlow, "gateway",
            broken: executable(
                "<exclusiveGateway id=\"x\" default=\"y-x\"/>\(flow("x", "y"))\(flow("y", "x"))<task id=\"y\"/>"),
            good: executable(
                "<exclusiveGateway id=\"x\" default=\"x-y\"/>\(flow("x", "y"))\(flow("y", "x"))<task id=\"y\"/>")),
        .init(
            .flowAcrossPools, "two processes",
            broken: executable("<task id=\"x\"/>\(flow("x", "y"))") + "<process id=\"q\"><task id=\"y\"/></process>",
            good: executable("<task id=\"x\"/>\(flow("x", "y"))<task id=\"y\"/>") + "<process id=\"q\"/>"),
        .init(
            .flowAcrossLevels, "into a sub-process",
            broken: executable("<task id=\"x\"/>\(flow("x", "y"))<subProcess id=\"s\"><task id=\"y\"/></subProcess>"),
            good: executable("<task id=\"x\"/>\(flow("x", "s"))<subProcess id=\"s\"><task id=\"y\"/></subProcess>")),
        .init(
            .noIncoming, "task", broken: executable("<task id=\"x\"/>\(flow("x", "e"))<endEvent id=\"e\"/>"),
            good: amid("<task id=\"x\"/><task id=\"h\" isForCompensation=\"true\"/>")),
        .init(
            .noIncoming, "gateway in a sub-process",
            broken: executable(
                "<subProcess id=\"s\"><startEvent id=\"a\"/><parallelGateway id=\"x\"/></subProcess>"),
            good: executable(
                "<subProcess id=\"s\"><startEvent id=\"a\"/>\(flow("a", "x"))<parallelGateway id=\"x\"/></subProcess>")),
        .init(
            .noOutgoing, "task", broken: executable("<startEvent id=\"s\"/>\(flow("s", "x"))<task id=\"x\"/>"),
            good: amid("<task id=\"x\"/>")),
    ]

    static func gateway(_ kind: String, _ attributes: String, from: [String], to: [String]) -> String {
        let names = Set(from + to).sorted()
        return executable(
            "<\(kind) id=\"x\" \(attributes)/>" + names.map { "<task id=\"\($0)\"/>" }.joined()
                + from.map { flow($0, "x") }.joined() + to.map { flow("x", $0) }.joined())
    }

    static let gateways: [ConstraintRow] = [
        .init(
            .convergingGateway, "two out",
            broken: gateway("exclusiveGateway", "gatewayDirection=\"Converging\"", from: ["a"], to: ["b", "c"]),
            good: gateway("exclusiveGateway", "gatewayDirection=\"Converging\"", from: ["a", "b"], to: ["c"])),
        .init(
            .divergingGateway, "two in",
            broken: gateway("inclusiveGateway", "gatewayDirection=\"Diverging\"", from: ["a", "b"], to: ["c"]),
            good: gateway("inclusiveGateway", "gatewayDirection=\"Diverging\"", from: ["a"], to: ["b", "c"])),
        .init(
            .mixedGateway, "one in",
            broken: gateway("parallelGateway", "gatewayDirection=\"Mixed\"", from: ["a"], to: ["b", "c"]),
            good: gateway("parallelGateway", "gatewayDirection=\"Mixed\"", from: ["a", "d"], to: ["b", "c"])),
        .init(
            .pointlessGateway, "one in, one out", broken: gateway("complexGateway", "", from: ["a"], to: ["b"]),
            good: gateway("complexGateway", "", from: ["a"], to: ["b", "c"])),
        .init(
            .pointlessGateway, "unconnected", broken: gateway("parallelGateway", "", from: [], to: []),
            good: gateway("parallelGateway", "", from: ["a", "b"], to: ["c"])),
    ]

    /// An event-based gateway `x` before two successors `a` and `b`.
    static func choice(
        _ first: String, _ second: String, attributes: String = "", condition: String = "", more: String = ""
    ) -> String {
        executable(
            "<eventBasedGateway id=\"x\" \(attributes)/>\(flow("x", "a", condition))\(flow("x", "b"))"
                + first + second + more)
    }

    static func catching(_ id: String, _ definition: String) -> String {
        "<intermediateCatchEvent id=\"\(id)\">\(definition)</intermediateCatchEvent>"
    }

    static let timer = "<timerEventDefinition>\(formal("timeDuration", "PT1S"))</timerEventDefinition>"
    static let message = "<messageEventDefinition messageRef=\"m\"/>"
    static let twoEvents = choice(catching("a", timer), catching("b", message))

    static let eventGateways: [ConstraintRow] = [
        .init(
            .fewEvents, "one",
            broken: executable("<eventBasedGateway id=\"x\"/>\(flow("x", "a"))" + catching("a", timer)),
            good: twoEvents),
        .init(
            .conditionAfterEventGateway, "formal",
            broken: choice(
                catching("a", timer), catching("b", message), condition: formal("conditionExpression", "true")),
            good: twoEvents),
        .init(
            .eventGatewaySuccessor, "script task", broken: choice("<scriptTask id=\"a\"/>", catching("b", timer)),
            good: choice("<receiveTask id=\"a\"/>", catching("b", timer))),
        .init(
            .eventGatewaySuccessor, "link",
            broken: choice(catching("a", "<linkEventDefinition/>"), catching("b", timer)), good: twoEvents),
        .init(
            .eventGatewaySuccessor, "throw event",
            broken: choice("<intermediateThrowEvent id=\"a\"/>", catching("b", timer)),
            good: choice(catching("a", "<signalEventDefinition/>"), catching("b", "<conditionalEventDefinition/>"))),
        .init(
            .eventGatewaySuccessor, "definition by reference",
            broken: "<errorEventDefinition id=\"d\"/>"
                + choice(catching("a", "<eventDefinitionRef>d</eventDefinitionRef>"), catching("b", timer)),
            good: "<signalEventDefinition id=\"d\"/>"
                + choice(catching("a", "<eventDefinitionRef>d</eventDefinitionRef>"), catching("b", timer))),
        .init(
            .mixedReceivers, "both", broken: choice("<receiveTask id=\"a\"/>", catching("b", message)),
            good: choice("<receiveTask id=\"a\"/>", "<receiveTask id=\"b\"/>")),
        .init(
            .receiverWithBoundary, "timer",
            broken: choice(
                "<receiveTask id=\"a\"/>", catching("b", timer),
                more: "<boundaryEvent id=\"t\" attachedToRef=\"a\">\(timer)</boundaryEvent>"),
            good: choice("<receiveTask id=\"a\"/>", catching("b", timer))),
        .init(
            .receiverWithOtherFlows, "task",
            broken: choice(catching("a", timer), catching("b", message), more: "<task id=\"t\"/>\(flow("t", "a"))"),
            good: choice(catching("a", timer), catching("b", message), more: "<task id=\"t\"/>\(flow("a", "t"))")),
        .init(
            .instantiatingGateway, "with start",
            broken: choice(
                catching("a", timer), catching("b", message), attributes: "instantiate=\"true\"",
                more: "<startEvent id=\"s\"/>\(flow("s", "x"))"),
            good: choice(catching("a", timer), catching("b", message), attributes: "instantiate=\"true\"")),
    ]

    @Test(arguments: flows + gateways + eventGateways)
    func isFoundAndOnlyThen(_ row: ConstraintRow) throws { try row.check() }

    @Test func flowsThatOnlyTheNodesConnectCount() throws {
        let found = try constraintFindings(
            executable(
                "<startEvent id=\"s\"><outgoing>f</outgoing></startEvent><sequenceFlow id=\"f\"/>"
                    + "<endEvent id=\"e\"><incoming>f</incoming></endEvent>"), profile: .standard)
        #expect(found.map(\.code) == ["BCREF"])
        #expect(found.map(\.severity) == [.info])
    }
}
