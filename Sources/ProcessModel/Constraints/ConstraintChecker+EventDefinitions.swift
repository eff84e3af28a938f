import Values

/// Event definitions, links and compensation (BPMN 2.0.2 clauses 10.5.5 and 10.7).
extension ConstraintChecker {
    func checkEventDefinition(_ definition: XMLElement, _ kind: ElementKind) {
        checkUsers(of: definition)
        guard isExecutable(definition) else { return }
        switch kind {
        case .timerEventDefinition: checkTimer(definition)
        case .messageEventDefinition: checkMessage(definition)
        case .conditionalEventDefinition: checkCondition(definition)
        default: break
        }
    }

    /// Rule 095: what is thrown is defined for one event alone.
    private func checkUsers(of definition: XMLElement) {
        guard let referring = index.definitionUsers[definition.index] else { return }
        var users = referring.map { document.element(at: Int($0)) }
        if let owner = definition.parent, !traits(owner).isDisjoint(with: .event) { users.append(owner) }
        guard users.count > 1, let thrower = users.first(where: { traits($0).contains(.throwEvent) }) else { return }
        report(
            .sharedThrowDefinition, at: thrower,
            "Expected only \(called(thrower)) to use \(called(definition)), but \(users.count) events do.")
    }

    // MARK: Timers, messages, conditions

    private func checkTimer(_ definition: XMLElement) {
        let values = definition.children.filter {
            switch kind($0) {
            case .timeDate, .timeCycle, .timeDuration: true
            default: false
            }
        }
        if values.count > 1 {
            report(
                .severalTimerValues, at: definition,
                "Expected one of timeDate, timeCycle and timeDuration, but found \(values.count).")
        }
        for value in values {
            let text = value.text
            guard !text.isEmpty, !text.hasPrefix("="), !text.contains("${"), !text.contains("#{") else { continue }
            switch kind(value) {
            case .timeDate where DateTime(text) == nil && CalendarDate(text) == nil:
                report(.timerDate, at: value, "Expected an ISO 8601 date, but found \"\(text)\".")
            case .timeCycle where ISO8601Repetition(text) == nil:
                report(.timerCycle, at: value, "Expected an ISO 8601 repeating interval, but found \"\(text)\".")
            case .timeDuration where ISO8601Duration(text) == nil:
                report(.timerDuration, at: value, "Expected an ISO 8601 duration, but found \"\(text)\".")
            default: continue
            }
        }
    }

    private func checkMessage(_ definition: XMLElement) {
        if value("messageRef", of: definition) == nil {
            report(
                .messageEventWithoutMessage, at: definition, "Expected a messageRef, but there is none.")
        }
        if part(.operationRef, of: definition) == nil {
            report(
                .messageEventWithoutOperation, at: definition, "Expected an operationRef, but there is none.")
        }
    }

    private func checkCondition(_ definition: XMLElement) {
        let condition = part(.condition, of: definition)
        guard let condition, isFormal(condition, .condition), !condition.text.isEmpty else {
            report(
                .condition, at: definition,
                "Expected a formal condition, but "
                    + (condition == nil ? "there is none." : "it is empty or not marked as a formal expression."))
            return
        }
    }

    // MARK: Links

    func checkLink(_ definition: XMLElement, of event: XMLElement, _ kind: ElementKind) {
        switch kind {
        case .intermediateThrowEvent: checkThrowingLink(definition, of: event)
        case .intermediateCatchEvent: checkCatchingLink(definition, of: event)
        default: return
        }
    }

    private func checkThrowingLink(_ definition: XMLElement, of event: XMLElement) {
        let explicit = part(.target, of: definition).map { link(named: $0.text) }
        let targets: [XMLElement]
        if let explicit {
            targets = explicit.map { [$0] } ?? []
        } else {
            targets = namesakes(of: definition, in: .intermediateCatchEvent)
        }
        let reachable = targets.filter { $0.parent?.parent?.index == event.parent?.index }
        if reachable.count != 1 {
            if reachable.isEmpty, let target = targets.first {
                report(
                    .linkAcrossLevels, at: event,
                    "Expected the link \(name(of: definition)) to stay on its level, but its target stands in "
                        + "\((target.parent?.parent).map(called) ?? "another").")
            } else {
                report(
                    .linkTargets, at: event,
                    "Expected one target of the link \(name(of: definition)), but there are \(reachable.count).")
            }
        }
        for target in reachable {
            let sources = texts(.source, of: target)
            guard !sources.isEmpty, !sources.contains(where: { link(named: $0)?.index == definition.index }) else {
                continue
            }
            report(
                .linkPartnersDisagree, at: event,
                "Expected the target of \(called(event)) to name it as a source, but it names others.")
        }
    }

