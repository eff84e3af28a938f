public import Values

/// Compares what a test expects with what it found, and says where they differ.
public enum ValueComparison {
    /// How much of a value has to be expected.
    public enum Rule: Sendable, Hashable {
        /// Every member that is expected must be there; others may be there too, and null means that there is none.
        ///
        /// Lists are as long, and match item by item.
        case part
        /// Both are the same.
        case whole
    }

    /// One place where the values differ.
    public struct Mismatch: Sendable, Hashable, CustomStringConvertible {
        /// The place, such as `order.lines[2].sku`; empty for all of it.
        public var path: String
        /// What was expected; nil for nothing.
        public var expected: Value?
        /// What was found; nil for nothing.
        public var found: Value?

        /// The difference as a sentence.
        public var description: String {
            let place = self.path.isEmpty ? "" : "\(self.path): "
            return "\(place)Expected \(Self.text(self.expected)) but found \(Self.text(self.found))."
        }

        private static func text(_ value: Value?) -> String {
            value.map { JSON.string($0).shortened(to: 200) } ?? "nothing"
        }
    }

    /// At most this many differences are given.
    public static let mismatchesMax = 10

    /// Where `found` is not as `expected`; empty when it is.
    ///
    /// `path` is put in front of every place.
    public static func mismatches(
        _ expected: Value, _ found: Value, rule: Rule = .part, path: String = ""
    ) -> [Mismatch] {
        var mismatches: [Mismatch] = []
        Self.compare(expected, found, rule, path, &mismatches)
        return mismatches
    }

    private static func compare(
        _ expected: Value, _ found: Value, _ rule: Rule, _ path: String, _ mismatches: inout [Mismatch]
    ) {
        guard mismatches.count < Self.mismatchesMax else { return }
        switch (expected, found) {
        case (.context(let expected), .context(let found)):
            for (key, value) in expected {
                let place = path.isEmpty ? key : "\(path).\(key)"
                if let other = found[key] {
                    Self.compare(value, other, rule, place, &mismatches)
                } else if rule == .whole || !value.isNull {
                    mismatches.append(Mismatch(path: place, expected: value, found: nil))
                }
            }
            guard rule == .whole else { return }
            for (key, value) in found where expected[key] == nil {
                mismatches.append(Mismatch(path: path.isEmpty ? key : "\(path).\(key)", expected: nil, found: value))
            }
        case (.list(let items), .list(let others)) where items.count == others.count:
            for (index, item) in items.enumerated() {
                Self.compare(item, others[index], rule, "\(path)[\(index)]", &mismatches)
            }
        default:
            if expected != found { mismatches.append(Mismatch(path: path, expected: expected, found: found)) }
        }
    }
}
