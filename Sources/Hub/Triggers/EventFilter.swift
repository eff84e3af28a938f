public import Decisions
import HubDocuments
import Values

/// Decides which events are of interest, by their attributes and their content.
///
/// The attribute dialects are those of the CloudEvents Subscriptions API: comparisons are of the texts of attributes, code
/// unit by code unit; an attribute that is missing matches nothing. Expressions may have no verdict; the whole then has one
/// where it does not depend on theirs (Kleene's logic), and a filter without a verdict never passes by itself.
public indirect enum EventFilter: Sendable {
    /// How an attribute is compared.
    public enum Dialect: String, Sendable, CaseIterable {
        case exact, prefix, suffix
    }

    /// All of them pass.
    case all([EventFilter])
    /// At least one passes.
    case any([EventFilter])
    /// It does not pass.
    case not(EventFilter)
    /// An attribute of the event is, starts with or ends with a text. An event without the attribute does not pass.
    ///
    /// A name with dots that is no attribute leads into one: `headers.tenant`, `coordinates.topic`.
    case attribute(String, Dialect, String)
    /// A FEEL condition over `data`, `event` and `trigger` is true.
    case expression(Expression)

    /// What a filter says.
    enum Verdict: Equatable {
        case pass
        case stop
        /// It cannot say: a condition was neither true nor false.
        case undecided(String)
    }

    /// The deepest nesting of filters.
    private static let depthMax = 16

    /// Compiles the conditions in `reader`, all of which must pass.
    ///
    /// `excluding` are keys with another meaning.
    init(_ reader: MappingReader, excluding: [String] = [], depth: Int = 0) {
        var conditions: [EventFilter] = []
        for entry in reader.entries where !excluding.contains(entry.key) {
            _ = reader.node(entry.key)
            if let condition = Self.condition(entry, reader, depth: depth) { conditions.append(condition) }
        }
        if conditions.isEmpty, reader.log.isAcceptable {
            reader.log.error(
                .missingKey, "\"\(reader.path)\" has no condition.",
                remedy: "Add one, for example: expr: \"=data.total > 100\"", at: reader.position)
        }
        self = conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private static func condition(
        _ entry: DocumentNode.Entry, _ reader: MappingReader, depth: Int
    ) -> EventFilter? {
        let nested = MappingReaderDepth(reader: reader, depth: depth)
        switch entry.key {
        case "all": return .all(nested.filters(entry.key))
        case "any": return .any(nested.filters(entry.key))
        case "not": return nested.filter(entry.value, entry.key).map { .not($0) }
        case "expr": return reader.expression(entry.key).map { .expression($0) }
        case "exact", "prefix", "suffix":
            return Dialect(rawValue: entry.key).flatMap { Self.attributes($0, entry, reader) }
        default: return Self.attribute(entry, reader)
        }
    }

    /// `suffix: { type: .created }`: a dialect, and what it compares.
    private static func attributes(
        _ dialect: Dialect, _ entry: DocumentNode.Entry, _ reader: MappingReader
    ) -> EventFilter? {
        guard let names = reader.mapping(entry.key) else { return nil }
        let conditions = names.entries.compactMap { named in
            Self.text(named.key, names).map { EventFilter.attribute(named.key, dialect, $0) }
        }
        return Self.combined(conditions, entry, reader)
    }

    /// A text to compare with; an empty one, which every text begins with, is an error.
    private static func text(_ key: String, _ reader: MappingReader) -> String? {
        guard let text = reader.string(key) else { return nil }
        guard text.isEmpty, let node = reader.node(key) else { return text }
        reader.reject(key, node, expected: "a text that is not empty")
        return nil
    }

    /// All of `conditions`; none at all, which would let everything pass, is an error.
    private static func combined(
        _ conditions: [EventFilter], _ entry: DocumentNode.Entry, _ reader: MappingReader
    ) -> EventFilter? {
        if conditions.isEmpty, reader.log.isAcceptable {
            reader.reject(
                entry.key, entry.value, expected: "something to compare with",
                remedy: "Write a text, or exact, prefix or suffix with one.")
        }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    /// `type: order.created`, or `type: { suffix: .created }`.
    private static func attribute(_ entry: DocumentNode.Entry, _ reader: MappingReader) -> EventFilter? {
        switch entry.value.content {
        case .string: return Self.text(entry.key, reader).map { .attribute(entry.key, .exact, $0) }
        // Attributes may be numbers or truth values, and are compared as they are written.
        case .number(let number): return .attribute(entry.key, .exact, number.description)
        case .boolean(let flag): return .attribute(entry.key, .exact, flag ? "true" : "false")
        default: break
        }
        guard let dialects = reader.mapping(entry.key) else { return nil }
        var conditions: [EventFilter] = []
        for dialect in Dialect.allCases {
            if let text = Self.text(dialect.rawValue, dialects) {
                conditions.append(.attribute(entry.key, dialect, text))
            }
        }
        dialects.finish()
        return Self.combined(conditions, entry, reader)
    }

    private struct MappingReaderDepth {
        let reader: MappingReader
        let depth: Int

        func filters(_ key: String) -> [EventFilter] {
            let nodes = self.reader.list(key)
            if nodes.isEmpty, let node = self.reader.node(key), case .list = node.content {
                self.reader.reject(key, node, expected: "a list of conditions that is not empty")
            }
            return nodes.compactMap { self.filter($0, key) }
        }

        func filter(_ node: DocumentNode, _ key: String) -> EventFilter? {
            guard self.depth < EventFilter.depthMax else {
                self.reader.log.error(.tooLarge, "\"\(key)\" is nested too deeply.", at: node.position)
                return nil
            }
            return EventFilter(
                MappingReader(node, path: self.reader.path(of: key), log: self.reader.log), depth: self.depth + 1)
        }
    }

    /// The verdict on an event: the attributes come from `event`, expressions are evaluated in `scope`.
    func verdict(event: ValueContext, scope: any VariableScope) -> Verdict {
        switch self {
        case .all(let filters):
            var undecided: Verdict?
            for filter in filters {
                switch filter.verdict(event: event, scope: scope) {
                case .pass: continue
                case .stop: return .stop
                case let verdict: undecided = undecided ?? verdict
                }
            }
            return undecided ?? .pass
        case .any(let filters):
            var undecided: Verdict?
            for filter in filters {
                switch filter.verdict(event: event, scope: scope) {
                case .pass: return .pass
                case .stop: continue
                case let verdict: undecided = undecided ?? verdict
                }
            }
            return undecided ?? .stop
        case .not(let filter):
            switch filter.verdict(event: event, scope: scope) {
            case .pass: return .stop
            case .stop: return .pass
            case let verdict: return verdict
            }
        case .attribute(let name, let dialect, let text):
            guard let value = Self.value(name, of: event)?.keyText?.utf8 else { return .stop }
            let holds =
                switch dialect {
                case .exact: value.elementsEqual(text.utf8)
                case .prefix: value.starts(with: text.utf8)
                case .suffix: value.reversed().starts(with: text.utf8.reversed())
                }
            return holds ? .pass : .stop
        case .expression(let expression):
            let evaluation = expression.evaluate(scope)
            if let flag = evaluation.value.asBoolean { return flag ? .pass : .stop }
            let reason = evaluation.warnings.first.map(\.message) ?? "it is a \(evaluation.value.typeName)"
            return .undecided(
                "Expected =\(expression.source.shortened(to: 80)) to be true or false but \(reason).")
        }
    }

    /// The attribute of this name, or what a name with dots leads to.
    private static func value(_ name: String, of event: ValueContext) -> Value? {
        if let value = event[name] { return value }
        guard let dot = name.firstIndex(of: "."), let inner = event[String(name[..<dot])]?.asContext else { return nil }
        return Self.value(String(name[name.index(after: dot)...]), of: inner)
    }
}
