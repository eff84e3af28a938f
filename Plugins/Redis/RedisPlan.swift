internal import ConnectorKit
internal import Values

/// What an operation comes down to: commands that are sent together, and what their replies mean.
struct RedisPlan {
    /// The value of a success, and whether it was done before under the same key.
    typealias Success = (value: Value, wasDone: Bool)

    var commands: [RedisCommand]
    /// Whether it may be sent again although the server may have seen it; `nil`: as the description says.
    var isRepeatable: Bool?
    /// Reads the replies, of which none is an error.
    var read: (_ replies: [RedisReply]) throws -> Success

    init(
        _ commands: [RedisCommand], isRepeatable: Bool? = nil,
        read: @escaping (_ replies: [RedisReply]) throws -> Success
    ) {
        self.commands = commands
        self.isRepeatable = isRepeatable
        self.read = read
    }

    /// One command, whose only reply becomes the result.
    init(_ command: RedisCommand, isRepeatable: Bool? = nil, _ result: @escaping (RedisReply) throws -> ValueContext) {
        self.init([command], isRepeatable: isRepeatable) { replies in
            (.context(try result(replies.first ?? .null)), false)
        }
    }

    /// The outcome of the replies.
    func outcome(_ replies: [RedisReply]) -> Outcome {
        for case .error(let text) in replies { return .failed(RedisErrors.refusal(text)) }
        do {
            let success = try self.read(replies)
            return success.wasDone ? .alreadyDone(success.value, facts: [:]) : .done(success.value, facts: [:])
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    // MARK: - Once

    /// A command on `key` that is carried out once per idempotency key, as long as the server remembers it.
    ///
    /// Command and note are one script, which the server runs as a whole or not at all. Without a key, or with a window
    /// of zero, the command is sent as it is.
    static func once(
        _ command: RedisCommand, key: String, idempotencyKey: String?, window: Duration,
        _ result: @escaping (RedisReply) throws -> ValueContext
    ) -> RedisPlan {
        guard let idempotencyKey, window > .zero else {
            return RedisPlan(command, isRepeatable: false, result)
        }
        let marker = "junction:done:{\(Self.hashTag(of: key))}:\(idempotencyKey)"
        let script = RedisCommand(
            ["EVAL", RedisArgument(Self.script), "2", RedisArgument(marker), RedisArgument(key)]
                + [RedisArgument(window.milliseconds), command.arguments[0]] + command.arguments.dropFirst(2))
        return RedisPlan([script]) { replies in
            guard let parts = replies.first?.elements, parts.count == 2, let wasDone = parts[0].number else {
                throw RedisErrors.unexpected(replies.first ?? .null)
            }
            return (.context(try result(parts[1])), wasDone == 1)
        }
    }

    /// The part of a key that decides which node of a cluster holds it; marker and key must be on one.
    private static func hashTag(of key: String) -> Substring {
        guard let start = key.firstIndex(of: "{") else { return key[...] }
        let rest = key[key.index(after: start)...]
        guard let end = rest.firstIndex(of: "}"), end != rest.startIndex else { return key[...] }
        return rest[..<end]
    }

    private static let script = """
        local done = redis.call('GET', KEYS[1])
        if done then return {1, done} end
        local result = redis.call(ARGV[2], KEYS[2], unpack(ARGV, 3))
        if not result then return {0, false} end
        if type(result) == 'number' then result = string.format('%.0f', result) end
        redis.call('SET', KEYS[1], result, 'PX', ARGV[1])
        return {0, result}
        """
}
