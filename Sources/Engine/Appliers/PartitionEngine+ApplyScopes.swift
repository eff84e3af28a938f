import ProcessModel
import Values

/// The appliers of tokens that wait, ad-hoc sub-processes and compensation.
extension PartitionEngine {
    func applyScopeEvent(_ event: Event, to instance: ProcessInstance) {
        switch event {
        case .tokensConsumed(let node, let scope, let count):
            consume(count, before: node, in: scope, of: instance)
        case .gatewayFired(let ordinal, let flows):
            detail(ordinal, of: instance)?.firedFlows = flows
        case .gatewayReset(let ordinal):
            resetGateway(ordinal, of: instance)
        case .adHocPlanned(let ordinal, let nodes):
            detail(ordinal, of: instance)?.planned = nodes
        case .compensationRecorded(let scope, let record):
            detail(scope, of: instance)?.compensable.append(record)
        case .compensationTaken(let scope, let node):
            detail(scope, of: instance)?.compensable.removeAll { node < 0 || $0.node == node }
        case .compensationStarted(let ordinal, let records):
            detail(ordinal, of: instance)?.compensating = records
        case .compensationStepped(let ordinal):
            _ = detail(ordinal, of: instance)?.compensating?.popLast()
        case .cancelRequested(let ordinal):
            detail(ordinal, of: instance)?.isCancelling = true
        default:
            break
        }
    }

    /// Takes tokens that wait before a node, in the order of its incoming flows.
    private func consume(_ count: Int32, before node: Int32, in scope: UInt32, of instance: ProcessInstance) {
        var left = count
        for flow in instance.process.nodes[Int(node)].incoming where left > 0 {
            guard
                let position = instance.arrivals.firstIndex(where: { $0.scope == scope && $0.flow == Int32(flow) })
            else { continue }
            let taken = Swift.min(left, instance.arrivals[position].count)
            left -= taken
            instance.arrivals[position].count -= taken
            if instance.arrivals[position].count == 0 { instance.arrivals.remove(at: position) }
        }
        if let position = instance.position(of: scope) { instance.elements[position].children -= count - left }
    }

    /// Takes one token of each flow that a complex gateway did not take one from when it fired.
    private func resetGateway(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        let fired = element.detail?.firedFlows ?? []
        for flow in instance.process.nodes[Int(element.node)].incoming where !fired.contains(Int32(flow)) {
            takeToken(of: Int32(flow), in: element.scope, of: instance)
        }
    }

    /// Takes one token of a flow, if one waits.
    func takeToken(of flow: Int32, in scope: UInt32, of instance: ProcessInstance) {
        guard let position = instance.arrivals.firstIndex(where: { $0.scope == scope && $0.flow == flow }) else {
            return
        }
        instance.arrivals[position].count -= 1
        if instance.arrivals[position].count == 0 { instance.arrivals.remove(at: position) }
        if let place = instance.position(of: scope) { instance.elements[place].children -= 1 }
    }
}
