import Values

/// Checks one document against the constraints of BPMN 2.0.2.
///
/// One pass builds an index, a second applies the rules; both take time linear in the document, since every rule looks
/// only at an element, its parts and its flows.
final class ConstraintChecker {
    /// One finding and the element it is about.
    struct Finding {
        let element: Int32
        let constraint: Constraint
        var diagnostic: Diagnostic
    }

    let document: XMLDocument
    let file: String?
    let profile: ImportProfile
    let index: ConstraintIndex
    private(set) var findings: [Finding] = []
    /// The place of the only finding of each rule that is merely mentioned, and how often it was broken.
    private var mentions: [Constraint: (position: Int, count: Int)] = [:]
    private static let findingsMax = 1_000

    init(document: XMLDocument, profile: ImportProfile, file: String?) {
        self.document = document
        self.profile = profile
        self.file = file
        index = ConstraintIndex(document)
    }

    /// Everything found, in document order.
    func check() -> [Finding] {
        for duplicate in index.duplicates { checkDuplicate(duplicate) }
        for number in 0..<document.elementCount {
            let kind = index.kinds[number]
            if kind != .other { check(document.element(at: number), kind) }
        }
        for (_, mention) in mentions where mention.count > 1 {
            findings[mention.position].diagnostic.message += " This rule is broken \(mention.count) times here."
        }
        return findings.enumerated()
            .sorted { ($0.element.element, $0.offset) < ($1.element.element, $1.offset) }
            .map(\.element)
    }

    private func check(_ element: XMLElement, _ kind: ElementKind) {
        let traits = kind.traits
        checkReferences(element, kind)
        if traits.contains(.identified) { checkIdentity(element, kind) }
        if traits.contains(.flowNode) { checkFlowNode(element, kind, traits) }
        if traits.contains(.processLevel) { checkLevel(element, kind) }
        if traits.contains(.callable) { checkBindings(element, kind) }
        if traits.contains(.collaboration) { checkCollaboration(element, kind) }
        if traits.contains(.itemAware) { checkItem(element, kind) }
        if !traits.isDisjoint(with: .event) { checkEvent(element, kind, traits) }
        if traits.contains(.eventDefinition) { checkEventDefinition(element, kind) }
        if traits.contains(.resourceRole) { checkResourceRole(element) }
        switch kind {
        case .sequenceFlow: checkSequenceFlow(element)
        case .messageFlow: checkMessageFlow(element)
        case .process: checkProcess(element)
        case .participantMultiplicity: checkMultiplicity(element)
        case .documentation, .textAnnotation: checkTextFormat(element)
        case .ioSpecification: checkSets(of: element)
        case .dataInputAssociation, .dataOutputAssociation: checkAssociation(element, kind)
        case .property: checkProperty(element)
        case .dataInput, .dataOutput: checkDataPlace(element, kind)
        case .dataObject, .dataObjectReference: checkDataObject(element, kind)
        case .multiInstanceLoopCharacteristics: checkMultiInstance(element)
        case .complexBehaviorDefinition: checkComplexBehavior(element)
        case .conditionExpression, .activationCondition, .loopCondition, .loopCardinality, .completionCondition, .from,
            .to, .timeDate, .timeDuration, .timeCycle, .condition, .messagePath, .dataPath, .transformation,
            .formalExpression, .expression:
            checkExpression(element, kind)
        default: break
        }
    }

    // MARK: Findings

    /// Records that an element breaks a rule.
    ///
    /// - Parameter weight: How much this breach matters, when less than the rule in general.
    func report(
        _ constraint: Constraint, at element: XMLElement, _ message: @autoclosure () -> String,
        weight: ConstraintRule.Weight? = nil
    ) {
        let rule = constraint.rule
        guard let severity = severity(rule, weight ?? rule.weight, at: element) else { return }
        if severity == .info, let mention = mentions[constraint] {
            mentions[constraint] = (mention.position, mention.count + 1)
            return
        }
        guard findings.count < ConstraintChecker.findingsMax else { return }
        if severity == .info { mentions[constraint] = (findings.count, 1) }
        let diagnostic = Diagnostic(
            code: constraint.rawValue, severity: severity, message: message(), remedy: rule.remedy, file: file,
            line: element.line, elementID: nearestID(of: element))
        findings.append(Finding(element: element.index, constraint: constraint, diagnostic: diagnostic))
    }

    /// How serious a breach is in this profile; nil when it is not worth a word.
    private func severity(
        _ rule: ConstraintRule, _ weight: ConstraintRule.Weight, at element: XMLElement
    ) -> Diagnostic.Severity? {
        if profile == .strict { return .error }
        let isExecuted = index.isExecuted(element)
        switch (profile, weight) {
        case (.standard, .execution): return isExecuted ? .error : .warning
        case (.standard, .doubtful): return isExecuted ? .warning : .info
        case (.standard, .formal): return .info
        case (_, .execution):
            if !isExecuted { return .info }
            return rule.constraint.isBlocking ? .error : .warning
        case (_, .doubtful): return .info
        case (_, .formal): return nil
        }
    }

