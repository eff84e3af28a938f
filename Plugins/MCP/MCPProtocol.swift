internal import ConnectorKit
internal import PluginHost
internal import Values

/// The words of the Model Context Protocol that are used here.
enum MCPProtocol {
    /// The revisions that are spoken, newest first.
    static let versions = ["2025-06-18", "2025-03-26", "2024-11-05"]

    static let initialize = "initialize"
    static let initialized = "notifications/initialized"
    static let cancelled = "notifications/cancelled"
    static let toolsChanged = "notifications/tools/list_changed"
    static let resourceUpdated = "notifications/resources/updated"
    static let message = "notifications/message"
    static let readResource = "resources/read"
    static let subscribe = "resources/subscribe"
    static let listTools = "tools/list"
    static let callTool = "tools/call"
    static let ping = "ping"

    /// The parameters of `initialize`.
    static var initializeParams: Value {
        [
            "protocolVersion": .string(Self.versions[0]), "capabilities": [:],
            "clientInfo": ["name": "junction", "version": "1"],
        ]
    }

    /// What is wrong with the answer to `initialize`; `nil`: nothing.
    static func refusal(of answer: Value) -> String? {
        guard let version = answer["protocolVersion"]?.asString else { return "It named no protocol version." }
        guard Self.versions.contains(version) else {
            return "It speaks revision \(version.prefix(40)) of the Model Context Protocol; this program speaks "
                + "\(Self.versions.joined(separator: ", "))."
        }
        guard answer["capabilities"]?["tools"] != nil else { return "It offers no tools." }
        return nil
    }

    /// What the server calls itself.
    static func serverName(_ answer: Value) -> String {
        let info = answer["serverInfo"]
        return String((info?["title"]?.asString ?? info?["name"]?.asString ?? "").prefix(200))
    }
}

/// What a server tells of its own accord.
enum MCPNotice: Sendable, Hashable {
    case toolsChanged
    case resourceUpdated(String)

    init?(_ method: String, _ params: Value) {
        switch method {
        case MCPProtocol.toolsChanged: self = .toolsChanged
        case MCPProtocol.resourceUpdated:
            guard let uri = params["uri"]?.asString else { return nil }
            self = .resourceUpdated(uri)
        default: return nil
        }
    }
}

/// One session with a server.
protocol MCPSession: Sendable {
    /// What the server calls itself.
    var serverName: String { get }

    /// Calls a method. Throws `ConnectorError`.
    func call(_ method: String, _ params: Value, timeout: Duration) async throws -> Value

    /// Ends the session. May be called twice.
    func close() async
}

/// Errors of this connector, in the taxonomy.
enum MCPErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let toolFailed = "CON-9101"
        static let refused = "CON-9102"
        static let http = "CON-9103"
        static let malformed = "CON-9104"
        static let noReplay = "CON-9105"
    }

    /// The error a server answered with.
    static func refused(_ error: RPCError) -> ConnectorError {
        let kind: ConnectorError.Kind =
            switch error.code {
            case RPCError.invalidParams: .validation
            case RPCError.methodNotFound: .unsupported
            default: .unknown
            }
        return ConnectorError(
            kind, code: Code.refused, "The server refused: \(error.message.prefix(1_000))",
            remedy: "Correct the call; the server's log may say more.", mayHaveExecuted: kind == .unknown,
            details: ["code": .number(Number(error.code))])
    }

    static let noReplay = ConnectorError(
        .unsupported, code: Code.noReplay, "A resource has no past: only its content as it is now can be read.",
        remedy: "Replay from the inbox.")

    static func toolFailed(_ tool: String, _ text: String) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.toolFailed, "The tool \(tool) failed: \(text.prefix(1_000))",
            remedy: "Correct the input as the tool says.", mayHaveExecuted: true)
    }

    static func malformed(_ what: String) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformed, "The server gave \(what).", remedy: "Report this to the server's author.",
            mayHaveExecuted: true)
    }
}
