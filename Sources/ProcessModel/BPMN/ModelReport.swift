public import Values

/// What the engine does with each element of a model: the answer of `junction lint`.
public struct ModelReport: Sendable {
    /// What becomes of an element.
    public enum Disposition: String, Sendable, Hashable, CaseIterable {
        /// It runs as the standard, or its vendor, says.
        case executed
        /// It has no effect at run time and stays in the model.
        case kept
        /// It makes the model unfit for deployment.
        case refused
    }

    /// One element.
    public struct Row: Sendable, Hashable {
        /// What becomes of it.
        public let disposition: Disposition
        /// Its element name, with the customary prefix for extensions: `serviceTask`, `zeebe:taskDefinition`.
        public let element: String
        /// Its id, when it has one.
        public let id: String?
        /// Its label, when it has one.
        public let name: String?
        /// Its line, counted from 1.
        public let line: Int
        /// The clause of BPMN 2.0.2 about it; nil for what the standard does not know.
        public let clause: String?
        /// The codes of the errors that refuse it.
        public let codes: [String]
        /// The numbers of the constraints it breaks, whether they refuse it or not.
        public let rules: [String]
    }

    /// One row per element that has a meaning of its own, in document order; empty when the document is no XML.
    public let rows: [Row]
    /// Everything found, in document order.
    public let diagnostics: [Diagnostic]

    /// Whether the model can be deployed.
    public var isDeployable: Bool { !diagnostics.contains { $0.severity == .error } }

    /// The report as one JSON value: `{deployable, elements: [...], diagnostics: [...]}`.
    public var json: Value {
        [
            "deployable": .boolean(isDeployable),
            "elements": .list(rows.map(\.json)),
            "diagnostics": .list(diagnostics.map(ModelReport.json)),
        ]
    }

    private static func json(_ diagnostic: Diagnostic) -> Value {
        var members = ValueContext()
        members["code"] = .string(diagnostic.code)
        members["severity"] = .string(diagnostic.severity.rawValue)
        members["message"] = .string(diagnostic.message)
        members["remedy"] = diagnostic.remedy.map { .string($0) }
        members["file"] = diagnostic.file.map { .string($0) }
        members["line"] = diagnostic.line.map { .number(Number($0)) }
        members["column"] = diagnostic.column.map { .number(Number($0)) }
        members["elementId"] = diagnostic.elementID.map { .string($0) }
        if let rule = BPMNImporter.rule(of: diagnostic) {
            members["rule"] = .string(rule.number)
            members["clause"] = .string(rule.clause)
        }
        return .context(members)
    }
}

extension ModelReport.Row {
    /// The row as a JSON value.
    public var json: Value {
        var members = ValueContext()
        members["disposition"] = .string(disposition.rawValue)
        members["element"] = .string(element)
        members["id"] = id.map { .string($0) }
        members["name"] = name.map { .string($0) }
        members["line"] = .number(Number(line))
        members["clause"] = clause.map { .string($0) }
        if !codes.isEmpty { members["codes"] = .list(codes.map { .string($0) }) }
        if !rules.isEmpty { members["rules"] = .list(rules.map { .string($0) }) }
        return .context(members)
    }
}

extension BPMNReader {
    /// The rows of the report about what was found; to be asked for after reading.
    func reportRows(_ findings: [Finding]) -> [ModelReport.Row] {
        var codes: [Int32: [String]] = [:]
        var rules: [Int32: [String]] = [:]
        for finding in findings {
            let owner = rowOwner(of: finding.element)
            if finding.diagnostic.severity == .error { codes[owner, default: []].append(finding.diagnostic.code) }
            if let rule = BPMNImporter.rule(of: finding.diagnostic) { rules[owner, default: []].append(rule.number) }
        }
        return (0..<document.elementCount).compactMap { index in
            let element = document.element(at: index)
            guard let disposition = disposition(of: element) else { return nil }
            let refusals = codes[element.index] ?? []
            return ModelReport.Row(
                disposition: refusals.isEmpty ? disposition : .refused, element: element.name.description,
                id: element.attribute("id"), name: element.attribute("name"), line: element.line,
                clause: element.name.tag?.clause, codes: refusals, rules: rules[element.index] ?? [])
        }
    }

