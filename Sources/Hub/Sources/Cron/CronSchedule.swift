import Values

/// When something is to happen, as a cron expression says it: five fields, or six with seconds first.
///
/// Fields: seconds (0–59), minutes, hours, day of the month, month (1–12, JAN–DEC), day of the week (0–7, SUN–SAT; 0 and
/// 7 are Sunday). Lists, ranges (also over the end: `FRI-MON`), steps, `?` for a day that does not matter; `L`, `L-n`,
/// `nW`, `LW` in the day of the month; `nL` and `n#k` in the day of the week, as in Quartz, with the numbers of cron.
/// Macros: `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`.
///
/// Where day of the month and day of the week are both restricted, one of them is enough (crontab(5)); a field that
/// begins with `*` or `?` restricts nothing in this sense.
///
/// Immutable and pure; `docs/guides/schedules.md` has the rules for time zones.
public struct CronSchedule: Sendable, Hashable {
    /// Why a text is no schedule.
    public struct Malformed: Error, Sendable, Hashable {
        /// What is wrong, with the field's name.
        public var message: String
        /// What to write instead.
        public var remedy: String

        init(_ message: String, remedy: String) {
            self.message = message
            self.remedy = remedy
        }
    }

    /// The expression as it was written.
    public let text: String
    let seconds: CronSet
    let minutes: CronSet
    let hours: CronSet
    let months: CronSet
    let days: CronDays
    /// Whether it follows the clock hand: its minutes or hours begin with `*` or are all there are.
    ///
    /// Such a schedule goes through changes of the local time; the others name times of the day, which must happen once.
    let isInterval: Bool

    private static let macros: [(name: String, expression: String)] = [
        ("@yearly", "0 0 0 1 1 *"), ("@annually", "0 0 0 1 1 *"), ("@monthly", "0 0 0 1 * *"),
        ("@weekly", "0 0 0 * * 0"), ("@daily", "0 0 0 * * *"), ("@midnight", "0 0 0 * * *"),
        ("@hourly", "0 0 * * * *"),
    ]

    /// Reads an expression.
    public init(_ text: String) throws(Malformed) {
        guard text.utf8.count <= 1_000 else {
            throw Malformed(
                "The expression has \(text.utf8.count) bytes; at most 1000 are read.", remedy: "Write several triggers."
            )
        }
        var fields = try Self.expression(text).split { $0 == " " || $0 == "\t" }
        if fields.count == 5 { fields.insert("0", at: 0) }
        guard fields.count == 6 else {
            throw Malformed(
                "Expected five fields (minutes, hours, day of the month, month, day of the week), or six with seconds "
                    + "first, but found \(fields.count).",
                remedy: fields.count == 7
                    ? "There is no field for the year: use from and until." : "Write for example 0 9 * * MON-FRI.")
        }
        self.text = text
        self.seconds = try Self.set(fields[0], .second)
        self.minutes = try Self.set(fields[1], .minute)
        self.hours = try Self.set(fields[2], .hour)
        self.months = try Self.set(fields[4], .month)
        var days = CronDays()
        try days.readDays(fields[3])
        try days.readWeekdays(fields[5])
        self.days = days
        self.isInterval =
            fields[1].hasPrefix("*") || fields[2].hasPrefix("*") || self.minutes == CronField.minute.everything
            || self.hours == CronField.hour.everything
    }

    private static func expression(_ text: String) throws(Malformed) -> String {
        let words = text.split { $0 == " " || $0 == "\t" }
        guard let name = words.first, name.hasPrefix("@") else { return text }
        if words.count == 1, let macro = Self.macros.first(where: { $0.name == name.lowercased() }) {
            return macro.expression
        }
        let names = Self.macros.map(\.name)
        let remedy =
            switch name.lowercased() {
            case "@every": "Write a step, such as */5 * * * * for every five minutes."
            case "@reboot": "A hub has no such moment; start the process through the API."
            case let other: ClosestMatch.of(other, in: names).map { "Did you mean \($0)?" } ?? "Write five fields."
            }
        throw Malformed("Expected one of \(names.joined(separator: ", ")) but found \"\(text)\".", remedy: remedy)
    }

    private static func set(_ text: Substring, _ field: CronField) throws(Malformed) -> CronSet {
        var set = CronSet()
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            if item == "?" || item.uppercased() == "H" {
                throw Malformed(
                    "Expected numbers in the \(field.name) field but found \"\(item)\".",
                    remedy: item == "?"
                        ? "? stands for a day only: write *." : "To spread load, write a number and use jitter.")
            }
            set.formUnion(try field.set(item))
        }
        return set
    }
}

// MARK: - Local times

extension CronSchedule {
    /// The first local time that is named, in seconds since 1970 on the local clock, from `local` to `limit`.
    func nextLocal(from local: Int64, through limit: Int64) -> Int64? {
        var (day, second) = local.dividedByDay
        while day * 86_400 + second <= limit {
            guard let date = CalendarDate(daysSinceEpoch: Int(day)) else { return nil }
            if !self.months.contains(date.month) {
                day += Int64(CalendarDate.dayCount(year: date.year, month: date.month) - date.day + 1)
            } else {
                if self.days.contains(date), let found = self.nextSecond(from: Int(second)) {
                    let result = day * 86_400 + Int64(found)
                    return result <= limit ? result : nil
                }
                day += 1
            }
            second = 0
        }
        return nil
    }

    /// The first second of the day that is named, from `second`.
    private func nextSecond(from second: Int) -> Int? {
        let (hour, minute) = (second / 3_600, second / 60 % 60)
        guard let firstHour = self.hours.first(from: hour), let minuteMinimum = self.minutes.first,
            let secondMinimum = self.seconds.first
        else { return nil }
        if firstHour == hour {
            if let firstMinute = self.minutes.first(from: minute) {
                if firstMinute > minute { return hour * 3_600 + firstMinute * 60 + secondMinimum }
                if let firstSecond = self.seconds.first(from: second % 60) {
                    return hour * 3_600 + minute * 60 + firstSecond
                }
                if let later = self.minutes.first(from: minute + 1) {
                    return hour * 3_600 + later * 60 + secondMinimum
                }
            }
            guard let later = self.hours.first(from: hour + 1) else { return nil }
            return later * 3_600 + minuteMinimum * 60 + secondMinimum
        }
        return firstHour * 3_600 + minuteMinimum * 60 + secondMinimum
    }
}

extension Int64 {
    /// Whole days since 1970, rounded down, and the seconds beyond them.
    fileprivate var dividedByDay: (days: Int64, seconds: Int64) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: 86_400)
        return remainder < 0 ? (quotient - 1, remainder + 86_400) : (quotient, remainder)
    }
}
