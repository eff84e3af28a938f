internal import ConnectorKit
internal import Values

/// Takes binaries out of a message that is being written.
protocol BinarySink {
    /// The reference to write instead of these base64 digits; nil when they stay in the text.
    mutating func take(base64: String) -> String?
}

/// Writes values as elements, by their types.
struct ValueWriter {
    private static let depthMax = 200

    let set: SchemaSet
    /// Whether types are written with the values (SOAP encoding).
    var isEncoded = false
    var sink: (any BinarySink)?
    var xml: XMLWriter

    init(set: SchemaSet, xml: XMLWriter, isEncoded: Bool = false, sink: (any BinarySink)? = nil) {
        self.set = set
        self.xml = xml
        self.isEncoded = isEncoded
        self.sink = sink
    }

    /// Writes an element with its value.
    mutating func write(
        _ value: Value, as declaration: ElementDeclaration, path: String, depth: Int = 0
    ) throws(CodecProblem) {
        guard depth < Self.depthMax else { throw CodecProblem(path, "values are nested too deeply.") }
        self.xml.start(declaration.name)
        if value.isNull {
            guard declaration.isNillable || self.isEncoded else {
                throw CodecProblem(path, "null is not allowed here; leave the field out, or give a value.")
            }
            try self.attribute(XMLName(Namespace.instance, "nil"), "true", path)
        } else {
            try self.content(value, declaration.type, path: path, depth: depth)
        }
        self.xml.end()
    }

    /// Writes what stands inside an element whose tag is open.
    mutating func content(_ value: Value, _ declared: TypeReference, path: String, depth: Int) throws(CodecProblem) {
        let type = try self.actualType(value, declared, path)
        if self.isEncoded || type != declared { try self.writeType(type, declared, path) }
        switch self.set.resolve(type) {
        case .any: try self.generic(value, path: path, depth: depth)
        case .builtin, .simple: try self.simple(value, type, path)
        case .complex(let index):
            let shape = self.set.shapes[index]
            if let item = shape.arrayItem {
                try self.array(value, item, path: path, depth: depth)
            } else if shape.text != nil, value.asContext == nil {
                for attribute in shape.attributes where attribute.declaration.isRequired {
                    guard let fixed = attribute.declaration.fixedText else {
                        throw CodecProblem("\(path).\(attribute.key)", "it is missing.")
                    }
                    try self.attribute(attribute.declaration.name, fixed, path)
                }
                try self.simple(value, type, path)
            } else {
                guard let context = value.asContext else {
                    throw CodecProblem(path, "expected an object but found \(value.typeName).")
                }
                guard !shape.isAbstract else {
                    throw CodecProblem(path, "its type is abstract; name a type derived from it in \(ValueKey.type).")
                }
                try self.object(context, shape, path: path, depth: depth)
            }
        }
    }

    // MARK: - Types

    /// The type a value names for itself, or the declared one.
    private func actualType(
        _ value: Value, _ declared: TypeReference, _ path: String
    ) throws(CodecProblem) -> TypeReference {
        guard let text = value[ValueKey.type]?.asString, case .complex = self.set.resolve(declared) else {
            return declared
        }
        let name = XMLName(expanded: text)
        if case .named(let own) = declared {
            if own.local == text || own == name { return declared }
            let sibling = XMLName(own.uri, text)
            if self.set.types[sibling] != nil { return .named(sibling) }
        }
        if self.set.types[name] != nil { return .named(name) }
        let found = self.set.types.keys.filter { $0.local == text }
        guard found.count == 1, let only = found.first else {
            throw CodecProblem(
                "\(path).\(ValueKey.type)",
                found.isEmpty
                    ? "there is no type \(CodecProblem.excerpt(text))."
                    : "there are several types of this name; write {namespace}name.")
        }
        return .named(only)
    }

    private mutating func writeType(
        _ type: TypeReference, _ declared: TypeReference, _ path: String
    ) throws(CodecProblem) {
        guard case .named(let name) = type, name.local != "anyType" else { return }
        if case .complex(let index) = self.set.resolve(type), self.set.shapes[index].arrayItem != nil { return }
        let prefix = self.xml.prefix(of: name.uri)
        try self.attribute(
            XMLName(Namespace.instance, "type"), prefix.isEmpty ? name.local : "\(prefix):\(name.local)", path)
    }