    /// The element whose row tells about a finding: the element itself or the nearest around it that has a row.
    private func rowOwner(of index: Int32) -> Int32 {
        var element = document.element(at: Int(index))
        while disposition(of: element) == nil, let parent = element.parent { element = parent }
        return element.index
    }

    /// What becomes of an element without findings; nil when it has no row of its own.
    private func disposition(of element: XMLElement) -> ModelReport.Disposition? {
        switch element.name.space {
        case .bpmn:
            guard let tag = element.name.tag else { return .refused }
            if tag.isPartOfAnother { return nil }
            return tag.isExecuted && isInExecutedProcess(element) ? .executed : .kept
        case .zeebe, .camunda, .apg, .foreign:
            guard element.parent?.name.tag == .extensionElements else { return nil }
            if case .read? = element.name.extensionTag?.treatment, isInExecutedProcess(element) { return .executed }
            return .kept
        case .none, .diagram, .schemaInstance:
            return nil
        }
    }

    private func isInExecutedProcess(_ element: XMLElement) -> Bool {
        var next: XMLElement? = element
        while let candidate = next {
            if candidate.name.tag == .process || candidate.name.tag?.globalTaskKind != nil {
                return executedProcesses.contains(candidate.index)
            }
            if candidate.parent?.name.tag == .definitions { return true }
            next = candidate.parent
        }
        return false
    }
}

extension BPMNTag {
    /// Whether the element only says something about the one around it.
    fileprivate var isPartOfAnother: Bool {
        switch self {
        case .definitions, .conditionExpression, .incoming, .outgoing, .timeDate, .timeDuration, .timeCycle, .script,
            .loopCardinality, .completionCondition, .documentation, .extensionElements, .text, .eventDefinitionRef,
            .supportedInterfaceRef, .categoryValueRef, .laneSet, .activationCondition, .condition, .source, .target,
            .operationRef, .loopCondition, .loopDataInputRef, .loopDataOutputRef, .dataInputRefs, .optionalInputRefs,
            .whileExecutingInputRefs, .outputSetRefs, .dataOutputRefs, .optionalOutputRefs, .whileExecutingOutputRefs,
            .inputSetRefs, .sourceRef, .targetRef, .transformation, .from, .to, .resourceRef,
            .resourceAssignmentExpression, .formalExpression, .expression, .inMessageRef, .outMessageRef, .errorRef,
            .messagePath, .correlationPropertyRef, .dataPath, .flowNodeRef, .childLaneSet, .partitionElement,
            .participantRef, .interfaceRef, .endPointRef, .messageFlowRef, .innerParticipantRef, .outerParticipantRef,
            .innerConversationNodeRef, .outerConversationNodeRef, .choreographyRef, .initiatingParticipantRef:
            true
        default: false
        }
    }

    fileprivate var isExecuted: Bool {
        switch self {
        case .process, .sequenceFlow, .message, .error, .signal, .escalation, .resource, .operation, .interface,
            .multiInstanceLoopCharacteristics, .standardLoopCharacteristics, .complexBehaviorDefinition, .event,
            .inputDataItem, .outputDataItem, .property, .dataObject, .dataObjectReference, .dataStore,
            .dataStoreReference, .ioSpecification, .dataInput, .dataOutput, .dataInputAssociation,
            .dataOutputAssociation, .assignment, .performer, .humanPerformer, .potentialOwner, .correlationProperty,
            .correlationPropertyRetrievalExpression, .correlationSubscription, .correlationPropertyBinding:
            true
        default: nodeKind != nil || globalTaskKind != nil || isExecutedEventDefinition
        }
    }
}
