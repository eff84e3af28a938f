internal import Values

/// Reads elements into values, by their types.
///
/// For one message; not `Sendable`.
final class ValueReader {
    private static let depthMax = 256
    private let set: SchemaSet
    private let codec: SimpleCodec
    /// Elements that others refer to by `href`, by their `id` (SOAP encoding).
    private let referenced: [String: XMLNode]
    /// What `xop:Include` refers to, as base64.
    private let attachments: (String) -> String?
    /// How many elements are read: in encoded messages elements are read as often as others refer to them.
    private let elementsMax: Int
    private var elements = 0

    init(
        set: SchemaSet, referenced: [String: XMLNode] = [:], elementsMax: Int = .max,
        attachments: @escaping (String) -> String? = { _ in nil }
    ) {
        self.set = set
        self.codec = SimpleCodec(set: set)
        self.referenced = referenced
        self.elementsMax = elementsMax
        self.attachments = attachments
    }

    /// The value of an element.
    func value(
        _ node: XMLNode, _ type: TypeReference, path: String, defaultText: String? = nil, depth: Int = 0
    ) throws(CodecProblem) -> Value {
        let node = try self.target(of: node, path, depth)
        guard depth < Self.depthMax else { throw CodecProblem(path, "elements are nested too deeply.") }
        self.elements += 1
        guard self.elements <= self.elementsMax else { throw CodecProblem(path, "there are too many elements.") }
        if node.isNil { return .null }
        let actual = self.type(node, declared: type)
        switch self.set.resolve(actual) {
        case .any:
            if let item = node.attribute("arrayType", in: Namespace.encoding11) {
                let type = node.resolve(String(item.prefix { $0 != "[" })).map { TypeReference.named($0) }
                return .list(try self.items(node, type ?? .anyType, path, depth))
            }
            return self.generic(node, depth: depth)
        case .builtin, .simple:
            return try self.codec.value(self.text(node, path, defaultText), actual, path: path)
        case .complex(let index):
            let shape = self.set.shapes[index]
            if let item = self.arrayItem(node, shape) {
                return .list(try self.items(node, .named(item), path, depth))
            }
            if shape.isPlainText, let text = shape.text {
                return try self.codec.value(self.text(node, path, defaultText), text, path: path)
            }
            var context = try self.context(node, shape, path: path, defaultText: defaultText, depth: depth)
            if actual != type, case .named(let name) = actual { context[ValueKey.type] = .string(name.local) }
            return .context(context)
        }
    }

    /// The entries of an element of a complex type.
    func context(
        _ node: XMLNode, _ shape: TypeShape, path: String, defaultText: String? = nil, depth: Int = 0
    ) throws(CodecProblem) -> ValueContext {
        var context = ValueContext()
        for attribute in shape.attributes {
            let name = attribute.declaration.name
            let text = node.attribute(name.local, in: name.uri) ?? attribute.declaration.defaultText
            guard let text else { continue }
            context[attribute.key] = try self.codec.value(
                text, attribute.declaration.type, path: "\(path).\(attribute.key)")
        }
        if shape.allowsAnyAttribute {
            for (name, value) in node.attributes where !Self.isReserved(name) {
                let key = "@\(name.local)"
                if context[key] == nil { context[key] = .string(value) }
            }
        }
        if let text = shape.text {
            context[ValueKey.text] = try self.codec.value(self.text(node, path, defaultText), text, path: path)
            return context
        }
        if shape.isMixed, !node.trimmedText.isEmpty {
            context[ValueKey.text] = .string(node.text)
        }
        for field in shape.fields where field.isList { context[field.key] = .list([]) }
        var lists: [Int: [Value]] = [:]
        var others: [Value] = []
        for child in node.children {
            if let index = self.field(child, shape) {
                let field = shape.fields[index]
                let value = try self.value(
                    child, field.declaration.type, path: "\(path).\(field.key)",
                    defaultText: field.declaration.defaultText, depth: depth + 1)
                if field.isList {
                    lists[index, default: []].append(value)
                } else {
                    guard context[field.key] == nil else {
                        throw CodecProblem("\(path).\(field.key)", "there are several where one is allowed.")
                    }
                    context[field.key] = value
                }
            } else if shape.allowsAnyElement {
                others.append(try self.any(child, path: path, depth: depth + 1))
            } else {
                throw CodecProblem(path, "there is an element \(child.name) which the schema does not know.")
            }
        }
        for (index, values) in lists { context[shape.fields[index].key] = .list(values) }
        if !others.isEmpty { context[ValueKey.any] = .list(others) }
        return context
    }

    /// The field an element belongs to.
    ///
    /// Services that qualify too many names or too few are understood, unless the difference has a meaning.
    private func field(_ node: XMLNode, _ shape: TypeShape) -> Int? {
        if let index = shape.fieldByName[node.name] { return index }
        guard !shape.allowsAnyElement else { return nil }
        let same = shape.fields.indices.filter { shape.fields[$0].declaration.name.local == node.name.local }
        return same.count == 1 ? same.first : nil
    }

