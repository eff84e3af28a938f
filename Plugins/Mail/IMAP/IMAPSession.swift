internal import ConnectorKit
internal import Values

/// The dialogue with an IMAP server after the login (RFC 3501, 4315, 6851).
///
/// Belongs to the thread of its `MailSession`.
final class IMAPSession: MailDialogue {
    static let protocolName = "imap"

    private static let lineBytesMax = 1 << 20
    private static let responsesMax = 20_000

    let session: MailSession
    private var number = 0
    private var capabilities: Set<String> = []
    /// What is open.
    private(set) var mailbox: Mailbox?

    /// A mailbox that is open.
    struct Mailbox: Sendable, Hashable {
        var name: String
        var uidValidity: UInt32 = 0
        var isReadOnly: Bool
    }

    /// What is known of a message without reading it.
    struct Summary: Sendable, Hashable {
        var uid: UInt32
        var size: Int
        var flags: [String]
        var receivedMilliseconds: Int64?
        /// The header fields that tell what it is about, as they came.
        var header: [UInt8] = []
    }

    init(_ session: MailSession) throws {
        self.session = session
        let answer = try self.command([.text("CAPABILITY")], bytesMax: 64 << 10)
        for response in answer.data where response.first?.text?.uppercased() == "CAPABILITY" {
            self.capabilities.formUnion(response.dropFirst().compactMap { $0.text?.uppercased() })
        }
    }

    func isAlive() -> Bool {
        (try? self.command([.text("NOOP")], bytesMax: 1 << 20)) != nil
    }

    func quit() {
        try? self.session.send("Z LOGOUT\r\n")
    }

    // MARK: - Commands

    /// A piece of a command.
    enum Part {
        case text(String)
        /// Sent once the server asks for it.
        case literal([UInt8])
    }

    /// What came back.
    private struct Answer {
        var status: IMAPStatus
        var data: [[IMAPToken]] = []
        var remarks: [IMAPStatus] = []

        /// The value of a code, wherever it stands.
        func code(_ name: String) -> Substring? {
            (self.remarks + [self.status]).lazy.compactMap { $0.codeValue(name) }.first
        }
    }

    /// Sends a command and reads until its end; throws when it does not end well.
    private func command(_ parts: [Part], bytesMax: Int) throws -> Answer {
        self.number += 1
        let tag = "J\(self.number)"
        var answer = Answer(status: IMAPStatus(word: "OK", text: ""))
        var line = tag
        var budget = bytesMax
        for part in parts {
            switch part {
            case .text(let text): line += " " + text
            case .literal(let bytes):
                try self.session.send(line + " {\(bytes.count)}\r\n")
                // Until it asks for the rest; if it refuses, that is the end of the command.
                if try self.read(tag, &answer, &budget, untilContinuation: true) { throw self.failure(answer, parts) }
                try self.session.send(bytes)
                line = ""
            }
        }
        try self.session.send(line + "\r\n")
        _ = try self.read(tag, &answer, &budget, untilContinuation: false)
        guard answer.status.word == "OK" else { throw self.failure(answer, parts) }
        return answer
    }

    private func failure(_ answer: Answer, _ parts: [Part]) -> ConnectorError {
        var name = "the command"
        if case .text(let text)? = parts.first { name = text.split(separator: " ").prefix(2).joined(separator: " ") }
        return MailErrors.imap(answer.status, to: name)
    }

    /// Reads responses; whether the command has ended.
    private func read(
        _ tag: String, _ answer: inout Answer, _ budget: inout Int, untilContinuation: Bool
    ) throws -> Bool {
        for _ in 0..<Self.responsesMax {
            let line = try self.line(&budget)
            if line.starts(with: "* ".utf8) {
                try self.untagged(Array(line.dropFirst(2)), &answer, &budget)
            } else if line.first == UInt8(ascii: "+") {
                guard untilContinuation else { throw self.session.broken("a continuation nobody waits for") }
                return false
            } else {
                let text = String(decoding: line, as: UTF8.self)
                guard text.hasPrefix(tag + " "), let status = IMAPStatus(text.dropFirst(tag.count + 1)) else {
                    throw self.session.broken("\"\(text.prefix(60))\" instead of a response")
                }
                answer.status = status
                return true
            }
        }
        throw self.session.broken("more than \(Self.responsesMax) responses")
    }

