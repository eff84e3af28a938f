/// A place in a JSON document (RFC 6901): `/orders/0/amount`; the empty pointer is the whole document.
public struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// The unescaped names and indexes from the root on.
    public var tokens: [String]

    /// The pointer of these tokens.
    public init(tokens: [String]) {
        self.tokens = tokens
    }

    /// Reads a pointer; nil for text that does not begin with `/` or holds a `~` that escapes nothing.
    public init?(_ text: String) {
        self.tokens = []
        guard !text.isEmpty else { return }
        let bytes = Array(text.utf8)
        guard bytes[0] == UInt8(ascii: "/") else { return nil }
        for part in bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let token = Self.unescaped(part) else { return nil }
            self.tokens.append(token)
        }
    }

    /// The pointer as text.
    public var description: String {
        self.tokens.map { token in
            var bytes = [UInt8(ascii: "/")]
            for byte in token.utf8 {
                switch byte {
                case UInt8(ascii: "~"): bytes += "~0".utf8
                case UInt8(ascii: "/"): bytes += "~1".utf8
                default: bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }.joined()
    }

    private static func unescaped(_ part: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var isEscape = false
        for byte in part {
            switch (isEscape, byte) {
            case (false, UInt8(ascii: "~")): isEscape = true
            case (false, _): bytes.append(byte)
            case (true, UInt8(ascii: "0")), (true, UInt8(ascii: "1")):
                bytes.append(byte == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                isEscape = false
            case (true, _): return nil
            }
        }
        return isEscape ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// The position `token` names in a list of `count` elements: digits without leading zeros, less than `count`.
    static func index(_ token: String, count: Int) -> Int? {
        guard token.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            token == "0" || token.utf8.first != UInt8(ascii: "0"), let index = Int(token), index < count
        else { return nil }
        return index
    }
}

extension Value {
    /// The value at a place in a JSON document; nil when there is none.
    public subscript(pointer: JSONPointer) -> Value? {
        var value = self
        for token in pointer.tokens {
            switch value {
            case .context(let members):
                guard let member = members[token] else { return nil }
                value = member
            case .list(let elements):
                guard let index = JSONPointer.index(token, count: elements.count) else { return nil }
                value = elements[index]
            default:
                return nil
            }
        }
        return value
    }
}
