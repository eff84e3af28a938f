import Values

/// Reads the JSON of a schema into nodes.
struct AvroSchemaParser {
    typealias Problem = AvroSchema.Problem

    private(set) var nodes: [AvroSchema.Node] = []
    /// Indexes of named types.
    private var names: [String: Int] = [:]

    private static let nodesMaximum = 20_000
    private static let depthMaximum = 64

    private static let primitives: [String: AvroSchema.Kind] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double,
        "bytes": .bytes, "string": .string,
    ]

    /// The index of the type that `document` describes.
    mutating func parse(_ document: Value, namespace: String, depth: Int) throws(Problem) -> Int {
        guard depth < Self.depthMaximum else {
            throw Problem(reason: "the schema is nested more than \(Self.depthMaximum) deep")
        }
        switch document {
        case .string(let name):
            if let kind = Self.primitives[name] { return try self.add(kind, name) }
            let full = Self.fullName(name, namespace: namespace)
            guard let index = self.names[full] ?? self.names[name] else {
                throw Problem(reason: "the schema names a type \(name.prefix(80)) that it does not define")
            }
            return index
        case .list(let branches):
            return try self.union(branches, namespace, depth)
        case .context(let fields):
            return try self.type(fields, namespace, depth)
        default:
            throw Problem(reason: "expected a type but found a \(document.typeName)")
        }
    }

    private mutating func add(_ kind: AvroSchema.Kind, _ name: String, _ logical: AvroSchema.Logical? = nil)
        throws(Problem) -> Int
    {
        guard self.nodes.count < Self.nodesMaximum else {
            throw Problem(reason: "the schema has more than \(Self.nodesMaximum) types")
        }
        self.nodes.append(AvroSchema.Node(kind: kind, logical: logical, name: name))
        return self.nodes.count - 1
    }

    private mutating func union(_ branches: [Value], _ namespace: String, _ depth: Int) throws(Problem) -> Int {
        guard !branches.isEmpty else { throw Problem(reason: "a union without branches") }
        var indexes: [Int] = []
        var seen: Set<String> = []
        for branch in branches {
            let index = try self.parse(branch, namespace: namespace, depth: depth + 1)
            if case .union = self.nodes[index].kind { throw Problem(reason: "a union directly inside a union") }
            guard seen.insert(self.nodes[index].name).inserted else {
                throw Problem(reason: "a union with two branches \(self.nodes[index].name)")
            }
            indexes.append(index)
        }
        return try self.add(.union(indexes), "union")
    }

    private mutating func type(_ fields: ValueContext, _ namespace: String, _ depth: Int) throws(Problem) -> Int {
        guard let type = fields["type"] else { throw Problem(reason: "a type without \"type\"") }
        guard let word = type.asString else {
            // { "type": { … } } and { "type": [ … ] } mean what is inside.
            return try self.parse(type, namespace: namespace, depth: depth + 1)
        }
        switch word {
        case "record", "error", "enum", "fixed":
            return try self.named(word, fields, namespace, depth)
        case "array":
            guard let items = fields["items"] else { throw Problem(reason: "an array without \"items\"") }
            let index = try self.parse(items, namespace: namespace, depth: depth + 1)
            return try self.add(.array(index), "array")
        case "map":
            guard let values = fields["values"] else { throw Problem(reason: "a map without \"values\"") }
            let index = try self.parse(values, namespace: namespace, depth: depth + 1)
            return try self.add(.map(index), "map")
        default:
            guard let kind = Self.primitives[word] else {
                return try self.parse(type, namespace: namespace, depth: depth + 1)
            }
            return try self.add(kind, word, Self.logical(fields, kind))
        }
    }

    private mutating func named(
        _ word: String, _ fields: ValueContext, _ namespace: String, _ depth: Int
    ) throws(Problem) -> Int {
        guard let name = fields["name"]?.asString else { throw Problem(reason: "a \(word) without \"name\"") }
        let space = fields["namespace"]?.asString ?? namespace
        let full = Self.fullName(name, namespace: space)
        guard full.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(Self.isName) else {
            throw Problem(reason: "\"\(full.prefix(80))\" is no name")
        }
        guard self.names[full] == nil, Self.primitives[full] == nil else {
            throw Problem(reason: "the type \(full) is defined twice")
        }
        switch word {
        case "enum":
            let symbols = fields["symbols"]?.asList?.compactMap(\.asString) ?? []
            guard !symbols.isEmpty, symbols.count == fields["symbols"]?.asList?.count,
                Set(symbols).count == symbols.count, symbols.allSatisfy({ Self.isName($0[...]) })
            else {
                throw Problem(reason: "the enum \(full) needs different names as \"symbols\"")
            }
            let index = try self.add(.enumeration(symbols), full)
            self.names[full] = index
            return index
        case "fixed":
            guard let size = fields["size"]?.asInt64, (0...(1 << 24)).contains(size) else {
                throw Problem(reason: "the fixed \(full) needs a \"size\"")
            }
            let kind = AvroSchema.Kind.fixed(Int(size))
            let index = try self.add(kind, full, Self.logical(fields, kind))
            self.names[full] = index
            return index
        default:
            return try self.record(full, fields, depth)
        }
    }

    private mutating func record(_ full: String, _ fields: ValueContext, _ depth: Int) throws(Problem) -> Int {
        guard let entries = fields["fields"]?.asList else {
            throw Problem(reason: "the record \(full) has no \"fields\"")
        }
        // First the name, then the fields: they may refer to it.
        let index = try self.add(.record([]), full)
        self.names[full] = index
        let space = full.lastIndex(of: ".").map { String(full[..<$0]) } ?? ""
        var read: [AvroSchema.Field] = []
        var seen: Set<String> = []
        for entry in entries {
            guard let name = entry["name"]?.asString, Self.isName(name[...]), let type = entry["type"] else {
                throw Problem(reason: "a field of \(full) without \"name\" or \"type\"")
            }
            guard seen.insert(name).inserted else { throw Problem(reason: "\(full) has two fields \(name)") }
            let typeIndex = try self.parse(type, namespace: space, depth: depth + 1)
            read.append(AvroSchema.Field(name: name, type: typeIndex, standard: entry["default"]))
        }
        self.nodes[index].kind = .record(read)
        return index
    }

    /// Defaults must be of their field's type; else the first message without the field would tell.
    func checkDefaults() throws(Problem) {
        for node in self.nodes {
            guard case .record(let fields) = node.kind else { continue }
            for field in fields {
                guard let standard = field.standard else { continue }
                var encoder = AvroEncoder(nodes: self.nodes)
                do {
                    try encoder.writeDefault(standard, field.type, depth: 0)
                } catch {
                    throw Problem(reason: "the default of \(node.name).\(field.name): \(error.reason)")
                }
            }
        }
    }

    // MARK: - Names and logical types

    private static func fullName(_ name: String, namespace: String) -> String {
        name.contains(".") || namespace.isEmpty ? name : namespace + "." + name
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// A logical type that does not fit its type is ignored, as Avro demands.
    private static func logical(_ fields: ValueContext, _ kind: AvroSchema.Kind) -> AvroSchema.Logical? {
        switch (fields["logicalType"]?.asString, kind) {
        case ("decimal", .bytes), ("decimal", .fixed):
            guard let precision = fields["precision"]?.asInt64, (1...1_000).contains(precision) else { return nil }
            let scale = fields["scale"].map(\.asInt64) ?? 0
            guard let scale, (0...precision).contains(scale) else { return nil }
            return .decimal(precision: Int(precision), scale: Int(scale))
        case ("date", .int): return .date
        case ("time-millis", .int): return .timeMillis
        case ("time-micros", .long): return .timeMicros
        case ("timestamp-millis", .long): return .timestampMillis
        case ("timestamp-micros", .long): return .timestampMicros
        case ("local-timestamp-millis", .long): return .localTimestampMillis
        case ("local-timestamp-micros", .long): return .localTimestampMicros
        case ("uuid", .string): return .uuid
        case ("duration", .fixed(12)): return .duration
        default: return nil
        }
    }
}