    private func untagged(_ line: [UInt8], _ answer: inout Answer, _ budget: inout Int) throws {
        if let status = IMAPStatus(Substring(String(decoding: line, as: UTF8.self))) {
            answer.remarks.append(status)
            if status.word == "BYE" {
                _ = self.session.broken("goodbye")
                throw ConnectorError(
                    .unavailable, code: MailErrors.Code.interrupted,
                    "The server said goodbye: \(status.text.prefix(300))", remedy: "Usually passes.")
            }
            return
        }
        do throws(IMAPTokenizer.Malformed) {
            var tokenizer = IMAPTokenizer()
            var rest = try tokenizer.add(line: line)
            while let bytes = rest {
                let literal: [UInt8]
                let next: [UInt8]
                do {
                    guard bytes <= budget else { throw self.session.broken("a literal of \(bytes) bytes") }
                    budget -= bytes
                    literal = try self.session.bytes(bytes)
                    next = try self.line(&budget)
                } catch {
                    throw IMAPTokenizer.Malformed(reason: "", cause: error)
                }
                try tokenizer.add(literal: literal)
                rest = try tokenizer.add(line: next)
            }
            answer.data.append(try tokenizer.finish())
        } catch {
            throw error.cause ?? self.session.broken(error.reason)
        }
    }

    private func line(_ budget: inout Int) throws -> [UInt8] {
        let line = try self.session.line(bytesMax: min(Self.lineBytesMax, budget))
        budget -= line.count
        return line
    }

    // MARK: - Mailboxes

    /// Opens a mailbox; for reading, nothing in it can change.
    @discardableResult
    func select(_ name: String, isReadOnly: Bool) throws -> Mailbox {
        let quoted = try Self.quoted(name)
        self.mailbox = nil
        do {
            let answer = try self.command([.text((isReadOnly ? "EXAMINE " : "SELECT ") + quoted)], bytesMax: 1 << 20)
            var mailbox = Mailbox(name: name, isReadOnly: isReadOnly || answer.status.code?.uppercased() == "READ-ONLY")
            mailbox.uidValidity = answer.code("UIDVALIDITY").flatMap { UInt32($0) } ?? 0
            self.mailbox = mailbox
            return mailbox
        } catch let error as ConnectorError where error.code == MailErrors.Code.command && !error.isRetryable {
            throw MailErrors.noMailbox(name, error.details["message"]?.asString ?? error.message)
        }
    }

