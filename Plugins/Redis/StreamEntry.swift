internal import ConnectorKit
internal import Values

/// An entry of a stream.
struct StreamEntry: Sendable {
    var id: String
    /// Names and contents, in turn; `nil` when the entry was deleted.
    var parts: [[UInt8]]?
    var deliveryCount: Int64 = 1

    /// The entries in the answer of a command that gives a list of them.
    static func list(_ reply: RedisReply) throws -> [StreamEntry] {
        guard let items = reply.elements else { throw RedisErrors.unexpected(reply) }
        return try items.compactMap { item in
            if item == .null { return nil }
            guard let pair = item.elements, pair.count == 2, let id = pair[0].text else {
                throw RedisErrors.unexpected(item)
            }
            return StreamEntry(id: id, parts: pair[1].elements?.map { $0.bytes ?? [] })
        }
    }

    /// The event; `nil` when the entry was deleted.
    func event(_ settings: StreamSourceSettings) -> SourceEvent? {
        guard let parts = self.parts else { return nil }
        var fields = ValueContext()
        var payload: [UInt8]?
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            let name = String(decoding: parts[index], as: UTF8.self)
            if name == settings.field {
                payload = parts[index + 1]
            } else {
                fields[name] = RedisValueFormat.text.value(parts[index + 1])
            }
        }
        let milliseconds = Int64(self.id.prefix { $0 != "-" })
        let coordinates: ValueContext = [
            "stream": .string(settings.stream), "group": .string(settings.group),
            "entry": .string(self.id),
        ]
        var headers: ValueContext = ["deliveryCount": .number(Number(self.deliveryCount))]
        let id = "\(settings.stream):\(self.id)"
        guard let name = settings.field else {
            var bytes: [UInt8] = []
            JSON.write(.context(fields), into: &bytes)
            return SourceEvent(
                id: id, payload: bytes, contentType: "application/json", body: .value(.context(fields)),
                coordinates: coordinates, headers: headers, occurredAtMilliseconds: milliseconds)
        }
        headers.merge(fields)
        headers["deliveryCount"] = .number(Number(self.deliveryCount))
        guard let payload else {
            var bytes: [UInt8] = []
            JSON.write(.context(fields), into: &bytes)
            let reason = "The entry has no field \(name.shortened(to: 80))."
            return SourceEvent(
                id: id, payload: bytes, contentType: "application/json",
                body: .undecodable(.init(line: 1, reason: reason)), coordinates: coordinates, headers: headers,
                occurredAtMilliseconds: milliseconds)
        }
        let (type, body) = settings.decoding.message(payload, contentType: settings.contentType)
        return SourceEvent(
            id: id, payload: payload, contentType: type, body: body, coordinates: coordinates, headers: headers,
            occurredAtMilliseconds: milliseconds)
    }
}
