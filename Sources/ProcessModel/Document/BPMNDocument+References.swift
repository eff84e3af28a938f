/// A mention of one element by another.
public struct DocumentReference: Hashable, Sendable {
    /// The name of the attribute or element that holds it, as `sourceRef`, `incoming` or `bpmnElement`.
    public let role: String
    /// The reference as written, without white space around it.
    public let text: String
    /// The element it names, when it is part of the document.
    public let target: ElementID?
}

extension BPMNDocument {
    /// What an element refers to: by its attributes, then by the elements directly inside it.
    public func references(of element: ElementID) -> [DocumentReference] {
        guard self[element].isIdentified else { return [] }
        var found: [DocumentReference] = []
        for attribute in self[element].attributes
        where attribute.name.uri.isEmpty && ReferenceNames.attributes.contains(attribute.name.local) {
            found.append(reference(attribute.name.local, attribute.value))
        }
        for child in children(of: element) where isReference(child) {
            found.append(reference(self[child].name.local, text(of: child)))
        }
        return found
    }

    /// What an element refers to in one role.
    public func target(of element: ElementID, _ role: String) -> ElementID? {
        if let text = self[element].attribute(role) { return resolve(text) }
        return child(of: element, named: role).flatMap { resolve(text(of: $0)) }
    }

    /// The element a reference names: a qualified name, of which within a document the local part decides, or an id
    /// that is none.
    public func resolve(_ reference: String) -> ElementID? {
        let name = reference.trimmingXMLSpace
        if let element = elementsByID[name] { return element }
        guard let colon = name.firstIndex(of: ":") else { return nil }
        return elementsByID[String(name[name.index(after: colon)...])]
    }

    private func reference(_ role: String, _ text: String) -> DocumentReference {
        let name = text.trimmingXMLSpace
        return DocumentReference(role: role, text: name, target: resolve(name))
    }

    /// Whether an element is nothing but a reference in its parent.
    func isReference(_ element: ElementID) -> Bool {
        self[element].kind == .model && ReferenceNames.elements.contains(self[element].name.local)
    }

    /// A reference with its prefix replaced by the namespace it stands for, so that prefixes do not matter.
    func expanded(_ reference: String, at element: ElementID) -> String {
        let name = reference.trimmingXMLSpace
        guard let colon = name.firstIndex(of: ":") else { return name }
        guard let uri = namespace(of: String(name[..<colon]), at: element) else { return name }
        return "{\(uri)}\(name[name.index(after: colon)...])"
    }

    /// The namespace a prefix stands for at an element.
    func namespace(of prefix: String, at element: ElementID) -> String? {
        var around: ElementID? = element
        while let candidate = around {
            if let found = self[candidate].namespaces.first(where: { $0.prefix == prefix }) { return found.uri }
            around = self[candidate].parent
        }
        return nil
    }
}

/// Where BPMN and BPMNDI refer to elements by name (the `xsd:QName` and `xsd:IDREF` types of their schemas).
enum ReferenceNames {
    /// Attributes.
    static let attributes: Set<String> = [
        "activityRef", "attachedToRef", "bpmnElement", "calledChoreographyRef", "calledCollaborationRef",
        "calledElement", "categoryValueRef", "choreographyActivityShape", "collectionItemRef", "correlationKeyRef",
        "correlationPropertyRef", "dataObjectRef", "dataStoreRef", "default", "definitionalCollaborationRef",
        "errorRef", "escalationRef", "evaluatesToTypeRef", "eventDefinitionRef", "implementationRef",
        "initiatingParticipantRef", "inputDataRef", "itemSubjectRef", "itemRef", "labelStyle", "messageRef",
        "noneBehaviorEventRef", "oneBehaviorEventRef", "operationRef", "outputDataRef", "parameterRef",
        "partitionElementRef", "participantRef", "processRef", "resourceRef", "signalRef", "sourceElement",
        "sourceRef", "structureRef", "targetElement", "targetRef",
    ]

    /// Elements whose text is the reference.
    static let elements: Set<String> = [
        "categoryValueRef", "choreographyRef", "correlationPropertyRef", "dataInputRefs", "dataOutputRefs",
        "endPointRef", "errorRef", "eventDefinitionRef", "flowNodeRef", "inMessageRef", "incoming",
        "innerConversationNodeRef", "innerParticipantRef", "inputSetRefs", "interfaceRef", "loopDataInputRef",
        "loopDataOutputRef", "messageFlowRef", "operationRef", "optionalInputRefs", "optionalOutputRefs",
        "outMessageRef", "outerConversationNodeRef", "outerParticipantRef", "outgoing", "outputSetRefs",
        "participantRef", "resourceRef", "source", "sourceRef", "supportedInterfaceRef", "supports", "target",
        "targetRef", "whileExecutingInputRefs", "whileExecutingOutputRefs",
    ]
}

extension String {
    /// The text without XML white space at its ends.
    var trimmingXMLSpace: String {
        guard let first = utf8.first, let last = utf8.last, first.isXMLSpace || last.isXMLSpace else { return self }
        let start = utf8.firstIndex { !$0.isXMLSpace } ?? endIndex
        let end = utf8.lastIndex { !$0.isXMLSpace }.map { utf8.index(after: $0) } ?? start
        return String(self[start..<end])
    }
}
