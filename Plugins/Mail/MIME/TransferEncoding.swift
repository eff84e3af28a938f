internal import ConnectorKit

/// Writes and reads the encodings of bodies (RFC 2045, 6).
enum TransferEncoding {
    /// Base64 in lines of 76 characters.
    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(bytes.count / 57 * 78 + 80)
        for start in stride(from: 0, to: bytes.count, by: 57) {
            lines += Base64.encode(Array(bytes[start..<min(start + 57, bytes.count)])).utf8
            lines += "\r\n".utf8
        }
        return lines
    }

    /// Reads base64, skipping what is none; `nil` when nothing of it can be read.
    static func decodeBase64(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        var group: UInt32 = 0
        var count = 0
        for byte in bytes {
            let digit: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = UInt32(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = UInt32(byte - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt32(byte - UInt8(ascii: "0")) + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            case UInt8(ascii: "="):
                // What follows padding belongs to no group.
                Self.flush(&group, &count, into: &decoded)
                continue
            default: continue
            }
            group = group << 6 | digit
            count += 1
            if count == 4 { Self.flush(&group, &count, into: &decoded) }
        }
        Self.flush(&group, &count, into: &decoded)
        return decoded
    }

    private static func flush(_ group: inout UInt32, _ count: inout Int, into bytes: inout [UInt8]) {
        let padded = group << UInt32(6 * (4 - count))
        if count > 1 { bytes.append(UInt8(truncatingIfNeeded: padded >> 16)) }
        if count > 2 { bytes.append(UInt8(truncatingIfNeeded: padded >> 8)) }
        if count > 3 { bytes.append(UInt8(truncatingIfNeeded: padded)) }
        group = 0
        count = 0
    }

    /// Whether a text with CRLF line ends can be sent as it is.
    static func isPlain(_ text: [UInt8]) -> Bool {
        var length = 0
        var last: UInt8 = 0
        for byte in text {
            if byte == UInt8(ascii: "\n") {
                if length > 77 { return false }
                length = -1
            } else if byte > 126 || (byte < 32 && byte != 9 && byte != 13)
                || (byte == UInt8(ascii: "_") && last == UInt8(ascii: "="))
            {
                // "=_" begins the boundaries of ours.
                return false
            }
            length += 1
            last = byte
        }
        return length <= 76
    }

    /// Quoted-printable of a text with CRLF line ends.
    static func quotedPrintable(_ text: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        var length = 0
        for (index, byte) in text.enumerated() {
            let isEnd = byte == 13 && index + 1 < text.count && text[index + 1] == 10
            if isEnd || (byte == 10 && index > 0 && text[index - 1] == 13) {
                encoded.append(byte)
                length = 0
                continue
            }
            let next = index + 1 < text.count ? text[index + 1] : 13
            let isSpaceAtEnd = (byte == 32 || byte == 9) && (next == 13 || next == 10)
            let isFree =
                (33...126).contains(byte) && byte != UInt8(ascii: "=") || ((byte == 32 || byte == 9) && !isSpaceAtEnd)
            let width = isFree ? 1 : 3
            // A soft line end takes one of 76 characters.
            if length + width > 75 {
                encoded += "=\r\n".utf8
                length = 0
            }
            if isFree {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
            length += width
        }
        return encoded
    }

    /// Reads quoted-printable; what is none stays as it is.
    ///
    /// - Parameter isWord: Whether it is the Q encoding of an encoded word, where `_` is a space (RFC 2047, 4.2).
    static func decodeQuotedPrintable(_ bytes: ArraySlice<UInt8>, isWord: Bool = false) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "_"), isWord {
                decoded.append(32)
            } else if byte == UInt8(ascii: "=") {
                let rest = bytes[index...]
                if rest.count >= 2, let high = Self.digit(rest[index]), let low = Self.digit(rest[index + 1]) {
                    decoded.append(high << 4 | low)
                    index += 2
                    continue
                }
                // A soft line end, perhaps with spaces that were added on the way.
                var end = index
                while end < bytes.endIndex, bytes[end] == 32 || bytes[end] == 9 { end += 1 }
                if end < bytes.endIndex, bytes[end] == 13 { end += 1 }
                if end < bytes.endIndex, bytes[end] == 10 {
                    index = end + 1
                } else if end < bytes.endIndex {
                    decoded.append(byte)
                } else {
                    index = end
                }
            } else {
                decoded.append(byte)
            }
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
