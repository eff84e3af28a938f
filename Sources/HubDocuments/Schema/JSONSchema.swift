import Decisions
public import Values

/// A compiled JSON Schema of the draft 2020-12.
///
/// All keywords of the core, applicator, unevaluated and validation vocabularies are read; any other keyword is refused
/// unless it begins with `x-`, so that no constraint is silently ignored. Of the formats those in ``formats`` are
/// checked, and the rest are comments. References lead to places in the same document, or in one of the documents given
/// along with it; nothing is fetched.
///
/// Immutable. Validation is bounded in its steps and its depth, whatever the schema and the value.
public struct JSONSchema: Sendable {
    let program: SchemaProgram
    /// The node that is applied to a value.
    let root: Int

    /// The keywords that constrain a value; `title`, `description` and the like are read as comments.
    public static let keywords = [
        "$ref", "$dynamicRef", "type", "enum", "const", "multipleOf", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "minLength", "maxLength", "pattern", "format", "prefixItems", "items", "contains",
        "minContains", "maxContains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems", "properties",
        "patternProperties", "additionalProperties", "propertyNames", "required", "minProperties", "maxProperties",
        "dependentRequired", "dependentSchemas", "unevaluatedProperties", "allOf", "anyOf", "oneOf", "not", "if",
        "then",
        "else",
    ]
    static let annotations = [
        "$schema", "$id", "$anchor", "$dynamicAnchor", "$vocabulary", "$comment", "title", "description", "default",
        "examples", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema",
    ]
    /// The formats that are checked.
    public static let formats = SchemaFormat.allCases.map(\.rawValue)
    /// The deepest nesting of schemas.
    static let depthMax = 32

    /// What becomes of a keyword that is not known.
    public enum UnknownKeywords: Sendable, Hashable {
        /// It is an error.
        case refuse
        /// It says nothing, as the standard has it.
        case ignore
    }

    /// What `format` says.
    public enum Formats: Sendable, Hashable {
        /// A text must be of the format, if it is one of ``JSONSchema/formats``.
        case check
        /// It is a comment.
        case ignore
    }

    /// Compiles the schema in `node`; everything wrong is noted in `log`.
    ///
    /// - Parameters:
    ///   - node: The schema.
    ///   - path: Its name, for messages.
    ///   - log: Takes what is wrong; a schema with errors accepts more than it should.
    ///   - unknownKeywords: What becomes of keywords that are not known.
    ///   - formats: What `format` says.
    ///   - documents: Other documents that references may lead to, by their URI.
    public init(
        _ node: DocumentNode, path: String = "schema", log: DiagnosticLog,
        unknownKeywords: UnknownKeywords = .refuse, formats: Formats = .check, documents: [String: DocumentNode] = [:]
    ) {
        let compiler = SchemaCompiler(log: log, unknownKeywords: unknownKeywords, formats: formats)
        self.root = compiler.compile(node, path: path, documents: documents)
        self.program = compiler.program()
    }

    /// A schema that accepts everything, or nothing.
    public static func constant(_ accepts: Bool) -> JSONSchema {
        JSONSchema(program: SchemaProgram(nodes: [SchemaNode(constant: accepts)]), root: 0)
    }

    private init(program: SchemaProgram, root: Int) {
        self.program = program
        self.root = root
    }

    /// One place where a value does not match.
    public struct Violation: Sendable, Hashable, CustomStringConvertible {
        /// The place, as a JSON pointer (RFC 6901); empty for the value itself.
        public var path: String
        /// What was expected and what was found.
        public var message: String

        /// Path and message.
        public var description: String {
            self.path.isEmpty ? self.message : "\(self.path): \(self.message)"
        }
    }

    /// At most this many violations are reported for one value.
    public static let violationsMax = 10

    /// Where and why `value` does not match; empty when it does.
    public func violations(of value: Value) -> [Violation] {
        var run = SchemaRun(self.program)
        var evaluated = SchemaRun.Evaluated()
        _ = run.check(self.root, value, at: "", &evaluated)
        return run.violations
    }

    /// Whether `value` matches.
    public func accepts(_ value: Value) -> Bool { self.violations(of: value).isEmpty }
}
