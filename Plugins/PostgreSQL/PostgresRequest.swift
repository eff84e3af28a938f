internal import ConnectorKit
internal import SQLSupport
internal import Values

/// One call of an operation, read and checked.
enum PostgresRequest: Sendable {
    case query(PostgresStatement, rowsMaximum: Int)
    case execute(PostgresStatement, rowsMaximum: Int)
    case batch([PostgresStatement], isAtomic: Bool, rowsMaximum: Int)
    case transaction([PostgresStatement], begin: String, rowsMaximum: Int)
    case copyIn(CopyIn)
    case copyOut(CopyOut)

    enum CopyFormat: String, CaseIterable, Sendable {
        case csv, text
    }

    /// The form of copied data.
    struct CopyOptions: Sendable {
        var format = CopyFormat.csv
        var hasHeader = false
        var delimiter: String?
        var null: String?

        /// As `COPY` has it.
        var clause: String {
            var options = ["FORMAT \(self.format.rawValue)"]
            if self.format == .csv { options.append("HEADER \(self.hasHeader)") }
            if let delimiter { options.append("DELIMITER \(Self.quoted(delimiter))") }
            if let null { options.append("NULL \(Self.quoted(null))") }
            return "(\(options.joined(separator: ", ")))"
        }

        private static func quoted(_ text: String) -> String {
            "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
    }

    struct CopyIn: Sendable {
        enum Source: Sendable {
            case rows([[Value]])
            case file(String, CopyOptions)
        }

        var table: String
        var columns: [String]
        var source: Source

        /// `table (a, b)`.
        var target: String {
            let list = self.columns.map(SQLText.quotedName).joined(separator: ", ")
            return SQLText.quotedPath(self.table) + (self.columns.isEmpty ? "" : " (\(list))")
        }
    }

    struct CopyOut: Sendable {
        /// A table or a statement in parentheses.
        var source: String
        var options: CopyOptions
        var file: String?
        var bytesMaximum: Int
    }

    /// Whether nothing can change.
    var isReadOnly: Bool {
        switch self {
        case .query, .copyOut: true
        case .execute, .batch, .transaction, .copyIn: false
        }
    }

    /// Whether all of it is one transaction, in which a key can be recorded.
    var isOneTransaction: Bool {
        switch self {
        case .execute(let statement, _): !statement.commitsByItself
        case .batch(_, let isAtomic, _): isAtomic
        case .transaction, .copyIn: true
        case .query, .copyOut: false
        }
    }
}
