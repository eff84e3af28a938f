public import Values

/// Writes CSV after RFC 4180: a header row, then a row for each record; lines end with CRLF.
public struct CSVWriter: Sendable {
    private let columns: [String]
    private let delimiter: UInt8

    /// Creates a writer of these columns; `delimiter` is one ASCII character, no quote or line end.
    public init(columns: [String], delimiter: UInt8 = UInt8(ascii: ",")) {
        self.columns = columns
        self.delimiter = delimiter
    }

    /// The columns of records: every name, in the order of its first occurrence.
    public static func columns(of records: [Value]) -> [String] {
        var seen: Set<String> = []
        return records.flatMap { $0.asContext?.map(\.key) ?? [] }.filter { seen.insert($0).inserted }
    }

    /// Writes the header row.
    public func writeHeader(into bytes: inout [UInt8]) {
        self.row(self.columns, into: &bytes)
    }

    /// Writes a record: texts as they are, null as nothing, anything else as its JSON text.
    ///
    /// Members that are no column are left out.
    public func write(_ record: Value, into bytes: inout [UInt8]) {
        self.row(
            self.columns.map { column in
                guard let value = record[column], !value.isNull else { return "" }
                return value.asString ?? JSON.string(value)
            }, into: &bytes)
    }

    private func row(_ fields: [String], into bytes: inout [UInt8]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(self.delimiter) }
            let isPlain = field.utf8.allSatisfy {
                $0 != self.delimiter && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r")
            }
            // A row of one empty field would be a blank line, which readers skip.
            if isPlain, !(field.isEmpty && fields.count == 1) {
                bytes += Array(field.utf8)
                continue
            }
            bytes.append(UInt8(ascii: "\""))
            for byte in field.utf8 {
                if byte == UInt8(ascii: "\"") { bytes.append(byte) }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }
}
