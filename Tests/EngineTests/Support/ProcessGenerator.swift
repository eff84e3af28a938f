import Foundation

/// Random BPMN documents over every supported element, whose instances can always be brought to their end.
///
/// A block has one entry and one exit, so tokens that split meet again; interrupting boundary events lead back to the
/// exit of their activity, non-interrupting ones to an end of their own. Conditions read `x`, correlation keys `key`;
/// messages are called `msg1` to `msg3`, errors `E1` and `E2`.
struct ProcessGenerator {
    private var random: SplitMix64
    private var counter = 0
    /// Whether error end events inside have somebody to catch them.
    private var isCaught = false
    private var callable: [String] = []

    static let messages = ["msg1", "msg2", "msg3"]
    static let errors = ["E1", "E2"]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    private struct Scope {
        var flows: [String] = []
        var nodes: [String] = []
    }

    /// A document whose process `p` may call others of it; beside it stand one that starts with the message `go` and one
    /// that starts by a timer, twice.
    mutating func document() -> String {
        var definitions: [String] = []
        for id in ["q1", "q2"] {
            definitions.append(definition(id, depth: 1))
            callable.append(id)
        }
        definitions.append(definition("p", depth: 3))
        definitions.append(definition("byMessage", depth: 1, startedBy: Model.onMessage("go")))
        definitions.append(definition("byTimer", depth: 1, startedBy: Model.timer("timeCycle", "R2/PT25S")))
        let root =
            Self.messages.map { Model.message($0) } + [Model.message("go", key: nil)]
            + Self.errors.map { Model.error("error-\($0)", $0) }
        return Model.document(definitions, root: root)
    }

    private mutating func definition(_ id: String, depth: Int, startedBy event: String? = nil) -> String {
        isCaught = false
        var scope = content(depth: depth)
        if let event {
            let start = scope.flows.compactMap { $0.hasPrefix("start") ? $0.prefix { $0 != " " } : nil }[0]
            scope.nodes.append(Model.start(String(start), event))
        }
        return Model.definition(scope.flows.joined(separator: "\n"), id: id, nodes: scope.nodes)
    }

    private mutating func name(_ prefix: String) -> String {
        counter += 1
        return "\(prefix)\(counter)"
    }

    /// A start event, one to three blocks, an end event.
    private mutating func content(depth: Int) -> Scope {
        var scope = Scope()
        let start = name("start")
        let (entry, exit) = sequence(depth, &scope)
        let end = name("end")
        scope.flows.append("\(start) -> \(entry)")
        scope.flows.append("\(exit) -> \(end)")
        return scope
    }

    private mutating func sequence(_ depth: Int, _ scope: inout Scope) -> (entry: String, exit: String) {
        let (entry, first) = block(depth, &scope)
        var exit = first
        for _ in 0..<random.below(3) {
            let (next, last) = block(depth, &scope)
            scope.flows.append("\(exit) -> \(next)")
            exit = last
        }
        return (entry, exit)
    }

    private mutating func block(_ depth: Int, _ scope: inout Scope) -> (entry: String, exit: String) {
        guard depth > 0 else { return leaf(&scope) }
        switch random.below(16) {
        case 0, 1: return exclusive(depth, &scope)
        case 2, 3: return parallel(depth, &scope)
        case 4, 5: return subProcess(depth, &scope)
        case 6: return call(&scope)
        case 7: return loop(depth, &scope)
        case 8: return conditional(depth, &scope)
        default: return leaf(&scope)
        }
    }

    // MARK: Activities and events

