internal import CLibPQ
internal import SQLSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A connection to the server's log.
///
/// Not `Sendable`: belongs to one thread. It speaks the simple protocol only, as such connections do.
final class ReplicationLink {
    /// What reading without waiting came to.
    enum Piece<Result> {
        case some(Result)
        /// Nothing is there now.
        case none
        /// The server ended the stream.
        case ended(PQServerError?)
    }

    let connection: PQConnection
    private(set) var isStreaming = false

    /// Connects, and makes values be written as everywhere in this connector.
    static func open(
        _ settings: PostgresSettings, password: String?, _ limits: PQConnection.Limits
    ) throws(PQFailure) -> ReplicationLink {
        var parameters = settings.connectionParameters(password: password)
        parameters.append(("replication", "database"))
        let link = ReplicationLink(try PQConnection.open(parameters, limits))
        for (name, value) in [
            ("DateStyle", "ISO, YMD"), ("IntervalStyle", "iso_8601"), ("TimeZone", "UTC"), ("bytea_output", "hex"),
            ("extra_float_digits", "1"),
        ] {
            if case .failure(let error) = try link.command("SET \(name) = '\(value)'", limits) {
                throw .notConnected("\(error.state): \(error.message)")
            }
        }
        return link
    }

    private init(_ connection: PQConnection) { self.connection = connection }

    func close() { self.connection.close() }

    /// Runs a command, and returns its rows.
    func command(
        _ text: String, _ limits: PQConnection.Limits
    ) throws(PQFailure) -> Result<PostgresTexts, PQServerError> {
        try self.connection.sendSimple(text)
        var texts = PostgresTexts()
        var failed: PQServerError?
        while let result = try self.connection.nextResult(limits) {
            switch result.status {
            case .rows: texts = result.texts
            case .failed:
                failed = failed ?? result.serverError ?? PQServerError(state: "08P01", message: result.message)
            default: break
            }
            if failed != nil, self.connection.isBroken { break }
        }
        return failed.map { .failure($0) } ?? .success(texts)
    }

    /// Starts the stream; returns the server's refusal.
    func start(
        slot: String, from position: LogPosition, publication: String, _ limits: PQConnection.Limits
    ) throws(PQFailure) -> PQServerError? {
        let name = PostgresLiteral.text(SQLText.quotedName(publication))
        try self.connection.sendSimple(
            "START_REPLICATION SLOT \(SQLText.quotedName(slot)) LOGICAL \(position) "
                + "(proto_version '1', publication_names \(name))")
        guard let first = try self.connection.nextResult(limits) else { throw .broken("No answer came.") }
        if first.status == .copyBoth {
            self.isStreaming = true
            return nil
        }
        let error = first.serverError ?? PQServerError(state: "08P01", message: first.message)
        while !self.connection.isBroken, try self.connection.nextResult(limits) != nil {}
        return error
    }

    /// Reads what has come, one frame, without waiting; its bytes are gone afterwards.
    func next<Result>(
        _ limits: PQConnection.Limits, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(PQFailure) -> Piece<Result> {
        for attempt in 0..<2 {
            var buffer: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(self.connection.raw, &buffer, 1)
            if let buffer, count > 0 {
                defer { PQfreemem(buffer) }
                return .some(body(UnsafeRawBufferPointer(start: buffer, count: Int(count))))
            }
            switch count {
            case 0:
                guard attempt == 0 else { return .none }
                try self.connection.consume()
            case -1: return .ended(try self.connection.nextResult(limits)?.serverError)
            default: throw .broken(self.connection.message)
            }
        }
        return .none
    }

    /// Tells the server what it need not keep, and that we are there.
    ///
    /// Does not wait: what the socket does not take goes with the next.
    func confirm(_ position: LogPosition) throws(PQFailure) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let microseconds = (Int64(now.tv_sec) - 946_684_800) * 1_000_000 + Int64(now.tv_nsec) / 1_000
        let bytes = ReplicationFrame.status(position, now: microseconds)
        let isTaken = bytes.withUnsafeBytes {
            PQputCopyData(self.connection.raw, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
        }
        guard isTaken >= 0, PQflush(self.connection.raw) >= 0 else { throw .broken(self.connection.message) }
    }
}
