/// The names whose extent in the source cannot be told from the words alone: those with spaces, keywords or operators.
struct NameTable {
    /// The compound names bound in the expression, innermost frame last.
    private var frames: [[String]] = []
    /// Names of several tokens by their first word, longest first.
    private var known: [String: [String]]
    /// Built-in functions whose names hold keywords: they are names only in front of their arguments.
    private var invocationOnly: Set<String>
    /// Keys of contexts read so far, which may follow a `.`.
    private var keys: [String] = []

    /// - Parameters:
    ///   - names: The names of variables and functions.
    ///   - entryNames: The compound names of entries that contexts may have.
    init(_ names: [String], entryNames: [String] = []) {
        keys = entryNames
        known = Self.builtins
        invocationOnly = Self.builtinsWithKeywords
        for name in names where Self.isCompound(name) {
            let word = Self.firstWord(name)
            known[word, default: []].append(name)
            known[word]?.sort { $0.utf8.count > $1.utf8.count }
            invocationOnly.remove(name)
        }
    }

    private static let builtins: [String: [String]] = Dictionary(
        grouping: Builtin.all.map(\.name).filter(isCompound), by: firstWord
    ).mapValues { names in names.sorted { $0.utf8.count > $1.utf8.count } }
    private static let builtinsWithKeywords = Set(
        Builtin.all.map(\.name).filter { $0.split(separator: " ").contains { Keyword.isReserved(String($0)) } })

    mutating func push(_ names: [String]) { frames.append(names.filter(Self.isCompound)) }

    /// Opens the frame of a filter, where the entries of the elements are names.
    mutating func pushElement() { frames.append(keys) }

    mutating func pop() { frames.removeLast() }

    /// Adds a name to the innermost frame.
    mutating func bind(_ name: String) {
        guard Self.isCompound(name), !frames.isEmpty else { return }
        frames[frames.count - 1].append(name)
        keys.append(name)
    }

    /// The longest name that stands at `start`, and where it ends.
    func longestMatch(at start: Int, in lexer: Lexer, afterDot: Bool) -> (name: String, end: Int)? {
        var best: (name: String, end: Int)?
        func consider(_ name: String) {
            guard let end = Self.end(of: name, at: start, in: lexer), end > best?.end ?? start
            else { return }
            best = (name, end)
        }
        if afterDot {
            for name in keys { consider(name) }
        } else {
            for frame in frames { for name in frame { consider(name) } }
        }
        var words = lexer
        words.position = start
        words.skipNamePart()
        for name in known[lexer.text(start, words.position)] ?? [] {
            guard let end = Self.end(of: name, at: start, in: lexer), end > best?.end ?? start else { continue }
            if invocationOnly.contains(name) {
                var ahead = lexer
                ahead.position = end
                guard !afterDot, let next = try? ahead.next(), next.kind == .leftParenthesis else { continue }
            }
            best = (name, end)
        }
        return best
    }

    private static func firstWord(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.prefix { $0.continuesName }))
    }

    /// Whether the lexer sees more than one token in `name`.
    static func isCompound(_ name: String) -> Bool {
        !name.unicodeScalars.allSatisfy { $0.continuesName } || Keyword.isReserved(name)
    }

    /// Where `name` ends when it stands at `start`; white space in the name matches any white space in the source.
    private static func end(of name: String, at start: Int, in lexer: Lexer) -> Int? {
        var position = start
        var endsInName = false
        for wanted in name.unicodeScalars {
            guard let found = lexer.scalar(at: position) else { return nil }
            if wanted.isBlank {
                guard found.value.isBlank else { return nil }
                while let blank = lexer.scalar(at: position), blank.value.isBlank { position += blank.length }
            } else {
                guard found.value == wanted else { return nil }
                position += found.length
            }
            endsInName = wanted.continuesName
        }
        if endsInName, let next = lexer.scalar(at: position), next.value.continuesName { return nil }
        return position
    }
}
