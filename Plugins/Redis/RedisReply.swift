internal import CRedisShim
internal import ConnectorKit
internal import Values

/// One part of a request: any bytes.
struct RedisArgument: Sendable, Hashable, ExpressibleByStringLiteral {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(_ text: String) { self.bytes = Array(text.utf8) }
    init(_ number: some BinaryInteger) { self.init(String(number)) }
    init(stringLiteral text: String) { self.init(text) }
}

/// A request: its name and what it concerns.
struct RedisCommand: Sendable, Hashable, ExpressibleByArrayLiteral {
    var arguments: [RedisArgument]

    init(_ arguments: [RedisArgument]) { self.arguments = arguments }
    init(arrayLiteral arguments: RedisArgument...) { self.arguments = arguments }

    /// What it takes to send it.
    var byteCount: Int { self.arguments.reduce(16) { $0 + $1.bytes.count + 16 } }

    static func + (command: RedisCommand, more: [RedisArgument]) -> RedisCommand {
        RedisCommand(command.arguments + more)
    }
}

/// What the server answered (RESP2).
enum RedisReply: Sendable, Hashable {
    case null
    case integer(Int64)
    /// A short text of the server's own, such as `OK`.
    case status(String)
    case bulk([UInt8])
    case array([RedisReply])
    /// The command failed; the first word says how.
    case error(String)

    init(_ reply: OpaquePointer) {
        switch jrd_reply_type(reply) {
        case JRD_INTEGER: self = .integer(jrd_reply_integer(reply))
        case JRD_STATUS: self = .status(String(decoding: jrd_reply_bytes(reply).buffer, as: UTF8.self))
        case JRD_STRING: self = .bulk(Array(jrd_reply_bytes(reply).buffer))
        case JRD_ERROR: self = .error(String(decoding: jrd_reply_bytes(reply).buffer, as: UTF8.self))
        case JRD_ARRAY:
            self = .array(
                (0..<jrd_reply_count(reply)).map { index in
                    jrd_reply_element(reply, index).map { RedisReply($0) } ?? .null
                })
        default: self = .null
        }
    }

    /// The number, if this is one.
    var number: Int64? {
        switch self {
        case .integer(let number): number
        case .bulk(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    /// The bytes, if this is a value.
    var bytes: [UInt8]? {
        switch self {
        case .bulk(let bytes): bytes
        case .status(let text): Array(text.utf8)
        default: nil
        }
    }

    /// The text, if this is a value; invalid UTF-8 is repaired.
    var text: String? { self.bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// The elements, if this is an array.
    var elements: [RedisReply]? {
        if case .array(let elements) = self { elements } else { nil }
    }
}

/// How values are shown to processes.
enum RedisValueFormat: String, CaseIterable, Sendable {
    /// As text; what is no UTF-8 becomes `{ base64: … }`.
    case text
    /// As what the JSON says; what is no JSON becomes `{ base64: … }`.
    case json
    /// As base64 text.
    case base64

    func value(_ bytes: [UInt8]) -> Value {
        switch self {
        case .text: String(validating: bytes, as: UTF8.self).map { .string($0) } ?? Self.wrapped(bytes)
        case .json: (try? JSON.parse(bytes)) ?? Self.wrapped(bytes)
        case .base64: .string(Base64.encode(bytes))
        }
    }

    private static func wrapped(_ bytes: [UInt8]) -> Value { ["base64": .string(Base64.encode(bytes))] }

    /// Any reply; errors inside are texts.
    func value(_ reply: RedisReply) -> Value {
        switch reply {
        case .null: .null
        case .integer(let number): .number(Number(number))
        case .status(let text), .error(let text): .string(text)
        case .bulk(let bytes): self.value(bytes)
        case .array(let elements): .list(elements.map { self.value($0) })
        }
    }
}

extension jrd_bytes {
    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.bytes, count: self.count) }
}

extension String {
    /// The text itself if it is short enough, else its beginning and an ellipsis.
    func shortened(to count: Int) -> String {
        self.count <= count ? self : self.prefix(count) + "…"
    }
}
