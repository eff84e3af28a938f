internal import ConnectorKit
internal import Values

/// Up to two servers of one connection, each with a thread and a session of its own.
final class MailConnection: Connection {
    private let configuration: ConnectionConfiguration
    private let settings: MailSettings
    private let smtp: MailLane<SMTPSession>?
    private let imap: MailLane<IMAPSession>?

    init(_ configuration: ConnectionConfiguration, _ settings: MailSettings) throws {
        self.configuration = configuration
        self.settings = settings
        self.smtp = try settings.smtp.map { try MailLane(configuration, $0) }
        self.imap = try settings.imap.map { try MailLane(configuration, $0) }
    }

    /// Connects and logs in to each server.
    func test() async throws {
        try await self.smtp?.perform(within: .seconds(20)) { _ in }
        try await self.imap?.perform(within: .seconds(20)) { _ in }
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            switch call.operation {
            case "send": return try await self.send(call)
            case "search": return try await self.search(call)
            case "fetch": return try await self.fetch(call)
            case "move": return try await self.move(call)
            default: throw ConnectorError.unknownOperation(call.operation, of: MailModule.description)
            }
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard MailModule.description.event(request.event) != nil else {
            throw ConnectorError.unknownEvent(request.event, of: MailModule.description)
        }
        let settings = try MailboxSourceSettings(
            request.parameters, replay: request.replay, messageBytesMax: self.settings.messageBytesMax)
        guard let server = self.settings.imap else { throw MailErrors.notConfigured("imap") }
        return MailboxSource(
            settings, try MailLane(self.configuration, server), memory: request.memory, clock: self.configuration.clock)
    }

    func close() async {
        await self.smtp?.close()
        await self.imap?.close()
    }

    // MARK: - Sending

    private func send(_ call: OperationCall) async throws -> Outcome {
        let input = try SendInput(
            call, self.settings, connection: self.configuration.id,
            unixMilliseconds: self.configuration.clock.unixMilliseconds)
        guard let smtp = self.smtp else { throw MailErrors.notConfigured("smtp") }
        let maximum = self.settings.messageBytesMax
        // What is too large as it is need not be encoded to find out.
        guard input.message.contentBytes <= maximum else {
            throw MailErrors.tooLarge("The message", input.message.contentBytes, maximum)
        }
        let bytes = input.message.rendered()
        guard bytes.count <= maximum else { throw MailErrors.tooLarge("The message", bytes.count, maximum) }
        let recipients = input.message.recipients
        let from = input.message.from.address
        let isPartial = input.recipients == .any
        let result = try await smtp.perform(within: call.timeout) { session in
            let delivery = try session.deliver(bytes, from: from, to: recipients, isPartial: isPartial)
            let refused = Set(delivery.refused.map(\.address))
            return [
                "messageId": .string(input.message.messageID),
                "accepted": .list(recipients.filter { !refused.contains($0) }.map { .string($0) }),
                "refused": SMTPSession.value(of: delivery.refused),
                "response": .string(String(delivery.reply.text.prefix(300))),
            ] as Value
        }
        return .done(
            result,
            facts: [
                "messageId": .string(input.message.messageID), "bytes": .number(Number(Int64(bytes.count))),
                "recipients": .number(Number(Int64(recipients.count))), "response": result["response"] ?? .null,
            ])
    }

    // MARK: - Reading

    private static func reader(_ call: OperationCall) -> FieldReader {
        FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
    }

    private func lane(_ reader: FieldReader) throws -> MailLane<IMAPSession> {
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        guard let imap = self.imap else { throw MailErrors.notConfigured("imap") }
        return imap
    }

    private func search(_ call: OperationCall) async throws -> Outcome {
        let reader = Self.reader(call)
        let mailbox = reader.string("mailbox") ?? "INBOX"
        let limit = reader.integer("limit", in: 1...1_000) ?? 100
        let search = IMAPSearch(reader)
        let lane = try self.lane(reader)
        let result = try await lane.perform(within: call.timeout) { session in
            let open = try session.select(mailbox, isReadOnly: true)
            let uids = try session.search(search.parts)
            let messages = try session.summaries(Array(uids.prefix(limit)))
            return [
                "messages": .list(messages.map(Self.value)), "total": .number(Number(Int64(uids.count))),
                "uidValidity": .number(Number(Int64(open.uidValidity))),
            ] as Value
        }
        return .done(result, facts: ["total": result["total"] ?? .null])
    }

    private static func value(_ summary: IMAPSession.Summary) -> Value {
        let (fields, _) = HeaderReader.split(summary.header[...])
        func text(_ name: String) -> Value {
            .string(fields.first { $0.name.lowercased() == name }.map { HeaderReader.text($0.value) } ?? "")
        }
        return [
            "uid": .number(Number(Int64(summary.uid))), "size": .number(Number(Int64(summary.size))),
            "flags": .list(summary.flags.map { .string($0) }), "subject": text("subject"), "from": text("from"),
            "date": text("date"), "messageId": text("message-id"),
            "receivedAtMilliseconds": summary.receivedMilliseconds.map { .number(Number($0)) } ?? .null,
        ]
    }

    private func fetch(_ call: OperationCall) async throws -> Outcome {
        let reader = Self.reader(call)
        let mailbox = reader.string("mailbox") ?? "INBOX"
        reader.require("uid")
        let uid = UInt32(reader.integer("uid", in: 1...4_294_967_295) ?? 1)
        let withRaw = reader.boolean("raw") ?? false
        let lane = try self.lane(reader)
        let maximum = self.settings.messageBytesMax
        let result = try await lane.perform(within: call.timeout) { session in
            let open = try session.select(mailbox, isReadOnly: true)
            guard let summary = try session.summaries([uid]).first else { throw MailErrors.noMessage(uid, mailbox) }
            guard summary.size <= maximum else {
                throw MailErrors.tooLarge("The message \(uid)", summary.size, maximum)
            }
            guard let bytes = try session.message(uid, bytesMax: maximum) else {
                throw MailErrors.noMessage(uid, mailbox)
            }
            var value = IncomingMessage.value(bytes, attachmentBytesMax: maximum).asContext ?? [:]
            value["uid"] = .number(Number(Int64(uid)))
            value["uidValidity"] = .number(Number(Int64(open.uidValidity)))
            value["flags"] = .list(summary.flags.map { .string($0) })
            value["size"] = .number(Number(Int64(bytes.count)))
            if withRaw { value["raw"] = .string(Base64.encode(bytes)) }
            return Value.context(value)
        }
        return .done(result, facts: ["bytes": result["size"] ?? .null])
    }

    private func move(_ call: OperationCall) async throws -> Outcome {
        let reader = Self.reader(call)
        let mailbox = reader.string("mailbox") ?? "INBOX"
        reader.require("uid")
        reader.require("to")
        let uid = UInt32(reader.integer("uid", in: 1...4_294_967_295) ?? 1)
        let target = reader.string("to") ?? ""
        let creates = reader.boolean("create") ?? false
        let lane = try self.lane(reader)
        let result = try await lane.perform(within: call.timeout) { session in
            try session.select(mailbox, isReadOnly: false)
            guard try !session.summaries([uid]).isEmpty else { throw MailErrors.noMessage(uid, mailbox) }
            do {
                let moved = try session.move([uid], to: target, creates: creates)
                return ["uid": moved.flatMap { Int64($0) }.map { .number(Number($0)) } ?? .null] as Value
            } catch var error as ConnectorError {
                // Without an answer nobody knows whether it was moved.
                if session.session.isBroken { error.mayHaveExecuted = true }
                throw error
            }
        }
        return .done(result, facts: [:])
    }
}