    private func checkCatchingLink(_ definition: XMLElement, of event: XMLElement) {
        let named = texts(.source, of: definition).compactMap { link(named: $0) }
        for source in named {
            guard let target = part(.target, of: source), link(named: target.text)?.index != definition.index else {
                continue
            }
            report(
                .linkPartnersDisagree, at: event,
                "Expected the source of \(called(event)) to lead there, but it leads to \(target.text).")
        }
        let sources =
            named + (index.linkSources[definition.index] ?? []).map { document.element(at: Int($0)) }
            + (index.linkSources[event.index] ?? []).map { document.element(at: Int($0)) }
            + namesakes(of: definition, in: .intermediateThrowEvent)
        guard !sources.contains(where: { $0.parent?.parent?.index == event.parent?.index }) else { return }
        report(
            .linkWithoutSource, at: event,
            "Expected a throwing link that leads to \(called(event)), but there is none on its level.")
    }

    /// The link event definition that a reference names, directly or by its event.
    private func link(named reference: String) -> XMLElement? {
        guard let element = resolve(reference) else { return nil }
        return kind(element) == .linkEventDefinition ? element : part(.linkEventDefinition, of: element)
    }

    /// The links of the same name in events of a kind.
    private func namesakes(of definition: XMLElement, in kind: ElementKind) -> [XMLElement] {
        guard let name = value("name", of: definition) else { return [] }
        return (index.links[name] ?? []).reversed().map { document.element(at: Int($0)) }
            .filter { parentKind($0) == kind }
    }

    private func name(of definition: XMLElement) -> String {
        value("name", of: definition) ?? definition.attribute("id") ?? "without name"
    }

    // MARK: Compensation

    func checkCompensation(_ definition: XMLElement, of event: XMLElement, _ kind: ElementKind) {
        switch kind {
        case .boundaryEvent: checkHandler(of: event)
        case .intermediateCatchEvent:
            report(
                .compensationCatch, at: event,
                "Expected \(called(event)) to wait for something else, but it catches a compensation.")
        case .intermediateThrowEvent, .endEvent: checkCompensated(definition, by: event)
        default: return
        }
    }

    private func checkHandler(of event: XMLElement) {
        if let flow = outgoing(event).first(where: { _ in true }) {
            report(
                .compensationBoundaryFlow, at: event,
                "Expected an association from \(called(event)) to its handler, but \(called(flow)) begins there.")
        }
        var handlers: [XMLElement] = []
        for association in index.associations[event.index] ?? [] {
            let association = document.element(at: Int(association))
            for end in ["sourceRef", "targetRef"] {
                if let element = resolve(association.attribute(end)), traits(element).contains(.activity) {
                    handlers.append(element)
                }
            }
        }
        if handlers.isEmpty {
            report(
                .noCompensationHandler, at: event,
                "Expected an association from \(called(event)) to an activity, but there is none.")
        }
        for handler in handlers where !isHandler(handler) {
            report(
                .handlerNotMarked, at: handler,
                "Expected \(called(handler)) to be marked as compensation handler, but isForCompensation is not set.")
        }
    }

    private func checkCompensated(_ definition: XMLElement, by event: XMLElement) {
        guard let activity = resolve(value("activityRef", of: definition)), traits(activity).contains(.activity) else {
            return
        }
        if isEventSubProcess(activity) || container(of: activity)?.index != container(of: event)?.index {
            report(
                .compensatedActivity, at: event,
                "Expected \(called(event)) to compensate an activity of its process, but it names "
                    + "\(called(activity)).")
        } else if !isVisible(activity, from: event) {
            report(
                .compensatedActivity, at: event,
                "Expected \(called(event)) to compensate an activity of its level, but \(called(activity)) stands "
                    + "elsewhere.", weight: .formal)
        } else if !canBeCompensated(activity) {
            report(
                .compensatedActivity, at: event,
                "Expected a compensation handler of \(called(activity)), because \(called(event)) compensates it, but "
                    + "there is none.", weight: .formal)
        }
    }

    private func isVisible(_ activity: XMLElement, from event: XMLElement) -> Bool {
        guard let level = event.parent else { return false }
        if activity.parent?.index == level.index { return true }
        return isEventSubProcess(level) && activity.parent?.index == level.parent?.index
    }

    private func canBeCompensated(_ activity: XMLElement) -> Bool {
        if kind(activity) == .callActivity { return true }
        let boundaries = (index.boundaryEvents[activity.index] ?? []).map { document.element(at: Int($0)) }
        if boundaries.contains(where: { has(.compensateEventDefinition, $0) }) { return true }
        return activity.children.contains { inner in
            isEventSubProcess(inner)
                && parts(.startEvent, of: inner).contains { has(.compensateEventDefinition, $0) }
        }
    }
}
