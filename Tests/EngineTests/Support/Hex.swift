extension Sequence<UInt8> {
    /// Two lower-case digits a byte.
    var hex: String {
        reduce(into: "") { text, byte in
            for digit in [byte >> 4, byte & 15] {
                text.append(Character(UnicodeScalar(digit < 10 ? 48 + digit : 87 + digit)))
            }
        }
    }
}

extension StringProtocol {
    /// The bytes of hexadecimal text; nil when it is none.
    var hexBytes: [UInt8]? {
        var bytes: [UInt8] = []
        var rest = self[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