    private mutating func leaf(_ scope: inout Scope) -> (entry: String, exit: String) {
        switch random.below(12) {
        case 0:
            let id = name("m")
            return (id, id)
        case 1:
            let id = name("s")
            scope.nodes.append(Model.script(id, "=if n = null then 1 else n + 1", to: "n"))
            return (id, id)
        case 2:
            let id = name("t")
            let event = random.pick([
                Model.duration("PT10S"), Model.duration("=\"PT5S\""), Model.timer("timeDate", "2026-01-01T00:00:30Z"),
            ])
            scope.nodes.append(Model.catching(id, event))
            return (id, id)
        case 3:
            let id = name("c")
            scope.nodes.append(
                Model.catching(id, Model.onMessage(random.pick(Self.messages)), io: mapping(inputs: false)))
            return (id, id)
        case 4, 5:
            let id = name("r")
            scope.nodes.append(Model.receive(id, random.pick(Self.messages), io: mapping(), loop: marker()))
            return decorated(id, &scope)
        case 6, 7:
            let id = name("u")
            scope.nodes.append(Model.user(id, io: mapping(), loop: marker()))
            return decorated(id, &scope)
        default:
            let id = name("a")
            let type = random.chance(20) ? "=\"w\" + string(1)" : random.pick(["w1", "w2"])
            let priority = random.chance(20) ? "<zeebe:priorityDefinition priority=\"\(random.below(5))\"/>" : ""
            scope.nodes.append(
                Model.task(
                    id, type: type, retries: random.chance(30) ? "2" : nil, io: mapping(), extensions: priority,
                    loop: marker(), tag: random.chance(20) ? "sendTask" : "serviceTask"))
            return decorated(id, &scope)
        }
    }

    private mutating func mapping(inputs: Bool = true) -> String {
        guard random.chance(25) else { return "" }
        return Model.io(
            inputs && random.chance(50) ? [("=key", "local"), ("=local", "more.of")] : [],
            random.chance(50) ? [("=x", "y"), ("=y", "nested.y")] : [])
    }

    private mutating func marker() -> String {
        guard random.chance(15) else { return "" }
        let sequential = random.chance(50)
        switch random.below(5) {
        case 0: return Model.loop(times: "=2", sequential: sequential)
        case 1: return Model.loop(over: "=[]", as: "item", sequential: sequential, output: ("all", "=item"))
        case 2:
            return Model.loop(
                over: "=[1,2,3]", as: "item", sequential: sequential, until: "=numberOfCompletedInstances >= 2")
        case 3: return Model.loop(times: "=3", sequential: sequential, until: "=x >= 3")
        default: return Model.loop(over: "=[7,8]", as: "item", sequential: sequential, output: ("all", "=item + x"))
        }
    }

    /// Puts boundary events on an activity.
    private mutating func decorated(
        _ id: String, catchesAll: Bool = false, _ scope: inout Scope
    ) -> (entry: String, exit: String) {
        guard catchesAll || random.chance(40) else { return (id, id) }
        let exit = name("xor")
        scope.flows.append("\(id) -> \(exit)")
        if catchesAll {
            attach(to: id, Model.onError(nil), interrupting: true, exit, &scope)
        } else if random.chance(40) {
            attach(to: id, Model.onError("error-\(random.pick(Self.errors))"), interrupting: true, exit, &scope)
        }
        if random.chance(40) {
            attach(to: id, Model.duration("PT20S"), interrupting: true, exit, &scope)
        } else if random.chance(40) {
            let event = random.chance(50) ? Model.duration("PT3S") : Model.timer("timeCycle", "R2/PT4S")
            attach(to: id, event, interrupting: false, exit, &scope)
        }
        if random.chance(40) {
            attach(to: id, Model.onMessage(random.pick(Self.messages)), interrupting: random.chance(50), exit, &scope)
        }
        return (id, exit)
    }

    private mutating func attach(
        to activity: String, _ event: String, interrupting: Bool, _ exit: String, _ scope: inout Scope
    ) {
        let id = name("b")
        scope.nodes.append(
            Model.boundary(
                id, on: activity, event, interrupting: interrupting,
                io: random.chance(20) ? Model.io([], [("=x", "y")]) : ""))
        let handler = random.chance(50) ? name("a") : name("m")
        scope.flows.append("\(id) -> \(handler) -> \(interrupting ? exit : name("end"))")
    }

    // MARK: Structure

    private mutating func exclusive(_ depth: Int, _ scope: inout Scope) -> (entry: String, exit: String) {
        let (split, merge) = (name("xor"), name("xor"))
        let (first, firstEnd) = sequence(depth - 1, &scope)
        scope.flows.append("\(split) -> [=x = 1] \(first)")
        scope.flows.append("\(firstEnd) -> \(merge)")
        let (second, secondEnd) = sequence(depth - 1, &scope)
        scope.flows.append("\(split) -> [=x >= 2] \(second)")
        scope.flows.append("\(secondEnd) -> \(merge)")
        if random.chance(50) { scope.flows.append("\(split) -> [default] \(merge)") }
        return (split, merge)
    }

