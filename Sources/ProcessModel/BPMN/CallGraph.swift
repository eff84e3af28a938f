import Decisions

/// Which processes of one document call which, to find recursion that cannot end.
struct CallGraph {
    /// A call from one process of the document to another, or to itself.
    private struct Call {
        let from: Int
        let to: Int
        let element: XMLElement
        let id: String
        /// Whether every run of the caller makes it.
        let isUnconditional: Bool
    }

    private let names: [String]
    private var calls: [Call] = []

    /// Takes the calls with a fixed process id out of processes that were read.
    init(_ processes: [ProcessReader]) {
        names = processes.map(\.id)
        let numbers = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        for (caller, process) in processes.enumerated() {
            let certain = CallGraph.certainNodes(of: process)
            for (index, node) in process.nodes.enumerated() {
                guard case .literal(let called)? = node.calledElement?.processID, let callee = numbers[called] else {
                    continue
                }
                calls.append(
                    Call(
                        from: caller, to: callee, element: node.element, id: node.id,
                        isUnconditional: certain.contains(index) && !node.isRepeated))
            }
        }
    }

    /// Reports each call that leads back to its own process: an error when every run makes all the calls around.
    func check(_ reader: BPMNReader) {
        guard !calls.isEmpty else { return }
        let certain = components(calls.filter(\.isUnconditional))
        let possible = components(calls)
        for call in calls where possible[call.to] == possible[call.from] {
            let isEndless = call.isUnconditional && certain[call.to] == certain[call.from]
            reader.report(
                isEndless ? .endlessRecursion : .possibleRecursion, at: call.element,
                isEndless
                    ? "Expected calls to end, but \(call.id) in \(names[call.from]) always leads back to that process."
                    : "\(call.id) in \(names[call.from]) can lead back to that process.",
                remedy: isEndless
                    ? "put an exclusive gateway before the call, so that some runs do not make it"
                    : "make sure that some condition ends the recursion")
        }
    }

    /// Numbers the groups of processes that call each other in a circle (Kosaraju's strongly connected components).
    ///
    /// A process outside any circle is a group of its own. Linear in processes and calls.
    private func components(_ calls: [Call]) -> [Int] {
        var callees: [[Int]] = Array(repeating: [], count: names.count)
        var callers: [[Int]] = Array(repeating: [], count: names.count)
        for call in calls {
            callees[call.from].append(call.to)
            callers[call.to].append(call.from)
        }
        var component = Array(repeating: -1, count: names.count)
        for start in CallGraph.finishingOrder(callees).reversed() where component[start] < 0 {
            component[start] = start
            var pending = [start]
            while let process = pending.popLast() {
                for caller in callers[process] where component[caller] < 0 {
                    component[caller] = start
                    pending.append(caller)
                }
            }
        }
        return component
    }

    /// The processes in the order a depth-first walk leaves them.
    private static func finishingOrder(_ callees: [[Int]]) -> [Int] {
        var order: [Int] = []
        var isSeen = Array(repeating: false, count: callees.count)
        for root in callees.indices where !isSeen[root] {
            isSeen[root] = true
            var path = [(process: root, next: 0)]
            while let top = path.last {
                guard top.next < callees[top.process].count else {
                    order.append(top.process)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let callee = callees[top.process][top.next]
                if !isSeen[callee] {
                    isSeen[callee] = true
                    path.append((callee, 0))
                }
            }
        }
        return order
    }

    /// The nodes that every run started at the none start event performs: those on unconditional flows, up to the
    /// first gateway, event or activity that something can interrupt.
    private static func certainNodes(of process: ProcessReader) -> Set<Int> {
        guard let start = process.nodes.first?.start else { return [] }
        var certain: Set<Int> = []
        var pending = [start]
        while let index = pending.popLast() {
            let node = process.nodes[index]
            guard index == start || node.kind.isActivity || node.kind == .startEvent,
                node.boundaryEvents.isEmpty, node.startQuantity == 1,
                process.nodes[node.scope].eventSubProcesses.isEmpty, certain.insert(index).inserted
            else { continue }
            if node.kind == .subProcess || node.kind == .transaction, !node.isRepeated, let inner = node.start {
                pending.append(inner)
            }
            let outgoing = node.outgoing.filter { !process.flows[$0].hasCondition && node.defaultFlow != $0 }
            pending += outgoing.compactMap { process.flows[$0].target }
        }
        return certain
    }
}

extension DraftNode {
    /// Whether a marker may perform it more than once, or never.
    fileprivate var isRepeated: Bool { multiInstance != nil || standardLoop != nil }
}
