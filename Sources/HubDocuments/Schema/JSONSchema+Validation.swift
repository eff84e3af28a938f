import Decisions
public import Values

extension JSONSchema {
    /// One place where a value does not match.
    public struct Violation: Sendable, Hashable, CustomStringConvertible {
        /// The place, as a JSON pointer (RFC 6901); empty for the value itself.
        public var path: String
        /// What was expected and what was found.
        public var message: String

        /// Path and message.
        public var description: String {
            self.path.isEmpty ? self.message : "\(self.path): \(self.message)"
        }
    }

    /// At most this many violations are reported for one value.
    public static let violationsMax = 10

    /// Where and why `value` does not match; empty when it does.
    public func violations(of value: Value) -> [Violation] {
        var violations: [Violation] = []
        self.check(value, at: "", into: &violations)
        return violations
    }

    private func check(_ value: Value, at path: String, into violations: inout [Violation]) {
        guard violations.count < Self.violationsMax else { return }
        switch self {
        case .constant(true):
            break
        case .constant(false):
            violations.append(Violation(path: path, message: "Expected nothing here."))
        case .constraints(let constraints):
            constraints.check(value, at: path, into: &violations)
        }
    }

    fileprivate static func descend(
        _ schema: JSONSchema, _ value: Value, at path: String, into violations: inout [Violation]
    ) {
        schema.check(value, at: path, into: &violations)
    }
}

extension JSONSchema.Constraints {
    fileprivate func check(_ value: Value, at path: String, into violations: inout [JSONSchema.Violation]) {
        func report(_ message: String) {
            guard violations.count < JSONSchema.violationsMax else { return }
            violations.append(JSONSchema.Violation(path: path, message: message))
        }
        if !self.types.isEmpty, !self.types.contains(where: { $0.matches(value) }) {
            let expected = self.types.map(\.rawValue).sorted().joined(separator: " or ")
            report("Expected \(expected) but found \(value.typeName.lowercased()).")
            return
        }
        if let allowed, !allowed.contains(value) {
            report("Expected one of \(allowed.map(\.description).joined(separator: ", ")).")
        }
        switch value {
        case .number(let number): self.check(number, report)
        case .string(let text): self.check(text, report)
        case .list(let items): self.check(items, at: path, into: &violations)
        case .context(let members): self.check(members, at: path, into: &violations)
        default: break
        }
    }

    private func check(_ number: Number, _ report: (String) -> Void) {
        if let minimum, number < minimum { report("Expected at least \(minimum) but found \(number).") }
        if let maximum, number > maximum { report("Expected at most \(maximum) but found \(number).") }
        if let exclusiveMinimum, number <= exclusiveMinimum {
            report("Expected more than \(exclusiveMinimum) but found \(number).")
        }
        if let exclusiveMaximum, number >= exclusiveMaximum {
            report("Expected less than \(exclusiveMaximum) but found \(number).")
        }
    }

    private func check(_ text: String, _ report: (String) -> Void) {
        // JSON Schema counts Unicode code points.
        let length = text.unicodeScalars.count
        if let minimumLength, length < minimumLength {
            report("Expected at least \(minimumLength) characters but found \(length).")
        }
        if let maximumLength, length > maximumLength {
            report("Expected at most \(maximumLength) characters but found \(length).")
        }
        if let pattern, pattern.matches.evaluateValue(MapScope(["text": .string(text)])) != .boolean(true) {
            report("Expected text that matches \(pattern.source).")
        }
        if let format, !format.accepts(text) { report("Expected a text of the format \(format.rawValue).") }
    }

    private func check(_ items: [Value], at path: String, into violations: inout [JSONSchema.Violation]) {
        if let minimumItems, items.count < minimumItems {
            violations.append(
                .init(path: path, message: "Expected at least \(minimumItems) items but found \(items.count)."))
        }
        if let maximumItems, items.count > maximumItems {
            violations.append(
                .init(path: path, message: "Expected at most \(maximumItems) items but found \(items.count)."))
        }
        guard let schema = self.items else { return }
        for (index, item) in items.enumerated() where violations.count < JSONSchema.violationsMax {
            JSONSchema.descend(schema, item, at: "\(path)/\(index)", into: &violations)
        }
    }

    private func check(_ members: ValueContext, at path: String, into violations: inout [JSONSchema.Violation]) {
        for name in self.required where members[name] == nil {
            violations.append(.init(path: path, message: "Expected the member \"\(name)\" but it is missing."))
        }
        guard !self.properties.isEmpty || self.additionalProperties != nil else { return }
        for (key, value) in members {
            let place = path + "/" + key.pointerEscaped
            if let schema = self.properties[key] {
                JSONSchema.descend(schema, value, at: place, into: &violations)
            } else if case .constant(false)? = self.additionalProperties {
                let hint = ClosestMatch.of(key, in: self.properties.keys.sorted()).map { " Did you mean \"\($0)\"?" }
                violations.append(.init(path: place, message: "Expected no member of this name." + (hint ?? "")))
            } else if let schema = self.additionalProperties {
                JSONSchema.descend(schema, value, at: place, into: &violations)
            }
            guard violations.count < JSONSchema.violationsMax else { return }
        }
    }
}

extension JSONSchema.JSONType {
    fileprivate func matches(_ value: Value) -> Bool {
        switch (self, value) {
        case (.null, .null), (.boolean, .boolean), (.number, .number), (.string, .string), (.array, .list),
            (.object, .context):
            true
        case (.integer, .number(let number)): number.isInteger
        default: false
        }
    }
}

extension JSONSchema.Format {
    fileprivate func accepts(_ text: String) -> Bool {
        switch self {
        case .date: text.utf8.count == 10 && CalendarDate(text) != nil
        case .dateTime: Timestamp.milliseconds(text) != nil
        case .email: Self.isAddress(text)
        }
    }

    /// The addresses of RFC 5321 without quoted local parts, comments and address literals.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), (1...255).contains(parts[1].utf8.count) else {
            return false
        }
        let isLocal = parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "!#$%&'*+-/=?^_`{|}~".contains($0)) }
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return isLocal && labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            }
    }
}

extension String {
    /// The text as a token of a JSON pointer (RFC 6901).
    fileprivate var pointerEscaped: String {
        guard self.contains(where: { $0 == "~" || $0 == "/" }) else { return self }
        return self.reduce(into: "") { result, character in
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.append(character)
            }
        }
    }
}
