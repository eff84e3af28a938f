import Values

/// Conversions of Expression Language 2.2, clause 1.18; nil, with a warning, where it has an error.
extension Machine {
    /// Null and "" are 0; text is read as a number.
    mutating func juelNumber(_ value: Value, at span: SourceSpan) -> Number? {
        switch value {
        case .number(let number): return number
        case .null: return .zero
        case .string(let text):
            if text.isEmpty { return .zero }
            if let number = Number(text) { return number }
            warn(span) { "The text '\(text.prefix(40))' is no number in '\($0.text(span))'" }
        default: warn(span) { "A \(value.typeName) is no number in '\($0.text(span))'" }
        }
        return nil
    }

    /// Null is false; of text only "true", in any case, is true.
    mutating func juelTruth(_ value: Value, at span: SourceSpan) -> Truth {
        switch value {
        case .boolean(let flag): return Truth(flag)
        case .null: return .no
        case .string(let text): return Truth(text.utf8.count == 4 && text.lowercased() == "true")
        default:
            warn(span) { "A \(value.typeName) is no boolean in '\($0.text(span))'" }
            return .unknown
        }
    }

    /// Null is ""; other values are written as in FEEL.
    mutating func juelString(_ value: Value, at span: SourceSpan) -> String? {
        switch value {
        case .string(let text): return text
        case .null: return ""
        default:
            var text = ""
            return ValueText.append(value, to: &text, isNested: false, &self, span) ? text : nil
        }
    }
}
