/// Activities: tasks, scopes and what they are marked with.
extension ProcessGenerator {
    /// One activity or event.
    mutating func leaf(_ scope: inout Scope) -> Block {
        switch isQuiet ? random.below(2) : random.below(20) {
        case 0:
            let id = name("m")
            return (id, id)
        case 1:
            let id = name("s")
            scope.nodes.append(
                Model.script(id, "=if n = null then 1 else n + 1", to: random.chance(20) && !isQuiet ? "object" : "n"))
            return (id, id)
        case 2, 3:
            let id = name("c")
            var used: Set<String> = []
            let event = caught(&used)
            let catching = Model.catching(id, event.xml, io: mapping(inputs: false))
            scope.nodes.append(event.isParallel ? Model.parallel(catching) : catching)
            return (id, id)
        case 4, 5:
            guard let event = thrown(isEnd: false) else { return leaf(&scope) }
            let id = name("e")
            scope.nodes.append(
                Model.throwing(id, event, io: random.chance(20) ? Model.io([("=x", "given")], []) : ""))
            return (id, id)
        case 6, 7:
            var used: Set<String> = []
            guard let message = message(unless: &used) else { return leaf(&scope) }
            let id = name("r")
            scope.nodes.append(Model.receive(id, message, io: mapping(), loop: marker()))
            return decorated(id, &scope)
        case 8, 9:
            let id = name("u")
            scope.nodes.append(Model.user(id, io: mapping(), loop: marker()))
            return undoable(id, &scope)
        case 10:
            let id = name("d")
            scope.nodes.append(stored(id))
            return (id, id)
        case 11: return behaving(&scope)
        case 12 where hasDecisions:
            let id = name("rule")
            scope.nodes.append(DecisionText.task(id, "rule", to: random.pick(["y", "n"]), io: mapping()))
            return (id, id)
        default:
            let id = name("a")
            scope.nodes.append(task(id))
            return undoable(id, &scope)
        }
    }

    private mutating func task(_ id: String) -> String {
        let type = random.chance(20) ? "=\"w\" + string(1)" : random.pick(["w1", "w2"])
        let priority = random.chance(20) ? "<zeebe:priorityDefinition priority=\"\(random.below(5))\"/>" : ""
        return Model.task(
            id, type: type, retries: random.chance(30) ? "2" : nil, io: mapping(), extensions: priority,
            loop: marker(), tag: random.chance(20) ? "sendTask" : "serviceTask")
    }

    /// A task that writes a data store.
    private mutating func stored(_ id: String) -> String {
        """
        <scriptTask id="\(id)"><extensionElements><zeebe:script expression="=x" resultVariable="y"/></extensionElements>\
        <dataOutputAssociation><sourceRef>out-\(id)</sourceRef><targetRef>store</targetRef><assignment><from>=y</from>\
        <to>store</to></assignment></dataOutputAssociation></scriptTask>
        """
    }

    mutating func mapping(inputs: Bool = true) -> String {
        guard random.chance(25) else { return "" }
        return Model.io(
            inputs && random.chance(50) ? [("=key", "local"), ("=local", "more.of")] : [],
            random.chance(50) ? [("=x", "y"), ("=y", "nested.y")] : [])
    }

    mutating func marker() -> String {
        guard random.chance(20) else { return "" }
        let sequential = random.chance(50)
        switch random.below(7) {
        case 0: return Model.loop(times: "=2", sequential: sequential)
        case 1: return Model.loop(over: "=[]", as: "item", sequential: sequential, output: ("all", "=item"))
        case 2:
            return Model.loop(
                over: "=[1,2,3]", as: "item", sequential: sequential, until: "=numberOfCompletedInstances >= 2")
        case 3: return Model.loop(times: "=3", sequential: sequential, until: "=x >= 3")
        case 4, 5:
            return Model.standardLoop(
                while: random.chance(50) ? "=x < 3" : nil, testBefore: random.chance(50),
                maximum: String(random.below(4)))
        default: return Model.loop(over: "=[7,8]", as: "item", sequential: sequential, output: ("all", "=item + x"))
        }
    }

