/// Reads and writes JSON (RFC 8259): strict, with numbers kept exactly.
public enum JSON {
    /// Builds the value a JSON text stands for; of two members with one key the last wins.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .default
    ) throws(JSONError) -> Value {
        var parser = try JSONParser(bytes, limits: limits)
        return try parser.parse()
    }

    /// Builds the value a JSON text stands for.
    public static func parse(_ bytes: [UInt8], limits: JSONLimits = .default) throws(JSONError) -> Value {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> Value in
            try Self.parse(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// Builds the value a JSON text stands for.
    public static func parse(_ bytes: ArraySlice<UInt8>, limits: JSONLimits = .default) throws(JSONError) -> Value {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> Value in
            try Self.parse(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// Builds the value a JSON text stands for.
    public static func parse(_ text: String, limits: JSONLimits = .default) throws(JSONError) -> Value {
        var copy = text
        let result = copy.withUTF8 { buffer in
            Result { () throws(JSONError) -> Value in
                try Self.parse(UnsafeRawBufferPointer(buffer), limits: limits)
            }
        }
        return try result.get()
    }

    /// Checks that `bytes` are one JSON text that `parse` accepts, without building anything.
    public static func validate(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .default
    ) throws(JSONError) {
        var scanner = try JSONScanner(bytes, limits: limits)
        scanner.skipWhitespace()
        try scanner.skipValue(depth: 0)
        try scanner.expectEnd()
    }

    /// Checks that `bytes` are one JSON text that `parse` accepts, without building anything.
    public static func validate(_ bytes: [UInt8], limits: JSONLimits = .default) throws(JSONError) {
        try Self.validate(bytes[...], limits: limits)
    }

    /// Checks that `bytes` are one JSON text that `parse` accepts, without building anything.
    public static func validate(_ bytes: ArraySlice<UInt8>, limits: JSONLimits = .default) throws(JSONError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try Self.validate(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// Splits a JSON object into its members in the order written, duplicates included, without building their values.
    ///
    /// The ranges are indexes into `bytes`; the text in each is validated.
    public static func members(
        of bytes: ArraySlice<UInt8>, limits: JSONLimits = .default
    ) throws(JSONError) -> [(key: String, value: Range<Int>)] {
        let base = bytes.startIndex
        return try bytes.withUnsafeBufferPointer {
            (buffer) throws(JSONError) -> [(key: String, value: Range<Int>)] in
            var scanner = try JSONScanner(UnsafeRawBufferPointer(buffer), limits: limits)
            return try scanner.members(base: base)
        }
    }

    /// Splits a JSON object into its members, as for a slice.
    public static func members(
        of bytes: [UInt8], limits: JSONLimits = .default
    ) throws(JSONError) -> [(key: String, value: Range<Int>)] {
        try Self.members(of: bytes[...], limits: limits)
    }

    /// Appends `value` as compact JSON.
    ///
    /// Temporal values become ISO 8601 strings; ranges and functions, for which JSON has no form, `null`.
    public static func write(_ value: Value, into bytes: inout [UInt8]) {
        value.writeJSON(into: &bytes)
    }

    /// The compact JSON text of `value`.
    public static func string(_ value: Value) -> String {
        var bytes: [UInt8] = []
        value.writeJSON(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The JSON text of `value`, one member or element a line, indented by two spaces.
    public static func pretty(_ value: Value) -> String {
        var bytes: [UInt8] = []
        value.writePrettyJSON(into: &bytes, indentation: 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension JSONScanner {
    /// Splits a top-level object; `base` is added to every position.
    mutating func members(base: Int) throws(JSONError) -> [(key: String, value: Range<Int>)] {
        self.skipWhitespace()
        guard self.current == 0x7B else {
            try self.skipValue(depth: 0)
            throw self.failure(.notAnObject, at: 0)
        }
        var members: [(key: String, value: Range<Int>)] = []
        try self.enter(0)
        if self.current == 0x7D {
            self.position += 1
        } else {
            repeat {
                try self.beginString()
                let key = self.text(try self.skipString())
                try self.skipColon()
                let start = self.position
                try self.skipValue(depth: 1)
                members.append((key, base + start..<base + self.position))
            } while try self.separator(closing: 0x7D)
        }
        try self.expectEnd()
        return members
    }
}
