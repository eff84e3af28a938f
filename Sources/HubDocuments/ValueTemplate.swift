public import Decisions
public import Values

/// A value with FEEL expressions inside: every text that begins with `=` is one, everything else is literal.
public indirect enum ValueTemplate: Sendable {
    /// Nothing to compute.
    case literal(Value)
    /// An expression.
    case expression(Expression)
    /// A list with expressions inside.
    case list([ValueTemplate])
    /// A context with expressions inside, in document order.
    case context([(key: String, value: ValueTemplate)])

    /// Compiles `node`; expressions that do not compile are noted in `reader`'s log.
    public init(_ node: DocumentNode, key: String, reader: MappingReader) {
        switch node.content {
        case .string(let text) where text.hasPrefix("="):
            self = reader.expression(key, node).map { .expression($0) } ?? .literal(.null)
        case .list(let items):
            let parts = items.map { ValueTemplate($0, key: key, reader: reader) }
            self = parts.allSatisfy(\.isLiteral) ? .literal(node.value) : .list(parts)
        case .mapping(let entries):
            let parts = entries.map {
                (key: $0.key, value: ValueTemplate($0.value, key: key + "." + $0.key, reader: reader))
            }
            self = parts.allSatisfy(\.value.isLiteral) ? .literal(node.value) : .context(parts)
        default:
            self = .literal(node.value)
        }
    }

    private var isLiteral: Bool {
        if case .literal = self { true } else { false }
    }

    /// Why a template has no value.
    public struct Failure: Error, Sendable {
        /// The place inside the template, such as `order.total`; empty for all of it.
        public var path: String
        /// What the expression said.
        public var reason: String
    }

    /// The value in `scope`.
    ///
    /// Null is a value; an expression that became null because a part of it cannot be computed is a failure.
    public func evaluate(_ scope: any VariableScope) throws(Failure) -> Value {
        switch self {
        case .literal(let value):
            return value
        case .expression(let expression):
            let evaluation = expression.evaluate(scope)
            if evaluation.value.isNull, let warning = evaluation.warnings.first {
                throw Failure(path: "", reason: "=\(expression.source.shortened(to: 80)): \(warning.message)")
            }
            return evaluation.value
        case .list(let parts):
            var items: [Value] = []
            items.reserveCapacity(parts.count)
            for (index, part) in parts.enumerated() {
                items.append(try part.evaluate(scope, at: String(index)))
            }
            return .list(items)
        case .context(let parts):
            var context = ValueContext()
            context.reserveCapacity(parts.count)
            for part in parts {
                context[part.key] = try part.value.evaluate(scope, at: part.key)
            }
            return .context(context)
        }
    }

    private func evaluate(_ scope: any VariableScope, at key: String) throws(Failure) -> Value {
        do {
            return try self.evaluate(scope)
        } catch {
            throw Failure(path: error.path.isEmpty ? key : key + "." + error.path, reason: error.reason)
        }
    }
}
