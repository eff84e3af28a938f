public import ConnectorKit
internal import Values

/// Errors of this side of a process boundary, in the taxonomy.
enum PluginErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        /// The process ended, or was ended, or is being restarted.
        static let lost = "CON-9001"
        /// The process cannot be started, or its first answers are wrong.
        static let unusable = "CON-9002"
        /// An answer is not what the protocol says.
        static let malformed = "CON-9003"
        /// The request does not fit into a frame.
        static let tooLarge = "CON-9004"
        /// No answer in time.
        static let timedOut = "CON-9005"
        /// Too many calls wait for the process.
        static let overloaded = "CON-9006"
        /// An error the plugin gave no code.
        static let unnamed = "CON-9007"
        /// The process knows nothing of a source: it was started after that was armed.
        static let unknownSource = "CON-9008"
        /// The plugin speaks a version of the protocol that cannot ask for a range of events.
        static let noReplay = "CON-9009"
    }

    /// The error of a call to the process of `connection` that gave no result.
    static func error(_ failure: RPCFailure, connection: String) -> ConnectorError {
        switch failure {
        case .refused(let error), .handshake(_, let error):
            return Self.refusal(error, connection)
        case .lost(let reason, let mayHaveExecuted, let retryAfter):
            return ConnectorError(
                .unavailable, code: Code.lost, "The process of the connection \(connection) is gone. \(reason)",
                remedy: "It is started again with the next call; its log says more.",
                mayHaveExecuted: mayHaveExecuted, retryAfter: retryAfter)
        case .unusable(let reason, let retryAfter):
            return ConnectorError(
                .unavailable, code: Code.unusable,
                "The process of the connection \(connection) cannot be used. \(reason)",
                remedy: "Check the command, its directory and its log; it is tried again.", retryAfter: retryAfter)
        case .timedOut(let mayHaveExecuted):
            return ConnectorError(
                .timeout, code: Code.timedOut, "The process of the connection \(connection) did not answer in time.",
                remedy: "Allow more time, or find out what it waits for.", mayHaveExecuted: mayHaveExecuted)
        case .cancelled(let mayHaveExecuted):
            var error = ConnectorError(wrapping: CancellationError())
            error.mayHaveExecuted = mayHaveExecuted
            return error
        case .tooLarge(let bytes, let bytesMax):
            return ConnectorError(
                .validation, code: Code.tooLarge,
                "The call has \(bytes) bytes; at most \(bytesMax) go to the process of the connection \(connection).",
                remedy: "Pass a reference instead of the content, or raise the limit of the plugin.")
        case .overloaded:
            return ConnectorError(
                .transient, code: Code.overloaded,
                "Too many calls wait for the process of the connection \(connection).",
                remedy: "Lower the concurrency of the connection, or find out why the process is slow.")
        case .closed:
            return ConnectorError.closed(connection)
        }
    }

    /// The error a plugin answered with: its own when it is well-formed.
    private static func refusal(_ error: RPCError, _ connection: String) -> ConnectorError {
        if let data = error.data, let own = try? PluginCoding.error(data) { return own }
        let kind: ConnectorError.Kind =
            switch error.code {
            case RPCError.methodNotFound: .unsupported
            case PluginProtocol.unknownSource: .conflict
            case RPCError.invalidParams: .validation
            default: .unknown
            }
        return ConnectorError(
            kind, code: error.code == PluginProtocol.unknownSource ? Code.unknownSource : Code.unnamed,
            "The process of the connection \(connection) refused: \(error.message.prefix(1_000))",
            remedy: "Ask the plugin's author.", mayHaveExecuted: kind == .unknown)
    }

    static func noReplay(connection: String, version: Int64) -> ConnectorError {
        ConnectorError(
            .unsupported, code: Code.noReplay,
            "The process of the connection \(connection) speaks version \(version) of the plugin protocol, in which "
                + "events cannot be asked for again.",
            remedy: "Replay from the inbox, or have the plugin speak version \(PluginProtocol.positionsVersion).")
    }

    /// The error of an answer that is not what the protocol says.
    static func malformed(_ error: PluginCodingError, connection: String) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformed,
            "The process of the connection \(connection) gave a malformed answer. \(error.reason)",
            remedy: "Report this to the plugin's author.", mayHaveExecuted: true)
    }
}

extension RPCFailure {
    /// What it means for a call of the connection `name`.
    public func connectorError(connection name: String) -> ConnectorError {
        PluginErrors.error(self, connection: name)
    }
}
