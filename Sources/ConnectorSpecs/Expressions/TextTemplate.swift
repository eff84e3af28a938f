import Decisions
import Values

/// A text with expressions in braces, such as `/customers/{input.id}`.
///
/// A path or an address is one: what an expression gives is percent-encoded as one segment (`{…}`), or keeps its
/// slashes (`{+…}`, after RFC 6570). Text that begins with `=` is one expression instead.
struct TextTemplate: Sendable {
    enum Part: Sendable {
        case literal(String)
        case value(Expression, keepsSlashes: Bool)
    }

    enum Failure: Error {
        /// The expression gave nothing, or the empty text.
        case empty(String)
        /// The expression gave `.` or `..`, which would lead elsewhere.
        case dots(String)
    }

    var parts: [Part]
    /// Whether the whole text is one expression.
    var isExpression = false

    var isLiteral: Bool {
        self.parts.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// The text, when there is no expression in it.
    var literal: String? {
        guard self.isLiteral else { return nil }
        return self.parts.map { if case .literal(let text) = $0 { text } else { "" } }.joined()
    }

    var expressions: [Expression] {
        self.parts.compactMap { if case .value(let expression, _) = $0 { expression } else { nil } }
    }

    /// The text with every value percent-encoded as in a path.
    func path(_ scope: any VariableScope) throws(Failure) -> String {
        var path = ""
        for part in self.parts {
            switch part {
            case .literal(let text):
                path += text
            case .value(let expression, let keepsSlashes):
                let value = expression.evaluateValue(scope)
                let segments = value.asList?.map { $0.plainText ?? "" } ?? [value.plainText ?? ""]
                let texts =
                    keepsSlashes
                    ? segments.flatMap { $0.split(separator: "/", omittingEmptySubsequences: false).map(String.init) }
                    : segments
                guard texts.contains(where: { !$0.isEmpty }) else { throw .empty(expression.source) }
                for text in texts where text == "." || text == ".." { throw .dots(expression.source) }
                path += texts.map { URLEncoding.segment($0) }.joined(separator: "/")
            }
        }
        return path
    }

    /// The text with every value as it is.
    func plain(_ scope: any VariableScope) throws(Failure) -> String {
        var text = ""
        for part in self.parts {
            switch part {
            case .literal(let literal):
                text += literal
            case .value(let expression, _):
                guard let value = expression.evaluateValue(scope).plainText, !value.isEmpty else {
                    throw .empty(expression.source)
                }
                text += value
            }
        }
        return text
    }
}

/// Percent-encoding after RFC 3986.
enum URLEncoding {
    private static let hex = Array("0123456789ABCDEF".utf8)

    /// Everything but unreserved characters encoded.
    static func component(_ text: String) -> String { Self.encode(text) { Self.isUnreserved($0) } }

    /// One segment of a path: `pchar` stays, except `%`.
    static func segment(_ text: String) -> String {
        Self.encode(text) { Self.isUnreserved($0) || "!$&'()*+,;=:@".utf8.contains($0) }
    }

    /// A form field after `application/x-www-form-urlencoded`: a blank is a plus sign.
    static func form(_ text: String) -> String {
        Self.encode(text) { Self.isUnreserved($0) && $0 != UInt8(ascii: "~") || $0 == UInt8(ascii: "*") || $0 == 0x20 }
            .split(separator: " ", omittingEmptySubsequences: false).joined(separator: "+")
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~".utf8.contains(byte)
        }
    }

    private static func encode(_ text: String, _ keeps: (UInt8) -> Bool) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if keeps(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), Self.hex[Int(byte >> 4)], Self.hex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text with `%XX` read, and plus signs as blanks when `isForm`.
    ///
    /// What is no escape stays as it is; bytes that are no UTF-8 are replaced.
    static func decode(_ text: some StringProtocol, isForm: Bool = false) -> String {
        let input = Array(text.utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(input.count)
        var index = 0
        while index < input.count {
            let byte = input[index]
            if byte == UInt8(ascii: "%"), index + 2 < input.count, let high = Self.digit(input[index + 1]),
                let low = Self.digit(input[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
                continue
            }
            bytes.append(isForm && byte == UInt8(ascii: "+") ? 0x20 : byte)
            index += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
