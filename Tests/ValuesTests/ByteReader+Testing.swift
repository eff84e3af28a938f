import Values

extension ByteReader {
    /// Calls `body` with a reader over `bytes`.
    static func reading<Result>(
        _ bytes: [UInt8], _ body: (inout ByteReader) throws -> Result
    ) throws -> Result {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            return try body(&reader)
        }
    }
}
