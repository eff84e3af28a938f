/// Data, its sets and its associations (BPMN 2.0.2 clauses 10.4.1 and 10.5.1).
extension ConstraintChecker {
    /// What an item-aware element, message, signal, error or escalation carries, or nil when that is not said.
    func item(of element: XMLElement) -> Item? {
        let kind = kind(element)
        let attribute =
            switch kind {
            case .message: "itemRef"
            case .signal, .error, .escalation: "structureRef"
            default: "itemSubjectRef"
            }
        if let reference = value(attribute, of: element) {
            let definition = resolve(attribute, of: element, as: .itemDefinition)
            return Item(
                definition: definition?.index, reference: reference,
                structure: definition.flatMap { value("structureRef", of: $0) },
                isCollection: definition.map { isTrue("isCollection", of: $0) } ?? false)
        }
        switch kind {
        case .dataObjectReference: return resolve("dataObjectRef", of: element, as: .dataObject).flatMap(item)
        case .dataStoreReference: return resolve("dataStoreRef", of: element, as: .dataStore).flatMap(item)
        default: return nil
        }
    }

    func checkItem(_ data: XMLElement, _ kind: ElementKind) {
        switch kind {
        case .dataInput, .dataOutput, .dataObject, .inputDataItem, .outputDataItem: break
        default: return
        }
        guard let definition = resolve("itemSubjectRef", of: data, as: .itemDefinition) else { return }
        let isCollection = isTrue("isCollection", of: data)
        guard isCollection != isTrue("isCollection", of: definition) else { return }
        report(
            .collectionMismatch, at: data,
            "Expected \(called(data)) and \(called(definition)) to agree about isCollection, but only "
                + "\(isCollection ? "the first" : "the second") is a collection.")
    }

    // MARK: Places

    func checkDataObject(_ data: XMLElement, _ kind: ElementKind) {
        if let around = data.parent, !traits(around).contains(.processLevel) {
            report(
                .misplacedDataObject, at: data,
                "Expected \(called(data)) in a process or sub-process, but it stands in \(called(around)).")
        }
        if kind == .dataObjectReference { checkName(of: data) }
    }

    /// Rule 076: the name is that of the object, with the state in brackets.
    private func checkName(of reference: XMLElement) {
        let state = part(.dataState, of: reference).flatMap { value("name", of: $0) }
        let object = resolve("dataObjectRef", of: reference, as: .dataObject).flatMap { value("name", of: $0) }
        guard let name = value("name", of: reference) else { return }
        let ending = state.map { " [\($0)]" } ?? ""
        let isGood = object.map { name == $0 + ending } ?? name.hasSuffix(ending)
        guard !isGood else { return }
        report(
            .dataReferenceName, at: reference,
            "Expected the name \"\(object ?? "…")\(ending)\" on \(called(reference)), but found \"\(name)\".")
    }

    func checkProperty(_ property: XMLElement) {
        guard let around = property.parent, kind(around) != .process,
            traits(around).isDisjoint(with: [.activity, .catchEvent, .throwEvent])
        else { return }
        report(
            .misplacedProperty, at: property,
            "Expected a property on a process, activity or event, but it stands on \(called(around)).")
    }

    func checkDataPlace(_ data: XMLElement, _ kind: ElementKind) {
        guard let around = data.parent else { return }
        let isInput = kind == .dataInput
        let isAllowed =
            if self.kind(around) == .ioSpecification {
                !(around.parent.map(traits) ?? []).isDisjoint(with: [.activity, .callable])
            } else {
                traits(around).contains(isInput ? .throwEvent : .catchEvent)
            }
        guard !isAllowed else { return }
        report(
            isInput ? .dataInputPlace : .dataOutputPlace, at: data,
            "Expected \(called(data)) in an ioSpecification or \(isInput ? "throw" : "catch") event, but it stands in "
                + "\(called(around)).")
    }

    // MARK: Sets