    /// An element where any may stand: `{ name, value }`.
    func any(_ node: XMLNode, path: String, depth: Int) throws(CodecProblem) -> Value {
        let value: Value
        if let declaration = self.set.elements[node.name] {
            value = try self.value(node, declaration.type, path: "\(path).\(node.name.local)", depth: depth)
        } else {
            value = self.generic(node, depth: depth)
        }
        return ["name": .string(node.name.description), "value": value]
    }

    /// The value of an element without a type: its text, or an object.
    func generic(_ node: XMLNode, depth: Int) -> Value {
        if node.isNil { return .null }
        if let name = node.instanceType, name.uri == Namespace.schema, BuiltinType.named(name.local) != nil,
            let value = try? self.codec.value(node.text, .named(name), path: "")
        {
            return value
        }
        let attributes = node.attributes.filter { !Self.isReserved($0.name) }
        guard !(node.children.isEmpty && attributes.isEmpty), depth < Self.depthMax else { return .string(node.text) }
        var context = ValueContext()
        for (name, value) in attributes { context["@\(name.local)"] = .string(value) }
        if !node.trimmedText.isEmpty { context[ValueKey.text] = .string(node.text) }
        var groups: [String: [Value]] = [:]
        var order: [String] = []
        for child in node.children {
            if groups[child.name.local] == nil { order.append(child.name.local) }
            groups[child.name.local, default: []].append(self.generic(child, depth: depth + 1))
        }
        for key in order {
            guard let values = groups[key] else { continue }
            context[key] = values.count == 1 ? values[0] : .list(values)
        }
        return .context(context)
    }

    private static func isReserved(_ name: XMLName) -> Bool {
        name.uri == Namespace.instance || name.uri == Namespace.envelope11 || name.uri == Namespace.envelope12
            || name.uri == Namespace.encoding11 || name.uri == Namespace.encoding12
    }

    // MARK: - Types and texts

    /// The declared type, or the one the element names for itself.
    private func type(_ node: XMLNode, declared: TypeReference) -> TypeReference {
        guard let name = node.instanceType, .named(name) != declared, self.set.declares(name) else { return declared }
        return .named(name)
    }

    private func text(_ node: XMLNode, _ path: String, _ defaultText: String?) throws(CodecProblem) -> String {
        if let include = node.child("Include", in: Namespace.xop) {
            guard let reference = include.attribute("href"), let content = self.attachments(reference) else {
                throw CodecProblem(path, "it refers to an attachment that is not there.")
            }
            return content
        }
        guard node.children.isEmpty else {
            throw CodecProblem(path, "expected a text but found the element \(node.children[0].name).")
        }
        let text = node.text
        return text.isEmpty ? defaultText ?? "" : text
    }

    // MARK: - SOAP encoding

    /// The element a reference leads to.
    private func target(of node: XMLNode, _ path: String, _ depth: Int) throws(CodecProblem) -> XMLNode {
        guard !self.referenced.isEmpty || node.attribute("href") != nil else { return node }
        let reference = node.attribute("href") ?? node.attribute("ref", in: Namespace.encoding12).map { "#\($0)" }
        guard let reference, reference.hasPrefix("#"), node.children.isEmpty else { return node }
        guard let target = self.referenced[String(reference.dropFirst())] else {
            throw CodecProblem(path, "it refers to \(CodecProblem.excerpt(reference)), which is not there.")
        }
        return target
    }

    private func arrayItem(_ node: XMLNode, _ shape: TypeShape) -> XMLName? {
        guard let declared = shape.arrayItem else { return nil }
        guard let text = node.attribute("arrayType", in: Namespace.encoding11),
            let actual = node.resolve(String(text.prefix { $0 != "[" })), self.set.declares(actual)
        else { return declared }
        return actual
    }

    private func items(_ node: XMLNode, _ item: TypeReference, _ path: String, _ depth: Int) throws(CodecProblem)
        -> [Value]
    {
        let type = node.attribute("arrayType", in: Namespace.encoding11) ?? ""
        let isPartial = node.attribute("offset", in: Namespace.encoding11) != nil
        guard !isPartial, !type.contains(","), type.filter({ $0 == "[" }).count <= 1 else {
            throw CodecProblem(path, "arrays of several dimensions and parts of arrays are not supported.")
        }
        var items: [Value] = []
        for child in node.children {
            guard child.attribute("position", in: Namespace.encoding11) == nil else {
                throw CodecProblem(path, "sparse arrays are not supported.")
            }
            items.append(try self.value(child, item, path: "\(path)[\(items.count)]", depth: depth + 1))
        }
        return items
    }
}
