/// What goes over a replication connection in its copy mode.
enum ReplicationFrame {
    enum Incoming {
        /// A piece of the log, for the decoder; points into the bytes given.
        case data(UnsafeRawBufferPointer)
        /// The server has sent everything up to `end`.
        case keepAlive(end: LogPosition, wantsReply: Bool)
    }

    static func incoming(_ bytes: UnsafeRawBufferPointer) throws(PGOutput.Malformed) -> Incoming {
        var reader = NetworkReader(bytes)
        switch Unicode.Scalar(try reader.u8()) {
        case "w":
            _ = try reader.u64()
            _ = try reader.u64()
            _ = try reader.u64()
            return .data(reader.rest())
        case "k":
            let end = LogPosition(try reader.u64())
            _ = try reader.u64()
            return .keepAlive(end: end, wantsReply: try reader.u8() != 0)
        default: throw PGOutput.Malformed(what: "frame of a replication stream")
        }
    }

    /// A status update: everything before `position` need not be kept for us.
    ///
    /// `now` in microseconds since 2000.
    static func status(_ position: LogPosition, now: Int64) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "r")]
        bytes.reserveCapacity(34)
        for number in [position.rawValue, position.rawValue, position.rawValue, UInt64(bitPattern: now)] {
            withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(0)
        return bytes
    }
}