    /// A multi-instance task that throws events for its boundary event while it goes on.
    private mutating func behaving(_ scope: inout Scope) -> Block {
        let id = name("a")
        let event = random.pick(["X1"] + (rank < 3 ? ["Msg3", "Sig3"] : []))
        let attributes = random.pick([
            "behavior=\"One\" oneBehaviorEventRef=\"behavior\(event)\"",
            "behavior=\"None\" noneBehaviorEventRef=\"behavior\(event)\"", "behavior=\"Complex\"",
        ])
        var loop = Model.loop(times: "=3", sequential: random.chance(50), until: random.chance(30) ? "=x = 2" : nil)
        if attributes.contains("Complex") {
            loop = loop.replacing("</loopCardinality>", with: "</loopCardinality>" + complexBehavior(event))
        }
        scope.nodes.append(Model.task(id, loop: Model.with(attributes, loop, before: " isSequential=")))
        guard random.chance(70) else { return (id, id) }
        let boundary = name("b")
        let definitions = [
            "X1": Model.onEscalation("X1"), "Msg3": Model.onMessage("msg3"), "Sig3": Model.onSignal("sig3"),
        ]
        scope.nodes.append(
            Model.boundary(
                boundary, on: id, definitions[event] ?? "", interrupting: event == "X1" && random.chance(50)))
        scope.flows.append("\(boundary) -> \(name("a")) -> \(name("end"))")
        return (id, id)
    }

    /// An event thrown as soon as two instances completed.
    private func complexBehavior(_ event: String) -> String {
        let definitions = [
            "X1": Model.onEscalation("X1"), "Msg3": Model.onMessage("msg3"), "Sig3": Model.onSignal("sig3"),
        ]
        return """
            <complexBehaviorDefinition><condition>=numberOfCompletedInstances = 2</condition>\
            <event>\(definitions[event] ?? "")</event></complexBehaviorDefinition>
            """
    }

    // MARK: Compensation

    /// Gives an activity boundary events, and perhaps what undoes it.
    private mutating func undoable(_ id: String, _ scope: inout Scope) -> Block {
        if random.chance(25) { undo(id, &scope) }
        return decorated(id, &scope)
    }

    private mutating func undo(_ id: String, _ scope: inout Scope) {
        let handler = name("undo")
        let element: String
        switch random.below(4) {
        case 0: element = "<manualTask id=\"\(handler)\"/>"
        case 1:
            let outer = isCaught
            isCaught = false
            let inside = content(depth: 0)
            isCaught = outer
            element = Model.sub(handler, inside.flows.joined(separator: "\n"), nodes: inside.nodes)
        case 2: element = Model.user(handler)
        default: element = Model.task(handler, type: "w1", loop: marker())
        }
        scope.nodes += Model.undo(id, by: handler, as: element)
    }

    /// Something that can be compensated, and perhaps is.
    mutating func compensated(_ depth: Int, _ scope: inout Scope) -> Block {
        let entry: Block
        let activity: String
        if random.chance(50) {
            let id = name("a")
            scope.nodes.append(task(id))
            undo(id, &scope)
            activity = id
            entry = (id, id)
        } else {
            entry = subProcess(depth, &scope)
            activity = entry.entry
        }
        let (choice, throwing, merge) = (name("xor"), name("e"), name("xor"))
        scope.nodes.append(
            Model.throwing(throwing, Model.compensate(random.chance(50) ? activity : nil, waits: random.chance(70))))
        scope.flows.append("\(entry.exit) -> \(choice) -> [=x >= 1] \(throwing) -> \(merge)")
        scope.flows.append("\(choice) -> [default] \(merge)")
        return (entry.entry, merge)
    }

    // MARK: Scopes

