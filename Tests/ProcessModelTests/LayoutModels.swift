import Foundation

/// Random models for the layout: pools, lanes, nested sub-processes, boundary events, data, loops.
enum LayoutModels {
    static let seeds: [UInt64] = {
        let rounds = max(1, Int(ProcessInfo.processInfo.environment["JUNCTION_SOAK_ROUNDS"] ?? "") ?? 1)
        return (0..<UInt64(rounds)).flatMap { round in (1...12).map { round * 1_000 + $0 } }
    }()

    static func document(using generator: inout SeededGenerator) -> String {
        var number = 0
        let count = Int.random(in: 1...3, using: &generator)
        var nodes: [String] = []
        let processes = (0..<count).map { index -> String in
            var content = Content()
            content.fill(depth: 0, number: &number, using: &generator)
            nodes += content.nodes
            let lanes = Bool.random(using: &generator) ? content.lanes(index, using: &generator) : ""
            return "<process id=\"p\(index)\">\(lanes)\(content.text)</process>"
        }
        var collaboration = ""
        if Bool.random(using: &generator) {
            let pools = (0..<count).map { "<participant id=\"pool\($0)\" name=\"Pool\" processRef=\"p\($0)\"/>" }
            let ends = nodes + (0..<count).map { "pool\($0)" } + ["box"]
            let flows = (0..<5).compactMap { index -> String? in
                guard let from = ends.randomElement(using: &generator), let to = ends.randomElement(using: &generator),
                    from != to
                else { return nil }
                return "<messageFlow id=\"m\(index)\" name=\"message\" sourceRef=\"\(from)\" targetRef=\"\(to)\"/>"
            }
            collaboration =
                "<collaboration id=\"c\">\(pools.joined())<participant id=\"box\"/>\(flows.joined())</collaboration>"
        }
        return "<definitions xmlns=\"\(Namespace.bpmn)\">\(collaboration)\(processes.joined())</definitions>"
    }

    /// What stands in one process or sub-process.
    private struct Content {
        var text = ""
        var nodes: [String] = []

        mutating func fill(depth: Int, number: inout Int, using generator: inout SeededGenerator) {
            let kinds = [
                "task", "userTask", "exclusiveGateway", "startEvent", "endEvent", "callActivity", "subProcess",
            ]
            var ends: [String] = []
            for _ in 0..<Int.random(in: 1...9, using: &generator) {
                number += 1
                let id = "n\(number)"
                let kind = kinds.randomElement(using: &generator) ?? "task"
                var inner = ""
                if kind == "subProcess", depth < 3 {
                    var content = Content()
                    content.fill(depth: depth + 1, number: &number, using: &generator)
                    inner = content.text
                }
                text += "<\(kind) id=\"\(id)\" name=\"Node number \(number)\">\(inner)</\(kind)>"
                nodes.append(id)
                ends.append(id)
                let isActivity = !kind.hasSuffix("Event") && !kind.hasSuffix("Gateway")
                for boundary in 0..<(isActivity ? Int.random(in: 0...3, using: &generator) / 2 : 0) {
                    let name = Bool.random(using: &generator) ? " name=\"after a while\"" : ""
                    text += "<boundaryEvent id=\"\(id)b\(boundary)\"\(name) attachedToRef=\"\(id)\"/>"
                    ends.append("\(id)b\(boundary)")
                }
            }
            for index in 0..<Int.random(in: 0...ends.count * 3 / 2, using: &generator) {
                guard let from = ends.randomElement(using: &generator),
                    let to = nodes.randomElement(using: &generator)
                else { continue }
                let name = Bool.random(using: &generator) ? " name=\"when it is so\"" : ""
                text += "<sequenceFlow id=\"\(nodes[0])f\(index)\"\(name) sourceRef=\"\(from)\" targetRef=\"\(to)\"/>"
            }
            for index in 0..<Int.random(in: 0...3, using: &generator) {
                guard let one = ends.randomElement(using: &generator), let two = ends.randomElement(using: &generator)
                else { continue }
                let id = "\(nodes[0])d\(index)"
                text += """
                    <dataObjectReference id="\(id)" name="Some data"/>
                    <association id="\(id)a" sourceRef="\(id)" targetRef="\(one)"/>
                    <association id="\(id)b" sourceRef="\(two)" targetRef="\(id)"/>
                    """
            }
        }

        func lanes(_ index: Int, using generator: inout SeededGenerator) -> String {
            let count = Int.random(in: 1...3, using: &generator)
            var members = Array(repeating: "", count: count)
            for node in nodes where Int.random(in: 0..<5, using: &generator) > 0 {
                members[Int.random(in: 0..<count, using: &generator)] += "<flowNodeRef>\(node)</flowNodeRef>"
            }
            let lanes = members.enumerated().map { "<lane id=\"lane\(index)-\($0)\" name=\"Lane\">\($1)</lane>" }
            return "<laneSet id=\"lanes\(index)\">\(lanes.joined())</laneSet>"
        }
    }
}