    private mutating func parallel(_ depth: Int, _ scope: inout Scope) -> (entry: String, exit: String) {
        let (split, join) = (name("and"), name("and"))
        for _ in 0..<2 + random.below(2) {
            let (entry, exit) = sequence(depth - 1, &scope)
            scope.flows.append("\(split) -> \(entry)")
            scope.flows.append("\(exit) -> \(join)")
        }
        if random.chance(20) { scope.flows.append("\(split) -> \(join)") }
        return (split, join)
    }

    private mutating func subProcess(_ depth: Int, _ scope: inout Scope) -> (entry: String, exit: String) {
        let id = name("sub")
        let catchesAll = random.chance(50)
        let outer = isCaught
        isCaught = outer || catchesAll
        var inside = content(depth: depth - 1)
        if random.chance(30) {
            // A way out that ends the scope, or throws.
            let (split, end) = (name("xor"), name("endX"))
            let throwing = isCaught && random.chance(60)
            inside.nodes.append(
                Model.end(end, throwing ? Model.onError("error-\(random.pick(Self.errors))") : Model.terminate))
            let (side, sideEnd) = sequence(0, &inside)
            let fork = name("and")
            inside.flows = inside.flows.map { flow in
                flow.hasPrefix("start") ? flow.replacingFirstArrow(with: "-> \(fork) ->") : flow
            }
            inside.flows.append("\(fork) -> \(side)")
            inside.flows.append("\(sideEnd) -> \(split) -> [=x = 2] \(end)")
            inside.flows.append("\(split) -> [default] \(name("end"))")
        }
        isCaught = outer
        let io = random.chance(30) ? Model.io([("=key", "inner")], [("=inner", "y")]) : ""
        scope.nodes.append(
            Model.sub(id, inside.flows.joined(separator: "\n"), nodes: inside.nodes, io: io, loop: marker()))
        return decorated(id, catchesAll: catchesAll, &scope)
    }

    private mutating func call(_ scope: inout Scope) -> (entry: String, exit: String) {
        guard !callable.isEmpty else { return leaf(&scope) }
        let id = name("call")
        let attributes = random.pick([
            "", "bindingType=\"deployment\"", "propagateAllChildVariables=\"false\"",
        ])
        scope.nodes.append(
            Model.call(
                id, random.chance(20) ? "=\"\(random.pick(callable))\"" : random.pick(callable), attributes: attributes,
                io: random.chance(20) ? Model.io([("=1", "given")], [("=n", "got")]) : "", loop: marker()))
        return decorated(id, &scope)
    }

    private mutating func loop(_ depth: Int, _ scope: inout Scope) -> (entry: String, exit: String) {
        let (begin, again, done, count, variable) = (name("s"), name("xor"), name("xor"), name("s"), name("v"))
        let (entry, exit) = sequence(depth - 1, &scope)
        scope.nodes.append(Model.script(begin, "=0", to: variable))
        scope.nodes.append(Model.script(count, "=\(variable) + 1", to: variable))
        scope.flows.append("\(begin) -> \(again) -> \(entry)")
        let after = name("m")
        scope.flows.append("\(exit) -> \(count) -> \(done) -> [=\(variable) >= 2] \(after)")
        scope.flows.append("\(done) -> [default] \(again)")
        return (begin, after)
    }

    /// A conditional and a default flow that leave an activity.
    private mutating func conditional(_ depth: Int, _ scope: inout Scope) -> (entry: String, exit: String) {
        let (id, merge) = (name("a"), name("xor"))
        let (entry, exit) = sequence(depth - 1, &scope)
        scope.flows.append("\(id) -> [=x > 1] \(entry)")
        scope.flows.append("\(exit) -> \(merge)")
        scope.flows.append("\(id) -> [default] \(merge)")
        return (id, merge)
    }
}

extension String {
    fileprivate func replacingFirstArrow(with text: String) -> String {
        var result = self
        if let range = result.range(of: "->") { result.replaceSubrange(range, with: text) }
        return result
    }
}
