/// One member a request body may have: checked, documented in the OpenAPI document, and offered as "did you mean".
struct RequestField: Sendable {
    /// What a member holds.
    enum Kind: Sendable {
        case string
        case integer(ClosedRange<Int64>)
        case boolean
        /// A key as a string of digits.
        case key
        case object
        case strings
        /// A list of objects.
        case objects
    }

    let name: String
    let kind: Kind
    let isRequired: Bool
    let summary: String

    init(_ name: String, _ kind: Kind, required: Bool = false, _ summary: String) {
        self.name = name
        self.kind = kind
        self.isRequired = required
        self.summary = summary
    }

    /// What the member must be, in words.
    var expectation: String {
        switch self.kind {
        case .string: "a string"
        case .integer(let range): Self.expectation(range)
        case .boolean: "true or false"
        case .key: "a key: a string of digits"
        case .object: "an object"
        case .strings: "a list of strings"
        case .objects: "a list of objects"
        }
    }

    private static func expectation(_ range: ClosedRange<Int64>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "an integer"
        case (.min, let upper): "an integer of at most \(upper)"
        case (let lower, .max): "an integer of at least \(lower)"
        case (let lower, let upper): "an integer from \(lower) to \(upper)"
        }
    }

    /// Whether a JSON value beginning with `byte` can be one of this kind.
    func accepts(firstByte byte: UInt8) -> Bool {
        switch self.kind {
        case .string, .key: byte == UInt8(ascii: "\"")
        case .integer: byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        case .boolean: byte == UInt8(ascii: "t") || byte == UInt8(ascii: "f")
        case .object: byte == UInt8(ascii: "{")
        case .strings, .objects: byte == UInt8(ascii: "[")
        }
    }
}

extension ClosedRange<Int64> {
    static let any = Int64.min...Int64.max
    static let notNegative = 0...Int64.max
    static let positive = 1...Int64.max
}
