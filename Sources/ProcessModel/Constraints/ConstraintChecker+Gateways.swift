/// Gateways (BPMN 2.0.2 clause 10.6).
extension ConstraintChecker {
    func checkGateway(_ gateway: XMLElement, _ kind: ElementKind) {
        let incoming = incoming(gateway)
        let outgoing = outgoing(gateway)
        switch gateway.attribute("gatewayDirection") {
        case "Converging" where outgoing.isSeveral:
            report(
                .convergingGateway, at: gateway,
                "Expected at most one flow out of converging \(called(gateway)), but there are several.")
        case "Diverging" where incoming.isSeveral:
            report(
                .divergingGateway, at: gateway,
                "Expected at most one flow into diverging \(called(gateway)), but there are several.")
        case "Mixed" where !incoming.isSeveral || !outgoing.isSeveral:
            report(
                .mixedGateway, at: gateway,
                "Expected several flows into and out of mixed \(called(gateway)), but it has fewer.")
        default: break
        }
        if kind == .eventBasedGateway {
            checkEventGateway(gateway, outgoing)
        } else if !incoming.isSeveral, !outgoing.isSeveral {
            report(
                .pointlessGateway, at: gateway,
                "Expected \(called(gateway)) to split or join, but it has at most one flow on each side.")
        }
    }

    private func checkEventGateway(_ gateway: XMLElement, _ outgoing: FlowList) {
        if !outgoing.isSeveral {
            report(
                .fewEvents, at: gateway, "Expected at least two flows out of \(called(gateway)), but there are fewer.")
        }
        if isTrue("instantiate", of: gateway), !incoming(gateway).isEmpty {
            report(
                .instantiatingGateway, at: gateway,
                "Expected no flow into instantiating \(called(gateway)), but there is one.")
        }
        var hasMessageEvent = false
        var receiveTask: XMLElement?
        for flow in outgoing {
            if let condition = part(.conditionExpression, of: flow) {
                report(
                    .conditionAfterEventGateway, at: condition,
                    "Expected no condition after \(called(gateway)), but \(called(flow)) has one.")
            }
            guard let target = target(of: flow), traits(target).contains(.flowNode) else { continue }
            checkSuccessor(target, of: gateway)
            if kind(target) == .receiveTask { receiveTask = target }
            if kind(target) == .intermediateCatchEvent, has(.messageEventDefinition, target) { hasMessageEvent = true }
        }
        if hasMessageEvent, let receiveTask {
            report(
                .mixedReceivers, at: receiveTask,
                "Expected either message events or receive tasks after \(called(gateway)), but found both.")
        }
    }

    private func checkSuccessor(_ node: XMLElement, of gateway: XMLElement) {
        if incoming(node).isSeveral {
            report(
                .receiverWithOtherFlows, at: node,
                "Expected only \(called(gateway)) to lead to \(called(node)), but other flows do too.")
        }
        switch kind(node) {
        case .receiveTask:
            if index.boundaryEvents[node.index] != nil {
                report(
                    .receiverWithBoundary, at: node,
                    "Expected no boundary event on \(called(node)) after \(called(gateway)), but there is one.")
            }
        case .intermediateCatchEvent:
            for definition in definitions(of: node) {
                switch kind(definition) {
                case .messageEventDefinition, .timerEventDefinition, .conditionalEventDefinition,
                    .signalEventDefinition:
                    continue
                default:
                    report(
                        .eventGatewaySuccessor, at: node,
                        "Expected a message, timer, conditional or signal event after \(called(gateway)), but "
                            + "\(called(node)) has a \(kind(definition).noun).")
                }
            }
        default:
            report(
                .eventGatewaySuccessor, at: node,
                "Expected a receive task or an intermediate catch event after \(called(gateway)), but found "
                    + "\(called(node)).")
        }
    }

    /// Whether an event has a definition of a kind.
    func has(_ kind: ElementKind, _ event: XMLElement) -> Bool {
        definitions(of: event).contains { self.kind($0) == kind }
    }
}
