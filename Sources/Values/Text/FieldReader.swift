/// Reads a configuration object field by field, collecting everything that is wrong with it.
///
/// A field that is absent reads as `nil`; one of the wrong shape reads as `nil` too, and is reported. `finish` reports
/// every field nobody asked for, with the nearest known name. Not `Sendable`: use it where it was made.
public final class FieldReader {
    private final class Report {
        var diagnostics: [Diagnostic] = []
    }

    /// Where the object stands in its file, such as `resilience.retry`; empty for the file itself.
    public let path: String
    private let code: String
    private let fields: ValueContext
    private let report: Report
    private var asked: [String] = []

    /// Starts at the top of a file.
    ///
    /// Findings get `code`.
    public convenience init(_ value: Value, path: String = "", code: String) {
        self.init(value, path: path, code: code, report: Report())
    }

    private init(_ value: Value, path: String, code: String, report: Report) {
        self.path = path
        self.code = code
        self.report = report
        self.fields = value.asContext ?? ValueContext()
        if value.asContext == nil, !value.isNull {
            self.complain(path.isEmpty ? "The file" : path, "an object", value)
        }
    }

    /// Everything found so far, here and in the objects read from here.
    public var diagnostics: [Diagnostic] { self.report.diagnostics }

    /// Whether `key` is present and not null.
    ///
    /// Counts as asking for it.
    public func has(_ key: String) -> Bool { self.value(key) != nil }

    /// The field as it is; `nil` when absent or null.
    public func value(_ key: String) -> Value? {
        if !self.asked.contains(key) { self.asked.append(key) }
        guard let value = self.fields[key], !value.isNull else { return nil }
        return value
    }

    /// A text.
    public func string(_ key: String) -> String? {
        self.read(key, "a text") { $0.asString }
    }

    /// True or false.
    public func boolean(_ key: String) -> Bool? {
        self.read(key, "true or false") { $0.asBoolean }
    }

    /// A whole number in `range`.
    public func integer(_ key: String, in range: ClosedRange<Int> = 0...Int.max) -> Int? {
        let low = range.lowerBound
        let bounds = range.upperBound == .max ? "at least \(low)" : "\(low) to \(range.upperBound)"
        return self.read(key, "a whole number, \(bounds)") { value in
            guard let number = value.asInt64.flatMap({ Int(exactly: $0) }), range.contains(number) else { return nil }
            return number
        }
    }

    /// A number in `range`.
    public func double(_ key: String, in range: ClosedRange<Double>) -> Double? {
        self.read(key, "a number, \(range.lowerBound) to \(range.upperBound)") { value in
            guard let number = value.asNumber?.double, range.contains(number) else { return nil }
            return number
        }
    }

    /// A length of time such as `500ms`, `20s`, `1h30m`.
    public func duration(_ key: String) -> Duration? {
        self.read(key, "a length of time such as 500ms, 20s or 1h30m") { value in
            if case .number(let number) = value { return number.int64 == 0 ? .zero : nil }
            return value.asString.flatMap { Quantity.duration($0) }
        }
    }

    /// A number of bytes such as `512`, `64KiB`, `1MiB`.
    public func bytes(_ key: String) -> Int? {
        self.read(key, "a number of bytes such as 512, 64KiB or 1MiB") { value in
            if let number = value.asInt64 { return number >= 0 ? Int(exactly: number) : nil }
            return value.asString.flatMap { Quantity.bytes($0) }
        }
    }

    /// One of the words of `type`.
    public func word<Word: RawRepresentable<String> & CaseIterable>(_ key: String, of type: Word.Type) -> Word? {
        guard let value = self.value(key) else { return nil }
        if let text = value.asString, let word = Word(rawValue: text) { return word }
        self.complainWord(self.name(key), value, Word.allCases.map(\.rawValue))
        return nil
    }

