import Values

/// Multi-instance activities (BPMN 2.0.2 clause 10.3.8).
extension ConstraintChecker {
    func checkMultiInstance(_ loop: XMLElement) {
        guard let activity = loop.parent else { return }
        let input = part(.loopDataInputRef, of: loop)
        if input == nil, part(.loopCardinality, of: loop) == nil, !isCountedByExtension(loop), isExecutable(loop) {
            report(
                .noLoopSource, at: loop,
                "Expected a loopCardinality or loopDataInputRef on \(called(activity)), but there is neither.")
        }
        let collection = resolve(input?.text)
        if let input { checkCollection(collection, named: input, of: activity) }
        if let collection, let single = part(.inputDataItem, of: loop) {
            checkElement(single, of: collection, .loopInputItem)
        }
        if let result = resolve(texts(.loopDataOutputRef, of: loop).first), let single = part(.outputDataItem, of: loop)
        {
            checkElement(single, of: result, .loopOutputItem)
        }
        if isExecutable(loop), let condition = part(.completionCondition, of: loop), isNotBoolean(condition) {
            report(
                .completionNotBoolean, at: condition,
                "Expected the completion condition of \(called(activity)) to yield true or false, but it does not.")
        }
    }

    /// Whether a vendor's extension says how often an activity runs.
    private func isCountedByExtension(_ loop: XMLElement) -> Bool {
        loop.hasQualifiedAttributes
            || loop.children.contains { kind($0) == .extensionElements && $0.children.contains { _ in true } }
    }

    private func checkCollection(_ collection: XMLElement?, named input: XMLElement, of activity: XMLElement) {
        guard let collection, traits(collection).contains(.itemAware) else {
            report(
                .unresolvedLoopData, at: input,
                "Expected loopDataInputRef of \(called(activity)) to name data, but \"\(input.text)\" is none.")
            return
        }
        guard !traits(activity).contains(.subProcess) else { return }
        let isOwn =
            kind(collection) == .dataInput && collection.parent?.parent?.index == activity.index
        guard !isOwn else { return }
        report(
            .unresolvedLoopData, at: input,
            "Expected loopDataInputRef to name a data input of \(called(activity)), but found \(called(collection)).",
            weight: .formal)
    }

    private func checkElement(_ single: XMLElement, of collection: XMLElement, _ constraint: Constraint) {
        guard let one = item(of: single), let all = item(of: collection), !one.isElement(of: all) else { return }
        report(
            constraint, at: single,
            "Expected \(called(single)) to be one item of \(called(collection)), but their item definitions do not fit."
        )
    }

    func checkComplexBehavior(_ behavior: XMLElement) {
        guard isExecutable(behavior) else { return }
        let condition = part(.condition, of: behavior)
        if let condition, isFormal(condition, .condition), !condition.text.isEmpty, !isNotBoolean(condition) { return }
        report(
            .behaviorCondition, at: behavior,
            "Expected a formal condition on the complex behaviour, but "
                + (condition == nil ? "there is none." : "it is none that yields true or false."))
    }

    /// Whether an expression certainly yields something other than a boolean: by its declared type, or as a literal.
    private func isNotBoolean(_ expression: XMLElement) -> Bool {
        if let type = value("evaluatesToTypeRef", of: expression) {
            let structure = resolve(type).flatMap { value("structureRef", of: $0) }
            let name = structure ?? (resolve(type) == nil ? type : "boolean")
            return !name.lowercased().hasSuffix("boolean")
        }
        let text = expression.text
        return Number(text) != nil || (text.hasPrefix("\"") && text.hasSuffix("\"") && text.utf8.count > 1)
    }
}
