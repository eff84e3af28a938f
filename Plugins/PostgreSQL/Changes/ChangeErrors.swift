internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Errors of sources of changes.
enum ChangeErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let setup = "CON-5111"
        static let slotLost = "CON-5112"
        static let lag = "CON-5113"
        static let replay = "CON-5114"
    }

    static let permissionRemedy =
        "Let the user replicate: ALTER ROLE … REPLICATION, and GRANT SELECT on the tables."

    /// The database is not as the source needs it.
    static func setup(_ message: String, remedy: String, kind: ConnectorError.Kind = .validation) -> ConnectorError {
        ConnectorError(kind, code: Code.setup, message, remedy: remedy)
    }

    /// The slot is gone, and with it the certainty that nothing is missing.
    static func slotLost(_ slot: String, _ why: String, since position: LogPosition?) -> ConnectorError {
        ConnectorError(
            .conflict, code: Code.slotLost,
            "The replication slot \(slot) \(why): changes\(position.map { " since \($0)" } ?? "") may be missing.",
            remedy: "Set onSlotLoss: snapshot, which makes a new slot and reads all rows again under new ids; "
                + "and give the server more room in max_slot_wal_keep_size.",
            details: ["slot": .string(slot)])
    }

    static func lag(_ slot: String, bytes: Int, maximum: Int?, status: String) -> ConnectorError {
        let limit = maximum.map { ", more than maxLagBytes \($0)" } ?? ""
        let threat = status == "unreserved" ? " The server is about to drop what the slot still needs." : ""
        return ConnectorError(
            .quotaExhausted, code: Code.lag,
            "The server keeps \(bytes) bytes of its log for the slot \(slot)\(limit).\(threat)",
            remedy: "Look for what holds the trigger up; drop the slot if nobody needs it any more.", isRetryable: true,
            details: ["slot": .string(slot), "lagBytes": SQLText.whole(bytes), "walStatus": .string(status)])
    }

    static func replay(_ words: String, remedy: String) -> ConnectorError {
        ConnectorError(.unsupported, code: Code.replay, words, remedy: remedy)
    }

    /// What a command of a replication connection was refused for: an error, or a reason to wait.
    static func refusal(_ error: PQServerError, slot: String) -> any Error {
        switch error.state {
        case "55006":
            return SourceInterruption.notConnected(
                reason: "The slot \(slot) is in use by another node; this one stands by: \(error.message)")
        case "42710":
            return SourceInterruption.notConnected(reason: "Another node has just made the slot \(slot).")
        case "42501":
            var refused = PostgresErrors.server(error, mayHaveExecuted: false)
            refused.remedy = Self.permissionRemedy
            return refused
        case "42704":
            return Self.setup(
                "The server answered 42704: \(error.message)",
                remedy: "A publication must be older than what is read under its name: make it, drop the slot, and set "
                    + "onSlotLoss: snapshot.", kind: .notFound)
        case "55000", "58P01": return Self.slotLost(slot, "cannot be read on (\(error.message))", since: nil)
        case "57P01", "57P02", "57P03", "57P05":
            return SourceInterruption.notConnected(reason: "The server ended the connection: \(error.message)")
        default: return PostgresErrors.server(error, mayHaveExecuted: false)
        }
    }
}
