import ConnectorKit
import HubDocuments
import Resilience
import Values

extension SpecReader {
    func defaults(_ root: MappingReader) -> DefaultsSpec {
        var spec = DefaultsSpec()
        guard let reader = root.mapping("defaults") else { return spec }
        spec.headers = self.namedTemplates(reader, "headers", .request)
        spec.resilience = self.resilience(reader, keys: [("timeout", "timeout")], whole: "resilience")
        let rates = reader.path(of: "rateLimits")
        spec.rateLimits = reader.list("rateLimits").enumerated().compactMap { index, node in
            self.rateLimit(MappingReader(node, path: "\(rates)[\(index)]", log: self.log))
        }
        spec.errors = self.errors(reader, "errors")
        reader.finish()
        return spec
    }

    /// Settings of a resilience profile, checked as a connections file's are.
    ///
    /// - Parameters:
    ///   - keys: Keys of `reader` that are settings of their own, with the profile's name for each.
    ///   - whole: A key of `reader` that holds several settings.
    func resilience(
        _ reader: MappingReader, keys: [(key: String, setting: String)], whole: String?
    ) -> ValueContext {
        var settings = whole.flatMap { self.context(reader, $0) } ?? ValueContext()
        var position = whole.flatMap { reader.node($0)?.position } ?? reader.position
        for (key, setting) in keys {
            guard let node = reader.node(key) else { continue }
            settings[setting] = node.value
            position = node.position
        }
        var diagnostics: [Diagnostic] = []
        _ = ResilienceProfile(
            .context(settings), name: "spec", path: reader.path(of: whole ?? keys.first?.key ?? ""),
            diagnostics: &diagnostics)
        self.log.add(diagnostics, at: position)
        return settings
    }

    func rateLimit(_ reader: MappingReader) -> RateLimitRule? {
        let id = reader.string("id") ?? ""
        var rule = RateLimitRule(
            id: id, effects: [], operations: [], limit: 0, period: .seconds(1), burst: 0)
        if let match = reader.mapping("match") {
            for word in match.strings("effect") {
                if let effect = Effect(rawValue: word) {
                    rule.effects.insert(effect)
                } else if let node = match.node("effect") {
                    match.reject(
                        "effect", node,
                        expected: "among \(Effect.allCases.map(\.rawValue).joined(separator: ", "))")
                }
            }
            rule.operations = Set(match.strings("operation"))
            match.finish()
        }
        _ = reader.requiredNode("limit", example: "limit: 90")
        let limit = reader.integer("limit", in: 1...1_000_000)
        rule.period = reader.duration("per", in: .milliseconds(1)...(.seconds(86_400 * 31))) ?? rule.period
        rule.burst = reader.integer("burst", in: 1...1_000_000) ?? limit ?? 1
        if let scope = reader.node("scope"), scope.content != .string("connection") {
            reader.reject("scope", scope, expected: "connection")
        }
        reader.finish()
        guard let limit else { return nil }
        rule.limit = limit
        return rule
    }

    func errors(_ reader: MappingReader, _ key: String) -> [ErrorRule] {
        reader.list(key).enumerated().compactMap { index, node in
            self.error(MappingReader(node, path: "\(reader.path(of: key))[\(index)]", log: self.log))
        }
    }

    private func error(_ reader: MappingReader) -> ErrorRule? {
        let status = self.statuses(reader, "status")
        let condition = self.expression(reader, "when", .error)
        _ = reader.requiredNode("as", example: "as: transient")
        let kind = reader.word("as", ConnectorError.Kind.self)
        let code = self.template(reader, "code", .error)
        let message = self.template(reader, "message", .error)
        let isRetryable = reader.boolean("retryable")
        let retryAfter = self.template(reader, "retryAfter", .error)
        if reader.node("status") == nil, reader.node("when") == nil {
            self.log.error(
                .missingKey, "\"\(reader.path)\" says neither \"status\" nor \"when\" it applies.",
                remedy: "Add one of them.", at: reader.position)
        }
        reader.finish()
        guard let kind else { return nil }
        return ErrorRule(
            status: status, condition: condition, kind: kind, code: code, message: message, isRetryable: isRetryable,
            retryAfter: retryAfter)
    }
}
