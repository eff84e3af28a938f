internal import CLibPQ

/// One result of libpq.
///
/// Not `Sendable`: used on the thread of its connection.
final class PQResult {
    enum Status: Sendable, Hashable {
        /// A command without rows is done.
        case done
        /// All rows are there, or came one by one before.
        case rows
        /// One row of more.
        case row
        case copyIn
        case copyOut
        /// Both sides may send, as replication does.
        case copyBoth
        case emptyQuery
        /// The answer to a synchronisation point.
        case synchronized
        /// Not run, because a command before it failed.
        case skipped
        case failed
    }

    private let raw: OpaquePointer

    init(_ raw: OpaquePointer) { self.raw = raw }

    deinit { PQclear(self.raw) }

    var status: Status {
        switch PQresultStatus(self.raw) {
        case PGRES_COMMAND_OK: .done
        case PGRES_TUPLES_OK: .rows
        case PGRES_SINGLE_TUPLE: .row
        case PGRES_COPY_IN: .copyIn
        case PGRES_COPY_OUT: .copyOut
        case PGRES_COPY_BOTH: .copyBoth
        case PGRES_EMPTY_QUERY: .emptyQuery
        case PGRES_PIPELINE_SYNC: .synchronized
        case PGRES_PIPELINE_ABORTED: .skipped
        default: .failed
        }
    }

    // MARK: - Rows

    var rowCount: Int { Int(PQntuples(self.raw)) }
    var columnCount: Int { Int(PQnfields(self.raw)) }

    func columnName(_ column: Int) -> String {
        PQfname(self.raw, Int32(column)).map { String(cString: $0) } ?? ""
    }

    func columnType(_ column: Int) -> UInt32 { PQftype(self.raw, Int32(column)) }

    /// The text of a value; `nil` for NULL.
    func withText<Result>(_ row: Int, _ column: Int, _ body: (UnsafeBufferPointer<UInt8>?) throws -> Result) rethrows
        -> Result
    {
        guard PQgetisnull(self.raw, Int32(row), Int32(column)) == 0,
            let start = PQgetvalue(self.raw, Int32(row), Int32(column))
        else { return try body(nil) }
        let count = Int(PQgetlength(self.raw, Int32(row), Int32(column)))
        return try start.withMemoryRebound(to: UInt8.self, capacity: count) {
            try body(UnsafeBufferPointer(start: $0, count: count))
        }
    }

    /// Bytes of a row's values.
    func byteCount(row: Int) -> Int {
        (0..<self.columnCount).reduce(0) { $0 + Int(PQgetlength(self.raw, Int32(row), Int32($1))) }
    }

    // MARK: - Commands

    /// The command tag, such as `INSERT 0 1`.
    var tag: String { PQcmdStatus(self.raw).map { String(cString: $0) } ?? "" }

    /// Rows the command touched; `nil` for one that touches none by nature.
    var affected: Int? { PQcmdTuples(self.raw).flatMap { Int(String(cString: $0)) } }

    /// Types of the parameters of a described statement.
    var parameterTypes: [UInt32] {
        (0..<PQnparams(self.raw)).map { PQparamtype(self.raw, $0) }
    }

    // MARK: - Errors

    /// What the server said; `nil` unless it failed, and when it was not the server but libpq who failed.
    var serverError: PQServerError? {
        guard self.status == .failed, let state = self.field("C") else { return nil }
        return PQServerError(
            state: state, message: self.field("M") ?? "", hint: self.field("H"),
            position: self.field("P").flatMap { Int($0) }, schema: self.field("s"), table: self.field("t"),
            column: self.field("c"), constraint: self.field("n"), type: self.field("d"), routine: self.field("R"))
    }

    /// libpq's words about the failure.
    var message: String {
        PQresultErrorMessage(self.raw).map { PQText.oneLine(String(cString: $0)) } ?? ""
    }

    private func field(_ code: Unicode.Scalar) -> String? {
        PQresultErrorField(self.raw, Int32(code.value)).map { String(cString: $0) }
    }
}

/// libpq's messages.
enum PQText {
    /// Without line ends and the places in the server's source, at most 1,000 characters.
    static func oneLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("LOCATION:") }
        return String(lines.map { $0.trimmingSpaces() }.joined(separator: " ").prefix(1_000))
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
