import Foundation

/// Random BPMN documents over every element, whose instances can be brought to their end.
///
/// A block has one entry and one exit, so tokens that split meet again; interrupting boundary events lead back to the
/// exit of their activity, non-interrupting ones to an end of their own. Only nodes whose id begins with `w` and ad-hoc
/// sub-processes with a condition may wait for something that never comes. Conditions read `x`, correlation keys `key`.
///
/// What handles an event throws and waits for events of a higher rank only, so no model sets itself in motion for ever.
struct ProcessGenerator {
    var random: SplitMix64
    private var counter = 0
    /// Whether error end events inside have somebody to catch them.
    var isCaught = false
    var callable: [String] = []
    /// Only events of a higher rank may be thrown and waited for.
    var rank = 0
    /// Whether there is a decision to call.
    let hasDecisions: Bool
    /// Whether activities end by themselves: where what they do may set in motion what performs them.
    var isQuiet = false

    static let messages = ["msg1", "msg2", "msg3"]
    static let signals = ["sig1", "sig2", "sig3"]
    static let errors = ["E1", "E2"]
    static let escalations = ["X1", "X2"]
    /// What only begins processes.
    static let startMessages = ["go", "go2"]
    static let startSignal = "goSignal"
    /// The rank of what begins processes.
    static let startRank = 7

