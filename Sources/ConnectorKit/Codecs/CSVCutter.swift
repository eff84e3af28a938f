internal import Values

/// Cuts CSV after RFC 4180: a header row, then rows; fields may be quoted and then hold delimiters, quotes (doubled)
/// and line ends.
///
/// Lines end with LF or CRLF; blank lines are skipped.
///
/// A row with broken quoting is given up at the end of its first line, so that a lost quote does not swallow the rows
/// after it. A broken header makes the whole document undecodable.
struct CSVCutter: Sendable {
    private(set) var columns: [String]
    private var hasHeader: Bool
    private var position: Int
    private var line = 1
    private let decoding: RecordDecoding

    private struct Row {
        var fields: [String]
        var range: Range<Int>
        var line: Int
    }

    private struct Malformed: Error {
        var finding: SourceEvent.Undecodable
        var range: Range<Int>
        var line: Int
    }

    init(_ bytes: [UInt8], _ decoding: RecordDecoding) {
        self.columns = []
        self.hasHeader = false
        self.position = bytes.contentStart
        self.decoding = decoding
    }

    /// For a single row whose columns are known.
    init(columns: [String], _ decoding: RecordDecoding) {
        self.columns = columns
        self.hasHeader = true
        self.position = 0
        self.decoding = decoding
    }

    mutating func next(_ bytes: [UInt8]) -> DecodedRecord? {
        if !self.hasHeader {
            self.hasHeader = true
            if let finding = self.readHeader(bytes) {
                self.position = bytes.count
                return DecodedRecord(
                    range: 0..<bytes.count, line: finding.line, body: .undecodable(finding), isWholeDocument: true)
            }
        }
        do {
            guard let row = try self.row(bytes) else { return nil }
            return DecodedRecord(range: row.range, line: row.line, body: self.body(row), isWholeDocument: false)
        } catch {
            return DecodedRecord(
                range: error.range, line: error.line, body: .undecodable(error.finding), isWholeDocument: false)
        }
    }

    private mutating func readHeader(_ bytes: [UInt8]) -> SourceEvent.Undecodable? {
        do {
            guard let row = try self.row(bytes) else {
                return .init(line: 1, reason: "Expected a header row but the document is empty.")
            }
            if row.fields.contains("") {
                return .init(line: row.line, reason: "Column \((row.fields.firstIndex(of: "") ?? 0) + 1) has no name.")
            }
            var seen: Set<String> = []
            if let twice = row.fields.first(where: { !seen.insert($0).inserted }) {
                return .init(line: row.line, reason: "The header names the column \(twice) twice.")
            }
            self.columns = row.fields
            return nil
        } catch {
            return error.finding
        }
    }

    private func body(_ row: Row) -> SourceEvent.Body {
        guard row.fields.count == self.columns.count else {
            return .undecodable(
                .init(
                    line: row.line,
                    reason: "Expected \(self.columns.count) fields (\(self.columns.joined(separator: ", "))) "
                        + "but found \(row.fields.count)."))
        }
        var context = ValueContext()
        context.reserveCapacity(self.columns.count)
        for (column, field) in zip(self.columns, row.fields) {
            let type = self.decoding.columnTypes[column] ?? .string
            guard let value = Self.value(field, type) else {
                return .undecodable(
                    .init(
                        line: row.line,
                        reason: "Column \(column): expected a \(type.rawValue) but found \"\(field.prefix(40))\"."))
            }
            context[column] = value
        }
        return .value(.context(context))
    }

    private static func value(_ field: String, _ type: RecordDecoding.ColumnType) -> Value? {
        switch type {
        case .string: .string(field)
        case .number: field.isEmpty ? .null : Number(field).map { .number($0) }
        case .boolean:
            switch field {
            case "": .null
            case "true": .boolean(true)
            case "false": .boolean(false)
            default: nil
            }
        }
    }