    private mutating func array(_ value: Value, _ item: XMLName, path: String, depth: Int) throws(CodecProblem) {
        guard let items = value.asList else {
            throw CodecProblem(path, "expected a list but found \(value.typeName).")
        }
        let encoding = self.xml.prefix(of: Namespace.encoding11)
        try self.attribute(XMLName(Namespace.instance, "type"), "\(encoding):Array", path)
        let prefix = self.xml.prefix(of: item.uri)
        try self.attribute(
            XMLName(Namespace.encoding11, "arrayType"),
            (prefix.isEmpty ? "" : prefix + ":") + "\(item.local)[\(items.count)]", path)
        let declaration = ElementDeclaration(name: XMLName("", "item"), type: .named(item))
        for (index, value) in items.enumerated() {
            try self.write(value, as: declaration, path: "\(path)[\(index)]", depth: depth + 1)
        }
    }

    // MARK: - Texts

    private mutating func simple(_ value: Value, _ type: TypeReference, _ path: String) throws(CodecProblem) {
        if let text = value.asString, self.sink != nil, self.isBase64(type), Base64.decode(text) != nil,
            let reference = self.sink?.take(base64: text)
        {
            self.xml.start(XMLName(Namespace.xop, "Include"))
            try self.attribute(XMLName("", "href"), reference, path)
            self.xml.end()
            return
        }
        try self.text(try SimpleCodec(set: self.set).text(value, type, path: path), path)
    }

    private func isBase64(_ type: TypeReference) -> Bool {
        var type = type
        for _ in 0..<16 {
            switch self.set.resolve(type) {
            case .builtin(let builtin): return builtin.kind == .base64
            case .simple(let simple):
                guard case .restriction(let base) = simple.variety else { return false }
                type = base
            case .complex(let index):
                guard let text = self.set.shapes[index].text else { return false }
                type = text
            case .any: return false
            }
        }
        return false
    }

    mutating func text(_ text: String, _ path: String) throws(CodecProblem) {
        do { try self.xml.text(text) } catch {
            throw CodecProblem(path, "it holds a character that XML has no form for.")
        }
    }

    mutating func attribute(_ name: XMLName, _ value: String, _ path: String) throws(CodecProblem) {
        do { try self.xml.attribute(name, value) } catch {
            throw CodecProblem(path, "it holds a character that XML has no form for.")
        }
    }

    // MARK: - Elements of any kind

    /// Writes a value whose type nobody knows: `@` entries as attributes, lists as repeated elements.
    mutating func generic(_ value: Value, path: String, depth: Int) throws(CodecProblem) {
        guard depth < Self.depthMax else { throw CodecProblem(path, "values are nested too deeply.") }
        guard let context = value.asContext else {
            try self.text(try SimpleCodec.anyText(value, path), path)
            return
        }
        for (key, value) in context where key.hasPrefix("@") && key != ValueKey.type {
            let name = XMLName(expanded: String(key.dropFirst()))
            guard XMLName.isLocal(name.local) else { throw CodecProblem(path, "\"\(key.prefix(40))\" is no name.") }
            try self.attribute(name, try SimpleCodec.anyText(value, "\(path).\(key)"), "\(path).\(key)")
        }
        if let text = context[ValueKey.text] {
            try self.text(try SimpleCodec.anyText(text, "\(path).\(ValueKey.text)"), path)
        }
        for (key, value) in context where !key.hasPrefix("@") && !key.hasPrefix("#") {
            try self.element(XMLName(expanded: key), value, path: "\(path).\(key)", depth: depth)
        }
    }

    /// Writes an element after its declaration, if there is one.
    mutating func element(_ name: XMLName, _ value: Value, path: String, depth: Int) throws(CodecProblem) {
        guard XMLName.isLocal(name.local) else {
            throw CodecProblem(path, "\(CodecProblem.excerpt(name.local)) is no name of an element.")
        }
        if let declaration = self.set.elements[name] {
            try self.write(value, as: declaration, path: path, depth: depth + 1)
            return
        }
        for item in value.asList ?? [value] {
            self.xml.start(name)
            try self.generic(item, path: path, depth: depth + 1)
            self.xml.end()
        }
    }
}