    /// Rules 084 to 090 about an io specification, or about an event with data of its own.
    func checkSets(of holder: XMLElement) {
        let inputSets = parts(.inputSet, of: holder)
        let outputSets = parts(.outputSet, of: holder)
        checkMembership(of: holder, .dataInput, inputSets, .dataInputRefs, .inputInNoSet)
        checkMembership(of: holder, .dataOutput, outputSets, .dataOutputRefs, .outputInNoSet)
        for set in inputSets {
            checkSubset(set, .optionalInputRefs, .dataInputRefs, .optionalInput)
            checkSubset(set, .whileExecutingInputRefs, .dataInputRefs, .whileExecutingInput)
            checkPartners(of: set, .outputSetRefs, .inputSetRefs)
        }
        for set in outputSets {
            checkSubset(set, .optionalOutputRefs, .dataOutputRefs, .optionalOutput)
            checkSubset(set, .whileExecutingOutputRefs, .dataOutputRefs, .whileExecutingOutput)
            checkPartners(of: set, .inputSetRefs, .outputSetRefs)
        }
        guard kind(holder) == .ioSpecification else { return }
        if inputSets.isEmpty {
            report(.inputInNoSet, at: holder, "Expected an input set in the ioSpecification, but there is none.")
        }
        if outputSets.isEmpty {
            report(.outputInNoSet, at: holder, "Expected an output set in the ioSpecification, but there is none.")
        }
    }

    private func checkMembership(
        of holder: XMLElement, _ dataKind: ElementKind, _ sets: [XMLElement], _ listKind: ElementKind,
        _ constraint: Constraint
    ) {
        let listed = Set(sets.flatMap { texts(listKind, of: $0) }.compactMap { resolve($0)?.index })
        for data in holder.children where kind(data) == dataKind && !listed.contains(data.index) {
            report(constraint, at: data, "Expected \(called(data)) to be in a set, but it is in none.")
        }
    }

    private func checkSubset(
        _ set: XMLElement, _ partKind: ElementKind, _ wholeKind: ElementKind, _ constraint: Constraint
    ) {
        let some = texts(partKind, of: set)
        guard !some.isEmpty else { return }
        let all = texts(wholeKind, of: set)
        for name in some where !all.contains(name) {
            report(
                constraint, at: set,
                "Expected \(name) under \(wholeKind) of \(called(set)), because it stands under \(partKind), but it "
                    + "does not.")
        }
    }

    private func checkPartners(of set: XMLElement, _ partnerKind: ElementKind, _ backKind: ElementKind) {
        for name in texts(partnerKind, of: set) {
            guard let partner = resolve(name) else { continue }
            let isMutual = texts(backKind, of: partner).contains { resolve($0)?.index == set.index }
            guard !isMutual else { continue }
            report(
                .setsDisagree, at: set,
                "Expected \(called(partner)) to name \(called(set)), because it is named there, but it does not.")
        }
    }

    // MARK: Associations

    func checkAssociation(_ association: XMLElement, _ kind: ElementKind) {
        guard let owner = association.parent else { return }
        let isInput = kind == .dataInputAssociation
        let constraint: Constraint = isInput ? .inputAssociationPlace : .outputAssociationPlace
        if traits(owner).isDisjoint(with: [.activity, isInput ? .throwEvent : .catchEvent]) {
            report(
                constraint, at: association,
                "Expected a \(kind.noun) on an activity or \(isInput ? "throw" : "catch") event, but it stands on "
                    + "\(called(owner)).")
        }
        let sources = texts(.sourceRef, of: association)
        let target = resolve(texts(.targetRef, of: association).first)
        checkProcessData(association, sources.compactMap { resolve($0) }, target)
        checkOwnData(association, owner, isInput, sources, target)
        guard part(.transformation, of: association) == nil else { return }
        if sources.count > 1 {
            report(
                .associationSources, at: association,
                "Expected one source without a transformation, but found \(sources.count).")
        } else if let source = resolve(sources.first), traits(source).contains(.itemAware), let target,
            traits(target).contains(.itemAware), !Item.agree(item(of: source), item(of: target))
        {
            report(
                .associationItems, at: association,
                "Expected \(called(source)) and \(called(target)) to carry the same item, because there is no "
                    + "transformation, but they differ.")
        }
    }

