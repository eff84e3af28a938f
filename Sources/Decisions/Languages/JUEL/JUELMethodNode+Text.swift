import Values

/// Methods of strings that take more than a line.
extension JUELMethodNode {
    /// Without control characters and blanks at both ends.
    func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars.drop { $0.value <= 0x20 }
        return String(scalars: scalars.dropLast(scalars.reversed().prefix { $0.value <= 0x20 }.count))
    }

    /// The number of UTF-16 units before an offset in bytes; −1 for nil.
    func position(_ offset: Int?, in text: String) -> Value {
        guard let offset else { return -1 }
        return .number(Number(String(decoding: text.utf8.prefix(offset), as: UTF8.self).utf16.count))
    }

    func lastOffset(of match: String, in text: String) -> Int? {
        let (bytes, wanted) = (Array(text.utf8), Array(match.utf8))
        guard wanted.count <= bytes.count else { return nil }
        return (0...(bytes.count - wanted.count)).last { bytes[$0...].starts(with: wanted) }
    }

    func joined(_ parts: [String], _ machine: inout Machine) -> Value {
        guard machine.admitsString(parts.reduce(0) { $0 + $1.utf8.count }, at: span) else { return .null }
        return .string(parts.joined())
    }

    func substring(_ units: [UInt16], _ first: Value, _ second: Value, _ machine: inout Machine) -> Value {
        let begin = machine.juelNumber(first, at: span)?.int64
        let end = arguments.count < 2 ? Int64(units.count) : machine.juelNumber(second, at: span)?.int64
        guard let begin, let end, begin >= 0, begin <= end, end <= units.count else {
            machine.warn(span) { [span] in "There is no such part in a text of \(units.count): '\($0.text(span))'" }
            return .null
        }
        return .string(String(decoding: units[Int(begin)..<Int(end)], as: UTF16.self))
    }

    /// All occurrences of a text, from left to right; an empty one lies between all characters.
    func replaced(_ text: String, _ match: String, _ replacement: Value, _ machine: inout Machine) -> Value {
        guard let replacement = machine.juelString(replacement, at: span) else { return .null }
        if match.isEmpty {
            let parts = [""] + text.unicodeScalars.map { String($0) } + [""]
            let length = text.utf8.count + (parts.count - 1) * replacement.utf8.count
            guard machine.admitsString(length, at: span) else { return .null }
            return .string(parts.joined(separator: replacement))
        }
        let (bytes, wanted) = (Array(text.utf8), Array(match.utf8))
        var (result, position): ([UInt8], Int) = ([], 0)
        while position < bytes.count {
            if bytes[position...].starts(with: wanted) {
                result += replacement.utf8
                position += wanted.count
            } else {
                result.append(bytes[position])
                position += 1
            }
            guard result.count <= Machine.stringLengthMax else { break }
        }
        guard machine.admitsString(result.count, at: span) else { return .null }
        return .string(String(decoding: result, as: UTF8.self))
    }

    /// `matches` and `split`.
    func matched(_ text: [Unicode.Scalar], _ expression: String, _ machine: inout Machine) -> Value {
        do throws(Mistake) {
            let pattern = try pattern(expression)
            var budget = Pattern.stepsMax
            defer { _ = machine.spend((Pattern.stepsMax - budget) / 8, at: span) }
            if method == .matches { return .boolean(try pattern.firstMatch(in: text, from: 0, budget: &budget) != nil) }
            return try split(text, pattern, &budget, &machine)
        } catch {
            machine.warn(span) { [span] in "\(error.message) in '\($0.text(span))'" }
            return .null
        }
    }

    /// The parts between matches, without empty ones at the end.
    private func split(
        _ text: [Unicode.Scalar], _ pattern: Pattern, _ budget: inout Int, _ machine: inout Machine
    ) throws(Mistake) -> Value {
        var (parts, begin): ([Value], Int) = ([], 0)
        while let match = try pattern.firstMatch(in: text, from: begin, budget: &budget) {
            guard !match.range.isEmpty else { throw Mistake("The pattern matches the empty string") }
            guard machine.spend(1, at: span) else { return .null }
            parts.append(.string(String(scalars: text[begin..<match.range.lowerBound])))
            begin = match.range.upperBound
        }
        parts.append(.string(String(scalars: text[begin...])))
        while parts.count > 1, parts.last == .string("") { parts.removeLast() }
        return .list(parts)
    }
}
