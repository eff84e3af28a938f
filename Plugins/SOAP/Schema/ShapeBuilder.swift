internal import ConnectorKit

/// Works out what complex types amount to: inheritance, groups, references and substitutions resolved.
struct ShapeBuilder {
    /// How deep types may inherit, and groups refer to each other.
    private static let depthMax = 64
    /// How many elements and attributes one type may come to; groups that refer to groups multiply.
    private static let partsMax = 5_000

    private let set: SchemaSet
    private var shape = TypeShape()
    /// Keys in use, so that elements of one name in two namespaces get two.
    private var keys: Set<String> = []
    private var parts = 0

    /// The shapes of every complex type of a set.
    static func shapes(of set: SchemaSet) throws(ConnectorError) -> [TypeShape] {
        var shapes: [TypeShape] = []
        for index in set.complexTypes.indices {
            var builder = ShapeBuilder(set: set)
            shapes.append(builder.build(index))
            guard builder.parts <= Self.partsMax else {
                throw SOAPErrors.unsupported(
                    "The type \(set.complexTypes[index].name?.description ?? "without a name") comes to more than "
                        + "\(Self.partsMax) elements and attributes.",
                    "Use a smaller schema.")
            }
        }
        return shapes
    }

    /// Counts a part; false when there are too many.
    private mutating func count() -> Bool {
        self.parts += 1
        return self.parts <= Self.partsMax
    }

    private init(set: SchemaSet) {
        self.set = set
    }

    private mutating func build(_ index: Int) -> TypeShape {
        let type = self.set.complexTypes[index]
        self.shape.isAbstract = type.isAbstract
        self.addAttributes(type, depth: 0)
        self.shape.isMixed = self.isMixed(type, depth: 0)
        if type.simpleContent {
            (self.shape.text, self.shape.textFacets) = self.textType(type, depth: 0)
        } else if let particle = self.particle(type, depth: 0) {
            self.shape.model = self.model(particle, isRepeated: false, isOptional: false, depth: 0)
        }
        return self.shape
    }

    private func baseType(_ type: ComplexType) -> ComplexType? {
        guard let base = type.base, case .complex(let index) = self.set.resolve(base) else { return nil }
        return self.set.complexTypes[index]
    }

    private func isMixed(_ type: ComplexType, depth: Int) -> Bool {
        if type.isMixed || depth > Self.depthMax { return type.isMixed }
        guard type.isExtension, let base = self.baseType(type) else { return false }
        return self.isMixed(base, depth: depth + 1)
    }

    private func textType(_ type: ComplexType, depth: Int) -> (TypeReference, Facets) {
        guard let base = type.base, depth < Self.depthMax else { return (.string, type.facets) }
        if case .complex(let index) = self.set.resolve(base) {
            let (inner, facets) = self.textType(self.set.complexTypes[index], depth: depth + 1)
            return (inner, type.facets.isEmpty ? facets : type.facets)
        }
        return (base, type.facets)
    }

    /// The whole content: that of the base first, then what an extension adds.
    private func particle(_ type: ComplexType, depth: Int) -> Particle? {
        guard type.isExtension, depth < Self.depthMax, let base = self.baseType(type),
            let inherited = self.particle(base, depth: depth + 1)
        else { return type.particle }
        guard let own = type.particle else { return inherited }
        return Particle(term: .sequence([inherited, own]), minimum: 1, maximum: 1)
    }

    // MARK: - Attributes

    private mutating func addAttributes(_ type: ComplexType, depth: Int) {
        if depth < Self.depthMax, let base = self.baseType(type) { self.addAttributes(base, depth: depth + 1) }
        self.add(type.attributes, depth: 0)
    }

    private mutating func add(_ uses: AttributeUses, depth: Int) {
        if let item = uses.arrayItem { self.shape.arrayItem = item }
        if uses.allowsAny { self.shape.allowsAnyAttribute = true }
        for declaration in uses.declared where self.count() { self.add(declaration) }
        for (name, isRequired, isProhibited) in uses.references where self.count() {
            var declaration = self.set.attributes[name] ?? AttributeDeclaration(name: name, type: .string)
            declaration.isRequired = isRequired
            declaration.isProhibited = isProhibited
            if name.uri != Namespace.encoding11, name.uri != Namespace.encoding12 { self.add(declaration) }
        }
        for group in uses.groups where depth < Self.depthMax && self.count() {
            if let inner = self.set.attributeGroups[group] { self.add(inner, depth: depth + 1) }
        }
    }