    /// Inside a process its inputs are only read and its outputs only written.
    private func checkProcessData(_ association: XMLElement, _ sources: [XMLElement], _ target: XMLElement?) {
        if let target, kind(target) == .dataInput, isDataOfProcess(target) {
            report(
                .inputAssociationPlace, at: association,
                "Expected \(called(target)) to be only read, because it is an input of the process, but it is a target."
            )
        }
        for source in sources where kind(source) == .dataOutput && isDataOfProcess(source) {
            report(
                .outputAssociationPlace, at: association,
                "Expected \(called(source)) to be only written, because it is an output of the process, but it is a "
                    + "source.")
        }
    }

    private func isDataOfProcess(_ data: XMLElement) -> Bool {
        data.parent.map { kind($0) == .ioSpecification && parentKind($0) == .process } ?? false
    }

    /// An association fills or reads the data of the element it stands on; a sub-process has none of its own.
    private func checkOwnData(
        _ association: XMLElement, _ owner: XMLElement, _ isInput: Bool, _ sources: [String], _ target: XMLElement?
    ) {
        guard !traits(owner).contains(.subProcess) else { return }
        let end = isInput ? target : resolve(sources.first)
        guard let end, kind(end) == (isInput ? .dataInput : .dataOutput), !isDataOfProcess(end) else { return }
        let holder = end.parent.flatMap { kind($0) == .ioSpecification ? $0.parent : $0 }
        guard holder?.index != owner.index else { return }
        report(
            isInput ? .inputAssociationPlace : .outputAssociationPlace, at: association,
            "Expected data of \(called(owner)), but \(called(end)) belongs to \(holder.map(called) ?? "another").")
    }

    // MARK: Events

    /// Rules 093 and 094: the data of an event belongs, in order, to its definitions.
    func checkData(of event: XMLElement, _ traits: ElementTraits, _ definitions: [XMLElement]) {
        let data = parts(traits.contains(.throwEvent) ? .dataInput : .dataOutput, of: event)
        guard !data.isEmpty else { return }
        checkSets(of: event)
        guard !definitions.isEmpty else { return }
        let carrying = definitions.filter { carried(by: $0) != nil }
        guard data.count == definitions.count || data.count == carrying.count else {
            report(
                .eventData, at: event,
                "Expected data for each of the \(definitions.count) definitions of \(called(event)), but found "
                    + "\(data.count).")
            return
        }
        for (data, definition) in zip(data, data.count == definitions.count ? definitions : carrying) {
            guard let reference = carried(by: definition), let source = resolve(reference),
                !Item.agree(item(of: data), item(of: source))
            else { continue }
            report(
                .eventDataItem, at: data,
                "Expected \(called(data)) to carry the item of \(called(source)), but it carries another.")
        }
    }

    /// What a definition refers to, when that may carry an item.
    private func carried(by definition: XMLElement) -> String? {
        switch kind(definition) {
        case .messageEventDefinition: value("messageRef", of: definition)
        case .signalEventDefinition: value("signalRef", of: definition)
        case .errorEventDefinition: value("errorRef", of: definition)
        case .escalationEventDefinition: value("escalationRef", of: definition)
        default: nil
        }
    }
}

/// What data carries: the item definition it refers to.
struct Item {
    /// The item definition, when the document has it.
    let definition: Int32?
    /// How it is referred to.
    let reference: String
    /// The structure of one item, when it is said.
    let structure: String?
    /// Whether it is many.
    let isCollection: Bool

    /// Whether two items are the same or equivalent; nothing agrees only with nothing.
    static func agree(_ left: Item?, _ right: Item?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        if left.definition == nil || right.definition == nil { return left.reference == right.reference }
        if left.definition == right.definition { return true }
        guard let structure = left.structure else { return false }
        return structure == right.structure && left.isCollection == right.isCollection
    }

    /// Whether this is one item of a collection; when either structure is unknown, they may.
    func isElement(of collection: Item) -> Bool {
        guard definition != nil, collection.definition != nil else { return true }
        guard !isCollection, collection.isCollection else { return false }
        guard let structure, let whole = collection.structure else { return true }
        return structure == whole
    }
}
