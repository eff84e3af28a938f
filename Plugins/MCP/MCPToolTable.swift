internal import ConnectorKit
internal import Values

/// The tools of a server, as operations.
struct MCPToolTable: Sendable {
    /// One tool.
    struct Tool: Sendable {
        var name: String
        var input: Value
    }

    /// How many tools and pages of them are read.
    static let toolsMax = 2_000

    private(set) var operations: [OperationDescriptor] = []
    private(set) var tools: [String: Tool] = [:]

    /// Asks a server for all its tools.
    static func read(from session: any MCPSession) async throws -> MCPToolTable {
        var table = MCPToolTable()
        var cursor: Value?
        for _ in 0..<Self.toolsMax {
            var params = ValueContext()
            params["cursor"] = cursor
            let answer = try await session.call(MCPProtocol.listTools, .context(params), timeout: .seconds(30))
            guard let tools = answer["tools"]?.asList else {
                throw MCPErrors.malformed("a list of tools without tools")
            }
            for tool in tools.prefix(Self.toolsMax - table.operations.count) { table.add(tool) }
            cursor = answer["nextCursor"]
            guard let next = cursor, !next.isNull, table.operations.count < Self.toolsMax else { break }
        }
        return table
    }

    /// Adds a tool; one without a name is left out.
    mutating func add(_ tool: Value) {
        guard let name = tool["name"]?.asString, !name.isEmpty else { return }
        let id = self.unusedID(for: name)
        let hints = tool["annotations"]
        let isReadOnly = hints?["readOnlyHint"] == true
        let isIdempotent = isReadOnly || hints?["idempotentHint"] == true
        let title = tool["title"]?.asString ?? hints?["title"]?.asString ?? name
        let description = tool["description"]?.asString ?? ""
        let input = tool["inputSchema"].flatMap { $0.asContext == nil ? nil : $0 } ?? ["type": "object"]
        self.tools[id] = Tool(name: name, input: input)
        self.operations.append(
            OperationDescriptor(
                id: id, title: title.isEmpty ? name : title, summary: description.isEmpty ? name : description,
                effect: isReadOnly ? .read : isIdempotent ? .update : .other,
                idempotency: isIdempotent ? .natural : .none, input: input,
                output: [
                    "type": "object",
                    "properties": [
                        "text": ["type": "string"], "content": ["type": "array"],
                        "structured": tool["outputSchema"].flatMap { $0.asContext == nil ? nil : $0 } ?? true,
                    ],
                ]))
    }

    /// The name of a tool as an id: what an id may not hold becomes `_`.
    private func unusedID(for name: String) -> String {
        var id = ""
        for scalar in name.unicodeScalars {
            let isAllowed =
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_.".contains(Character(scalar)))
            id.unicodeScalars.append(isAllowed ? scalar : "_")
        }
        if let first = id.first, !first.isLowercase {
            id = first.isUppercase ? first.lowercased() + id.dropFirst() : "t" + id
        }
        guard self.tools[id] != nil else { return id }
        return (2...).lazy.map { "\(id)-\($0)" }.first { self.tools[$0] == nil } ?? id
    }
}

extension MCPToolTable.Tool {
    /// What is wrong with an input, as far as its outermost fields tell; the rest is the server's business.
    ///
    /// A field the schema does not name is refused unless it allows others: servers ignore what they do not know, and so
    /// a misspelt one.
    func problem(with input: Value) -> String? {
        guard let fields = input.asContext else { return "input: expected an object but found \(input.typeName)." }
        let known = self.input["properties"]?.asContext ?? ValueContext()
        if self.input["additionalProperties"] == nil || self.input["additionalProperties"] == false {
            if let unknown = fields.keys.first(where: { known[$0] == nil }) {
                let hint = ClosestMatch.of(unknown, in: known.keys).map { " Did you mean \($0)?" } ?? ""
                return "input: unknown field \(unknown.prefix(80)).\(hint)"
            }
        }
        let required = self.input["required"]?.asList?.compactMap(\.asString) ?? []
        return required.first { fields[$0] == nil }.map { "input.\($0) is missing." }
    }
}
