internal import ConnectorKit
internal import Values

/// The dialogue with an SMTP server after the login (RFC 5321).
///
/// Belongs to the thread of its `MailSession`.
final class SMTPSession: MailDialogue {
    static let protocolName = "smtp"

    /// What became of a message.
    struct Delivery {
        /// What the server said when it took it.
        var reply: SMTPReply
        /// Who will not get it.
        var refused: [(address: String, reply: SMTPReply)]
    }

    private static let lineBytesMax = 2_000
    private static let linesMax = 100

    let session: MailSession
    /// The largest message the server takes; nil when it does not say.
    let bytesMax: Int?

    init(_ session: MailSession) {
        self.session = session
        // The last EHLO counts: what was said before TLS may have come from anybody.
        var bytesMax: Int?
        for line in session.greeting.split(whereSeparator: \.isNewline) {
            let words = line.dropFirst(4).split(separator: " ")
            if words.first?.uppercased() == "SIZE", words.count > 1 { bytesMax = Int(words[1]) }
        }
        self.bytesMax = bytesMax.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Whether the server still answers.
    func isAlive() -> Bool {
        (try? self.command("NOOP"))?.code == 250
    }

    /// Hands over one message.
    ///
    /// - Parameter isPartial: Whether it goes to those recipients that are taken when others are not.
    /// - Throws: `ConnectorError`; nothing was sent unless it says so.
    func deliver(
        _ message: [UInt8], from: String, to recipients: [String], isPartial: Bool
    ) throws -> Delivery {
        if let bytesMax = self.bytesMax, message.count > bytesMax {
            throw MailErrors.tooLarge("The message", message.count, bytesMax)
        }
        let size = self.bytesMax == nil ? "" : " SIZE=\(message.count)"
        let sender = try self.command("MAIL FROM:<\(from)>\(size)")
        guard sender.code == 250 else { throw try self.abandoned(MailErrors.smtp(sender, to: "the sender \(from)")) }
        var refused: [(address: String, reply: SMTPReply)] = []
        for recipient in recipients {
            let reply = try self.command("RCPT TO:<\(recipient)>")
            if ![250, 251, 252].contains(reply.code) { refused.append((recipient, reply)) }
            // It will hang up.
            if reply.code == 421 { throw MailErrors.smtp(reply, to: "the recipient \(recipient)") }
        }
        if !refused.isEmpty, !isPartial || refused.count == recipients.count {
            throw try self.abandoned(Self.failure(refused, of: recipients.count))
        }
        let data = try self.command("DATA")
        guard data.code == 354 else { throw try self.abandoned(MailErrors.smtp(data, to: "DATA")) }
        try self.session.send(Self.stuffed(message))
        // From the last byte on, the server may have taken it.
        try self.session.send(Array(".\r\n".utf8), mayHaveExecuted: true)
        let reply = try self.reply(mayHaveExecuted: true)
        guard reply.code == 250 else { throw MailErrors.smtp(reply, to: "the message") }
        return Delivery(reply: reply, refused: refused)
    }

    /// Ends the dialogue politely.
    func quit() {
        try? self.session.send("QUIT\r\n")
    }

    private static func failure(
        _ refused: [(address: String, reply: SMTPReply)], of count: Int
    ) -> ConnectorError {
        // One for good decides: trying again cannot reach everybody.
        let index = refused.firstIndex { $0.reply.code >= 500 } ?? 0
        var error = MailErrors.smtp(refused[index].reply, to: "the recipient \(refused[index].address)")
        error.code = MailErrors.Code.recipients
        error.message = "\(refused.count) of \(count) recipients were refused. " + error.message
        error.details["refused"] = Self.value(of: refused)
        return error
    }

    /// The refused recipients, for results and details.
    static func value(of refused: [(address: String, reply: SMTPReply)]) -> Value {
        .list(
            refused.map { refusal in
                [
                    "address": .string(refusal.address), "code": .number(Number(Int64(refusal.reply.code))),
                    "message": .string(String(refusal.reply.text.prefix(300))),
                ]
            })
    }

    /// Forgets the transaction, and gives the error back.
    private func abandoned(_ error: ConnectorError) throws -> ConnectorError {
        if (try? self.command("RSET"))?.code != 250 { _ = self.session.broken("no answer to RSET") }
        return error
    }

    // MARK: - Lines

    private func command(_ text: String) throws -> SMTPReply {
        try self.session.send(text + "\r\n")
        return try self.reply(mayHaveExecuted: false)
    }

    private func reply(mayHaveExecuted: Bool) throws -> SMTPReply {
        var texts: [String] = []
        for _ in 0..<Self.linesMax {
            let bytes = try self.session.line(bytesMax: Self.lineBytesMax, mayHaveExecuted: mayHaveExecuted)
            let line = String(decoding: bytes, as: UTF8.self)
            guard var reply = SMTPReply(line) else {
                throw self.session.broken("\"\(line.prefix(60))\" instead of a reply")
            }
            let separator = line.dropFirst(3).first
            guard separator == "-" else {
                if reply.code == 421 { _ = self.session.broken("goodbye") }
                texts.append(reply.text)
                reply.text = texts.joined(separator: " ")
                return reply
            }
            texts.append(reply.text)
        }
        throw self.session.broken("a reply of more than \(Self.linesMax) lines")
    }

    /// The message with every line that begins with a dot given another (RFC 5321, 4.5.2), ending in a line end.
    static func stuffed(_ message: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.count + 64)
        var isAtLineStart = true
        for byte in message {
            if isAtLineStart, byte == UInt8(ascii: ".") { bytes.append(byte) }
            bytes.append(byte)
            isAtLineStart = byte == UInt8(ascii: "\n")
        }
        if !isAtLineStart { bytes += "\r\n".utf8 }
        return bytes
    }
}