    /// What business rule tasks call.
    static let decisions = DecisionText.model(
        "rules", DecisionText.input("x"), DecisionText.table("rule", on: "x", [("[1..2]", "x + 1"), ("3", "null")]))

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        hasDecisions = random.chance(25)
    }

    struct Scope {
        var flows: [String] = []
        var nodes: [String] = []
    }

    typealias Block = (entry: String, exit: String)

    /// A document whose process `p` may call others of it; beside it stand some that begin in other ways.
    mutating func document() -> String {
        var definitions: [String] = []
        for id in ["q1", "q2"] {
            definitions.append(definition(id, depth: 1))
            callable.append(id)
        }
        definitions.append(definition("p", depth: 3))
        rank = Self.startRank
        var starters = [
            "message", "timer", "signal", "any", "all", "gate", "gateAll", "receive", "implicit", "condition",
        ]
        for _ in 0..<2 {
            let kind = starters.remove(at: random.below(starters.count))
            definitions.append(started(by: kind))
        }
        let root =
            Self.messages.map { Model.message($0) } + Self.startMessages.map { Model.message($0, key: nil) }
            + (Self.signals + [Self.startSignal]).map { Model.signal($0) }
            + Self.errors.map { Model.error("error-\($0)", $0) } + Self.escalations.map { Model.escalation($0) }
            + [
                "<escalationEventDefinition id=\"behaviorX1\" escalationRef=\"X1\"/>",
                "<signalEventDefinition id=\"behaviorSig3\" signalRef=\"sig3\"/>",
                "<messageEventDefinition id=\"behaviorMsg3\" messageRef=\"msg3\"/>",
                "<dataStore id=\"store\" name=\"store\"/>",
            ]
        return Model.document(definitions, root: root)
    }

    private mutating func definition(_ id: String, depth: Int) -> String {
        isCaught = false
        var scope = content(depth: depth)
        scope.nodes += handlers(depth: depth)
        if random.chance(30) { scope.nodes.append("<dataObject id=\"object-\(id)\" name=\"object\"/>") }
        return Model.definition(scope.flows.joined(separator: "\n"), id: id, nodes: scope.nodes)
    }

    mutating func name(_ prefix: String) -> String {
        counter += 1
        return "\(prefix)\(counter)"
    }

    // MARK: Beginnings

    /// A process that begins otherwise than by a none start event.
    private mutating func started(by kind: String) -> String {
        let id = "by-" + kind
        isCaught = false
        var scope = Scope()
        let (entry, exit) = sequence(0, &scope)
        let start = name("start")
        let go = Model.onMessage(random.pick(Self.startMessages))
        let signal = Model.onSignal(Self.startSignal)
        switch kind {
        case "message": scope.nodes.append(Model.start(start, go))
        case "timer": scope.nodes.append(Model.start(start, Model.timer("timeCycle", "R2/PT25S")))
        case "signal": scope.nodes.append(Model.start(start, signal))
        case "condition": scope.nodes.append(Model.start(start, Model.onCondition("=x > 1")))
        case "any": scope.nodes.append(Model.start(start, go + signal))
        case "all": scope.nodes.append(Model.parallel(Model.start("w" + start, go + signal)))
        case "gate", "gateAll":
            let gate = name("w")
            scope.nodes.append(Model.instantiating(gate, parallel: kind == "gateAll"))
            for (position, event) in [go, signal].enumerated() {
                let id = name("c")
                scope.nodes.append(Model.catching(id, event))
                scope.flows.append("\(gate) -> \(id) -> \(kind == "gate" || position == 0 ? entry : name("m"))")
            }
        case "receive":
            let id = name("r")
            scope.nodes.append(Model.with("instantiate=\"true\"", Model.receive(id, "go")))
            scope.flows.append("\(id) -> \(entry)")
        default:
            let (other, end) = leaf(&scope)
            scope.flows.append(other)
            scope.flows.append("\(end) -> \(name("end"))")
        }
        switch kind {
        case "message", "timer", "signal", "any", "condition": scope.flows.append("\(start) -> \(entry)")
        case "all": scope.flows.append("w\(start) -> \(entry)")
        default: break
        }
        scope.flows.append("\(exit) -> \(name("end"))")
        return Model.definition(scope.flows.joined(separator: "\n"), id: id, nodes: scope.nodes)
    }

    // MARK: Blocks

    /// A start event or none, one to three blocks, an end event.
    mutating func content(depth: Int, hasStart: Bool = true) -> Scope {
        var scope = Scope()
        let (entry, exit) = sequence(depth, &scope)
        scope.flows.append(hasStart ? "\(name("start")) -> \(entry)" : entry)
        let end = name("end")
        scope.flows.append("\(exit) -> \(end)")
        if random.chance(20), let event = thrown(isEnd: true) { scope.nodes.append(Model.end(end, event)) }
        return scope
    }

    mutating func sequence(_ depth: Int, _ scope: inout Scope) -> Block {
        let (entry, first) = block(depth, &scope)
        var exit = first
        for _ in 0..<random.below(3) {
            let (next, last) = block(depth, &scope)
            scope.flows.append("\(exit) -> \(next)")
            exit = last
        }
        return (entry, exit)
    }

    private mutating func block(_ depth: Int, _ scope: inout Scope) -> Block {
        guard depth > 0 else { return leaf(&scope) }
        switch random.below(32) {
        case 0, 1: return exclusive(depth, &scope)
        case 2, 3: return parallel(depth, &scope)
        case 4, 5: return inclusive(depth, &scope)
        case 6: return complexJoin(depth, &scope)
        case 7, 8, 9: return subProcess(depth, &scope)
        case 10: return transaction(depth, &scope)
        case 11: return adHoc(depth, &scope)
        case 12: return call(&scope)
        case 13: return loop(depth, &scope)
        case 14: return conditional(depth, &scope)
        case 15, 16: return eventGateway(depth, &scope)
        case 17, 18: return compensated(depth, &scope)
        case 19: return quantities(&scope)
        case 20: return linked(depth, &scope)
        case 21: return crossing(depth, &scope)
        default: return leaf(&scope)
        }
    }

    // MARK: Gateways

    private mutating func exclusive(_ depth: Int, _ scope: inout Scope) -> Block {
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

    private mutating func parallel(_ depth: Int, _ scope: inout Scope) -> Block {
        let (split, join) = (name("and"), name("and"))
        for _ in 0..<2 + random.below(2) {
            let (entry, exit) = sequence(depth - 1, &scope)
            scope.flows.append("\(split) -> \(entry)")
            scope.flows.append("\(exit) -> \(join)")
        }
        if random.chance(20) { scope.flows.append("\(split) -> \(join)") }
        return (split, join)
    }

    private mutating func inclusive(_ depth: Int, _ scope: inout Scope) -> Block {
        let (split, join) = (random.chance(70) ? name("ior") : name("and"), name("ior"))
        for condition in ["[=x >= 1]", "[=x >= 2]", "[=x != 3]"].prefix(2 + random.below(2)) {
            let (entry, exit) = sequence(depth - 1, &scope)
            scope.flows.append("\(split) -> \(split.hasPrefix("and") ? "" : condition) \(entry)")
            scope.flows.append("\(exit) -> \(join)")
        }
        if split.hasPrefix("ior") { scope.flows.append("\(split) -> [default] \(join)") }
        return (split, join)
    }

    /// Branches of which some are enough: the complex gateway fires early and takes the others' tokens later.
    private mutating func complexJoin(_ depth: Int, _ scope: inout Scope) -> Block {
        let (split, join) = (name("and"), name("wcomplex"))
        let count = 2 + random.below(2)
        for _ in 0..<count {
            let (entry, exit) = sequence(depth - 1, &scope)
            scope.flows.append("\(split) -> \(entry)")
            scope.flows.append("\(exit) -> \(join)")
        }
        scope.nodes.append(
            Model.complex(join, when: random.chance(20) ? nil : "=activationCount >= \(1 + random.below(count))"))
        guard random.chance(30) else { return (split, join) }
        // A token for the start, and one for the reset.
        let (exit, late) = (name("xor"), name("m"))
        scope.flows.append("\(join) -> [=waitingForStart != false] \(exit)")
        scope.flows.append("\(join) -> [=waitingForStart = false] \(late) -> \(name("end"))")
        return (split, exit)
    }

    /// Branches that meet at inclusive gateways in no block structure.
    private mutating func crossing(_ depth: Int, _ scope: inout Scope) -> Block {
        let (split, choice, first, second) = (name("ior"), name("xor"), name("wior"), name("wior"))
        scope.nodes += ["<inclusiveGateway id=\"\(first)\"/>", "<inclusiveGateway id=\"\(second)\"/>"]
        let (left, leftEnd) = sequence(depth - 1, &scope)
        let (right, rightEnd) = sequence(depth - 1, &scope)
        let between = name("m")
        scope.flows.append("\(split) -> [=x != 1] \(left)")
        scope.flows.append("\(leftEnd) -> \(first)")
        scope.flows.append("\(split) -> [default] \(right)")
        if random.chance(50) { scope.flows.append("\(split) -> [=x >= 2] \(second)") }
        scope.flows.append("\(rightEnd) -> \(choice) -> [=x = 2] \(first)")
        scope.flows.append("\(choice) -> [default] \(second)")
        scope.flows.append("\(first) -> \(between) -> \(second)")
        return (split, second)
    }

    private mutating func eventGateway(_ depth: Int, _ scope: inout Scope) -> Block {
        let (gate, merge) = (name("gate"), name("xor"))
        var used: Set<String> = []
        for _ in 0..<2 + random.below(2) {
            let id = name("c")
            if random.chance(25), let message = message(unless: &used) {
                scope.nodes.append(Model.receive(id, message))
            } else {
                let event = caught(&used)
                let catching = Model.catching(id, event.xml)
                scope.nodes.append(event.isParallel ? Model.parallel(catching) : catching)
            }
            let (entry, exit) = sequence(depth - 1, &scope)
            scope.flows.append("\(gate) -> \(id) -> \(entry)")
            scope.flows.append("\(exit) -> \(merge)")
        }
        return (gate, merge)
    }

    // MARK: Flows

    private mutating func loop(_ depth: Int, _ scope: inout Scope) -> Block {
        let (begin, done, count, variable) = (name("s"), name("xor"), name("s"), name("v"))
        let again = random.chance(30) ? name("ior") : name("xor")
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
    private mutating func conditional(_ depth: Int, _ scope: inout Scope) -> Block {
        let (id, merge) = (name("a"), name("xor"))
        let (entry, exit) = sequence(depth - 1, &scope)
        scope.flows.append("\(id) -> [=x > 1] \(entry)")
        scope.flows.append("\(exit) -> \(merge)")
        scope.flows.append("\(id) -> [default] \(merge)")
        return (id, merge)
    }

    private mutating func linked(_ depth: Int, _ scope: inout Scope) -> Block {
        let (entry, exit) = sequence(depth - 1, &scope)
        let link = name("link")
        scope.nodes.append(Model.throwing("from-\(link)", Model.link(link)))
        scope.nodes.append(Model.catching("to-\(link)", Model.link(link)))
        scope.flows.append("\(exit) -> from-\(link)")
        let after = name("m")
        scope.flows.append("to-\(link) -> \(after)")
        return (entry, after)
    }

    /// Tokens that multiply and are gathered again.
    private mutating func quantities(_ scope: inout Scope) -> Block {
        let count = 2 + random.below(2)
        let (spread, gather) = (name("a"), name("wgather"))
        scope.nodes.append(Model.with("completionQuantity=\"\(count)\"", Model.task(spread, type: "w1")))
        scope.nodes.append(Model.with("startQuantity=\"\(count)\"", Model.task(gather, type: "w2")))
        if random.chance(50) {
            scope.flows.append("\(spread) -> \(gather)")
        } else {
            scope.flows.append("\(spread) -> \(name("a")) -> \(gather)")
        }
        return (spread, gather)
    }
}
