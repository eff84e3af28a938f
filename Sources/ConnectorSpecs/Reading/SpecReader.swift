import Decisions
import HubDocuments
import Values

/// Reads a specification; everything wrong with it goes to the log, with its place.
final class SpecReader {
    let log: DiagnosticLog
    /// The nodes under `schemas`, by name.
    var namedSchemas: [(name: String, node: DocumentNode)] = []

    init(log: DiagnosticLog) {
        self.log = log
    }

    // MARK: - Templates

    /// The value under `key` with the expressions in it; `nil` when absent.
    func template(_ reader: MappingReader, _ key: String, _ place: ExpressionPlace) -> SpecTemplate? {
        reader.node(key).map { self.template($0, path: reader.path(of: key), place) }
    }

    func template(_ node: DocumentNode, path: String, _ place: ExpressionPlace) -> SpecTemplate {
        switch node.content {
        case .string(let text) where text.hasPrefix("="):
            return self.expression(String(text.dropFirst()), node, path: path, place).map { .expression($0) }
                ?? .literal(.null)
        case .list(let items):
            let parts = items.enumerated().map { index, item in
                self.template(item, path: "\(path)[\(index)]", place)
            }
            return parts.allSatisfy(\.isLiteral) ? .literal(node.value) : .list(parts)
        case .mapping(let entries):
            if entries.contains(where: { $0.key == "secret" }), entries.count == 1, place.isInsideOperations {
                self.refuseSecret(entries[0], path: path)
            }
            let parts = entries.map {
                (key: $0.key, value: self.template($0.value, path: path + "." + $0.key, place))
            }
            return parts.allSatisfy(\.value.isLiteral) ? .literal(node.value) : .context(parts)
        default:
            return .literal(node.value)
        }
    }

    /// `{ secret: "store:name" }` is a reference, which only a connection may hold.
    private func refuseSecret(_ entry: DocumentNode.Entry, path: String) {
        guard case .string(let text) = entry.value.content, !text.hasPrefix("="), text.contains(":") else { return }
        self.log.error(
            .secretOutsideConnection, "\"\(path)\" refers to a secret outside \"connection\".",
            remedy: "Declare a credential in connection.parameters and place it with connection.auth.",
            at: entry.position)
    }

    /// An expression that must be one.
    func expression(_ reader: MappingReader, _ key: String, _ place: ExpressionPlace) -> SpecTemplate? {
        guard let node = reader.node(key) else { return nil }
        guard case .string(let text) = node.content, text.hasPrefix("=") else {
            reader.reject(
                key, node, expected: "an expression",
                remedy: "Write text that begins with =, such as \"=response.body.id\".")
            return nil
        }
        return self.template(node, path: reader.path(of: key), place)
    }

    func expression(
        _ source: String, _ node: DocumentNode, path: String, _ place: ExpressionPlace
    ) -> Expression? {
        do {
            let expression = try SpecExpression.compile(source)
            self.checkVariables(expression, node, path: path, place)
            return expression
        } catch {
            self.log.error(
                .invalidExpression,
                "\"\(path)\" is not an expression: \(error.message) (line \(error.line), column \(error.column) of it).",
                remedy: error.remedy, at: node.position)
            return nil
        }
    }

    private func checkVariables(
        _ expression: Expression, _ node: DocumentNode, path: String, _ place: ExpressionPlace
    ) {
        let known = place.variables
        for name in expression.variableNames where !known.contains(name) {
            if name == "credential" {
                self.log.error(
                    .secretOutsideConnection, "\"\(path)\" reads a credential outside \"connection.auth\".",
                    remedy: "Place the credential with an entry of connection.auth.", at: node.position)
            } else if !expression.source.contains("[") {
                // Names inside a filter may be members of what is filtered.
                self.log.error(
                    .unknownVariable, "\"\(path)\" reads the variable \"\(name)\", which does not exist here.",
                    remedy: ClosestMatch.of(name, in: known).map { "Did you mean \"\($0)\"?" }
                        ?? "There are \(known.joined(separator: ", ")).", at: node.position)
            }
        }
    }

    /// A text with expressions in braces, or one expression.
    func text(_ reader: MappingReader, _ key: String, _ place: ExpressionPlace) -> TextTemplate? {
        guard let node = reader.node(key) else { return nil }
        guard case .string(let text) = node.content else {
            reader.reject(key, node, expected: "text", remedy: "Quote it if it is meant as text.")
            return nil
        }
        return self.text(text, node, path: reader.path(of: key), place)
    }

    func text(_ text: String, _ node: DocumentNode, path: String, _ place: ExpressionPlace) -> TextTemplate {
        if text.hasPrefix("=") {
            let expression = self.expression(String(text.dropFirst()), node, path: path, place)
            return TextTemplate(
                parts: expression.map { [.value($0, keepsSlashes: true)] } ?? [], isExpression: true)
        }
        var parts: [TextTemplate.Part] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else {
                self.log.error(
                    .invalidExpression, "\"\(path)\" has an opening brace without a closing one.",
                    remedy: "Write {expression}, such as /customers/{input.id}.", at: node.position)
                return TextTemplate(parts: parts)
            }
            var source = rest[rest.index(after: open)..<close]
            let keepsSlashes = source.hasPrefix("+")
            if keepsSlashes { source.removeFirst() }
            if let expression = self.expression(String(source), node, path: path, place) {
                parts.append(.value(expression, keepsSlashes: keepsSlashes))
            }
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        return TextTemplate(parts: parts)
    }

    /// Named values, in order.
    func namedTemplates(
        _ reader: MappingReader, _ key: String, _ place: ExpressionPlace
    ) -> [(name: String, value: SpecTemplate)] {
        guard let mapping = reader.mapping(key) else { return [] }
        return mapping.entries.map { entry in
            (entry.key, self.template(entry.value, path: mapping.path(of: entry.key), place))
        }
    }

    // MARK: - Small things

    func statuses(_ reader: MappingReader, _ key: String) -> StatusSet? {
        guard let node = reader.node(key) else { return nil }
        let items: [DocumentNode] = if case .list(let items) = node.content { items } else { [node] }
        var ranges: [ClosedRange<Int>] = []
        for item in items {
            switch item.content {
            case .number(let number):
                if let status = number.int64, (100...599).contains(status) {
                    ranges.append(Int(status)...Int(status))
                    continue
                }
            case .string(let text):
                if text.count == 3, text.hasSuffix("xx"), let class0 = text.first?.wholeNumberValue,
                    (1...5).contains(class0)
                {
                    ranges.append((class0 * 100)...(class0 * 100 + 99))
                    continue
                }
            default: break
            }
            reader.reject(key, item, expected: "a status such as 200 or 2xx, or a list of them")
        }
        return StatusSet(ranges: ranges)
    }

    /// A mapping's values as texts by key.
    func texts(_ reader: MappingReader, _ key: String) -> [String: String] {
        guard let mapping = reader.mapping(key) else { return [:] }
        var texts: [String: String] = [:]
        for entry in mapping.entries {
            if let text = mapping.string(entry.key) { texts[entry.key] = text }
        }
        return texts
    }

    /// A plain mapping without expressions, as values.
    func context(_ reader: MappingReader, _ key: String) -> ValueContext? {
        guard let node = reader.node(key) else { return nil }
        guard let context = node.value.asContext else {
            reader.reject(key, node, expected: "a mapping")
            return nil
        }
        return context
    }
}

extension ExpressionPlace {
    fileprivate var isInsideOperations: Bool {
        switch self {
        case .auth, .address: false
        default: true
        }
    }
}