    /// The id of an element or of the nearest one around it that has one.
    private func nearestID(of element: XMLElement) -> String? {
        var next: XMLElement? = element
        while let candidate = next {
            if candidate.name.space == .bpmn, kind(candidate) != .definitions, let id = candidate.attribute("id") {
                return id
            }
            next = candidate.parent
        }
        return nil
    }

    /// How a message calls an element: its kind and id.
    func called(_ element: XMLElement) -> String {
        let noun = element.name.space == .bpmn ? kind(element).noun : element.name.description
        return element.attribute("id").map { "\(noun) \($0)" } ?? noun
    }

    // MARK: Looking around

    func kind(_ element: XMLElement) -> ElementKind { index.kinds[Int(element.index)] }

    func traits(_ element: XMLElement) -> ElementTraits { kind(element).traits }

    /// The kind of the element around this one.
    func parentKind(_ element: XMLElement) -> ElementKind { element.parent.map(kind) ?? .other }

    /// The first part of a kind.
    func part(_ kind: ElementKind, of element: XMLElement) -> XMLElement? {
        for child in element.children where self.kind(child) == kind { return child }
        return nil
    }

    /// The parts of a kind.
    func parts(_ kind: ElementKind, of element: XMLElement) -> [XMLElement] {
        element.children.filter { self.kind($0) == kind }
    }

    /// The texts of the parts of a kind: lists of references.
    func texts(_ kind: ElementKind, of element: XMLElement) -> [String] {
        element.children.compactMap { self.kind($0) == kind ? $0.text : nil }
    }

    /// The value of an attribute that is not empty.
    func value(_ attribute: String, of element: XMLElement) -> String? {
        guard let value = element.attribute(attribute), !value.isEmpty else { return nil }
        return value
    }

    /// Whether an attribute says true; absent or wrong, the default counts.
    func isTrue(_ attribute: String, of element: XMLElement, default fallback: Bool = false) -> Bool {
        switch element.attribute(attribute) {
        case "true", "1": true
        case "false", "0": false
        default: fallback
        }
    }

    /// The element a reference names.
    func resolve(_ reference: String?) -> XMLElement? {
        reference.flatMap { index.element(named: $0) }.map { document.element(at: Int($0)) }
    }

    /// The element an attribute names, if it is of this kind.
    func resolve(_ attribute: String, of element: XMLElement, as kind: ElementKind) -> XMLElement? {
        resolve(value(attribute, of: element)).flatMap { self.kind($0) == kind ? $0 : nil }
    }

    /// The sequence flows that lead to a node.
    func incoming(_ node: XMLElement) -> FlowList {
        FlowList(first: index.firstIncoming[Int(node.index)], links: index.nextIncoming, document: document)
    }

    /// The sequence flows that begin at a node.
    func outgoing(_ node: XMLElement) -> FlowList {
        FlowList(first: index.firstOutgoing[Int(node.index)], links: index.nextOutgoing, document: document)
    }

    func source(of flow: XMLElement) -> XMLElement? { index.source(of: flow.index).map { document.element(at: $0) } }

    func target(of flow: XMLElement) -> XMLElement? { index.target(of: flow.index).map { document.element(at: $0) } }

    /// Whether a sub-process is started by an event.
    func isEventSubProcess(_ element: XMLElement) -> Bool {
        traits(element).contains(.subProcess) && isTrue("triggeredByEvent", of: element)
    }

    /// Whether an activity runs only to compensate another.
    func isHandler(_ element: XMLElement) -> Bool {
        traits(element).contains(.activity) && isTrue("isForCompensation", of: element)
    }

    /// The definitions of an event: those inside it, then those it refers to.
    func definitions(of event: XMLElement) -> [XMLElement] {
        var own: [XMLElement] = []
        var referred: [XMLElement] = []
        for child in event.children {
            let kind = kind(child)
            if kind.traits.contains(.eventDefinition) {
                own.append(child)
            } else if kind == .eventDefinitionRef, let definition = resolve(child.text),
                traits(definition).contains(.eventDefinition)
            {
                referred.append(definition)
            }
        }
        return own + referred
    }

    /// The process, choreography or the like an element stands in.
    func container(of element: XMLElement) -> XMLElement? {
        var next: XMLElement? = element
        while let candidate = next {
            if candidate.parent.map(kind) == .definitions { return candidate }
            next = candidate.parent
        }
        return nil
    }

    /// Whether an element belongs to a process that is executed, or to what such a process may use.
    func isExecutable(_ element: XMLElement) -> Bool { index.isExecuted(element) && index.executesAny }
}

/// A walk over the sequence flows of one node, in document order.
struct FlowList: Sequence, IteratorProtocol {
    private var upcoming: Int32
    private let links: [Int32]
    private let document: XMLDocument

    fileprivate init(first: Int32, links: [Int32], document: XMLDocument) {
        upcoming = first
        self.links = links
        self.document = document
    }

    mutating func next() -> XMLElement? {
        guard upcoming >= 0 else { return nil }
        let element = document.element(at: Int(upcoming))
        upcoming = links[Int(upcoming)]
        return element
    }

    /// Whether there is no flow.
    var isEmpty: Bool { upcoming < 0 }

    /// Whether there are at least two.
    var isSeveral: Bool { upcoming >= 0 && links[Int(upcoming)] >= 0 }
}
