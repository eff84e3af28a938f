import Decisions
import Values

extension ProcessReader {
    // MARK: Standard loops

    /// Reads while what an activity is performed again.
    func readStandardLoop(_ loop: XMLElement, _ node: DraftNode) -> StandardLoopDefinition? {
        reader.checkExtensions(of: loop, on: .other("loop marker"))
        let condition = loop.children.first { $0.tag == .loopCondition }
        return StandardLoopDefinition(
            testsBefore: reader.boolean("testBefore", of: loop) ?? false, maximum: readMaximum(loop, node),
            condition: condition.flatMap { reader.formalExpression($0, "the loop condition of \(node.id)") })
    }

    private func readMaximum(_ loop: XMLElement, _ node: DraftNode) -> Expression? {
        guard let text = loop.attribute("loopMaximum"), !text.isEmpty else { return nil }
        let expression = reader.expression(text, of: loop, "the maximum of \(node.id)")
        return expression.flatMap { checkCount($0, at: loop, "the maximum of rounds of \(node.id)") ? $0 : nil }
    }

    /// Whether a number of rounds or instances can be one; a finding when it is fixed and cannot.
    private func checkCount(_ expression: Expression, at element: XMLElement, _ what: String) -> Bool {
        guard let constant = expression.constant else { return true }
        if case .number(let number) = constant, number.isInteger, number >= 0 { return true }
        reader.report(
            .badLoop, at: element,
            "Expected \(what) to be a whole number from 0, but it is \(expression.source).",
            remedy: "write a number from 0, or an expression that gives one")
        return false
    }

    // MARK: Ad-hoc sub-processes

    /// Reads how an ad-hoc sub-process goes about its activities, which are found later.
    func readAdHoc(_ index: Int, _ parts: NodeParts) -> AdHocDefinition {
        let node = nodes[index]
        let ordering = node.element.attribute("ordering") ?? "Parallel"
        if ordering != "Parallel", ordering != "Sequential" {
            reportChoice(ordering, "ordering", ["Parallel", "Sequential"], at: node.element)
        }
        let zeebe = parts.extensions.first(.zeebeAdHoc)
        let active = zeebe?.attribute("activeElementsCollection").flatMap { $0.isEmpty ? nil : $0 }
        return AdHocDefinition(
            isSequential: ordering == "Sequential",
            completionCondition: parts.condition.flatMap {
                reader.formalExpression($0, "the completion condition of \(node.id)")
            },
            cancelsRemainingInstances: reader.boolean("cancelRemainingInstances", of: node.element) ?? true,
            activities: [],
            activeElements: zip2(zeebe, active).flatMap {
                reader.markedExpression($1, of: $0, "the activities of \(node.id)")
            })
    }

    private func zip2<First, Second>(_ first: First?, _ second: Second?) -> (First, Second)? {
        guard let first, let second else { return nil }
        return (first, second)
    }

    // MARK: Multi-instance

    /// The parts of a multi-instance marker.
    private struct LoopParts {
        var extensions = Extensions()
        var cardinality: XMLElement?
        var completionCondition: XMLElement?
        var dataInput: String?
        var dataOutput: String?
        var inputItem: XMLElement?
        var outputItem: XMLElement?
        var behaviors: [XMLElement] = []
    }

    /// Reads how often an activity is performed.
    func readLoop(_ loop: XMLElement, _ index: Int, _ parts: NodeParts) -> MultiInstanceDefinition? {
        reader.checkAttributes(of: loop, on: .loop)
        let own = loopParts(loop)
        let node = nodes[index]
        let zeebe = own.extensions.first(.zeebeLoopCharacteristics)
        let data = readLoopData(own.dataInput, own.dataOutput, at: loop, index)
        let cardinality = own.cardinality.flatMap { element in
            reader.formalExpression(element, "the loop cardinality").flatMap {
                checkCount($0, at: element, "the loop cardinality of \(node.id)") ? $0 : nil
            }
        }
        let collection = readCollection(loop, zeebe) ?? data.collection
        checkLoop(loop, zeebe, hasCollection: collection != nil, hasCardinality: own.cardinality != nil)
        return MultiInstanceDefinition(
            isSequential: reader.boolean("isSequential", of: loop) ?? false, collection: collection,
            cardinality: cardinality,
            inputElement: loopName("inputElement", zeebe)
                ?? loop.attribute("elementVariable", in: .camunda).flatMap { variableName($0, of: loop) }
                ?? own.inputItem.map { dataName(of: $0) },
            outputCollection: loopName("outputCollection", zeebe) ?? data.outputCollection,
            outputElement: readOutputElement(zeebe)
                ?? own.outputItem.flatMap {
                    data.outputCollection == nil ? nil : reader.variable(dataName(of: $0), of: $0)
                },
            completionCondition: own.completionCondition.flatMap {
                reader.formalExpression($0, "the completion condition")
            },
            behavior: readBehavior(loop, own.behaviors, node))
    }

