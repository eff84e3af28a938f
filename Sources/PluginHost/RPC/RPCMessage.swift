public import Values

/// A JSON-RPC 2.0 message, as it stands in one line.
public enum RPCMessage: Sendable, Hashable {
    /// Somebody wants an answer.
    case request(id: Value, method: String, params: Value)
    /// Somebody tells something.
    case notification(method: String, params: Value)
    /// An answer.
    case response(id: Value, Result<Value, RPCError>)

    /// Reads one message.
    ///
    /// Throws `RPCViolation` for anything that is none: not JSON, not an object, not 2.0, or neither kind.
    public init(_ frame: ArraySlice<UInt8>, limits: JSONLimits = RPCMessage.limits) throws(RPCViolation) {
        let value: Value
        do {
            value = try JSON.parse(frame, limits: limits)
        } catch {
            throw RPCViolation(reason: "a line that is not JSON: \(error.message)")
        }
        try self.init(value)
    }

    /// Reads one message.
    public init(_ value: Value) throws(RPCViolation) {
        guard let fields = value.asContext else { throw RPCViolation(reason: "a message that is no object") }
        guard fields["jsonrpc"] == "2.0" else { throw RPCViolation(reason: "a message without \"jsonrpc\": \"2.0\"") }
        let id = fields["id"]
        switch id {
        case nil, .null, .string, .number: break
        default: throw RPCViolation(reason: "an id that is neither a text nor a number")
        }
        if let method = fields["method"] {
            guard let method = method.asString else { throw RPCViolation(reason: "a method that is no text") }
            let params = fields["params"] ?? [:]
            if let id, !id.isNull {
                self = .request(id: id, method: method, params: params)
            } else {
                self = .notification(method: method, params: params)
            }
            return
        }
        guard let id else { throw RPCViolation(reason: "a message with neither a method nor an id") }
        if let error = fields["error"], !error.isNull {
            self = .response(id: id, .failure(RPCError(error)))
        } else if let result = fields["result"] {
            self = .response(id: id, .success(result))
        } else {
            let reason = "The answer has neither a result nor an error."
            self = .response(id: id, .failure(RPCError(code: RPCError.internalError, message: reason)))
        }
    }

    /// How deep and how large a message may be: a value as deep as any read elsewhere, and the message around it.
    public static let limits = JSONLimits(depthMax: JSONLimits.default.depthMax + 8, byteCountMax: 64 << 20)

    /// The line that carries the message, its end included.
    public var frame: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("jsonrpc")
        writer.value("2.0")
        switch self {
        case .request(let id, let method, let params):
            writer.key("id")
            writer.value(id)
            Self.write(method, params, into: &writer)
        case .notification(let method, let params):
            Self.write(method, params, into: &writer)
        case .response(let id, let result):
            writer.key("id")
            writer.value(id)
            switch result {
            case .success(let value):
                writer.key("result")
                writer.value(value)
            case .failure(let error):
                writer.key("error")
                writer.value(error.json)
            }
        }
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private static func write(_ method: String, _ params: Value, into writer: inout JSONWriter) {
        writer.key("method")
        writer.value(method)
        writer.key("params")
        writer.value(params)
    }
}

/// What is wrong with a line that is no message.
public struct RPCViolation: Error, Sendable, Hashable {
    /// What came, in words that follow "sent".
    public var reason: String
}

/// The error of an answer.
public struct RPCError: Error, Sendable, Hashable {
    /// The line is not JSON.
    public static let parseError: Int64 = -32_700
    /// There is no such method.
    public static let methodNotFound: Int64 = -32_601
    /// The parameters are wrong.
    public static let invalidParams: Int64 = -32_602
    /// Something went wrong inside.
    public static let internalError: Int64 = -32_603

    /// A number after JSON-RPC 2.0.
    public var code: Int64
    /// What happened.
    public var message: String
    /// More, as the protocol says.
    public var data: Value?

    /// Creates an error.
    public init(code: Int64, message: String, data: Value? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// Reads an error; what is missing gets a value that says so.
    init(_ value: Value) {
        self.init(
            code: value["code"]?.asInt64 ?? Self.internalError,
            message: String((value["message"]?.asString ?? "The error has no message.").prefix(4_096)),
            data: value["data"])
    }

    var json: Value {
        var fields: ValueContext = ["code": .number(Number(self.code)), "message": .string(self.message)]
        fields["data"] = self.data
        return .context(fields)
    }
}
