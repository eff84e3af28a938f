/// Reads texts in the character sets that mail uses.
///
/// UTF-8, US-ASCII, ISO 8859-1 and -15 and Windows-1252 are known; anything else is read as UTF-8 where it is that, and
/// as Windows-1252 where not: no byte is lost.
enum Charset {
    /// What Windows-1252 has from 80 to 9F; five of them are nothing.
    private static let windows: [UInt32] = [
        0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD,
        0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0xFFFD, 0x017E, 0x0178,
    ]
    /// Where ISO 8859-15 differs from ISO 8859-1.
    private static let latin9: [UInt8: UInt32] = [
        0xA4: 0x20AC, 0xA6: 0x0160, 0xA8: 0x0161, 0xB4: 0x017D, 0xB8: 0x017E, 0xBC: 0x0152, 0xBD: 0x0153, 0xBE: 0x0178,
    ]

    static func decode(_ bytes: some Collection<UInt8>, _ name: String) -> String {
        switch name.lowercased() {
        case "iso-8859-15", "latin-9", "iso8859-15":
            return Self.text(bytes) { Self.latin9[$0] ?? UInt32($0) }
        default:
            if let text = String(validating: bytes, as: UTF8.self) { return text }
            // What calls itself ISO 8859-1 or ASCII is nearly always Windows-1252 where they differ.
            let isUnicode = name.lowercased() == "utf-8" || name.lowercased() == "utf8"
            if isUnicode { return String(decoding: bytes, as: UTF8.self) }
            return Self.text(bytes) { (0x80...0x9F).contains($0) ? Self.windows[Int($0) - 0x80] : UInt32($0) }
        }
    }

    private static func text(_ bytes: some Collection<UInt8>, _ scalar: (UInt8) -> UInt32) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(UnicodeScalar(scalar(byte)) ?? "\u{FFFD}") }
        return String(text)
    }
}
