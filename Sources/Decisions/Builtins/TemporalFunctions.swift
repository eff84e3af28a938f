import Values

extension Builtin {
    static let temporalFunctions: [Builtin] = [
        Builtin("date", "from", "year, month, day") { (arguments, _) throws(Mistake) in
            if arguments.count == 1 {
                guard case .string(let text) = arguments[0] else { return .date(try arguments.date(0)) }
                guard let date = CalendarDate(text) else { throw Mistake("'\(text)' is no date") }
                return .date(date)
            }
            return .date(try arguments.date(year: 0))
        },
        Builtin("time", "from", "hour, minute, second, offset?") { (arguments, _) throws(Mistake) in
            if arguments.count == 1 { return .time(try arguments.time(0)) }
            return .time(try arguments.time(hour: 0))
        },
        Builtin(
            "date and time", "from", "date, time", "date, timezone",
            "year, month, day, hour, minute, second, offset?", "year, month, day, hour, minute, second, timezone"
        ) { (arguments, _) throws(Mistake) in
            switch arguments.count {
            case 1: return .dateTime(try arguments.dateTime(0))
            case 2:
                if case .string(let zone) = arguments[1] { return .dateTime(try arguments.dateTime(0, in: zone)) }
                guard case .time(let time) = arguments[1] else { throw arguments.expected("time", 1) }
                return .dateTime(DateTime(date: try arguments.date(0), time: time))
            default:
                return .dateTime(DateTime(date: try arguments.date(year: 0), time: try arguments.time(hour: 3)))
            }
        },
        Builtin("duration", "from") { (arguments, _) throws(Mistake) in
            switch arguments[0] {
            case .yearMonthDuration, .dayTimeDuration: return arguments[0]
            default: break
            }
            let text = try arguments.string(0)
            guard let duration = TemporalText.duration(text) else { throw Mistake("'\(text)' is no duration") }
            return duration
        },
        Builtin("years and months duration", "from, to") { (arguments, _) throws(Mistake) in
            .yearMonthDuration(.between(try arguments.date(0), try arguments.date(1)))
        },
        Builtin("now", "", isPure: false) { (_, machine) in .dateTime(machine.scope.now) },
        Builtin("today", "", isPure: false) { (_, machine) in .date(machine.scope.now.date) },
        Builtin("day of year", "date") { (arguments, _) throws(Mistake) in
            .number(Number(try arguments.date(0).dayOfYear))
        },
        Builtin("day of week", "date") { (arguments, _) throws(Mistake) in
            .string(dayNames[try arguments.date(0).weekday - 1])
        },
        Builtin("month of year", "date") { (arguments, _) throws(Mistake) in
            .string(monthNames[try arguments.date(0).month - 1])
        },
        Builtin("week of year", "date") { (arguments, _) throws(Mistake) in
            .number(Number(try arguments.date(0).weekOfYear))
        },
        Builtin("last day of month", "date") { (arguments, _) throws(Mistake) in
            let date = try arguments.date(0)
            return .number(Number(CalendarDate.dayCount(year: date.year, month: date.month)))
        },
    ]

    private static let dayNames = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]

    private static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
}

extension Arguments {
    /// The date of three numbers from `index` on.
    fileprivate func date(year index: Int) throws(Mistake) -> CalendarDate {
        let (year, month, day) = (try integer(index), try integer(index + 1), try integer(index + 2))
        guard let date = CalendarDate(year: year, month: month, day: day) else {
            throw Mistake("There is no day \(day) in month \(month) of the year \(year)")
        }
        return date
    }

    /// The time of three numbers from `index` on, and perhaps an offset or zone.
    fileprivate func time(hour index: Int) throws(Mistake) -> TimeOfDay {
        let (hour, minute, seconds) = (try integer(index), try integer(index + 1), try number(index + 2))
        guard let exact = DayTimeDuration(totalSeconds: seconds),
            let time = TimeOfDay(
                hour: hour, minute: minute, second: Int(exact.seconds), nanosecond: Int(exact.nanoseconds),
                zone: try zone(index + 3))
        else { throw Mistake("There is no time \(hour):\(minute):\(seconds)") }
        return time
    }

    private func zone(_ index: Int) throws(Mistake) -> ZoneOffset? {
        switch self[index] {
        case .null: return nil
        case .string(let name): return try zone(named: name)
        case .dayTimeDuration(let offset):
            guard offset.nanoseconds == 0, offset.seconds.magnitude <= ZoneOffset.secondsMax else {
                throw Mistake("The offset \(offset) is not within -14 and 14 hours")
            }
            return .offset(seconds: Int32(offset.seconds))
        default: throw expected("days and time duration", index)
        }
    }

    private func zone(named name: String) throws(Mistake) -> ZoneOffset {
        guard let zone = ZoneOffset("@\(name)") ?? ZoneOffset(name), TemporalText.isKnown(zone) else {
            throw Mistake("'\(name)' is no time zone")
        }
        return zone
    }

    /// The time in a string, date and time, date or time.
    fileprivate func time(_ index: Int) throws(Mistake) -> TimeOfDay {
        switch self[index] {
        case .time(let time): return time
        case .dateTime(let moment): return moment.time
        case .date: return TimeOfDay(nanosecondOfDay: 0, zone: .utc)
        default: break
        }
        let text = try string(index)
        guard let time = TimeOfDay(text), TemporalText.isKnown(time.zone) else { throw Mistake("'\(text)' is no time") }
        return time
    }

    /// The date and time in a string, date or date and time.
    fileprivate func dateTime(_ index: Int) throws(Mistake) -> DateTime {
        switch self[index] {
        case .dateTime(let moment): return moment
        case .date(let date): return DateTime(date: date, time: TimeOfDay(nanosecondOfDay: 0))
        default: break
        }
        let text = try string(index)
        guard let moment = TemporalText.dateTime(text) else { throw Mistake("'\(text)' is no date and time") }
        return moment
    }

    /// The same instant in another zone; a date and time without zone is taken to be in it.
    fileprivate func dateTime(_ index: Int, in name: String) throws(Mistake) -> DateTime {
        guard case .dateTime(let moment) = self[index] else { throw expected("date and time", index) }
        let zone = try zone(named: name)
        if moment.zone == nil { return DateTime(date: moment.date, time: moment.time.inZone(zone)) }
        guard let converted = moment.converted(to: zone) else { throw Mistake("The zone '\(name)' is not available") }
        return converted
    }
}
