import Values

/// A completed activity that can be compensated (BPMN 2.0.2 clause 13.5.5).
public struct CompensationRecord: Sendable {
    /// The node of the activity.
    public var node: Int32
    /// The variables of a completed sub-process, as they were when it ended: its handlers see them.
    public var variables: VariableDocument
    /// What was completed inside a sub-process, in order of completion.
    public var children: [CompensationRecord]

    /// How deep records nest: as deep as a model may.
    static let depthMax = 256

    func write(into writer: inout ByteWriter) {
        writer.varint(UInt64(node))
        variables.write(into: &writer)
        Self.write(children, into: &writer)
    }

    static func write(_ records: [CompensationRecord], into writer: inout ByteWriter) {
        writer.varint(UInt64(records.count))
        for record in records { record.write(into: &writer) }
    }

    static func read(_ reader: inout ByteReader, depth: Int = 0) throws(DecodingFailure) -> CompensationRecord {
        CompensationRecord(
            node: try reader.int32(), variables: try VariableDocument.read(&reader),
            children: try readList(&reader, depth: depth + 1))
    }

    static func readList(
        _ reader: inout ByteReader, depth: Int = 0
    ) throws(DecodingFailure) -> [CompensationRecord] {
        guard depth <= depthMax else { throw reader.failure(.invalidValue) }
        let count = try reader.count(minimumByteCount: 3)
        var records: [CompensationRecord] = []
        records.reserveCapacity(count)
        for _ in 0..<count { records.append(try read(&reader, depth: depth)) }
        return records
    }
}
