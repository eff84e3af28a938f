/// Rules for header fields.
public enum HTTPFields {
    /// Fields that frame the message or the connection: only libcurl may set them.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    /// What is wrong with a field of a request, if anything.
    ///
    /// Values may hold anything but control characters.
    public static func problem(name: String, value: String) -> String? {
        guard Self.isToken(name) else {
            return "\"\(name.filter { !$0.isNewline }.prefix(40))\" is no header name."
        }
        if Self.reserved.contains(name.lowercased()) { return "\(name) is set by the connector." }
        if value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
            return "the value of \(name) holds a line end or another control character."
        }
        return nil
    }

    /// The line libcurl wants: a field with an empty value is written with a semicolon.
    static func line(_ name: String, _ value: String) -> String {
        value.allSatisfy { $0 == " " || $0 == "\t" } ? "\(name);" : "\(name): \(value)"
    }

    /// Whether `text` is a token (RFC 9110, 5.6.2): the name of a field, or a method.
    static func isToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(Self.isTokenByte) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Reads raw header lines: names in lower case, repeated fields in order.
    static func parse(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        bytes.withUnsafeBufferPointer { bytes in
            var fields: [(name: String, value: String)] = []
            fields.reserveCapacity(16)
            var start = 0
            while start < bytes.count {
                var end = start
                var colon: Int?
                while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
                    if colon == nil, bytes[end] == UInt8(ascii: ":") { colon = end }
                    end += 1
                }
                if let colon, colon > start {
                    let name = Self.lowercased(UnsafeBufferPointer(rebasing: bytes[start..<colon]))
                    fields.append((name, Self.trimmed(bytes[(colon + 1)..<end])))
                }
                start = end + 1
            }
            return fields
        }
    }

    private static func lowercased(_ name: UnsafeBufferPointer<UInt8>) -> String {
        String(unsafeUninitializedCapacity: name.count) { text in
            for (index, byte) in name.enumerated() {
                text[index] = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            }
            return name.count
        }
    }

    private static func trimmed(_ value: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        var value = value
        while let last = value.last, last == 0x20 || last == 0x09 || last == 0x0D { value.removeLast() }
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        return String(decoding: UnsafeBufferPointer(rebasing: value), as: UTF8.self)
    }
}

extension String {
    /// Whether both are the same header field: ASCII letters match in either case.
    func isSameField(as other: String) -> Bool {
        self.utf8.count == other.utf8.count
            && zip(self.utf8, other.utf8).allSatisfy { $0 == $1 || ($0.isLetter && $0 | 0x20 == $1 | 0x20) }
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}
