import Decisions

/// Data of the standard (BPMN 2.0.2 clause 10.4): objects, properties, stores, inputs and outputs are variables.
///
/// Data objects and properties are variables of the scope or activity that declares them, data inputs and outputs are
/// local variables of their activity, and associations become input and output mappings.
extension ProcessReader {
    /// Reads what data a node declares and what it moves.
    func readData(_ index: Int, _ parts: NodeParts) {
        let node = nodes[index]
        if node.kind.isScope {
            node.dataObjects = declaredData(of: node)
        } else if node.kind.isActivity {
            node.dataObjects = distinct(parts.properties.filter { !isPlaceholder($0) }.map { dataName(of: $0) })
        }
        let loop = loopData(of: parts)
        for association in parts.dataAssociations where !loop.contains(association.index) {
            readAssociation(association, into: index)
        }
    }

    /// The names of the data objects and properties of a scope.
    private func declaredData(of node: DraftNode) -> [String] {
        distinct(
            node.element.children.compactMap { child in
                switch child.tag {
                case .property?, .dataObject?: dataName(of: child)
                default: nil
                }
            })
    }

    private func distinct(_ names: [String]) -> [String] {
        guard names.count > 1 else { return names }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    // MARK: Names

    /// The variable a data element is: its name, where FEEL can read that, else its id.
    func dataName(of element: XMLElement) -> String {
        var names = [element.attribute("name")]
        if element.tag == .dataObject { names.append(reader.referenceNames[element.index]) }
        let usable = names.lazy.compactMap { $0 }.first { $0[...].isVariableName }
        return usable ?? element.attribute("id") ?? "data"
    }

    /// A data element by its id, as the variable it is.
    private func data(_ reference: String) -> (name: String, isStore: Bool)? {
        guard let element = reader.resolve(reference) else { return impliedVariable(reference) }
        switch element.tag {
        case .dataObject, .property, .dataInput, .dataOutput, .inputDataItem, .outputDataItem:
            return (dataName(of: element), false)
        case .dataObjectReference:
            let object = element.attribute("dataObjectRef").flatMap { reader.resolve($0, as: .dataObject) }
            return object.map { (dataName(of: $0), false) }
        case .dataStoreReference:
            let store = element.attribute("dataStoreRef").flatMap { reader.resolve($0, as: .dataStore) }
            return (use(store: dataName(of: store ?? element)), true)
        case .dataStore: return (use(store: dataName(of: element)), true)
        default: return nil
        }
    }

    /// A variable named where an element is meant, as other engines let models do.
    private func impliedVariable(_ name: String) -> (name: String, isStore: Bool)? {
        guard reader.profile == .lenient, name[...].isVariableName else { return nil }
        reader.mention(.impliedName, "the variable \(name), since there is no data element of that id", at: element)
        return (name, false)
    }

    private func use(store name: String) -> String {
        if !dataStores.contains(name) { dataStores.append(name) }
        return name
    }

    // MARK: Associations

    /// Reads a data association into input or output mappings (BPMN 2.0.2 clause 10.4.2).
    ///
    /// Assignments are made as written; without them the source, or what a transformation makes of it, is copied.
    private func readAssociation(_ association: XMLElement, into index: Int) {
        reader.checkExtensions(of: association, on: .other("data association"))
        var target: (name: String, isStore: Bool)?
        if let reference = association.children.first(where: { $0.tag == .targetRef })?.text {
            if isPlaceholder(reader.resolve(reference)) {
                mentionIdle(association)
                return
            }
            target = data(reference)
            guard target != nil else {
                reportData(reference, at: association)
                return
            }
        }
        let assignments = association.children.filter { $0.tag == .assignment }
        let transformation = association.children.first { $0.tag == .transformation }
        if transformation != nil || assignments.isEmpty {
            guard let target else {
                mentionIdle(association)
                return
            }
            guard let source = source(of: association, transformation, for: target) else { return }
            add(source, [target.name], isStore: target.isStore, association, index)
        }
        for assignment in assignments { readAssignment(assignment, target, association, index) }
    }

    /// What an association copies.
    ///
    /// An output that was not produced leaves its target as it is.
    private func source(
        of association: XMLElement, _ transformation: XMLElement?, for target: (name: String, isStore: Bool)? = nil
    ) -> Expression? {
        let sources = association.children.filter { $0.tag == .sourceRef }
        // What a transformation reads is found by name; this only checks that it is there.
        let names = sources.map { source -> String? in
            let name = data(source.text)?.name
            if name == nil { reportData(source.text, at: association) }
            return name
        }
        if let transformation { return reader.formalExpression(transformation, "the transformation") }
        guard names.count == 1 else {
            if names.isEmpty { mentionIdle(association) } else { reportMissing("sourceRef", at: association) }
            return nil
        }
        guard let name = names[0] else { return nil }
        guard association.tag == .dataOutputAssociation, let target, target.name != name else {
            return reader.variable(name, of: association)
        }
        return reader.firstValue(name, else: target.name, of: association)
    }

    private func readAssignment(
        _ assignment: XMLElement, _ target: (name: String, isStore: Bool)?, _ association: XMLElement, _ index: Int
    ) {
        guard let from = assignment.children.first(where: { $0.tag == .from }),
            let to = assignment.children.first(where: { $0.tag == .to })
        else {
            reportMissing("from and to", at: assignment)
            return
        }
        let source = reader.formalExpression(from, "an assignment")
        let text = to.text.hasPrefix("=") ? String(to.text.dropFirst()) : to.text
        guard let path = assignedPath(text, of: to), let source else { return }
        add(source, path, isStore: target.map { $0.isStore && $0.name == path[0] } ?? false, association, index)
    }

    /// Where an assignment writes: a data element by id or name, or a part of one.
    private func assignedPath(_ text: String, of element: XMLElement) -> [String]? {
        if let data = data(text) { return [data.name] }
        return variablePath(text, of: element)
    }

    private func add(_ source: Expression, _ target: [String], isStore: Bool, _ association: XMLElement, _ index: Int) {
        let mapping = VariableMapping(source: .expression(source), target: target, isDataStore: isStore)
        if association.tag == .dataInputAssociation {
            nodes[index].inputs.append(mapping)
        } else {
            nodes[index].outputs.append(mapping)
        }
    }

    /// Says that an association without source or target moves nothing: an arrow for people.
    private func mentionIdle(_ association: XMLElement) {
        reader.mention(.keptForPeople, "a data association without source or target", at: association)
    }

    /// Whether a property only stands where the schema wants a target, as bpmn.io writes it.
    private func isPlaceholder(_ element: XMLElement?) -> Bool {
        element?.tag == .property && element?.attribute("name") == "__targetRef_placeholder"
    }

    private func reportData(_ reference: String, at element: XMLElement) {
        reader.report(
            .unknownData, at: element,
            "Expected the data association to connect data, but \(reference) is none.",
            remedy: "refer to a data object, property, data store, data input or data output")
    }

    private func reportMissing(_ part: String, at element: XMLElement) {
        reader.report(
            .unknownData, at: element, "Expected <\(element.name.local)> to have one \(part), but it has not.",
            remedy: "add it")
    }

    // MARK: Data of multi-instance markers

    /// Reads the collections a multi-instance marker names: a data input or output stands for what it is associated with.
    func readLoopData(
        _ input: String?, _ output: String?, at loop: XMLElement, _ index: Int
    ) -> (collection: Expression?, outputCollection: String?) {
        var collection: Expression?
        if let input {
            if let association = association(to: input, of: nodes[index].element) {
                let transformation = association.children.first { $0.tag == .transformation }
                collection = source(of: association, transformation)
            } else if let data = data(input) {
                collection = reader.variable(data.name, of: loop)
            } else {
                reportData(input, at: loop)
            }
        }
        guard let output else { return (collection, nil) }
        let association = association(from: output, of: nodes[index].element)
        let reference = association?.children.first { $0.tag == .targetRef }?.text ?? output
        guard let data = data(reference) else {
            reportData(reference, at: loop)
            return (collection, nil)
        }
        return (collection, data.name)
    }

    /// The associations that only feed or empty the collections of a multi-instance marker.
    private func loopData(of parts: NodeParts) -> Set<Int32> {
        guard let loop = parts.multiInstance, !parts.dataAssociations.isEmpty, let element = loop.parent else {
            return []
        }
        var found: Set<Int32> = []
        for child in loop.children {
            switch child.tag {
            case .loopDataInputRef?: association(to: child.text, of: element).map { _ = found.insert($0.index) }
            case .loopDataOutputRef?: association(from: child.text, of: element).map { _ = found.insert($0.index) }
            default: continue
            }
        }
        return found
    }

    private func association(to reference: String, of activity: XMLElement) -> XMLElement? {
        association(.dataInputAssociation, .targetRef, reference, activity)
    }

    private func association(from reference: String, of activity: XMLElement) -> XMLElement? {
        association(.dataOutputAssociation, .sourceRef, reference, activity)
    }

    private func association(
        _ tag: BPMNTag, _ end: BPMNTag, _ reference: String, _ activity: XMLElement
    ) -> XMLElement? {
        guard let wanted = reader.resolve(reference) else { return nil }
        return activity.children.first { child in
            child.tag == tag
                && child.children.contains {
                    $0.tag == end && reader.resolve($0.text)?.index == wanted.index
                }
        }
    }
}
