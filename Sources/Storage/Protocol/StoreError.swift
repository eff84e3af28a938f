/// Why a store refused or failed.
///
/// `description` is safe to show.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// What went wrong; new cases may be added, so keep a default.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code as shown, and the name of its page in `docs/errors/`.
        public let rawValue: String

        /// A code by its name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The disk or quota is full; nothing of the transaction was written.
        public static let full = Code(rawValue: "ST101")
        /// Reading or writing failed; nothing of the transaction was written.
        public static let io = Code(rawValue: "ST102")
        /// A page, a chain value or a record does not verify.
        public static let corrupt = Code(rawValue: "ST103")
        /// Another process has the data directory open.
        public static let ownedElsewhere = Code(rawValue: "ST104")
        /// The schema is newer than this program.
        public static let schema = Code(rawValue: "ST105")
        /// Another owner holds a newer epoch of a partition.
        public static let fenced = Code(rawValue: "ST106")
        /// The transaction may or may not be durable.
        public static let unknownOutcome = Code(rawValue: "ST107")
        /// The store is closed.
        public static let closed = Code(rawValue: "ST108")
        /// A caller broke the contract (a gap in sequences, a wrong thread).
        public static let misuse = Code(rawValue: "ST109")
        /// Journal batches that were asked for have been dropped.
        public static let trimmed = Code(rawValue: "ST110")
    }

    /// The code.
    public let code: Code
    /// What happened, with the values that matter.
    public let message: String
    /// What to do next.
    public let remedy: String

    /// Creates an error.
    public init(_ code: Code, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// Code, message and remedy in one line.
    public var description: String {
        "\(code.rawValue): \(message) — \(remedy)"
    }
}
