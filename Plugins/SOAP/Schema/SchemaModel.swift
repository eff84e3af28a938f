/// What the XML Schema documents of a service declare, names resolved.
struct SchemaSet: Sendable {
    /// Elements declared outside of types.
    var elements: [XMLName: ElementDeclaration] = [:]
    var attributes: [XMLName: AttributeDeclaration] = [:]
    var types: [XMLName: TypeReference] = [:]
    var groups: [XMLName: Particle] = [:]
    var attributeGroups: [XMLName: AttributeUses] = [:]
    /// Which elements may stand for which.
    var substitutions: [XMLName: [XMLName]] = [:]
    var simpleTypes: [SimpleType] = []
    var complexTypes: [ComplexType] = []
    /// What each complex type amounts to, in the order of `complexTypes`.
    var shapes: [TypeShape] = []
}

/// A type by its name, or one that has none.
enum TypeReference: Sendable, Hashable {
    case named(XMLName)
    /// An index in `SchemaSet.simpleTypes`.
    case simple(Int)
    /// An index in `SchemaSet.complexTypes`.
    case complex(Int)

    static let anyType = TypeReference.named(XMLName(Namespace.schema, "anyType"))
    static let string = TypeReference.named(XMLName(Namespace.schema, "string"))
}

/// A type, found.
enum ResolvedType: Sendable {
    case builtin(BuiltinType)
    case simple(SimpleType)
    case complex(Int)
    /// Anything: `xs:anyType`, or a type nobody declares.
    case any
}

/// An element as it is declared.
struct ElementDeclaration: Sendable {
    var name: XMLName
    var type: TypeReference
    var isNillable = false
    var isAbstract = false
    /// Its value when it is present but empty.
    var defaultText: String?
    var documentation: String?
}

/// An attribute as it is declared.
struct AttributeDeclaration: Sendable {
    var name: XMLName
    var type: TypeReference
    var isRequired = false
    var isProhibited = false
    var defaultText: String?
    /// The only value it may have.
    var fixedText: String?
}

/// The attributes of a type or an attribute group.
struct AttributeUses: Sendable {
    var declared: [AttributeDeclaration] = []
    /// Attributes declared elsewhere, with what is said of them here.
    var references: [(name: XMLName, isRequired: Bool, isProhibited: Bool)] = []
    var groups: [XMLName] = []
    var allowsAny = false
    /// The item type a SOAP-encoded array is declared with (`wsdl:arrayType`).
    var arrayItem: XMLName?
}

/// A piece of a content model.
struct Particle: Sendable {
    indirect enum Term: Sendable {
        case element(ElementDeclaration)
        /// An element declared elsewhere.
        case reference(XMLName)
        case sequence([Particle])
        case choice([Particle])
        case all([Particle])
        case group(XMLName)
        case any
    }

    var term: Term
    var minimum: Int
    /// `Int.max`: unbounded.
    var maximum: Int
}

/// A simple type of a schema's own.
struct SimpleType: Sendable {
    enum Variety: Sendable {
        case restriction(TypeReference)
        case list(TypeReference)
        case union([TypeReference])
    }

    var variety: Variety
    var facets = Facets()
}

/// What a restriction says of values.
struct Facets: Sendable {
    var enumeration: [String] = []
    /// Facets with a number, such as `maxLength`, `minInclusive`.
    var bounds: [String: String] = [:]

    var isEmpty: Bool { self.enumeration.isEmpty && self.bounds.isEmpty }
}

/// A complex type as it is declared.
struct ComplexType: Sendable {
    var name: XMLName?
    /// The type it extends or restricts.
    var base: TypeReference?
    var isExtension = false
    var isAbstract = false
    var isMixed = false
    /// The simple type of its text, where it has no elements.
    var simpleContent = false
    /// The restriction of that text.
    var facets = Facets()
    var particle: Particle?
    var attributes = AttributeUses()
    var documentation: String?
}

/// What a complex type amounts to, with what it inherits: the way to read and write its values.
struct TypeShape: Sendable {
    /// An element that may stand inside.
    struct Field: Sendable {
        /// The key of its values.
        var key: String
        var declaration: ElementDeclaration
        /// Whether several may stand there: its value then is a list, always.
        var isList: Bool
        var isRequired: Bool
    }

    /// An attribute; its key begins with `@`.
    struct Attribute: Sendable {
        var key: String
        var declaration: AttributeDeclaration
    }

    /// The content model, its elements as indexes of `fields`.
    indirect enum Model: Sendable {
        case element(field: Int, minimum: Int, maximum: Int)
        case sequence([Model], minimum: Int, maximum: Int)
        case choice([Model], minimum: Int, maximum: Int)
        case all([Model], minimum: Int)
        case any(minimum: Int, maximum: Int)
    }

    /// The type of the text, where there are no elements.
    var text: TypeReference?
    var textFacets = Facets()
    var isMixed = false
    var isAbstract = false
    var model: Model?
    var fields: [Field] = []
    var fieldByName: [XMLName: Int] = [:]
    var attributes: [Attribute] = []
    var allowsAnyElement = false
    var allowsAnyAttribute = false
    /// The item type, when this is a SOAP-encoded array.
    var arrayItem: XMLName?

    /// Whether a value is that of the text alone, with nothing around it.
    var isPlainText: Bool { self.text != nil && self.attributes.isEmpty && !self.allowsAnyAttribute }
}

/// Keys of values that stand for no element.
enum ValueKey {
    /// The text of an element that has attributes, or elements too.
    static let text = "#text"
    /// Elements where a schema allows any.
    static let any = "#any"
    /// Entries of the SOAP header.
    static let headers = "#headers"
    /// A fault the operation declares, where the connection takes those as results.
    static let fault = "#fault"
    /// The type of a value that is of a type derived from the declared one.
    static let type = "@xsi:type"
}

extension SchemaSet {
    /// Finds a type.
    func resolve(_ reference: TypeReference) -> ResolvedType {
        switch reference {
        case .simple(let index): return .simple(self.simpleTypes[index])
        case .complex(let index): return .complex(index)
        case .named(let name):
            if name.uri == Namespace.schema || name.uri == Namespace.encoding11 || name.uri == Namespace.encoding12,
                let builtin = BuiltinType.named(name.local)
            {
                return .builtin(builtin)
            }
            guard let found = self.types[name], found != reference else { return .any }
            return self.resolve(found)
        }
    }

    /// Whether a type is declared, by a schema or by XML Schema itself.
    func declares(_ name: XMLName) -> Bool {
        if self.types[name] != nil { return true }
        if case .any = self.resolve(.named(name)) { return name.uri == Namespace.schema && name.local == "anyType" }
        return true
    }
}
