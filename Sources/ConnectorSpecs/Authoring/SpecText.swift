import HubDocuments
import Values

/// Writes a value as YAML that reads back as the same value.
enum SpecText {
    static func write(_ value: Value) -> String {
        var text = ""
        Self.write(value, indent: 0, into: &text, isAfterKey: false)
        return text
    }

    private static func write(_ value: Value, indent: Int, into text: inout String, isAfterKey: Bool) {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .context(let members) where !members.isEmpty:
            if isAfterKey { text += "\n" }
            for (index, member) in members.enumerated() {
                // The first member of an item stands behind its dash.
                if isAfterKey || index > 0 { text += margin }
                text += Self.scalar(.string(member.key)) + ":"
                Self.write(member.value, indent: indent + 2, into: &text, isAfterKey: true)
            }
        case .list(let items) where !items.isEmpty:
            if items.allSatisfy({ $0.asContext == nil && $0.asList == nil }), items.count <= 12 {
                text +=
                    (isAfterKey ? " " : "") + "["
                    + items.map { Self.scalar($0, isInFlow: true) }.joined(separator: ", ") + "]\n"
                return
            }
            if isAfterKey { text += "\n" }
            for (index, item) in items.enumerated() {
                if isAfterKey || index > 0 { text += margin }
                text += "- "
                Self.write(item, indent: indent + 2, into: &text, isAfterKey: false)
            }
        default:
            text += (isAfterKey ? " " : "") + Self.scalar(value) + "\n"
        }
    }

    /// A scalar, plain when that cannot be taken for something else.
    private static func scalar(_ value: Value, isInFlow: Bool = false) -> String {
        guard case .string(let text) = value else { return JSON.string(value) }
        let isPlain =
            !text.isEmpty && text.utf8.count < 100 && (text.first?.isLetter ?? false) && text.last != " "
            && text.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || " ._/-".contains($0))
                    || (!isInFlow && ",()".contains($0))
            }
        let log = DiagnosticLog(file: "")
        guard isPlain, YAMLDocument.parse(text, log: log)?.content == .string(text) else {
            return JSON.string(.string(text))
        }
        return text
    }
}