    private func loopParts(_ loop: XMLElement) -> LoopParts {
        var parts = LoopParts()
        for child in loop.children {
            switch child.tag {
            case .documentation: continue
            case .extensionElements: reader.readExtensions(child, on: .loop, into: &parts.extensions)
            case .loopCardinality: parts.cardinality = child
            case .completionCondition: parts.completionCondition = child
            case .loopDataInputRef: parts.dataInput = child.text
            case .loopDataOutputRef: parts.dataOutput = child.text
            case .inputDataItem: parts.inputItem = child
            case .outputDataItem: parts.outputItem = child
            case .complexBehaviorDefinition: parts.behaviors.append(child)
            case let tag?: refusePart(child, tag)
            case nil: reader.reportStranger(child)
            }
        }
        return parts
    }

    private func readOutputElement(_ zeebe: XMLElement?) -> Expression? {
        guard let zeebe, let source = zeebe.attribute("outputElement"), !source.isEmpty else { return nil }
        return reader.markedExpression(source, of: zeebe, "the output element")
    }

    private func loopName(_ local: String, _ zeebe: XMLElement?) -> String? {
        guard let zeebe, let text = zeebe.attribute(local), !text.isEmpty else { return nil }
        return variableName(text, of: zeebe)
    }

    private func readCollection(_ loop: XMLElement, _ zeebe: XMLElement?) -> Expression? {
        if let zeebe, let source = zeebe.attribute("inputCollection"), !source.isEmpty {
            return reader.markedExpression(source, of: zeebe, "the input collection")
        }
        return loop.attribute("collection", in: .camunda).flatMap {
            reader.expression($0, of: loop, "the collection")
        }
    }

    private func checkLoop(_ loop: XMLElement, _ zeebe: XMLElement?, hasCollection: Bool, hasCardinality: Bool) {
        func refuse(_ found: String, remedy: String) {
            reader.report(
                .badLoop, at: loop, "Expected a multi-instance marker to count its instances, but \(found).",
                remedy: remedy)
        }
        if hasCollection, hasCardinality {
            refuse("it has both a collection and a cardinality", remedy: "remove one")
        } else if !hasCollection, !hasCardinality, !hasErrorsInNode {
            refuse(
                "it has neither collection nor cardinality", remedy: "add zeebe:loopCharacteristics or loopCardinality")
        }
        let outputs = [zeebe?.attribute("outputCollection"), zeebe?.attribute("outputElement")]
        if outputs.count(where: { $0?.isEmpty == false }) == 1 {
            refuse("it has only one of outputCollection and outputElement", remedy: "add the other")
        }
    }

    // MARK: Behaviours

    /// Reads which events are thrown while instances complete.
    private func readBehavior(_ loop: XMLElement, _ definitions: [XMLElement], _ node: DraftNode)
        -> MultiInstanceBehavior
    {
        let behavior = loop.attribute("behavior") ?? "All"
        switch behavior {
        case "All": break
        case "One": return readThrown("oneBehaviorEventRef", of: loop, node).map { .one($0) } ?? .all
        case "None": return readThrown("noneBehaviorEventRef", of: loop, node).map { .none($0) } ?? .all
        case "Complex" where !definitions.isEmpty: return .complex(definitions.compactMap { readComplex($0, node) })
        case "Complex":
            reader.report(
                .badLoop, at: loop,
                "Expected the complex behaviour of \(node.id) to be defined, but it has no complexBehaviorDefinition.",
                remedy: "add <complexBehaviorDefinition> with a condition")
        default: reportChoice(behavior, "behavior", ["None", "One", "All", "Complex"], at: loop)
        }
        return .all
    }

    private func readThrown(_ attribute: String, of loop: XMLElement, _ node: DraftNode) -> EventDefinition? {
        guard let definition = loop.attribute(attribute).flatMap({ reader.resolve($0) }),
            definition.tag?.eventNoun != nil
        else {
            reader.report(
                .unknownEventDefinition, at: loop,
                "Expected \(attribute) of \(node.id) to name an event definition, but "
                    + (loop.attribute(attribute).map { "there is no \($0)." } ?? "it is missing."),
                remedy: "define the event under <definitions> and refer to its id")
            return nil
        }
        return readImplicitThrow(definition, node)
    }

    private func readComplex(_ definition: XMLElement, _ node: DraftNode) -> ComplexBehavior? {
        guard let condition = definition.children.first(where: { $0.tag == .condition }) else {
            reader.report(
                .emptyExpression, at: definition,
                "Expected the complex behaviour of \(node.id) to have a condition, but it has none.",
                remedy: "add <condition>…</condition>")
            return nil
        }
        let compiled = reader.formalExpression(condition, "the condition of the behaviour of \(node.id)")
        let event = definition.children.first { $0.tag == .event }
        let thrown = event.flatMap { event in
            event.children.lazy.compactMap { child -> XMLElement? in
                if child.tag == .eventDefinitionRef { return self.reader.resolve(child.text) }
                return child.tag?.eventNoun == nil ? nil : child
            }.first
        }
        if let event, thrown == nil {
            reader.report(
                .unknownEventDefinition, at: event,
                "Expected the event of the behaviour of \(node.id) to have a definition, but it has none.",
                remedy: "add the definition of what is thrown, or remove the event")
        }
        return compiled.map { ComplexBehavior(condition: $0, event: thrown.flatMap { readImplicitThrow($0, node) }) }
    }
}
