import Values

/// One field of a cron expression: its name, its numbers and its words.
struct CronField: Sendable, Hashable {
    /// What messages call it.
    let name: String
    /// The numbers it takes; 7 is Sunday in the day of the week, as 0 is.
    let range: ClosedRange<Int>
    /// Words for numbers, by position from the lower bound.
    var words: [String] = []
    /// Whether 7 stands for 0.
    var isWeekday = false

    static let second = CronField(name: "seconds", range: 0...59)
    static let minute = CronField(name: "minutes", range: 0...59)
    static let hour = CronField(name: "hours", range: 0...23)
    static let dayOfMonth = CronField(name: "day of the month", range: 1...31)
    static let month = CronField(
        name: "month", range: 1...12,
        words: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"])
    static let dayOfWeek = CronField(
        name: "day of the week", range: 0...7, words: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
        isWeekday: true)

    /// The numbers without a second name for Sunday.
    private var fullRange: ClosedRange<Int> { self.isWeekday ? 0...6 : self.range }

    /// The set with every number of the field.
    var everything: CronSet { CronSet(self.fullRange) }

    /// A number or a word of the field.
    func number(_ text: some StringProtocol) -> Int? {
        if let word = self.words.firstIndex(of: text.uppercased()) { return self.range.lowerBound + word }
        guard let number = Self.digits(text), self.range.contains(number) else { return nil }
        return number
    }

    /// One or two digits.
    static func digits(_ text: some StringProtocol) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    /// The numbers of one item of a list: `*`, `n`, `a-b`, each with `/step`.
    ///
    /// A range whose end lies before its start wraps around. `n/step` goes from `n` to the greatest number.
    func set(_ item: Substring) throws(CronSchedule.Malformed) -> CronSet {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let step = parts.count == 2 ? try self.step(parts[1], of: item) : nil
        let base = parts[0]
        if base == "*" { return CronSet(self.fullRange, step: step ?? 1) }
        let ends = base.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let low = self.number(ends[0]) else { throw self.unreadable(ends[0], in: item) }
        guard ends.count == 2 else {
            guard let step else { return self.normal([low]) }
            let start = self.fullRange.contains(low) ? low : self.fullRange.lowerBound
            return self.normal(stride(from: start, through: self.fullRange.upperBound, by: step))
        }
        guard let high = self.number(ends[1]) else { throw self.unreadable(ends[1], in: item) }
        let size = self.fullRange.count
        let last = high >= low ? high : high + size
        return self.normal(
            stride(from: low, through: last, by: step ?? 1).map { number in
                high < low && number > self.fullRange.upperBound ? number - size : number
            })
    }

    private func step(_ text: Substring, of item: Substring) throws(CronSchedule.Malformed) -> Int {
        let greatest = self.fullRange.upperBound - self.fullRange.lowerBound
        guard let step = Self.digits(text), (1...max(greatest, 1)).contains(step) else {
            throw CronSchedule.Malformed(
                "The step of \"\(item)\" in the \(self.name) field must be a number from 1 to \(greatest).",
                remedy: "A greater step never gets past its start: list the values instead, such as 0,30.")
        }
        return step
    }

    private func normal(_ numbers: some Sequence<Int>) -> CronSet {
        var set = CronSet()
        for number in numbers { set.insert(self.isWeekday && number == 7 ? 0 : number) }
        return set
    }

    func unreadable(_ text: some StringProtocol, in item: some StringProtocol) -> CronSchedule.Malformed {
        let known =
            "\(self.range.lowerBound) to \(self.range.upperBound)"
            + (self.words.isEmpty ? "" : " or \(self.words.joined(separator: ", "))")
        let place = String(text) == String(item) ? "" : " in \"\(item)\""
        let word = ClosestMatch.of(text.uppercased(), in: self.words)
        return CronSchedule.Malformed(
            "Expected a \(self.name) field of \(known) but found \"\(text)\"\(place).",
            remedy: word.map { "Did you mean \($0)?" }
                ?? "Write numbers, lists (1,3), ranges (1-5), steps (*/5) or *.")
    }
}
