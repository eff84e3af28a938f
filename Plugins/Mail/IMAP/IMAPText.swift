internal import ConnectorKit

/// How texts are written in commands.
enum IMAPText {
    /// A quoted string (RFC 3501, 4.3); `nil` for a text that cannot be one.
    static func quoted(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else { return nil }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// The name of a mailbox as a quoted string in modified UTF-7 (RFC 3501, 5.1.3); `nil` when it holds controls.
    static func mailbox(_ name: String) -> String? {
        guard !name.isEmpty, name.utf8.count <= 1_000,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        var text = ""
        var units: [UInt16] = []
        func flush() {
            guard !units.isEmpty else { return }
            let bytes = units.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
            let encoded = Base64.encode(bytes).replacing("/", with: ",").replacing("=", with: "")
            text += "&" + encoded + "-"
            units = []
        }
        for scalar in name.unicodeScalars {
            if scalar == "&" {
                flush()
                text += "&-"
            } else if scalar.isASCII {
                flush()
                text.unicodeScalars.append(scalar)
            } else {
                units += Array(String(Character(scalar)).utf16)
            }
        }
        flush()
        return Self.quoted(text)
    }

    /// A day as searches name it, such as `7-Mar-2026`, from `2026-03-07`.
    static func day(_ text: String) -> String? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
            let year = Int64(parts[0]), let month = Int64(parts[1]), let day = Int64(parts[2]), (1...12).contains(month)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard year > 0, CivilDate(daysSince1970: date.daysSince1970) == date else { return nil }
        return "\(day)-\(CivilDate.months[Int(month) - 1])-\(parts[0])"
    }

    /// The Unix milliseconds of a moment such as `17-Jul-1996 02:44:25 -0700`.
    static func internalDate(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 3 else { return nil }
        let day = parts[0].split(separator: "-")
        let time = parts[1].split(separator: ":").compactMap { Int64($0) }
        guard day.count == 3, time.count == 3, let number = Int64(day[0]), let year = Int64(day[2]),
            let month = CivilDate.months.firstIndex(where: { $0 == day[1] }), parts[2].count == 5,
            let zone = Int64(parts[2].dropFirst()), (1...31).contains(number), (1...9_999).contains(year),
            time.allSatisfy({ (0...60).contains($0) })
        else { return nil }
        let offset = (zone / 100 * 60 + zone % 100) * (parts[2].hasPrefix("-") ? -1 : 1)
        let days = CivilDate(year: year, month: Int64(month) + 1, day: number).daysSince1970
        return ((days * 86_400 + time[0] * 3_600 + time[1] * 60 + time[2]) - offset * 60) * 1_000
    }
}
