internal import ConnectorKit

/// Writes header fields (RFC 5322, 2047, 2231) in lines of at most 78 characters.
enum HeaderText {
    private static let lineMax = 76
    /// Bytes of text in one encoded word: 60 characters with `=?UTF-8?B?` and `?=` around base64.
    private static let wordBytesMax = 36

    /// `Name: value` for a text of any kind, folded.
    static func unstructured(_ name: String, _ text: String) -> String {
        name + ": " + Self.folded(Self.words(text), after: name.utf8.count + 2)
    }

    /// `Name: address, address`, folded.
    static func addresses(_ name: String, _ addresses: [MailAddress]) -> String {
        var line = name + ":"
        var length = line.utf8.count
        for (index, address) in addresses.enumerated() {
            let text = Self.address(address) + (index + 1 < addresses.count ? "," : "")
            let first = text.prefix { $0 != "\r" }
            if index > 0, length + first.utf8.count + 1 > Self.lineMax {
                line += "\r\n"
                length = 0
            }
            line += " " + text
            length += text.utf8.count + 1
        }
        return line
    }

    /// A mailbox with its name as a phrase.
    static func address(_ address: MailAddress) -> String {
        guard !address.name.isEmpty else { return address.address }
        return Self.phrase(address.name) + " <" + address.address + ">"
    }

    private static func phrase(_ name: String) -> String {
        let isAtoms = name.unicodeScalars.allSatisfy { Self.isAtom($0) || $0 == " " }
        if isAtoms, !name.hasPrefix(" "), !name.hasSuffix(" "), name.utf8.count < 60 { return name }
        if name.unicodeScalars.allSatisfy({ $0.isASCII && $0.value >= 32 && $0.value != 127 }), name.utf8.count < 60,
            !name.contains("=?")
        {
            return "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return Self.encodedWords(name).joined(separator: "\r\n ")
    }

    private static func isAtom(_ scalar: UnicodeScalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || "0123456789!#$%&'*+-/?^_`{|}~".unicodeScalars.contains(scalar))
    }

    /// A text as words that can stand in a header field: as they are where they are ASCII.
    private static func words(_ text: String) -> [String] {
        let isPlain =
            text.unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 32 && $0.value != 127 } && !text.contains("=?")
            && !text.split(separator: " ").contains { $0.utf8.count > Self.lineMax - 2 }
        guard isPlain else { return Self.encodedWords(text) }
        return text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    }

    private static func folded(_ words: [String], after start: Int) -> String {
        var text = ""
        var length = start
        for (index, word) in words.enumerated() {
            if index > 0 {
                // An empty word is a space of the text: no line may consist of spaces only.
                if length + 1 + word.utf8.count > Self.lineMax, !word.isEmpty {
                    text += "\r\n"
                    length = 0
                }
                text += " "
                length += 1
            }
            text += word
            length += word.utf8.count
        }
        return text
    }

    /// The text as encoded words (RFC 2047), cut between characters.
    static func encodedWords(_ text: String) -> [String] {
        var words: [String] = []
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            let next = Array(String(Character(scalar)).utf8)
            if bytes.count + next.count > Self.wordBytesMax {
                words.append("=?UTF-8?B?" + Base64.encode(bytes) + "?=")
                bytes = []
            }
            bytes += next
        }
        if !bytes.isEmpty || words.isEmpty { words.append("=?UTF-8?B?" + Base64.encode(bytes) + "?=") }
        return words
    }

    /// Parameters for a name in a header field, each beginning with `;`: quoted where that can be, else after RFC 2231.
    static func parameter(_ name: String, _ value: String) -> String {
        let isASCII = value.unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 32 && $0.value != 127 }
        if isASCII, value.utf8.count <= 60 {
            let quoted = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return ";\r\n \(name)=\"\(quoted)\""
        }
        var sections: [String] = []
        var section = ""
        for byte in value.utf8 {
            let isFree =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-._".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            let text = isFree ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
            if section.utf8.count + text.utf8.count > 50 {
                sections.append(section)
                section = ""
            }
            section += text
        }
        sections.append(section)
        if sections.count == 1 { return ";\r\n \(name)*=UTF-8''\(sections[0])" }
        return sections.enumerated().map { index, text in
            ";\r\n \(name)*\(index)*=\(index == 0 ? "UTF-8''" : "")\(text)"
        }.joined()
    }

    /// A moment after RFC 5322, 3.3, in universal time.
    static func date(_ unixMilliseconds: Int64) -> String {
        let seconds = unixMilliseconds.quotientDown(1_000)
        let days = seconds.quotientDown(86_400)
        let time = seconds - days * 86_400
        let date = CivilDate(daysSince1970: days)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(((days % 7) + 7) % 7)]
        return "\(weekday), \(two(date.day)) \(CivilDate.months[Int(date.month) - 1]) \(date.year) "
            + "\(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60)) +0000"
    }
}

/// A day of the proleptic Gregorian calendar.
struct CivilDate: Hashable {
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    var year: Int64
    /// From 1.
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Counts in cycles of 400 years that begin on the first of March, so that the leap day comes last.
    init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let cycle = shifted.quotientDown(146_097)
        let ofCycle = shifted - cycle * 146_097
        let yearOfCycle = (ofCycle - ofCycle / 1_460 + ofCycle / 36_524 - ofCycle / 146_096) / 365
        let ofYear = ofCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        self.day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfCycle + cycle * 400 + (self.month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int64 {
        let year = self.month <= 2 ? self.year - 1 : self.year
        let cycle = year.quotientDown(400)
        let yearOfCycle = year - cycle * 400
        let shiftedMonth = self.month > 2 ? self.month - 3 : self.month + 9
        let ofYear = (153 * shiftedMonth + 2) / 5 + self.day - 1
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + ofYear - 719_468
    }
}

extension Int64 {
    /// The quotient, rounded towards negative infinity.
    func quotientDown(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
