/// A character class of a pattern.
indirect enum ScalarSet: Sendable {
    case range(ClosedRange<Unicode.Scalar>)
    case union([ScalarSet])
    case complement(ScalarSet)
    case difference(ScalarSet, ScalarSet)
    case categories([Unicode.GeneralCategory])
    /// The first character of an XML name, `\i`.
    case nameStart
    /// A character of an XML name, `\c`.
    case namePart

    func contains(_ scalar: Unicode.Scalar, ignoringCase: Bool) -> Bool {
        switch self {
        case .complement(let set): !set.contains(scalar, ignoringCase: ignoringCase)
        case .difference(let set, let excluded):
            set.contains(scalar, ignoringCase: ignoringCase) && !excluded.contains(scalar, ignoringCase: ignoringCase)
        case .union(let sets): sets.contains { $0.contains(scalar, ignoringCase: ignoringCase) }
        case .range(let range):
            range.contains(scalar) || (ignoringCase && scalar.caseVariants.contains { range.contains($0) })
        case .categories(let categories): categories.contains(scalar.properties.generalCategory)
        case .nameStart: scalar.startsXMLName
        case .namePart: scalar.continuesXMLName
        }
    }

    static let digit = ScalarSet.categories([.decimalNumber])
    static let space = ScalarSet.union([" ", "\t", "\n", "\r"].map { .range($0...$0) })
    /// Everything but punctuation, separators and others, `\w`.
    static let word = ScalarSet.complement(
        .union(["P", "Z", "C"].compactMap { category(named: $0) }.map { .categories($0) }))

    /// The class behind an escape such as `\d`, or nil when the letter names none.
    static func escape(_ letter: Unicode.Scalar) -> ScalarSet? {
        switch letter {
        case "d": digit
        case "D": .complement(digit)
        case "s": space
        case "S": .complement(space)
        case "w": word
        case "W": .complement(word)
        case "i": .nameStart
        case "I": .complement(.nameStart)
        case "c": .namePart
        case "C": .complement(.namePart)
        default: nil
        }
    }

    /// The set that `\p{name}` stands for: a general category or a block.
    static func property(named name: String) -> ScalarSet? {
        if let categories = category(named: name) { return .categories(categories) }
        guard name.hasPrefix("Is"), let block = blocks[String(name.dropFirst(2))] else { return nil }
        return .range(block)
    }

    private static func category(named name: String) -> [Unicode.GeneralCategory]? {
        let matching = categoryNames.filter { $0.key == name || (name.utf8.count == 1 && $0.key.hasPrefix(name)) }
        return matching.isEmpty ? nil : matching.map(\.value)
    }

    private static let categoryNames: [String: Unicode.GeneralCategory] = [
        "Lu": .uppercaseLetter, "Ll": .lowercaseLetter, "Lt": .titlecaseLetter, "Lm": .modifierLetter,
        "Lo": .otherLetter, "Mn": .nonspacingMark, "Mc": .spacingMark, "Me": .enclosingMark, "Nd": .decimalNumber,
        "Nl": .letterNumber, "No": .otherNumber, "Pc": .connectorPunctuation, "Pd": .dashPunctuation,
        "Ps": .openPunctuation, "Pe": .closePunctuation, "Pi": .initialPunctuation, "Pf": .finalPunctuation,
        "Po": .otherPunctuation, "Zs": .spaceSeparator, "Zl": .lineSeparator, "Zp": .paragraphSeparator,
        "Sm": .mathSymbol, "Sc": .currencySymbol, "Sk": .modifierSymbol, "So": .otherSymbol, "Cc": .control,
        "Cf": .format, "Co": .privateUse, "Cn": .unassigned,
    ]

    private static let blocks: [String: ClosedRange<Unicode.Scalar>] = [
        "BasicLatin": "\u{0}"..."\u{7F}", "Latin-1Supplement": "\u{80}"..."\u{FF}",
        "LatinExtended-A": "\u{100}"..."\u{17F}", "LatinExtended-B": "\u{180}"..."\u{24F}",
        "IPAExtensions": "\u{250}"..."\u{2AF}", "SpacingModifierLetters": "\u{2B0}"..."\u{2FF}",
        "CombiningDiacriticalMarks": "\u{300}"..."\u{36F}", "Greek": "\u{370}"..."\u{3FF}",
        "GreekandCoptic": "\u{370}"..."\u{3FF}", "Cyrillic": "\u{400}"..."\u{4FF}", "Armenian": "\u{530}"..."\u{58F}",
        "Hebrew": "\u{590}"..."\u{5FF}", "Arabic": "\u{600}"..."\u{6FF}", "Devanagari": "\u{900}"..."\u{97F}",
        "Bengali": "\u{980}"..."\u{9FF}", "Tamil": "\u{B80}"..."\u{BFF}", "Thai": "\u{E00}"..."\u{E7F}",
        "Georgian": "\u{10A0}"..."\u{10FF}", "LatinExtendedAdditional": "\u{1E00}"..."\u{1EFF}",
        "GreekExtended": "\u{1F00}"..."\u{1FFF}", "GeneralPunctuation": "\u{2000}"..."\u{206F}",
        "CurrencySymbols": "\u{20A0}"..."\u{20CF}", "LetterlikeSymbols": "\u{2100}"..."\u{214F}",
        "NumberForms": "\u{2150}"..."\u{218F}", "Arrows": "\u{2190}"..."\u{21FF}",
        "MathematicalOperators": "\u{2200}"..."\u{22FF}", "BoxDrawing": "\u{2500}"..."\u{257F}",
        "CJKSymbolsandPunctuation": "\u{3000}"..."\u{303F}", "Hiragana": "\u{3040}"..."\u{309F}",
        "Katakana": "\u{30A0}"..."\u{30FF}", "CJKUnifiedIdeographs": "\u{4E00}"..."\u{9FFF}",
        "HangulSyllables": "\u{AC00}"..."\u{D7A3}",
    ]
}

extension Unicode.Scalar {
    fileprivate var startsXMLName: Bool {
        switch value {
        case 0x3A, 0x5F, 0x41...0x5A, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF, 0x370...0x37D,
            0x37F...0x1FFF, 0x200C...0x200D, 0x2070...0x218F, 0x2C00...0x2FEF, 0x3001...0xD7FF, 0xF900...0xFDCF,
            0xFDF0...0xFFFD, 0x10000...0xEFFFF:
            true
        default: false
        }
    }

    fileprivate var continuesXMLName: Bool {
        switch value {
        case 0x2D, 0x2E, 0x30...0x39, 0xB7, 0x300...0x36F, 0x203F...0x2040: true
        default: startsXMLName
        }
    }
}