    mutating func subProcess(_ depth: Int, _ scope: inout Scope) -> Block {
        let id = name("sub")
        let catchesAll = random.chance(50)
        let outer = isCaught
        isCaught = outer || catchesAll
        var inside = content(depth: depth - 1, hasStart: random.chance(80))
        if random.chance(30) { addWayOut(&inside, to: endOfScope()) }
        inside.nodes += handlers(depth: depth)
        isCaught = outer
        if random.chance(15) {
            // It runs when the sub-process has ended, out of reach of its boundary events.
            isCaught = false
            defer { isCaught = outer }
            let content = content(depth: 0)
            inside.nodes.append(
                Model.handler(name("undoing"), on: Model.compensate(), content.startFirst, nodes: content.nodes))
        }
        if random.chance(20) { inside.nodes.append("<dataObject id=\"object-\(id)\" name=\"object\"/>") }
        let io = random.chance(30) ? Model.io([("=key", "inner")], [("=inner", "y")]) : ""
        scope.nodes.append(
            Model.sub(id, inside.flows.joined(separator: "\n"), nodes: inside.nodes, io: io, loop: marker()))
        if random.chance(15) { undo(id, &scope) }
        return decorated(id, catchesAll: catchesAll, &scope)
    }

    private mutating func endOfScope() -> String {
        isCaught && random.chance(60) ? Model.onError("error-\(random.pick(Self.errors))") : Model.terminate
    }

    mutating func transaction(_ depth: Int, _ scope: inout Scope) -> Block {
        let id = name("transaction")
        var inside = content(depth: depth - 1)
        addWayOut(&inside, to: Model.cancel)
        inside.nodes += handlers(depth: depth)
        scope.nodes.append(
            Model.transaction(id, inside.flows.joined(separator: "\n"), nodes: inside.nodes, loop: marker()))
        return decorated(id, cancels: true, &scope)
    }

    /// Beside what a scope does, a way to an end event that does more than end.
    private mutating func addWayOut(_ inside: inout Scope, to event: String) {
        let (fork, choice, end) = (name("and"), name("xor"), name("endX"))
        inside.nodes.append(Model.end(end, event))
        let (side, sideEnd) = sequence(0, &inside)
        inside.flows = inside.flows.map { flow in
            flow.hasPrefix("start") ? flow.replacingFirst("->", with: "-> \(fork) ->") : flow
        }
        if inside.flows.contains(where: { $0.contains(" \(fork) ") }) { inside.flows.append("\(fork) -> \(side)") }
        inside.flows.append("\(sideEnd) -> \(choice) -> [=x = 2] \(end)")
        inside.flows.append("\(choice) -> [default] \(name("end"))")
    }

    mutating func adHoc(_ depth: Int, _ scope: inout Scope) -> Block {
        let id = name("adhoc")
        var inside = Scope()
        for _ in 0..<1 + random.below(3) {
            let activity = name(random.pick(["a", "a", "m"]))
            switch random.below(4) {
            case 0: inside.flows.append("\(activity) -> \(name("m"))")
            case 1 where depth > 1:
                let (entry, exit) = subProcess(1, &inside)
                inside.flows.append(entry)
                if exit != entry { inside.flows.append("\(exit) -> \(name("m"))") }
            default: inside.flows.append(activity)
            }
        }
        inside.nodes += handlers(depth: depth)
        scope.nodes.append(
            Model.adHoc(
                id, inside.flows.joined(separator: "\n"), nodes: inside.nodes, sequential: random.chance(50),
                until: random.chance(30) ? random.pick(["=x >= 2", "=x != 1"]) : nil,
                cancelsRemaining: random.chance(60)))
        return decorated(id, &scope)
    }

    mutating func call(_ scope: inout Scope) -> Block {
        // What a called process throws may be of any rank.
        guard !callable.isEmpty, rank == 0 else { return leaf(&scope) }
        let id = name("call")
        let attributes = random.pick([
            "", "bindingType=\"deployment\"", "propagateAllChildVariables=\"false\"",
        ])
        scope.nodes.append(
            Model.call(
                id, random.chance(20) ? "=\"\(random.pick(callable))\"" : random.pick(callable), attributes: attributes,
                io: random.chance(20) ? Model.io([("=1", "given")], [("=n", "got")]) : "", loop: marker()))
        return undoable(id, &scope)
    }
}
