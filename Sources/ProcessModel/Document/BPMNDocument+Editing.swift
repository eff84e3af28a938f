extension BPMNDocument {
    /// Sets an attribute without namespace, or removes it; a changed `id` is known at once.
    public mutating func setAttribute(_ local: String, to value: String?, of element: ElementID) {
        let old = self[element].attribute(local)
        guard old != value else { return }
        let position = self[element].attributes.firstIndex { $0.name == ExpandedName(uri: "", local: local) }
        switch (position, value) {
        case (let position?, let value?):
            self[element].attributes[position].value = value
        case (let position?, nil):
            self[element].attributes.remove(at: position)
        case (nil, let value?):
            let name = ExpandedName(uri: "", local: local)
            self[element].attributes.append(DocumentAttribute(name: name, prefix: "", value: value))
        case (nil, nil):
            return
        }
        if local == "id" { indexIDs() }
    }

    /// Replaces the text directly inside an element; elements inside it stay, after the text.
    public mutating func setText(_ text: String, of element: ElementID) {
        self[element].content.removeAll { piece in
            switch piece {
            case .text, .cdata: true
            case .element, .comment, .instruction: false
            }
        }
        if !text.isEmpty { self[element].content.insert(.text(text), at: 0) }
    }

    /// Adds an element as the last one inside another, on a line of its own where the others are.
    ///
    /// - Parameters:
    ///   - name: The name; its namespace is declared when the document is written, if nothing around declares it.
    ///   - prefix: The prefix to write it with, where that is free.
    ///   - attributes: Attributes without namespace, in this order.
    /// - Returns: The new element.
    @discardableResult
    public mutating func append(
        _ name: ExpandedName, prefix: String = "", attributes: [(String, String)] = [], to parent: ElementID
    ) -> ElementID {
        let element = ElementID(elements.count)
        elements.append(
            DocumentElement(
                name: name, prefix: prefix,
                attributes: attributes.map {
                    DocumentAttribute(name: ExpandedName(uri: "", local: $0.0), prefix: "", value: $0.1)
                },
                parent: parent))
        let indentation = self.indentation(of: parent)
        if let last = self[parent].content.last, last.isBlank { self[parent].content.removeLast() }
        // Looking at the ends is enough: white space in mixed text is never added at its end, and all stays linear.
        let hasText = [self[parent].content.first, self[parent].content.last].contains { piece in
            switch piece {
            case .text, .cdata: piece.map { !$0.isBlank } ?? false
            case .element, .comment, .instruction, nil: false
            }
        }
        if hasText {
            self[parent].content.append(.element(element))
        } else {
            self[parent].content += [
                .text("\n" + indentation + "  "), .element(element), .text("\n" + indentation),
            ]
        }
        if let id = self[element].attribute("id"), self[element].isIdentified, elementsByID[id] == nil {
            elementsByID[id] = element
        }
        return element
    }

    /// Takes an element with everything inside out of the document; the root stays.
    public mutating func remove(_ element: ElementID) {
        guard let parent = self[element].parent,
            let position = self[parent].content.firstIndex(of: .element(element))
        else { return }
        self[parent].content.remove(at: position)
        if position > 0, self[parent].content[position - 1].isBlank { self[parent].content.remove(at: position - 1) }
        self[element].parent = nil
        indexIDs()
    }

    /// The white space before the start tag of an element on its line.
    private func indentation(of element: ElementID) -> String {
        guard let parent = self[element].parent,
            let position = self[parent].content.firstIndex(of: .element(element)), position > 0,
            case .text(let text) = self[parent].content[position - 1], let line = text.lastIndex(of: "\n")
        else { return "" }
        return String(text[text.index(after: line)...].prefix { $0 == " " || $0 == "\t" })
    }
}
