import Values

/// Which days of a month a schedule names: the fields for the day of the month and the day of the week.
struct CronDays: Sendable, Hashable {
    /// The weekday nearest to a day of the month, never in another month.
    enum Nearest: Sendable, Hashable {
        /// To the day of this number; a month without it has none.
        case to(day: Int)
        /// To the day so many days before the last.
        case toLast(minus: Int)
    }

    /// The nth of a weekday in its month.
    struct Ordinal: Sendable, Hashable {
        /// 0 Sunday to 6 Saturday.
        var weekday: Int
        /// From 1.
        var number: Int
    }

    var days = CronSet()
    /// Days before the last of the month: 0 is the last.
    var beforeLast = CronSet()
    var nearest: [Nearest] = []
    /// 0 Sunday to 6 Saturday.
    var weekdays = CronSet()
    /// Weekdays whose last occurrence in the month counts.
    var lastWeekdays = CronSet()
    var ordinals: [Ordinal] = []
    /// Whether the day of the month is restricted: its field does not begin with `*` or `?`.
    var restrictsDay = false
    /// Whether the day of the week is restricted, in the same sense.
    var restrictsWeekday = false

    /// Whether a day is named.
    ///
    /// Where both fields are restricted, one of them is enough; otherwise both must agree (crontab(5)).
    func contains(_ date: CalendarDate) -> Bool {
        if self.restrictsDay && self.restrictsWeekday { return self.matchesDay(date) || self.matchesWeekday(date) }
        return self.matchesDay(date) && self.matchesWeekday(date)
    }

    private func matchesDay(_ date: CalendarDate) -> Bool {
        if self.days.contains(date.day) { return true }
        guard !self.beforeLast.isEmpty || !self.nearest.isEmpty else { return false }
        let last = CalendarDate.dayCount(year: date.year, month: date.month)
        if self.beforeLast.contains(last - date.day) { return true }
        return self.nearest.contains { nearest in
            let target =
                switch nearest {
                case .to(let day): day
                case .toLast(let minus): last - minus
                }
            guard (1...last).contains(target) else { return false }
            // The weekday of the target follows from that of the date.
            let weekday = (date.weekday - 1 + target - date.day + 35) % 7 + 1
            let day =
                switch weekday {
                case 6: target == 1 ? 3 : target - 1
                case 7: target == last ? target - 2 : target + 1
                default: target
                }
            return day == date.day
        }
    }

    private func matchesWeekday(_ date: CalendarDate) -> Bool {
        let weekday = date.weekday % 7
        if self.weekdays.contains(weekday) { return true }
        if self.ordinals.contains(Ordinal(weekday: weekday, number: (date.day - 1) / 7 + 1)) { return true }
        return self.lastWeekdays.contains(weekday)
            && date.day + 7 > CalendarDate.dayCount(year: date.year, month: date.month)
    }
}

extension CronDays {
    /// Reads the field for the day of the month: `*`, `?`, lists, ranges, steps, `L`, `L-n`, `nW`, `LW`, `L-nW`.
    mutating func readDays(_ text: Substring) throws(CronSchedule.Malformed) {
        self.restrictsDay = !text.hasPrefix("*") && text != "?"
        if text == "?" {
            self.days = CronField.dayOfMonth.everything
            return
        }
        for item in text.split(separator: ",", omittingEmptySubsequences: false) { try self.readDay(item) }
    }

    private mutating func readDay(_ item: Substring) throws(CronSchedule.Malformed) {
        let upper = item.uppercased()
        let isNearest = upper.hasSuffix("W")
        let target = isNearest ? upper.dropLast() : upper[...]
        if target.hasPrefix("L") {
            var before: Int? = 0
            if target != "L" { before = target.hasPrefix("L-") ? CronField.digits(target.dropFirst(2)) : nil }
            guard let before, before <= 30 else {
                throw CronSchedule.Malformed(
                    "Expected L, L-1 to L-30, LW or L-nW in the day of the month field but found \"\(item)\".",
                    remedy: "L is the last day of the month, L-2 the one two days before it, LW the last weekday.")
            }
            if isNearest { self.nearest.append(.toLast(minus: before)) } else { self.beforeLast.insert(before) }
        } else if isNearest {
            guard let day = CronField.digits(target), CronField.dayOfMonth.range.contains(day) else {
                throw CronSchedule.Malformed(
                    "Expected 1W to 31W or LW in the day of the month field but found \"\(item)\".",
                    remedy: "15W is the weekday (Monday to Friday) nearest to the 15th; ranges have none.")
            }
            self.nearest.append(.to(day: day))
        } else {
            self.days.formUnion(try CronField.dayOfMonth.set(item))
        }
    }

    /// Reads the field for the day of the week: `*`, `?`, lists, ranges, steps, `FRIL`, `5L`, `FRI#2`, `5#2`.
    mutating func readWeekdays(_ text: Substring) throws(CronSchedule.Malformed) {
        self.restrictsWeekday = !text.hasPrefix("*") && text != "?"
        if text == "?" {
            self.weekdays = CronField.dayOfWeek.everything
            return
        }
        for item in text.split(separator: ",", omittingEmptySubsequences: false) { try self.readWeekday(item) }
    }

    private mutating func readWeekday(_ item: Substring) throws(CronSchedule.Malformed) {
        let field = CronField.dayOfWeek
        if let mark = item.firstIndex(of: "#") {
            let number = CronField.digits(item[item.index(after: mark)...])
            guard let weekday = field.number(item[..<mark]), let number, (1...5).contains(number) else {
                throw CronSchedule.Malformed(
                    "Expected a day and its number from 1 to 5 in the day of the week field but found \"\(item)\".",
                    remedy: "FRI#2 is the second Friday of the month.")
            }
            self.ordinals.append(Ordinal(weekday: weekday % 7, number: number))
        } else if item.last == "L" || item.last == "l" {
            guard let weekday = field.number(item.dropLast()) else {
                throw CronSchedule.Malformed(
                    "Expected a day before L in the day of the week field but found \"\(item)\".",
                    remedy:
                        "FRIL is the last Friday of the month; for the last day of the month, write L in the day of the month."
                )
            }
            self.lastWeekdays.insert(weekday % 7)
        } else {
            self.weekdays.formUnion(try field.set(item))
        }
    }
}