    private mutating func add(_ declaration: AttributeDeclaration) {
        let attributes = self.shape.attributes
        let known = attributes.firstIndex { $0.declaration.name == declaration.name }
        if declaration.isProhibited {
            if let known { self.shape.attributes.remove(at: known) }
        } else if let known {
            self.shape.attributes[known].declaration = declaration
        } else {
            let local = "@\(declaration.name.local)"
            let key = attributes.contains { $0.key == local } ? "@\(declaration.name)" : local
            self.shape.attributes.append(TypeShape.Attribute(key: key, declaration: declaration))
        }
    }

    // MARK: - Elements

    private mutating func model(
        _ particle: Particle, isRepeated: Bool, isOptional: Bool, depth: Int
    ) -> TypeShape.Model? {
        guard depth < Self.depthMax, particle.maximum > 0, self.count() else { return nil }
        let (low, high) = (particle.minimum, particle.maximum)
        let repeated = isRepeated || high > 1
        let optional = isOptional || low == 0
        switch particle.term {
        case .element(let declaration):
            return .element(
                field: self.field(declaration, isList: repeated, isRequired: !optional), minimum: low, maximum: high)
        case .reference(let name):
            return self.reference(name, low, high, isList: repeated, isRequired: !optional)
        case .sequence(let parts):
            let models = parts.compactMap { part in
                self.model(part, isRepeated: repeated, isOptional: optional, depth: depth + 1)
            }
            return .sequence(models, minimum: low, maximum: high)
        case .choice(let parts):
            let isOnly = parts.count == 1
            let models = parts.compactMap { part in
                self.model(part, isRepeated: repeated, isOptional: optional || !isOnly, depth: depth + 1)
            }
            return .choice(models, minimum: low, maximum: high)
        case .all(let parts):
            let models = parts.compactMap { part in
                self.model(part, isRepeated: repeated, isOptional: optional, depth: depth + 1)
            }
            return .all(models, minimum: low)
        case .group(let name):
            guard let group = self.set.groups[name],
                let inner = self.model(group, isRepeated: repeated, isOptional: optional, depth: depth + 1)
            else { return nil }
            return .sequence([inner], minimum: low, maximum: high)
        case .any:
            self.shape.allowsAnyElement = true
            return .any(minimum: low, maximum: high)
        }
    }

    /// A global element, or one of those that may stand for it.
    private mutating func reference(
        _ name: XMLName, _ low: Int, _ high: Int, isList: Bool, isRequired: Bool
    ) -> TypeShape.Model {
        let members = self.members(of: name)
        let head = self.set.elements[name] ?? ElementDeclaration(name: name, type: .anyType)
        let candidates = (head.isAbstract ? [] : [head]) + members
        if candidates.count == 1, let only = candidates.first {
            return .element(
                field: self.field(only, isList: isList, isRequired: isRequired), minimum: low, maximum: high)
        }
        let models = candidates.map { candidate in
            TypeShape.Model.element(
                field: self.field(candidate, isList: isList, isRequired: false), minimum: 1, maximum: 1)
        }
        return .choice(models, minimum: low, maximum: high)
    }

    private func members(of head: XMLName) -> [ElementDeclaration] {
        var found: [XMLName] = []
        var queue = self.set.substitutions[head] ?? []
        while let name = queue.popLast() {
            guard name != head, !found.contains(name) else { continue }
            found.append(name)
            queue += self.set.substitutions[name] ?? []
        }
        return found.compactMap { self.set.elements[$0] }.filter { !$0.isAbstract }
    }

    /// The index of an element among the fields; one that stands in two places is a list.
    private mutating func field(_ declaration: ElementDeclaration, isList: Bool, isRequired: Bool) -> Int {
        if let known = self.shape.fieldByName[declaration.name] {
            self.shape.fields[known].isList = true
            if isRequired { self.shape.fields[known].isRequired = true }
            return known
        }
        let local = declaration.name.local
        let key = self.keys.contains(local) ? declaration.name.description : local
        self.keys.insert(key)
        self.shape.fields.append(
            TypeShape.Field(key: key, declaration: declaration, isList: isList, isRequired: isRequired))
        self.shape.fieldByName[declaration.name] = self.shape.fields.count - 1
        return self.shape.fields.count - 1
    }
}
