/// Regular expressions of ECMA-262, which JSON Schema writes, as those of XPath, which FEEL evaluates.
///
/// Escapes that mean something else or nothing there are replaced; look-around and back references stay as they are and
/// are refused where the pattern is compiled.
struct ECMAPattern {
    /// XPath's white space and what Unicode calls separators; vertical tabs and form feeds are left out.
    private static let space = "\\s\\p{Z}"
    private static let word = "A-Za-z0-9_"
    /// Long names of general categories, in lower case without underscores.
    private static let categories = [
        "letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt",
        "modifierletter": "Lm",
        "otherletter": "Lo", "mark": "M", "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me",
        "number": "N", "decimalnumber": "Nd", "digit": "Nd", "letternumber": "Nl", "othernumber": "No",
        "punctuation": "P", "punct": "P", "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc",
        "separator": "Z", "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C",
        "control": "Cc", "format": "Cf",
    ]

    private var rest: Substring.UnicodeScalarView
    private var result = String.UnicodeScalarView()
    private var isInClass = false

    /// The pattern in XPath's syntax.
    static func translated(_ source: String) -> String {
        guard source.utf8.contains(UInt8(ascii: "\\")) else { return source }
        var pattern = ECMAPattern(rest: Substring(source).unicodeScalars)
        pattern.translate()
        return String(pattern.result)
    }

    private init(rest: Substring.UnicodeScalarView) { self.rest = rest }

    private mutating func translate() {
        while let scalar = self.rest.popFirst() {
            switch scalar {
            case "\\": self.escape()
            case "[":
                self.isInClass = true
                self.result.append(scalar)
            case "]":
                self.isInClass = false
                self.result.append(scalar)
            default: self.result.append(scalar)
            }
        }
    }

    private mutating func append(_ text: String) { self.result.append(contentsOf: text.unicodeScalars) }

    private mutating func set(_ members: String, isNegated: Bool = false) {
        self.append(self.isInClass ? members : "[\(isNegated ? "^" : "")\(members)]")
    }

    private mutating func escape() {
        guard let scalar = self.rest.popFirst() else { return self.append("\\") }
        switch scalar {
        case "d": self.set("0-9")
        case "w": self.set(Self.word)
        case "s": self.set(Self.space)
        case "D" where !self.isInClass: self.set("0-9", isNegated: true)
        case "W" where !self.isInClass: self.set(Self.word, isNegated: true)
        case "S" where !self.isInClass: self.set(Self.space, isNegated: true)
        case "v": self.result.append("\u{B}")
        case "f": self.result.append("\u{C}")
        case "0": self.result.append("\0")
        case "/": self.result.append("/")
        case "c":
            guard let letter = self.rest.first, letter.isASCII, letter.properties.isAlphabetic,
                let control = Unicode.Scalar(letter.value & 0x1F)
            else { return self.append("\\c") }
            self.rest.removeFirst()
            self.result.append(control)
        case "x": self.codePoint(digits: 2, otherwise: "\\x")
        case "u":
            if self.rest.first == "{" { self.bracedCodePoint() } else { self.codePoint(digits: 4, otherwise: "\\u") }
        case "p", "P": self.category(scalar)
        default:
            self.result.append("\\")
            self.result.append(scalar)
        }
    }

    /// A category, by its short or its long name.
    private mutating func category(_ letter: Unicode.Scalar) {
        self.result.append("\\")
        self.result.append(letter)
        guard self.rest.first == "{", let end = self.rest.firstIndex(of: "}") else { return }
        let name = String(self.rest[self.rest.index(after: self.rest.startIndex)..<end])
        let plain = name.split(separator: "=").last.map { $0.replacing("_", with: "").lowercased() } ?? ""
        self.append("{\(Self.categories[plain] ?? name)}")
        self.rest = self.rest[self.rest.index(after: end)...]
    }

    private mutating func codePoint(digits: Int, otherwise: String) {
        let text = String(self.rest.prefix(digits))
        guard text.unicodeScalars.count == digits, let value = UInt32(text, radix: 16),
            let scalar = Unicode.Scalar(value)
        else { return self.append(otherwise) }
        self.rest.removeFirst(digits)
        self.literal(scalar)
    }

    private mutating func bracedCodePoint() {
        guard let end = self.rest.firstIndex(of: "}"),
            let value = UInt32(String(self.rest[self.rest.index(after: self.rest.startIndex)..<end]), radix: 16),
            let scalar = Unicode.Scalar(value)
        else { return self.append("\\u") }
        self.rest = self.rest[self.rest.index(after: end)...]
        self.literal(scalar)
    }

    /// A character that stands for itself.
    private mutating func literal(_ scalar: Unicode.Scalar) {
        if "\\.*+?|()[]{}^$-".unicodeScalars.contains(scalar) { self.result.append("\\") }
        self.result.append(scalar)
    }
}
