import Decisions
import HubDocuments
import Values

extension TriggerReader {
    func target() -> TriggerTarget? {
        guard let reader = self.root.requiredMapping("target", example: "target: { mode: start, workflow: order }"),
            reader.requiredNode("mode", example: "mode: start") != nil,
            let mode = reader.word("mode", TriggerTarget.Mode.self)
        else { return nil }
        var target = TriggerTarget(mode: mode, noMatch: .start, manyMatches: .error)
        switch mode {
        case .start:
            self.readStart(reader, &target)
            self.refuse(
                ["message", "correlationKey", "onNoMatch", "onManyMatches"], in: reader, "a start has no message.")
        case .startOrCorrelate:
            self.readStart(reader, &target)
            self.readMessage(reader, &target)
        case .correlate:
            self.readMessage(reader, &target)
            self.refuse(
                ["workflow", "version", "businessKey"], in: reader, "only starting needs it.",
                remedy: "Remove it, or write mode: startOrCorrelate.")
        case .signal:
            target.event = reader.requiredString("signal", example: "signal: stock-changed")
            self.refuse(["workflow", "message", "correlationKey"], in: reader, "a signal reaches everybody.")
        case .capability:
            let connection = reader.requiredName("connection", example: "connection: warehouse")
            let operation = reader.requiredString("operation", example: "operation: reserve")
            var input: ValueTemplate?
            if let node = reader.node("input") { input = ValueTemplate(node, key: "input", reader: reader) }
            if let connection, let operation {
                target.call = TriggerTarget.Call(connection: connection, operation: operation, input: input)
            }
            self.refuse(["workflow", "message", "correlationKey"], in: reader, "a call starts no process.")
        }
        reader.finish()
        guard target.workflow != nil || target.event != nil || target.call != nil else { return nil }
        return target
    }

    private func readStart(_ reader: MappingReader, _ target: inout TriggerTarget) {
        target.workflow = reader.requiredName("workflow", example: "workflow: order-intake")
        if let node = reader.node("version"), node.content != .string("latest") {
            target.version = reader.integer("version", in: 1...1_000_000_000)
        }
        target.businessKey = reader.expression("businessKey")
    }

    private func readMessage(_ reader: MappingReader, _ target: inout TriggerTarget) {
        target.event = reader.requiredString("message", example: "message: order-updated")
        target.correlationKey = reader.requiredNode("correlationKey", example: "correlationKey: \"=data.orderId\"")
            .flatMap { reader.expression("correlationKey", $0) }
        target.manyMatches = reader.word("onManyMatches", TriggerTarget.ManyMatches.self) ?? .error
        let starts = target.mode == .startOrCorrelate
        target.noMatch = starts ? .start : .buffer(TriggerTarget.bufferStandard)
        guard let node = reader.node("onNoMatch") else { return }
        let (action, ttl): (String?, Duration?)
        if case .string(let word) = node.content {
            (action, ttl) = (word, nil)
        } else {
            let mapping = MappingReader(node, path: reader.path(of: "onNoMatch"), log: self.log)
            action = mapping.requiredString("action", example: "action: buffer")
            ttl = mapping.duration("ttl", in: .seconds(1)...(.seconds(86_400 * 365)))
            mapping.finish()
            if ttl != nil, action != "buffer" {
                self.log.error(
                    .contradiction, "\"\(mapping.path(of: "ttl"))\" belongs to the action buffer.",
                    remedy: "Remove it.", at: node.position)
            }
        }
        switch action {
        case "start" where starts: target.noMatch = .start
        case "buffer": target.noMatch = .buffer(ttl ?? TriggerTarget.bufferStandard)
        case "dlq": target.noMatch = .dlq
        case "ack": target.noMatch = .ack
        case nil: break
        default:
            reader.reject(
                "onNoMatch", node,
                expected: (starts ? ["start"] : []).joined() + (starts ? ", " : "") + "buffer, dlq, ack",
                remedy: action == "start" ? "Write mode: startOrCorrelate, with a workflow." : nil)
        }
        if starts, target.noMatch != .start {
            self.log.error(
                .contradiction,
                "A target of mode startOrCorrelate starts when nobody waits, but onNoMatch says otherwise.",
                remedy: "Write mode: correlate, or remove onNoMatch.", at: node.position)
        }
    }

    private func refuse(
        _ keys: [String], in reader: MappingReader, _ reason: String, remedy: String = "Remove it."
    ) {
        for key in keys { reader.refuse(key, reason, remedy: remedy) }
    }
}
