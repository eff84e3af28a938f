public import Values

/// One node of a document a user wrote, with the place where it stands.
public struct DocumentNode: Sendable, Hashable {
    /// What the node holds, by the core schema of YAML 1.2.
    public enum Content: Sendable, Hashable {
        case null
        case boolean(Bool)
        case number(Number)
        case string(String)
        case list([DocumentNode])
        /// Entries in document order; keys are unique.
        case mapping([Entry])
    }

    /// One entry of a mapping.
    public struct Entry: Sendable, Hashable {
        /// The key.
        public var key: String
        /// Where the key stands.
        public var position: DocumentPosition
        /// What it maps to.
        public var value: DocumentNode

        /// Creates an entry.
        public init(key: String, position: DocumentPosition, value: DocumentNode) {
            self.key = key
            self.position = position
            self.value = value
        }
    }

    /// What the node holds.
    public var content: Content
    /// Where it starts.
    public var position: DocumentPosition

    /// Creates a node.
    public init(_ content: Content, at position: DocumentPosition) {
        self.content = content
        self.position = position
    }

    /// A value as a node; every part of it stands at `position`.
    ///
    /// Temporal values become text; ranges and functions, which no document can hold, nothing.
    public init(value: Value, at position: DocumentPosition) {
        self.position = position
        switch value {
        case .null, .range, .function: self.content = .null
        case .boolean(let flag): self.content = .boolean(flag)
        case .number(let number): self.content = .number(number)
        case .string(let text): self.content = .string(text)
        case .list(let items): self.content = .list(items.map { DocumentNode(value: $0, at: position) })
        case .context(let members):
            self.content = .mapping(
                members.map { key, value in
                    Entry(key: key, position: position, value: DocumentNode(value: value, at: position))
                })
        case .date, .time, .dateTime, .yearMonthDuration, .dayTimeDuration:
            self.content = .string(value.temporalText ?? "")
        }
    }

    /// The node's type in words, for messages: `a mapping`, `the text "x"`.
    public var summary: String {
        switch self.content {
        case .null: "nothing"
        case .boolean(let flag): flag ? "true" : "false"
        case .number(let number): "the number \(number)"
        case .string(let text): "the text \"\(text.shortened(to: 40))\""
        case .list(let items): items.isEmpty ? "an empty list" : "a list"
        case .mapping: "a mapping"
        }
    }

    /// The node as a value, without positions.
    public var value: Value {
        switch self.content {
        case .null: .null
        case .boolean(let flag): .boolean(flag)
        case .number(let number): .number(number)
        case .string(let text): .string(text)
        case .list(let items): .list(items.map(\.value))
        case .mapping(let entries): .context(ValueContext(entries.map { ($0.key, $0.value.value) }))
        }
    }
}

/// A place in a document; both numbers count from 1.
public struct DocumentPosition: Sendable, Hashable {
    /// The line.
    public var line: Int
    /// The column, in Unicode scalars.
    public var column: Int

    /// Creates a position.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

extension String {
    /// The text, cut to `count` characters with an ellipsis when it is longer.
    public func shortened(to count: Int) -> String {
        guard let end = self.index(self.startIndex, offsetBy: count, limitedBy: self.endIndex), end < self.endIndex
        else { return self }
        return self[..<end] + "…"
    }
}
