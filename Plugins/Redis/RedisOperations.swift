internal import ConnectorKit
internal import Values

/// Reads the inputs of operations and turns them into plans.
struct RedisOperations: Sendable {
    private enum Encoding: String, CaseIterable { case text, json, base64 }
    private enum Condition: String, CaseIterable { case ifAbsent, ifPresent }
    private enum Side: String, CaseIterable { case left, right }

    let settings: RedisSettings

    /// So many values, fields or keys go into one command; the script of `RedisPlan.once` takes no more.
    static let partsMaximum = 1_000

    /// The plan of a call.
    ///
    /// Throws a `ConnectorError`: `unsupported`, or `validation` that names everything wrong.
    func plan(_ call: OperationCall) throws -> RedisPlan {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        let plan: RedisPlan
        switch call.operation {
        case "get": plan = self.get(reader)
        case "set": plan = self.set(reader)
        case "delete": plan = self.delete(reader)
        case "exists": plan = self.exists(reader)
        case "expire": plan = self.expire(reader)
        case "increment": plan = self.increment(reader, call)
        case "hget": plan = self.hget(reader)
        case "hgetall": plan = self.hgetall(reader)
        case "hset": plan = self.hset(reader)
        case "hdel": plan = self.hdel(reader)
        case "push": plan = self.push(reader, call)
        case "pop": plan = self.pop(reader)
        case "xadd": plan = self.xadd(reader, call)
        case "publish": plan = self.publish(reader)
        case "command": plan = try self.command(reader)
        default: throw ConnectorError.unknownOperation(call.operation, of: RedisModule.description)
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        return plan
    }

    // MARK: - Keys

    private func get(_ reader: FieldReader) -> RedisPlan {
        let format = self.format(reader)
        return RedisPlan(["GET", self.key(reader)]) { ["value": format.value($0)] }
    }

    private func set(_ reader: FieldReader) -> RedisPlan {
        var command: RedisCommand = ["SET", self.key(reader), self.value(reader)]
        let condition = reader.word("condition", of: Condition.self)
        switch condition {
        case .ifAbsent: command = command + ["NX"]
        case .ifPresent: command = command + ["XX"]
        case nil: break
        }
        if let milliseconds = self.timeToLive(reader) { command = command + ["PX", RedisArgument(milliseconds)] }
        if reader.boolean("keepTtl") == true {
            if reader.has("ttl") { reader.add("input: expected either ttl or keepTtl but found both.") }
            command = command + ["KEEPTTL"]
        }
        return RedisPlan(command) { ["set": .boolean($0 != .null)] }
    }

    private func delete(_ reader: FieldReader) -> RedisPlan {
        RedisPlan(["UNLINK"] + self.texts(reader, "keys")) { ["deleted": try Self.count($0)] }
    }

    private func exists(_ reader: FieldReader) -> RedisPlan {
        RedisPlan(["EXISTS"] + self.texts(reader, "keys")) { ["count": try Self.count($0)] }
    }

    private func expire(_ reader: FieldReader) -> RedisPlan {
        reader.require("ttl")
        let milliseconds = self.timeToLive(reader) ?? 0
        return RedisPlan(["PEXPIRE", self.key(reader), RedisArgument(milliseconds)]) {
            ["set": .boolean(try Self.count($0) != 0 as Value)]
        }
    }

    private func increment(_ reader: FieldReader, _ call: OperationCall) -> RedisPlan {
        let key = reader.string("key") ?? ""
        let step = reader.integer("by", in: -1_000_000_000_000_000...1_000_000_000_000_000) ?? 1
        return self.once(["INCRBY", self.key(reader), RedisArgument(step)], key, call) {
            ["value": try Self.count($0)]
        }
    }

    // MARK: - Hashes

    private func hget(_ reader: FieldReader) -> RedisPlan {
        let format = self.format(reader)
        return RedisPlan(["HGET", self.key(reader), self.text(reader, "field")]) { ["value": format.value($0)] }
    }

    private func hgetall(_ reader: FieldReader) -> RedisPlan {
        let format = self.format(reader)
        return RedisPlan(["HGETALL", self.key(reader)]) { reply in
            guard let parts = reply.elements, parts.count % 2 == 0 else { throw RedisErrors.unexpected(reply) }
            var fields = ValueContext()
            for index in stride(from: 0, to: parts.count, by: 2) {
                fields[parts[index].text ?? ""] = format.value(parts[index + 1])
            }
            return ["fields": .context(fields)]
        }
    }

    private func hset(_ reader: FieldReader) -> RedisPlan {
        RedisPlan(["HSET", self.key(reader)] + self.fields(reader)) { ["added": try Self.count($0)] }
    }

    private func hdel(_ reader: FieldReader) -> RedisPlan {
        RedisPlan(["HDEL", self.key(reader)] + self.texts(reader, "fields")) { ["deleted": try Self.count($0)] }
    }

    // MARK: - Lists, streams, channels

    private func push(_ reader: FieldReader, _ call: OperationCall) -> RedisPlan {
        let list = reader.string("list") ?? ""
        let name: RedisArgument = reader.word("side", of: Side.self) == .left ? "LPUSH" : "RPUSH"
        if reader.has("value") == reader.has("values") { reader.add("input: expected either value or values.") }
        let encoding = reader.word("encoding", of: Encoding.self)
        var values: [RedisArgument] = []
        if let items = reader.value("values")?.asList {
            if items.isEmpty || items.count > Self.partsMaximum {
                reader.add("input.values: expected 1 to \(Self.partsMaximum) values but found \(items.count).")
            }
            values = items.map { self.argument($0, encoding, reader, "values") }
        } else if reader.has("values") {
            reader.add("input.values: expected a list.")
        } else {
            values = [self.argument(reader.value("value") ?? .null, encoding, reader, "value")]
        }
        return self.once(RedisCommand([name, self.text(reader, "list")] + values), list, call) {
            ["length": try Self.count($0)]
        }
    }

    private func pop(_ reader: FieldReader) -> RedisPlan {
        let format = self.format(reader)
        let name: RedisArgument = reader.word("side", of: Side.self) == .right ? "RPOP" : "LPOP"
        let count = reader.integer("count", in: 1...Self.partsMaximum) ?? 1
        return RedisPlan([name, self.text(reader, "list"), RedisArgument(count)]) { reply in
            ["values": .list((reply.elements ?? []).map { format.value($0) })]
        }
    }

    private func xadd(_ reader: FieldReader, _ call: OperationCall) -> RedisPlan {
        let stream = reader.string("stream") ?? ""
        var command: RedisCommand = ["XADD", self.text(reader, "stream")]
        if reader.boolean("create") == false { command = command + ["NOMKSTREAM"] }
        let isExact = reader.boolean("exact") ?? false
        if let length = reader.integer("maxLength", in: 0...Int.max) {
            command = command + ["MAXLEN", isExact ? "=" : "~", RedisArgument(length)]
        }
        command = command + ["*"] + self.fields(reader)
        return self.once(command, stream, call) { reply in
            guard reply != .null else {
                throw RedisErrors.refusal("ERR no such key \(stream.shortened(to: 80))")
            }
            return ["id": .string(reply.text ?? "")]
        }
    }

    private func publish(_ reader: FieldReader) -> RedisPlan {
        RedisPlan(["PUBLISH", self.text(reader, "channel"), self.value(reader, "message")]) {
            ["receivers": try Self.count($0)]
        }
    }

    private func command(_ reader: FieldReader) throws -> RedisPlan {
        let format = self.format(reader)
        reader.require("command")
        let parts = reader.value("command")?.asList ?? []
        guard let name = parts.first?.asString, !name.isEmpty, parts.count <= Self.partsMaximum else {
            reader.add("input.command: expected a list of a name and its arguments, such as [\"GET\", \"key\"].")
            return RedisPlan([]) { _ in (.null, false) }
        }
        var standing = CommandRules.standing(of: name)
        if standing == .restricted, self.settings.allowedCommands.contains(name.uppercased()) { standing = .once }
        switch standing {
        case .never:
            throw RedisErrors.notAllowed(
                name, "cannot be used here: the connection is shared", remedy: "Use the operations and events for it.")
        case .restricted:
            throw RedisErrors.notAllowed(
                name, "is not allowed by this connection", remedy: "Add it to allowCommands if it must be.")
        case .repeatable, .once: break
        }
        let arguments = parts.map { self.argument($0, nil, reader, "command") }
        // NX makes a second SET fail, and that tells the caller something else than the first did.
        let options = Set(parts.dropFirst(2).compactMap { $0.asString?.uppercased() })
        let isRepeatable = standing == .repeatable && options.isDisjoint(with: ["NX", "GET", "GT", "LT"])
        return RedisPlan(RedisCommand(arguments), isRepeatable: isRepeatable) { ["result": format.value($0)] }
    }

    // MARK: - Parts

    private func once(
        _ command: RedisCommand, _ key: String, _ call: OperationCall,
        _ result: @escaping (RedisReply) throws -> ValueContext
    ) -> RedisPlan {
        RedisPlan.once(
            command, key: key, idempotencyKey: call.idempotencyKey, window: self.settings.dedupeWindow, result)
    }

    private static func count(_ reply: RedisReply) throws -> Value {
        guard let number = reply.number else { throw RedisErrors.unexpected(reply) }
        return .number(Number(number))
    }

    private func format(_ reader: FieldReader) -> RedisValueFormat {
        reader.word("as", of: RedisValueFormat.self) ?? .text
    }

    private func key(_ reader: FieldReader) -> RedisArgument { self.text(reader, "key") }

    private func text(_ reader: FieldReader, _ key: String) -> RedisArgument {
        reader.require(key)
        return RedisArgument(reader.string(key) ?? "")
    }

    private func texts(_ reader: FieldReader, _ key: String) -> [RedisArgument] {
        reader.require(key)
        let texts = reader.strings(key) ?? []
        if reader.has(key), texts.isEmpty || texts.count > Self.partsMaximum {
            reader.add("input.\(key): expected 1 to \(Self.partsMaximum) texts.")
        }
        return texts.map { RedisArgument($0) }
    }

    private func fields(_ reader: FieldReader) -> [RedisArgument] {
        reader.require("fields")
        guard let fields = reader.object("fields") else { return [] }
        let keys = fields.keys()
        if keys.isEmpty || keys.count > Self.partsMaximum {
            reader.add("input.fields: expected 1 to \(Self.partsMaximum) fields but found \(keys.count).")
        }
        return keys.flatMap {
            [RedisArgument($0), self.argument(fields.value($0) ?? .null, nil, reader, "fields.\($0)")]
        }
    }

    private func timeToLive(_ reader: FieldReader) -> Int64? {
        guard let duration = reader.duration("ttl") else { return nil }
        if !(Duration.milliseconds(1)...(.seconds(86_400 * 3_650))).contains(duration) {
            reader.add("input.ttl: expected 1ms to 3650d but found \(Quantity.text(duration)).")
        }
        return duration.milliseconds
    }

    private func value(_ reader: FieldReader, _ key: String = "value") -> RedisArgument {
        reader.require(key)
        return self.argument(reader.value(key) ?? .null, reader.word("encoding", of: Encoding.self), reader, key)
    }

    /// The bytes of a value: text as it is, anything else as JSON, unless told otherwise.
    private func argument(
        _ value: Value, _ encoding: Encoding?, _ reader: FieldReader, _ key: String
    ) -> RedisArgument {
        switch encoding ?? (value.asString == nil ? .json : .text) {
        case .json:
            var bytes: [UInt8] = []
            JSON.write(value, into: &bytes)
            return RedisArgument(bytes)
        case .text:
            if value.asString == nil { reader.add("input.\(key): expected a text but found a \(value.typeName).") }
            return RedisArgument(value.asString ?? "")
        case .base64:
            guard let bytes = value.asString.flatMap({ Base64.decode($0) }) else {
                reader.add("input.\(key): expected base64.")
                return RedisArgument("")
            }
            return RedisArgument(bytes)
        }
    }
}
