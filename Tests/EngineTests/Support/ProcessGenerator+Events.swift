/// Events in every position.
extension ProcessGenerator {
    struct CaughtEvent {
        var xml: String
        var isParallel = false
        /// What handles it may throw only what ranks higher.
        var rank = 0
        /// Whether what handles it may make it occur again.
        var isQuiet = false
        /// Whether it occurs by itself.
        var isTimer = false
    }

    /// An event to wait for; `used` holds what may stand only once in its place.
    mutating func caught(_ used: inout Set<String>, repeats: Bool = false) -> CaughtEvent {
        guard random.chance(20) else { return single(&used, repeats: repeats) }
        let (first, second) = (single(&used, repeats: repeats), single(&used, repeats: repeats))
        // Two timers of an event that stays would go on for ever.
        return CaughtEvent(
            xml: first.xml + second.xml, isParallel: random.chance(50) && !(first.isTimer && second.isTimer),
            rank: max(first.rank, second.rank), isQuiet: first.isQuiet || second.isQuiet)
    }

    private mutating func single(_ used: inout Set<String>, repeats: Bool) -> CaughtEvent {
        switch random.below(8) {
        case 0, 1:
            if let message = message(unless: &used) {
                return CaughtEvent(xml: Model.onMessage(message), rank: Self.rank(of: message))
            }
        case 2, 3:
            let signals = Self.signals.filter { Self.rank(of: $0) > rank }
            if !signals.isEmpty {
                let signal = random.pick(signals)
                return CaughtEvent(xml: Model.onSignal(signal), rank: Self.rank(of: signal))
            }
        case 4, 5:
            return CaughtEvent(
                xml: Model.onCondition(random.pick(["=x = 2", "=x >= 3", "=x = 0", "=object = 1"])), isQuiet: true)
        default: break
        }
        if repeats, random.chance(50) { return CaughtEvent(xml: Model.timer("timeCycle", "R2/PT4S"), isTimer: true) }
        return CaughtEvent(
            xml: random.pick([
                Model.duration("PT10S"), Model.duration("=\"PT5S\""), Model.timer("timeDate", "2026-01-01T00:00:30Z"),
            ]), isTimer: true)
    }

    /// A message to wait for that is not used yet.
    mutating func message(unless used: inout Set<String>) -> String? {
        Self.messages.shuffled(using: &random).first { Self.rank(of: $0) > rank && used.insert($0).inserted }
    }

    private static func rank(of name: String) -> Int { ((messages + signals).firstIndex(of: name) ?? 0) + 1 }

    /// An event to throw, of a rank allowed here; nil when there is none.
    mutating func thrown(isEnd: Bool) -> String? {
        switch random.below(10) {
        case 0, 1: return Model.onEscalation(random.pick(Self.escalations))
        case 2, 3: return Model.compensate(waits: random.chance(70))
        case 4 where isCaught && isEnd: return Model.onError("error-\(random.pick(Self.errors))")
        default: break
        }
        let names = (Self.messages + Self.signals).filter { Self.rank(of: $0) > rank }
        guard !names.isEmpty, !isQuiet else { return nil }
        let name = random.pick(names)
        let event = name.hasPrefix("msg") ? Model.onMessage(name) : Model.onSignal(name)
        guard random.chance(20) else { return event }
        return event + Model.onEscalation(random.pick(Self.escalations))
    }

    // MARK: Event sub-processes

    /// Event sub-processes for a scope: up to two, with different triggers.
    mutating func handlers(depth: Int) -> [String] {
        guard random.chance(35) else { return [] }
        var used: Set<String> = []
        return (0..<1 + random.below(2)).compactMap { _ in handler(depth: depth, &used) }
    }

    private mutating func handler(depth: Int, _ used: inout Set<String>) -> String? {
        var event: CaughtEvent
        var interrupting = random.chance(50)
        switch random.below(6) {
        case 0:
            let code: String? = random.chance(50) ? nil : random.pick(Self.errors)
            guard used.insert("error \(code ?? "")").inserted else { return nil }
            event = CaughtEvent(xml: Model.onError(code.map { "error-\($0)" }))
            interrupting = true
        case 1:
            let code: String? = random.chance(50) ? nil : random.pick(Self.escalations)
            guard used.insert("escalation \(code ?? "")").inserted else { return nil }
            event = CaughtEvent(xml: Model.onEscalation(code))
        default: event = caught(&used, repeats: !interrupting)
        }
        let (outerRank, outerQuiet) = (rank, isQuiet)
        defer { (rank, isQuiet) = (outerRank, outerQuiet) }
        rank = max(rank, event.rank)
        isQuiet = isQuiet || event.isQuiet && !interrupting
        let inside = content(depth: 0)
        let handler = Model.handler(
            name("handler"), on: event.xml, interrupting: interrupting, inside.startFirst, nodes: inside.nodes,
            io: random.chance(15) ? Model.io([], [("=x", "y")]) : "")
        return event.isParallel
            ? handler.replacingFirst("<startEvent ", with: "<startEvent parallelMultiple=\"true\" ") : handler
    }

    // MARK: Boundary events

    /// Puts boundary events on an activity.
    mutating func decorated(
        _ id: String, catchesAll: Bool = false, cancels: Bool = false, _ scope: inout Scope
    ) -> Block {
        guard catchesAll || cancels || random.chance(40) else { return (id, id) }
        let exit = name("xor")
        scope.flows.append("\(id) -> \(exit)")
        if cancels { attach(to: id, CaughtEvent(xml: Model.cancel), interrupting: true, exit, &scope) }
        if catchesAll {
            attach(to: id, CaughtEvent(xml: Model.onError(nil)), interrupting: true, exit, &scope)
        } else if random.chance(30) {
            attach(
                to: id, CaughtEvent(xml: Model.onError("error-\(random.pick(Self.errors))")), interrupting: true, exit,
                &scope)
        }
        if random.chance(25) {
            attach(
                to: id, CaughtEvent(xml: Model.onEscalation(random.chance(50) ? nil : random.pick(Self.escalations))),
                interrupting: random.chance(50), exit, &scope)
        }
        var used: Set<String> = []
        for _ in 0..<random.below(3) {
            let interrupting = random.chance(50)
            attach(to: id, caught(&used, repeats: !interrupting), interrupting: interrupting, exit, &scope)
        }
        return (id, exit)
    }

    private mutating func attach(
        to activity: String, _ event: CaughtEvent, interrupting: Bool, _ exit: String, _ scope: inout Scope
    ) {
        let id = name("b")
        let boundary = Model.boundary(
            id, on: activity, event.xml, interrupting: interrupting,
            io: random.chance(20) ? Model.io([], [("=x", "y")]) : "")
        scope.nodes.append(event.isParallel ? Model.parallel(boundary) : boundary)
        let handler = event.isQuiet || random.chance(50) ? name("m") : name("a")
        scope.flows.append("\(id) -> \(handler) -> \(interrupting ? exit : name("end"))")
    }
}

extension ProcessGenerator.Scope {
    /// The flows, the one of the start event first.
    var startFirst: String {
        let isStart = { (flow: String) in flow.hasPrefix("start") }
        return (flows.filter(isStart) + flows.filter { !isStart($0) }).joined(separator: "\n")
    }
}