    private static func quoted(_ mailbox: String) throws -> String {
        guard let quoted = IMAPText.mailbox(mailbox) else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "\"\(mailbox.prefix(80))\" is no name of a mailbox.", remedy: "Correct it.")
        }
        return quoted
    }

    // MARK: - Messages

    /// The UIDs of the messages that meet all criteria, in ascending order.
    func search(_ criteria: [Part]) throws -> [UInt32] {
        let hasText = criteria.contains { if case .literal = $0 { true } else { false } }
        let answer = try self.command(
            [.text("UID SEARCH" + (hasText ? " CHARSET UTF-8" : ""))] + criteria, bytesMax: 16 << 20)
        var uids: [UInt32] = []
        for response in answer.data where response.first?.text?.uppercased() == "SEARCH" {
            uids += response.dropFirst().compactMap(\.number)
        }
        return uids.sorted()
    }

    /// What is known of messages; those that are gone are left out.
    func summaries(_ uids: [UInt32]) throws -> [Summary] {
        guard !uids.isEmpty else { return [] }
        let set = uids.map(String.init).joined(separator: ",")
        let answer = try self.command(
            [
                .text(
                    "UID FETCH \(set) (UID RFC822.SIZE FLAGS INTERNALDATE "
                        + "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)])")
            ], bytesMax: 64 << 20)
        let wanted = Set(uids)
        var found: [UInt32: Summary] = [:]
        for items in answer.data.compactMap(Self.fetched) {
            guard let uid = Self.item("UID", in: items)?.number, wanted.contains(uid) else { continue }
            found[uid] = Summary(
                uid: uid, size: Self.item("RFC822.SIZE", in: items)?.number.map(Int.init) ?? 0,
                flags: Self.item("FLAGS", in: items)?.list?.compactMap(\.text) ?? [],
                receivedMilliseconds: Self.item("INTERNALDATE", in: items)?.text.flatMap(IMAPText.internalDate),
                header: Self.item("BODY[HEADER.FIELDS", in: items)?.bytes ?? [])
        }
        return uids.compactMap { found[$0] }
    }

    /// A whole message, without marking it seen; nil when it is gone.
    func message(_ uid: UInt32, bytesMax: Int) throws -> [UInt8]? {
        let answer = try self.command([.text("UID FETCH \(uid) (UID BODY.PEEK[])")], bytesMax: bytesMax + (1 << 20))
        for items in answer.data.compactMap(Self.fetched) where Self.item("UID", in: items)?.number == uid {
            if let bytes = Self.item("BODY[]", in: items)?.bytes { return bytes }
        }
        return nil
    }

    /// The items of a FETCH response: names and values in turn.
    private static func fetched(_ response: [IMAPToken]) -> [IMAPToken]? {
        guard response.count >= 3, response[1].text?.uppercased() == "FETCH" else { return nil }
        return response[2].list
    }

    private static func item(_ name: String, in items: [IMAPToken]) -> IMAPToken? {
        for index in stride(from: 0, to: items.count - 1, by: 2) {
            // What stands in the brackets after the fields' names is spelt differently by servers.
            let text = items[index].text?.uppercased() ?? ""
            if text == name || (name.hasSuffix("FIELDS") && text.hasPrefix(name)) { return items[index + 1] }
        }
        return nil
    }

    /// Marks messages.
    func add(flag: String, to uids: [UInt32]) throws {
        guard !uids.isEmpty else { return }
        let set = uids.map(String.init).joined(separator: ",")
        _ = try self.command([.text("UID STORE \(set) +FLAGS.SILENT (\(flag))")], bytesMax: 16 << 20)
    }

    /// Moves messages to another mailbox, which is made if `creates` says so; the new UIDs where the server tells.
    @discardableResult
    func move(_ uids: [UInt32], to name: String, creates: Bool) throws -> String? {
        guard !uids.isEmpty else { return nil }
        let set = uids.map(String.init).joined(separator: ",")
        let quoted = try Self.quoted(name)
        let canMove = self.capabilities.contains("MOVE")
        let command: [Part] = [.text("UID \(canMove ? "MOVE" : "COPY") \(set) \(quoted)")]
        let answer: Answer
        do {
            answer = try self.command(command, bytesMax: 16 << 20)
        } catch let error as ConnectorError where error.kind == .notFound && creates {
            _ = try self.command([.text("CREATE \(quoted)")], bytesMax: 1 << 20)
            answer = try self.command(command, bytesMax: 16 << 20)
        }
        if !canMove { try self.delete(uids) }
        return answer.code("COPYUID").flatMap { $0.split(separator: " ").last.map(String.init) }
    }

    /// Marks messages as deleted, and removes them where the server can remove these and no others.
    func delete(_ uids: [UInt32]) throws {
        guard !uids.isEmpty else { return }
        try self.add(flag: "\\Deleted", to: uids)
        guard self.capabilities.contains("UIDPLUS") else { return }
        _ = try self.command([.text("UID EXPUNGE \(uids.map(String.init).joined(separator: ","))")], bytesMax: 16 << 20)
    }
}

extension IMAPStatus {
    init(word: String, text: String) {
        self.word = word
        self.text = text
    }
}
