public import Decisions
import HubDocuments
import Values

/// Decides which events are of interest, by their attributes and their content.
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

    /// The keys that combine or compute; every other key names an attribute.
    private static let keywords = ["all", "any", "not", "expr"]
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
        default: return Self.attribute(entry, reader)
        }
    }

    private static func attribute(_ entry: DocumentNode.Entry, _ reader: MappingReader) -> EventFilter? {
        if case .string(let text) = entry.value.content { return .attribute(entry.key, .exact, text) }
        guard let dialects = reader.mapping(entry.key) else { return nil }
        var conditions: [EventFilter] = []
        for dialect in Dialect.allCases {
            if let text = dialects.string(dialect.rawValue) {
                conditions.append(.attribute(entry.key, dialect, text))
            }
        }
        dialects.finish()
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private struct MappingReaderDepth {
        let reader: MappingReader
        let depth: Int

        func filters(_ key: String) -> [EventFilter] {
            self.reader.list(key).compactMap { self.filter($0, key) }
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
            guard let value = event[name]?.asString else { return .stop }
            let holds =
                switch dialect {
                case .exact: value == text
                case .prefix: value.hasPrefix(text)
                case .suffix: value.hasSuffix(text)
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
}
