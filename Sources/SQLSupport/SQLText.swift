package import ConnectorKit
package import Values

/// Values as databases write them.
package enum SQLText {
    /// The number a decimal text stands for, unless a digit would be lost: a `Number` holds 34 of them.
    package static func exactNumber(_ text: String) -> Number? {
        var digits = 0
        var zeros = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0"): if digits > 0 { zeros += 1 }
            case UInt8(ascii: "1")...UInt8(ascii: "9"):
                digits += zeros + 1
                zeros = 0
            case UInt8(ascii: "e"), UInt8(ascii: "E"): return digits <= 34 ? Number(text) : nil
            default: break
            }
        }
        return digits <= 34 ? Number(text) : nil
    }

    /// A number where it can be held exactly, the text where it cannot.
    package static func number(_ text: String) -> Value {
        Self.exactNumber(text).map { .number($0) } ?? .string(text)
    }

    /// A floating-point number; infinities and NaN as PostgreSQL writes them.
    package static func double(_ double: Double) -> Value {
        if let number = Number(double) { return .number(number) }
        if double.isNaN { return "NaN" }
        return double < 0 ? "-Infinity" : "Infinity"
    }

    /// A name in double quotes, taken as it is.
    package static func quotedName(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// A name with its schema, `schema.table`, each part in double quotes.
    package static func quotedPath(_ path: String) -> String {
        path.split(separator: ".", omittingEmptySubsequences: false).map { Self.quotedName(String($0)) }
            .joined(separator: ".")
    }

    /// Gives the columns of a result distinct names: the second `id` is `id_2`.
    package static func distinctNames(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.map { name in
            var candidate = name
            var number = 2
            while !seen.insert(candidate).inserted {
                candidate = "\(name)_\(number)"
                number += 1
            }
            return candidate
        }
    }

    /// A count.
    package static func whole(_ number: Int) -> Value { .number(Number(Int64(number))) }

    /// What became of one item of a batch that failed.
    package static func item(_ error: ConnectorError) -> Value {
        [
            "kind": .string(error.kind.rawValue), "code": .string(error.code), "message": .string(error.message),
            "isRetryable": .boolean(error.isRetryable), "mayHaveExecuted": .boolean(error.mayHaveExecuted),
            "details": .context(error.details),
        ]
    }
}
