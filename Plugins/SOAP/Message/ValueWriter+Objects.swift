internal import Values

/// What of an object's entries was not written yet.
private struct ObjectCursor {
    /// Values that wait, by field.
    var values: [[Value]]
    /// How many of them are written.
    var taken: [Int]
    /// Values for elements of any kind.
    var others: ArraySlice<Value>

    func left(_ field: Int) -> Int { self.values[field].count - self.taken[field] }
}

extension ValueWriter {
    /// Writes the attributes and elements of an object, in the order of the schema.
    mutating func object(
        _ context: ValueContext, _ shape: TypeShape, path: String, depth: Int
    ) throws(CodecProblem) {
        try Self.checkKeys(context, shape, path)
        try self.attributes(context, shape, path)
        if let text = shape.text {
            guard let value = context[ValueKey.text] else {
                throw CodecProblem("\(path).\(ValueKey.text)", "it is missing.")
            }
            let own = "\(path).\(ValueKey.text)"
            try self.text(try SimpleCodec(set: self.set).text(value, text, path: own), own)
            return
        }
        if shape.isMixed, let text = context[ValueKey.text] {
            try self.text(try SimpleCodec.anyText(text, path), path)
        }
        guard let model = shape.model else { return }
        var cursor = try Self.cursor(context, shape, path)
        try self.write(model, shape, &cursor, isRequired: true, path: path, depth: depth)
        try Self.checkLeft(cursor, shape, path)
    }

    private static func checkKeys(_ context: ValueContext, _ shape: TypeShape, _ path: String) throws(CodecProblem) {
        let known =
            shape.fields.map(\.key) + shape.attributes.map(\.key)
            + (shape.text != nil || shape.isMixed ? [ValueKey.text] : [])
            + (shape.allowsAnyElement ? [ValueKey.any] : [])
        for key in context.keys where key != ValueKey.type && !known.contains(key) {
            if shape.allowsAnyAttribute, key.hasPrefix("@") { continue }
            let hint =
                ClosestMatch.of(key, in: known).map { "Did you mean \($0)?" }
                ?? (known.isEmpty ? "None is known here." : "Known here: \(known.prefix(30).joined(separator: ", ")).")
            throw CodecProblem("\(path).\(key.prefix(80))", "there is no such field. \(hint)")
        }
    }

    private mutating func attributes(
        _ context: ValueContext, _ shape: TypeShape, _ path: String
    ) throws(CodecProblem) {
        let codec = SimpleCodec(set: self.set)
        for attribute in shape.attributes {
            let own = "\(path).\(attribute.key)"
            let declaration = attribute.declaration
            if let value = context[attribute.key], !value.isNull {
                try self.attribute(declaration.name, try codec.text(value, declaration.type, path: own), own)
            } else if declaration.isRequired {
                guard let fixed = declaration.fixedText else { throw CodecProblem(own, "it is missing.") }
                try self.attribute(declaration.name, fixed, own)
            }
        }
        guard shape.allowsAnyAttribute else { return }
        let declared = Set(shape.attributes.map(\.key))
        for (key, value) in context where key.hasPrefix("@") && key != ValueKey.type && !declared.contains(key) {
            let name = XMLName(expanded: String(key.dropFirst()))
            guard XMLName.isLocal(name.local) else { throw CodecProblem("\(path).\(key)", "it is no name.") }
            try self.attribute(name, try SimpleCodec.anyText(value, "\(path).\(key)"), path)
        }
    }

    private static func cursor(
        _ context: ValueContext, _ shape: TypeShape, _ path: String
    ) throws(CodecProblem) -> ObjectCursor {
        var values: [[Value]] = []
        for field in shape.fields {
            switch context[field.key] {
            case nil: values.append([])
            case .null? where !field.declaration.isNillable && !field.isRequired: values.append([])
            case .list(let items)? where field.isList: values.append(items)
            case .some where field.isList:
                throw CodecProblem("\(path).\(field.key)", "expected a list.")
            case let value?: values.append([value])
            }
        }
        let others = context[ValueKey.any]?.asList ?? []
        return ObjectCursor(values: values, taken: values.map { _ in 0 }, others: others[...])
    }

    private static func checkLeft(_ cursor: ObjectCursor, _ shape: TypeShape, _ path: String) throws(CodecProblem) {
        for index in shape.fields.indices where cursor.left(index) > 0 {
            let field = shape.fields[index]
            throw CodecProblem(
                "\(path).\(field.key)",
                cursor.taken[index] > 0
                    ? "the schema allows \(cursor.taken[index]) here." : "it is not allowed beside the other fields.")
        }
        guard cursor.others.isEmpty else {
            throw CodecProblem("\(path).\(ValueKey.any)", "there are more elements than the schema allows.")
        }
    }

    // MARK: - Content models

    /// How many fields of a part have something to write.
    private func work(_ model: TypeShape.Model, _ cursor: ObjectCursor) -> Int {
        switch model {
        case .element(let field, _, _): cursor.left(field) > 0 ? 1 : 0
        case .any: cursor.others.isEmpty ? 0 : 1
        case .sequence(let parts, _, _), .choice(let parts, _, _), .all(let parts, _):
            parts.reduce(0) { $0 + self.work($1, cursor) }
        }
    }