    /// The next row that is not blank; moves past it, also when it is malformed.
    private mutating func row(_ bytes: [UInt8]) throws(Malformed) -> Row? {
        while self.position < bytes.count {
            let end = bytes.lineEnd(from: self.position, limit: 2)
            let blank =
                end == self.position || (end == self.position + 1 && bytes[self.position] == UInt8(ascii: "\r"))
            guard blank, end < bytes.count, bytes[end] == UInt8(ascii: "\n") else { break }
            self.position = end + 1
            self.line += 1
        }
        guard self.position < bytes.count else { return nil }
        let start = self.position
        let line = self.line
        var scan = FieldScan(bytes: bytes, position: start, delimiter: self.decoding.delimiter)
        scan.limit = min(bytes.count, start.addingReportingOverflow(self.decoding.recordBytesMaximum).partialValue)
        do throws(FieldScan.Failure) {
            var fields: [String] = []
            fields.reserveCapacity(self.columns.count)
            while try scan.field(into: &fields) {}
            self.position = scan.next
            self.line = line + scan.lineFeeds
            return Row(fields: fields, range: start..<scan.end, line: line)
        } catch {
            // Give up the first line only. What follows is read as rows of its own.
            let end = bytes.lineEnd(from: start)
            self.position = end + 1
            self.line = line + 1
            let finding = SourceEvent.Undecodable(
                line: line, column: error.position - start + 1, reason: error.reason)
            throw Malformed(finding: finding, range: start..<end, line: line)
        }
    }
}

/// Reads the fields of one row.
private struct FieldScan {
    struct Failure: Error {
        var reason: String
        var position: Int
    }

    let bytes: [UInt8]
    var position: Int
    let delimiter: UInt8
    /// No further than this.
    var limit = 0
    /// Line ends passed, that of the row included.
    var lineFeeds = 0
    /// After the last field, before the line end.
    var end = 0
    /// After the line end.
    var next = 0

    init(bytes: [UInt8], position: Int, delimiter: UInt8) {
        self.bytes = bytes
        self.position = position
        self.delimiter = delimiter
    }

    /// Reads one field.
    ///
    /// Returns whether another follows.
    mutating func field(into fields: inout [String]) throws(Failure) -> Bool {
        let start = self.position
        if start < self.limit, self.bytes[start] == UInt8(ascii: "\"") {
            fields.append(try self.quoted())
        } else {
            while self.position < self.limit, !self.isFieldEnd {
                guard self.bytes[self.position] != UInt8(ascii: "\"") else {
                    throw Failure(
                        reason: "There is a quote inside an unquoted field; quote the field and double the quote.",
                        position: self.position)
                }
                self.position += 1
            }
            try self.checkLimit(start)
            fields.append(try Self.text(self.bytes[start..<self.position], start))
        }
        self.end = self.position
        guard self.position < self.bytes.count else {
            self.next = self.position
            self.lineFeeds += 1
            return false
        }
        if self.bytes[self.position] == self.delimiter {
            self.position += 1
            return true
        }
        guard self.isFieldEnd else {
            throw Failure(
                reason: "Expected a delimiter or a line end after the closing quote.", position: self.position)
        }
        self.next = self.position + (self.bytes[self.position] == UInt8(ascii: "\r") ? 2 : 1)
        self.lineFeeds += 1
        return false
    }

    private mutating func quoted() throws(Failure) -> String {
        let open = self.position
        var content: [UInt8] = []
        self.position += 1
        while true {
            try self.checkLimit(open)
            guard self.position < self.bytes.count else {
                throw Failure(reason: "The quote is never closed.", position: open)
            }
            let byte = self.bytes[self.position]
            self.position += 1
            if byte == UInt8(ascii: "\"") {
                guard self.position < self.bytes.count, self.bytes[self.position] == byte else { break }
                self.position += 1
            } else if byte == UInt8(ascii: "\n") {
                self.lineFeeds += 1
            }
            content.append(byte)
        }
        return try Self.text(content[...], open)
    }

    private var isFieldEnd: Bool {
        let byte = self.bytes[self.position]
        if byte == self.delimiter || byte == UInt8(ascii: "\n") { return true }
        return byte == UInt8(ascii: "\r") && self.position + 1 < self.bytes.count
            && self.bytes[self.position + 1] == UInt8(ascii: "\n")
    }

    private func checkLimit(_ start: Int) throws(Failure) {
        if self.position >= self.limit, self.limit < self.bytes.count {
            throw Failure(reason: "The row is too long, or a quote is never closed.", position: start)
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>, _ position: Int) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(reason: "The field is not valid UTF-8.", position: position)
        }
        return text
    }
}
