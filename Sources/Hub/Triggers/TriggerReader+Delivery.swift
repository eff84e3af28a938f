import HubDocuments
import Values

/// Order, places, acknowledgement, the inbox, alerts: how events are taken, apart from what they do.
extension TriggerReader {
    func ordering() -> OrderingDeclaration? {
        guard let node = self.root.node("ordering"), node.content != .string("none"),
            let reader = self.root.mapping("ordering")
        else { return nil }
        let key = reader.requiredNode("key", example: "key: \"=data.orderId\"").flatMap { reader.expression("key", $0) }
        let onFailure = reader.word("onFailure", OrderingDeclaration.OnFailure.self) ?? .parkKey
        reader.finish()
        return key.map { OrderingDeclaration(key: $0, onFailure: onFailure) }
    }

    func concurrency(
        _ ordering: OrderingDeclaration?, _ type: SourceType?
    ) -> (max: Int, perKey: Int, whenFull: WhenFull) {
        let standard = TriggerDeclaration.concurrencyStandard
        guard let reader = self.root.mapping("concurrency") else { return (standard, 1, .pause) }
        let max = reader.integer("max", in: 1...10_000) ?? standard
        let perKey = reader.integer("perKey", in: 1...10_000) ?? 1
        if let node = reader.node("perKey"), ordering == nil {
            self.log.error(
                .contradiction,
                "\"concurrency.perKey\" limits the events of an ordering key, but there is no ordering.",
                remedy: "Add ordering: { key: \"=…\" }, or remove perKey.", at: node.position)
        }
        var whenFull = WhenFull.pause
        if let node = reader.node("whenFull"), [.string("queue"), .string("cancelOldest")].contains(node.content) {
            self.log.error(
                .notSupported,
                "\"concurrency.whenFull\": events wait at their source, which keeps them; a queue of the hub's own, and "
                    + "cancelling instances that run, are not supported.",
                remedy: "Write whenFull: pause.", at: node.position)
        } else {
            whenFull = reader.word("whenFull", WhenFull.self) ?? .pause
        }
        if let node = reader.node("whenFull"), whenFull == .reject, type?.isPushed == false {
            self.log.error(
                .contradiction, "A source of type \(type?.name ?? "") has no sender that could be told to come back.",
                remedy: "Write whenFull: pause.", at: node.position)
        }
        reader.finish()
        return (max, perKey, whenFull)
    }

    func acknowledgement(_ type: SourceType?, _ target: TriggerTarget?) -> AcknowledgementDeclaration {
        var declared = AcknowledgementDeclaration()
        guard let reader = self.root.mapping("ack") else { return declared }
        declared.moment = reader.word("at", AcknowledgementDeclaration.Moment.self) ?? .accepted
        declared.holdMax = reader.duration("maxHold", in: .seconds(1)...(.seconds(43_200)))
        reader.finish()
        let place = reader.node("at")?.position
        switch declared.moment {
        case .received, .accepted:
            break
        case .correlated:
            if target?.mode == .start || target?.mode == .signal || target?.mode == .capability {
                self.contradiction(
                    "ack.at: correlated needs a target that correlates, but its mode is \(target?.mode.rawValue ?? "").",
                    remedy: "Write at: accepted.", at: place)
            } else if case .buffer? = target?.noMatch {
                self.contradiction(
                    "ack.at: correlated cannot hold while onNoMatch keeps messages nobody waits for.",
                    remedy: "Write at: accepted, or onNoMatch: dlq.", at: place)
            }
        case .completed:
            if target?.mode != .start {
                self.contradiction(
                    "ack.at: completed waits for the instance an event starts, but the target's mode is "
                        + "\(target?.mode.rawValue ?? "").",
                    remedy: "Write at: accepted.", at: place)
            }
            guard let hold = declared.holdMax else {
                self.log.error(
                    .missingKey, "ack.at: completed needs \"maxHold\": how long an event may stay unacknowledged.",
                    remedy: "Add one, for example: maxHold: 4m", at: place)
                return declared
            }
            if let limit = type?.holdMax, hold >= limit {
                self.contradiction(
                    "ack.maxHold of \(Quantity.text(hold)) is longer than a source of type \(type?.name ?? "") keeps an "
                        + "event for us: after \(Quantity.text(limit)) it is given to somebody else.",
                    remedy: "Write less than \(Quantity.text(limit)), or at: accepted.", at: place)
            }
        }
        return declared
    }

    func inbox() -> Duration? {
        guard let reader = self.root.mapping("inbox") else { return nil }
        _ = reader.requiredNode("retain", example: "retain: 7d")
        let retain = reader.duration("retain", in: .seconds(60)...(.seconds(86_400 * 3_650)))
        reader.finish()
        return retain
    }

    func observation() -> ObservationDeclaration {
        var declared = ObservationDeclaration()
        guard let reader = self.root.mapping("observe") else { return declared }
        declared.lagAlert = reader.duration("lagAlert", in: .seconds(1)...(.seconds(86_400 * 30)))
        declared.stallAfter = reader.duration("stallAfter", in: .seconds(1)...(.seconds(86_400)))
        reader.refuse("sample", "every event is counted; traces are sampled by the exporter.", remedy: "Remove it.")
        reader.finish()
        return declared
    }

    private func contradiction(_ message: String, remedy: String, at position: DocumentPosition?) {
        self.log.error(.contradiction, message, remedy: remedy, at: position)
    }
}
