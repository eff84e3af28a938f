internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Reads the text of column values as values that JSON has: what an event carries is what its payload says.
///
/// Numbers that are held exactly are numbers, others their text; times are ISO 8601 text; bytea is base64; json is parsed.
enum ChangeValue {
    static func value(
        _ bytes: UnsafeBufferPointer<UInt8>, _ type: PostgresType
    ) throws(PostgresDecoder.Malformed) -> Value {
        switch type {
        case .number:
            if let whole = Self.whole(bytes) { return .number(Number(whole)) }
            return try PostgresDecoder.value(bytes, type)
        case .date, .interval, .other, .text: return try PostgresDecoder.value(bytes, .text)
        case .time, .timestamp: return .string(try Self.time(bytes))
        case .array(let element, let delimiter):
            var reader = PostgresArrayReader(bytes: Array(bytes), element: element, delimiter: delimiter)
            reader.convert = Self.value
            return try reader.read()
        case .boolean, .double, .bytes, .json: return try PostgresDecoder.value(bytes, type)
        }
    }

    /// The same for bytes that lie in an array; nil stands for NULL.
    static func value(_ bytes: [UInt8]?, _ type: PostgresType) throws(PostgresDecoder.Malformed) -> Value {
        guard let bytes else { return .null }
        var result: Result<Value, PostgresDecoder.Malformed> = .success(.null)
        bytes.withUnsafeBufferPointer { buffer in
            do throws(PostgresDecoder.Malformed) {
                result = .success(try Self.value(buffer, type))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    /// A number of at most 18 digits.
    private static func whole(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = isNegative ? bytes[1...] : bytes[...]
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var number: Int64 = 0
        for byte in digits {
            guard (48...57).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - 48)
        }
        return isNegative ? -number : number
    }

    /// `2026-11-24 13:20:00.5+00` as `2026-11-24T13:20:00.5Z`; infinities as they are.
    private static func time(_ bytes: UnsafeBufferPointer<UInt8>) throws(PostgresDecoder.Malformed) -> String {
        var text = Array(bytes)
        if let space = text.firstIndex(of: UInt8(ascii: " ")), space + 1 < text.count,
            (48...57).contains(text[space + 1])
        {
            text[space] = UInt8(ascii: "T")
        }
        // The zone stands before an era, which only years before our own have.
        let end = text.firstIndex(of: UInt8(ascii: " ")) ?? text.count
        if end >= 3, text[end - 3] == UInt8(ascii: "+") || text[end - 3] == UInt8(ascii: "-"),
            text[..<end].contains(UInt8(ascii: ":"))
        {
            let isUTC = text[end - 2] == 48 && text[end - 1] == 48
            text.replaceSubrange(
                isUTC ? end - 3..<end : end..<end, with: isUTC ? [UInt8(ascii: "Z")] : Array(":00".utf8))
        }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw PostgresDecoder.Malformed(what: "UTF-8 text")
        }
        return string
    }
}
