internal import Values

/// The protocol between the hub and a plugin: newline-delimited JSON-RPC 2.0 on the plugin's standard streams.
///
/// Described in `docs/guides/plugins.md`; every message has a schema in `schema/plugin-protocol.schema.json`.
public enum PluginProtocol {
    /// The versions this program speaks, newest first.
    public static let versions: [Int] = [2, 1]
    /// The first version whose sources know `position` and `replay`.
    static let positionsVersion: Int64 = 2

    /// What the hub asks a plugin.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        /// Agrees on a version; the plugin describes itself.
        case initialize
        /// Opens the one connection of the process.
        case connect
        /// Finds out whether the remote answers.
        case test
        /// Carries out one operation.
        case invoke
        /// Says whether a call may be repeated; optional for plugins.
        case isRepeatable
        /// Carries out several, each with an outcome of its own.
        case invokeBatch
        /// Prepares a source of events.
        case arm
        /// Gets a source ready to read.
        case open
        /// Gives the next events of a source.
        case read
        /// Lets the remote forget a batch.
        case acknowledge
        /// Gives a batch back.
        case reject
        /// Counts what a source knows of.
        case backlog
        /// Ends a source.
        case disarm
        /// Shows that the plugin is alive.
        case ping
        /// Ends the session.
        case close
    }

    /// What the hub tells a plugin: a call is not needed any more.
    public static let cancel = "cancel"
    /// What a plugin tells: a line for the log.
    public static let log = "log"
    /// What a plugin asks: a secret its connection refers to.
    public static let secret = "secret"
    /// What a plugin asks: to keep the position of a source.
    public static let save = "save"

    /// The code of an answer whose `data` is a connector error.
    public static let connectorError: Int64 = -32_000

    /// The code of an answer about a source the process has not armed.
    public static let unknownSource: Int64 = -32_001

    /// The parameters of `initialize`.
    static func initialize(limits: RPCLimits) -> Value {
        [
            "protocolVersions": .list(Self.versions.map { .number(Number($0)) }),
            "host": ["name": "junction"],
            "frameBytesMax": .number(Number(limits.frameBytesMax)),
        ]
    }

    /// What is wrong with the answer to `initialize`; `nil`: nothing.
    static func refusal(of answer: Value) -> String? {
        guard let version = answer["protocolVersion"]?.asInt64 else { return "It named no protocol version." }
        guard Self.versions.contains(where: { Int64($0) == version }) else {
            return "It speaks version \(version) of the plugin protocol; this program speaks "
                + "\(Self.versions.map(String.init).joined(separator: ", "))."
        }
        do {
            _ = try PluginCoding.descriptor(answer["descriptor"] ?? .null)
            return nil
        } catch {
            return error.reason
        }
    }

    /// How a session with a plugin goes: describe, then connect unless it is only described.
    static func dialect(limits: RPCLimits, connect: Value?) -> RPCDialect {
        var steps: [RPCDialect.Step] = [
            .request(
                method: Method.initialize.rawValue, params: Self.initialize(limits: limits), check: Self.refusal)
        ]
        if let connect {
            steps.append(.request(method: Method.connect.rawValue, params: connect) { _ in nil })
        }
        return RPCDialect(
            handshake: steps, pingMethod: Method.ping.rawValue, cancelMethod: Self.cancel, cancelField: "id",
            closeMethod: Method.close.rawValue)
    }
}

/// What is wrong with the content of a message.
public struct PluginCodingError: Error, Sendable, Hashable {
    /// A sentence.
    public var reason: String
}
