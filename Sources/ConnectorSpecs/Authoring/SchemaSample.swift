import HubDocuments
import Values

/// Makes up values that match a schema, for fixtures.
///
/// Best effort: a schema may ask for what no simple value has. The caller checks the result.
struct SchemaSample {
    /// Schemas that `#/schemas/NAME` and `#/$defs/NAME` lead to.
    let named: ValueContext
    /// How deep samples go; below, only what is required, and then nothing.
    static let depthMax = 8

    func value(_ schema: Value, depth: Int = 0) -> Value {
        guard depth <= Self.depthMax, let fields = schema.asContext else { return .null }
        if let example = fields["examples"]?.asList?.first ?? fields["const"] { return example }
        if let reference = fields["$ref"]?.asString, let name = reference.split(separator: "/").last,
            let target = self.named[String(name)]
        {
            return self.value(target, depth: depth + 1)
        }
        if let word = fields["enum"]?.asList?.first(where: { !$0.isNull }) { return word }
        if let standard = fields["default"], !standard.isNull { return standard }
        if let parts = fields["allOf"]?.asList { return self.merged(fields, parts, depth) }
        if let alternatives = fields["oneOf"]?.asList ?? fields["anyOf"]?.asList, let first = alternatives.first {
            let value = self.value(first, depth: depth + 1)
            guard let members = value.asContext, fields["properties"] != nil else { return value }
            var all = self.object(fields, depth).asContext ?? ValueContext()
            all.merge(members)
            return .context(all)
        }
        return self.byType(fields, depth)
    }

    private func merged(_ fields: ValueContext, _ parts: [Value], _ depth: Int) -> Value {
        var all = self.object(fields, depth).asContext ?? ValueContext()
        for part in parts {
            let value = self.value(part, depth: depth + 1)
            guard let members = value.asContext else { return value }
            all.merge(members)
        }
        return .context(all)
    }

    private func byType(_ fields: ValueContext, _ depth: Int) -> Value {
        let types = (fields["type"].map { $0.asList ?? [$0] } ?? []).compactMap(\.asString)
        switch types.first(where: { $0 != "null" }) ?? types.first {
        case "object": return self.object(fields, depth)
        case "array":
            let count = fields["minItems"]?.asInt64 ?? 0
            guard count > 0 else { return [] }
            let item = self.value(fields["items"] ?? .null, depth: depth + 1)
            return .list(Array(repeating: item, count: Int(min(count, 20))))
        case "string": return .string(self.text(fields))
        case "integer": return .number(self.number(fields, step: 1))
        case "number": return .number(self.number(fields, step: 1))
        case "boolean": return true
        case "null": return .null
        default: return fields["properties"] == nil ? "text" : self.object(fields, depth)
        }
    }

    private func object(_ fields: ValueContext, _ depth: Int) -> Value {
        var members = ValueContext()
        let properties = fields["properties"]?.asContext ?? ValueContext()
        for name in (fields["required"]?.asList ?? []).compactMap(\.asString) {
            members[name] = self.value(properties[name] ?? ["type": "string"], depth: depth + 1)
        }
        return .context(members)
    }

    private func text(_ fields: ValueContext) -> String {
        var text: String
        switch fields["format"]?.asString {
        case "date": text = "2026-01-02"
        case "date-time": text = "2026-01-02T03:04:05Z"
        case "email": text = "a@example.com"
        case "uuid": text = "00000000-0000-4000-8000-000000000001"
        case "uri", "url": text = "https://example.com/1"
        default: text = "text"
        }
        if fields["pattern"] != nil, let fitting = Self.matching(fields) { return fitting }
        if let minimum = fields["minLength"]?.asInt64 {
            while text.unicodeScalars.count < min(minimum, 1_000) { text += "x" }
        }
        if let maximum = fields["maxLength"]?.asInt64, text.unicodeScalars.count > maximum {
            text = String(text.prefix(Int(max(0, maximum))))
        }
        return text
    }

    /// One of a few usual texts that matches the pattern, if one does.
    private static func matching(_ fields: ValueContext) -> String? {
        var asked: ValueContext = [:]
        for key in ["pattern", "minLength", "maxLength", "format"] { asked[key] = fields[key] }
        let log = DiagnosticLog(file: "")
        let schema = JSONSchema(
            DocumentNode(value: .context(asked), at: DocumentPosition(line: 1, column: 1)), log: log)
        guard log.isAcceptable else { return nil }
        let texts = [
            "text", "1", "12", "123", "1234", "123456789", "a", "A", "ab", "AB", "abc", "ABC", "a1", "A1", "a-1", "a_1",
            "1.0", "1.0.0", "2026-01-02", "2026-01-02T03:04:05Z", "12:00", "#000000", "+15550100", "a@example.com",
            "https://example.com/1", "00000000-0000-4000-8000-000000000001", "/a", "a/b", "a.b",
            String(repeating: "0", count: 16), String(repeating: "0", count: 32), String(repeating: "0", count: 40),
            String(repeating: "0", count: 64),
        ]
        return texts.first { schema.accepts(.string($0)) }
    }

    private func number(_ fields: ValueContext, step: Int64) -> Number {
        if let divisor = fields["multipleOf"]?.asNumber { return divisor }
        if let minimum = fields["minimum"]?.asNumber { return minimum }
        if let limit = fields["exclusiveMinimum"]?.asInt64 { return Number(limit + step) }
        if let maximum = fields["maximum"]?.asNumber, maximum < 1 { return maximum }
        if let limit = fields["exclusiveMaximum"]?.asInt64, limit <= 1 { return Number(limit - step) }
        return 1
    }
}