    private func hasWork(_ model: TypeShape.Model, _ cursor: ObjectCursor) -> Bool {
        self.work(model, cursor) > 0
    }

    private mutating func write(
        _ model: TypeShape.Model, _ shape: TypeShape, _ cursor: inout ObjectCursor, isRequired: Bool, path: String,
        depth: Int
    ) throws(CodecProblem) {
        switch model {
        case .element(let index, let minimum, let maximum):
            try self.write(
                shape.fields[index], at: index, minimum: isRequired ? minimum : 0, maximum, &cursor, path, depth)
        case .any(_, let maximum):
            var count = 0
            while count < maximum, let item = cursor.others.popFirst() {
                count += 1
                try self.any(item, path: "\(path).\(ValueKey.any)", depth: depth)
            }
        case .sequence(let parts, let minimum, let maximum):
            try self.repeated(model, &cursor, minimum: isRequired ? minimum : 0, maximum) {
                (writer, cursor, required) throws(CodecProblem) in
                for part in parts {
                    try writer.write(part, shape, &cursor, isRequired: required, path: path, depth: depth)
                }
            }
        case .choice(let parts, let minimum, let maximum):
            try self.repeated(model, &cursor, minimum: isRequired ? minimum : 0, maximum) {
                (writer, cursor, required) throws(CodecProblem) in
                // Alternatives may begin alike: the one that more of the fields belong to is meant.
                let best = parts.indices.max { writer.work(parts[$0], cursor) < writer.work(parts[$1], cursor) }
                guard let best, writer.hasWork(parts[best], cursor) else {
                    if required, !parts.isEmpty, !parts.contains(where: Self.mayBeEmpty) {
                        throw CodecProblem(path, "expected one of \(Self.names(parts, shape)).")
                    }
                    return
                }
                try writer.write(parts[best], shape, &cursor, isRequired: true, path: path, depth: depth)
            }
        case .all(let parts, let minimum):
            let required = (isRequired && minimum > 0) || self.hasWork(model, cursor)
            for part in parts {
                try self.write(part, shape, &cursor, isRequired: required, path: path, depth: depth)
            }
        }
    }

    /// Goes round a group: at least once where it is required, then as long as values are left.
    private mutating func repeated(
        _ model: TypeShape.Model, _ cursor: inout ObjectCursor, minimum: Int, _ maximum: Int,
        _ body: (inout ValueWriter, inout ObjectCursor, Bool) throws(CodecProblem) -> Void
    ) throws(CodecProblem) {
        var count = 0
        while count < maximum {
            let hasWork = self.hasWork(model, cursor)
            guard hasWork || count < min(minimum, 1) else { return }
            let before = cursor.taken
            let othersBefore = cursor.others.count
            try body(&self, &cursor, true)
            count += 1
            if before == cursor.taken, othersBefore == cursor.others.count { return }
        }
    }

    private mutating func write(
        _ field: TypeShape.Field, at index: Int, minimum: Int, _ maximum: Int, _ cursor: inout ObjectCursor,
        _ path: String, _ depth: Int
    ) throws(CodecProblem) {
        let own = "\(path).\(field.key)"
        guard cursor.left(index) >= min(minimum, 1) else {
            throw CodecProblem(
                own, field.declaration.isNillable ? "it is missing; null is allowed." : "it is missing.")
        }
        var count = 0
        while count < maximum, cursor.left(index) > 0 {
            let value = cursor.values[index][cursor.taken[index]]
            let place = field.isList ? "\(own)[\(cursor.taken[index])]" : own
            cursor.taken[index] += 1
            count += 1
            try self.write(value, as: field.declaration, path: place, depth: depth + 1)
        }
    }

    private mutating func any(_ item: Value, path: String, depth: Int) throws(CodecProblem) {
        guard let name = item["name"]?.asString, !name.isEmpty else {
            throw CodecProblem(path, "expected { name: \"{namespace}name\", value: … }.")
        }
        try self.element(XMLName(expanded: name), item["value"] ?? .string(""), path: path, depth: depth)
    }

    /// Whether a part asks for nothing.
    private static func mayBeEmpty(_ model: TypeShape.Model) -> Bool {
        switch model {
        case .element(_, let minimum, _), .any(let minimum, _): minimum == 0
        case .sequence(let parts, let minimum, _): minimum == 0 || parts.allSatisfy(Self.mayBeEmpty)
        case .all(let parts, let minimum): minimum == 0 || parts.allSatisfy(Self.mayBeEmpty)
        case .choice(let parts, let minimum, _): minimum == 0 || parts.contains(where: Self.mayBeEmpty)
        }
    }

    private static func names(_ parts: [TypeShape.Model], _ shape: TypeShape) -> String {
        let names = parts.compactMap { part in
            if case .element(let field, _, _) = part { shape.fields[field].key } else { nil as String? }
        }
        return names.joined(separator: ", ")
    }
}