    /// A list of words of `type`; a single word counts as a list of one.
    public func words<Word: RawRepresentable<String> & CaseIterable>(_ key: String, of type: Word.Type) -> [Word]? {
        guard let value = self.value(key) else { return nil }
        var words: [Word] = []
        for item in value.asList ?? [value] {
            guard let word = item.asString.flatMap({ Word(rawValue: $0) }) else {
                self.complainWord(self.name(key), item, Word.allCases.map(\.rawValue))
                return nil
            }
            words.append(word)
        }
        return words
    }

    /// A list of texts; a single text counts as a list of one.
    public func strings(_ key: String) -> [String]? {
        self.read(key, "a list of texts") { value in
            let items = value.asList ?? [value]
            let texts = items.compactMap(\.asString)
            return texts.count == items.count ? texts : nil
        }
    }

    /// The object under `key`, to be read in turn; `nil` when absent or something else.
    public func object(_ key: String) -> FieldReader? {
        guard let context = self.read(key, "an object", { $0.asContext }) else { return nil }
        return FieldReader(.context(context), path: self.name(key), code: self.code, report: self.report)
    }

    /// The objects in the list under `key`, to be read in turn; a single object counts as a list of one.
    public func objects(_ key: String) -> [FieldReader]? {
        let isList = self.value(key)?.asList != nil
        let items = self.read(key, "an object, or a list of objects") { value in
            let items = value.asList ?? [value]
            return items.allSatisfy { $0.asContext != nil } ? items : nil
        }
        return items?.enumerated().map { index, item in
            FieldReader(
                item, path: isList ? "\(self.name(key))[\(index)]" : self.name(key), code: self.code,
                report: self.report)
        }
    }

    /// Names of the fields present, in order.
    ///
    /// For objects whose keys are the user's own; each counts as asked for.
    public func keys() -> [String] {
        let keys = self.fields.keys
        for key in keys where !self.asked.contains(key) { self.asked.append(key) }
        return keys
    }

    /// Reports that `key` is absent unless it is there.
    public func require(_ key: String) {
        if self.value(key) == nil {
            self.add("\(self.name(key)) is missing.", "Add \(key) to \(self.path.isEmpty ? "the file" : self.path).")
        }
    }

    /// Reports something only the caller can see.
    public func add(_ message: String, _ remedy: String? = nil) {
        self.report.diagnostics.append(
            Diagnostic(code: self.code, severity: .error, message: message, remedy: remedy))
    }

    /// Reports the fields nobody asked for.
    ///
    /// Call it once, after the last read.
    public func finish() {
        for key in self.fields.keys where !self.asked.contains(key) {
            let remedy =
                ClosestMatch.of(key, in: self.asked).map { "Did you mean \($0)?" }
                ?? "Known here: \(self.asked.sorted().joined(separator: ", "))."
            self.add("Unknown field \(self.name(key)).", remedy)
        }
    }

    private func name(_ key: String) -> String {
        self.path.isEmpty ? key : self.path + "." + key
    }

    private func read<Result>(_ key: String, _ expected: String, _ convert: (Value) -> Result?) -> Result? {
        guard let value = self.value(key) else { return nil }
        if let result = convert(value) { return result }
        self.complain(self.name(key), expected, value)
        return nil
    }

    private func complain(_ name: String, _ expected: String, _ value: Value) {
        self.add("\(name): expected \(expected) but found \(Self.excerpt(value)).")
    }

    private func complainWord(_ name: String, _ value: Value, _ words: [String]) {
        let near = value.asString.flatMap { ClosestMatch.of($0, in: words) }
        self.add(
            "\(name): expected one of \(words.joined(separator: ", ")) but found \(Self.excerpt(value)).",
            near.map { "Did you mean \($0)?" })
    }

    /// The value if it is short and simple, its type otherwise: a configuration value may be a secret.
    private static func excerpt(_ value: Value) -> String {
        switch value {
        case .string(let text) where text.count <= 40: "\"\(text)\""
        case .number, .boolean: "\(value)"
        default: "a \(value.typeName)"
        }
    }
}
