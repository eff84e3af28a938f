import Values

extension Builtin {
    static let stringFunctions: [Builtin] = [
        Builtin("substring", "string, start position, length?") { (arguments, machine) throws(Mistake) in
            let text = Array(try arguments.string(0).unicodeScalars)
            let start = try arguments.integer(1)
            guard start != 0, start <= text.count, start >= -text.count else {
                throw Mistake("There is no position \(start) in a string of \(text.count) characters")
            }
            let first = start > 0 ? start - 1 : text.count + start
            var end = text.count
            if !arguments.isMissing(2) {
                let length = try arguments.integer(2)
                guard length >= 1 else { throw Mistake("The length \(length) is not at least 1") }
                end = first + min(length, text.count - first)
            }
            return .string(String(scalars: text[first..<end]))
        },
        Builtin("string length", "string") { (arguments, _) throws(Mistake) in
            .number(Number(try arguments.string(0).unicodeScalars.count))
        },
        Builtin("upper case", "string") { (arguments, _) throws(Mistake) in
            .string(try arguments.string(0).uppercased())
        },
        Builtin("lower case", "string") { (arguments, _) throws(Mistake) in
            .string(try arguments.string(0).lowercased())
        },
        Builtin("substring before", "string, match") { (arguments, _) throws(Mistake) in
            let (text, match) = (try arguments.string(0), try arguments.string(1))
            guard !match.isEmpty, let found = text.firstOffset(of: match) else { return .string("") }
            return .string(String(decoding: text.utf8.prefix(found), as: UTF8.self))
        },
        Builtin("substring after", "string, match") { (arguments, _) throws(Mistake) in
            let (text, match) = (try arguments.string(0), try arguments.string(1))
            guard !match.isEmpty else { return .string(text) }
            guard let found = text.firstOffset(of: match) else { return .string("") }
            return .string(String(decoding: text.utf8.dropFirst(found + match.utf8.count), as: UTF8.self))
        },
        Builtin("contains", "string, match") { (arguments, _) throws(Mistake) in
            .boolean(try arguments.string(0).firstOffset(of: try arguments.string(1)) != nil)
        },
        Builtin("starts with", "string, match") { (arguments, _) throws(Mistake) in
            .boolean(try arguments.string(0).utf8.starts(with: try arguments.string(1).utf8))
        },
        Builtin("ends with", "string, match") { (arguments, _) throws(Mistake) in
            let (text, match) = (try arguments.string(0).utf8, try arguments.string(1).utf8)
            return .boolean(text.suffix(match.count).elementsEqual(match))
        },
        Builtin("is blank", "string") { (arguments, _) throws(Mistake) in
            .boolean(try arguments.string(0).unicodeScalars.allSatisfy { $0.isBlank })
        },
        Builtin("trim", "string") { (arguments, _) throws(Mistake) in
            let text = try arguments.string(0).unicodeScalars.drop { $0.isBlank }
            let blanks = text.reversed().prefix { $0.isBlank }.count
            return .string(String(scalars: text.dropLast(blanks)))
        },
        Builtin("string join", "list, delimiter?", "list, delimiter, prefix, suffix") {
            (arguments, machine) throws(Mistake) in
            let elements = try arguments.list(0)
            let delimiter = try arguments.optionalString(1) ?? ""
            try arguments.spend(elements.count, &machine)
            var (joined, isFirst) = (try arguments.optionalString(2) ?? "", true)
            for element in elements where !element.isNull {
                guard case .string(let text) = element else { throw arguments.expected("list of strings", 0) }
                if !isFirst { joined += delimiter }
                joined += text
                isFirst = false
                guard machine.admitsString(text.utf8.count + delimiter.utf8.count, at: arguments.span) else {
                    return .null
                }
            }
            return arguments.result(joined + (try arguments.optionalString(3) ?? ""), &machine)
        },
    ]
}

extension String {
    /// Creates a string from Unicode scalars.
    init(scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }

    /// Where `match` first occurs, in UTF-8 bytes.
    func firstOffset(of match: String) -> Int? {
        var (text, match) = (self, match)
        return text.withUTF8 { text in
            match.withUTF8 { match in
                guard let first = match.first else { return 0 }
                guard match.count <= text.count else { return nil }
                for start in 0...(text.count - match.count) where text[start] == first {
                    if UnsafeBufferPointer(rebasing: text[start..<(start + match.count)]).elementsEqual(match) {
                        return start
                    }
                }
                return nil
            }
        }
    }
}
