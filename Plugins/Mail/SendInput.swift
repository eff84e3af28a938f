internal import ConnectorKit
internal import Crypto
internal import Values

/// The input of the operation `send`, checked.
struct SendInput: Sendable {
    /// What happens when some recipients are refused.
    enum Recipients: String, CaseIterable, Sendable {
        /// Nothing is sent.
        case all
        /// It goes to the others.
        case any
    }

    var message: OutgoingMessage
    var recipients: Recipients

    private static let attachmentsMax = 100
    private static let headersMax = 50

    init(_ call: OperationCall, _ settings: MailSettings, connection: String, unixMilliseconds: Int64) throws {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        let own = reader.value("from").flatMap { Self.address($0, "from", reader) }
        guard let from = own ?? settings.from else {
            if reader.has("from") { throw Self.failure(reader) }
            // What else is wrong is said first: an unknown field may be the misspelt sender.
            _ = ["to", "cc", "bcc", "replyTo"].map { Self.addresses($0, reader) }
            _ = Self.read(reader, settings)
            throw reader.diagnostics.isEmpty ? MailErrors.noSender : Self.failure(reader)
        }
        var message = OutgoingMessage(
            from: from, messageID: Self.messageID(call, connection, from), unixMilliseconds: unixMilliseconds)
        message.to = Self.addresses("to", reader)
        message.cc = Self.addresses("cc", reader)
        message.bcc = Self.addresses("bcc", reader)
        message.replyTo = Self.addresses("replyTo", reader)
        let count = message.recipients.count
        if count == 0 { reader.add("input: expected at least one recipient in to, cc or bcc.") }
        if count > settings.recipientsMax {
            reader.add("input: \(count) recipients; at most \(settings.recipientsMax) are allowed.")
        }
        let rest = Self.read(reader, settings)
        message.subject = rest.subject
        message.text = rest.text
        message.html = rest.html
        message.headers = rest.headers
        message.attachments = rest.attachments
        self.recipients = rest.recipients
        self.message = message
        if !reader.diagnostics.isEmpty { throw Self.failure(reader) }
    }

    private static func failure(_ reader: FieldReader) -> ConnectorError {
        ConnectorError.invalidParameters(reader.diagnostics)
            ?? MailErrors.noSender
    }

    /// The same for the same idempotency key, so that a message sent twice can be told from two.
    private static func messageID(_ call: OperationCall, _ connection: String, _ from: MailAddress) -> String {
        var bytes: [UInt8]
        if let key = call.idempotencyKey {
            bytes = Array("junction\0\(connection)\0\(key)".utf8)
        } else {
            var generator = SystemRandomNumberGenerator()
            bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        let digest = SHA256.hash(data: bytes).prefix(20)
        let digits = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(digits)@\(from.domain)"
    }

    // MARK: - Fields

    private struct Rest {
        var subject = ""
        var text: String?
        var html: String?
        var headers: [(name: String, value: String)] = []
        var attachments: [OutgoingMessage.Attachment] = []
        var recipients = Recipients.all
    }

    private static func read(_ reader: FieldReader, _ settings: MailSettings) -> Rest {
        var rest = Rest()
        rest.subject = reader.string("subject") ?? ""
        if let problem = Self.problem(rest.subject) { reader.add("input.subject: \(problem)") }
        rest.text = reader.string("text")
        rest.html = reader.string("html")
        if let headers = reader.object("headers") {
            for name in headers.keys() {
                guard let value = headers.string(name) else { continue }
                let isName =
                    !name.isEmpty && name.utf8.count <= 60
                    && name.utf8.allSatisfy { (33...126).contains($0) && $0 != UInt8(ascii: ":") }
                if !isName {
                    headers.add("input.headers: \"\(name.prefix(60).filter { !$0.isNewline })\" is no name of a field.")
                } else if OutgoingMessage.reservedHeaders.contains(name.lowercased())
                    || name.lowercased().hasPrefix("content-")
                {
                    headers.add("input.headers.\(name): this field is written from the rest of the input.")
                } else if let problem = Self.problem(value) {
                    headers.add("input.headers.\(name): \(problem)")
                }
                rest.headers.append((name, value))
            }
            if rest.headers.count > Self.headersMax { headers.add("input.headers: more than \(Self.headersMax).") }
        }
        rest.recipients = reader.word("recipients", of: Recipients.self) ?? .all
        if let list = reader.value("attachments") { rest.attachments = Self.attachments(list, reader, settings) }
        reader.finish()
        return rest
    }

    /// What would let a value end its header field, or hide in it.
    private static func problem(_ value: String) -> String? {
        value.unicodeScalars.contains { $0 != "\t" && $0.properties.generalCategory == .control }
            ? "expected one line without control characters." : nil
    }

    private static func address(_ value: Value, _ key: String, _ reader: FieldReader) -> MailAddress? {
        do throws(MailAddress.Problem) {
            return try MailAddress(value)
        } catch {
            reader.add("input.\(key): \(error.reason)")
            return nil
        }
    }

    private static func addresses(_ key: String, _ reader: FieldReader) -> [MailAddress] {
        guard let value = reader.value(key) else { return [] }
        return (value.asList ?? [value]).compactMap { Self.address($0, key, reader) }
    }

    private static func attachments(
        _ list: Value, _ reader: FieldReader, _ settings: MailSettings
    ) -> [OutgoingMessage.Attachment] {
        guard let items = list.asList, items.count <= Self.attachmentsMax else {
            reader.add("input.attachments: expected a list of at most \(Self.attachmentsMax).")
            return []
        }
        var left = settings.messageBytesMax
        return items.enumerated().compactMap { index, item in
            let path = "input.attachments.\(index)"
            let fields = FieldReader(item, path: path, code: ConnectorError.Code.invalidParameters)
            defer { for diagnostic in fields.diagnostics { reader.add(diagnostic.message, diagnostic.remedy) } }
            let file = fields.string("file")
            let name = fields.string("name") ?? file?.split(separator: "/").last.map(String.init) ?? ""
            if name.isEmpty { fields.add("\(path).name is missing.") }
            if let problem = Self.problem(name) { fields.add("\(path).name: \(problem)") }
            if name.utf8.count > 255 { fields.add("\(path).name: more than 255 bytes.") }
            let type = fields.string("contentType") ?? "application/octet-stream"
            if !Self.isMediaType(type) { fields.add("\(path).contentType: expected a media type such as text/csv.") }
            // Its parts would have to be readable as they are (RFC 2046, 5.1), and everything is sent in base64.
            if type.lowercased().hasPrefix("multipart/") { fields.add("\(path).contentType: expected one part.") }
            let id = fields.string("contentId")
            if let id, id.isEmpty || id.utf8.contains(where: { $0 <= 32 || $0 > 126 || "<>".utf8.contains($0) }) {
                fields.add("\(path).contentId: expected visible ASCII characters without < and >.")
            }
            let content = fields.string("content")
            let text = fields.string("text")
            fields.finish()
            guard [file, content, text].compactMap({ $0 }).count == 1 else {
                fields.add("\(path): expected one of content, text and file.")
                return nil
            }
            var bytes: [UInt8] = []
            if let content {
                guard let decoded = Base64.decode(content) else {
                    fields.add("\(path).content: expected base64.")
                    return nil
                }
                bytes = decoded
            } else if let text {
                bytes = Array(text.utf8)
            } else if let file {
                guard let root = settings.attachmentsRoot else {
                    fields.add("\(path).file: the connection has no attachmentsRoot.")
                    return nil
                }
                do throws(AttachedFile.Failure) {
                    bytes = try AttachedFile.contents(of: file, below: root, bytesMax: left)
                } catch {
                    fields.add("\(path).file: \(error.reason).")
                    return nil
                }
            }
            left = max(0, left - bytes.count)
            return OutgoingMessage.Attachment(name: name, contentType: type, bytes: bytes, contentID: id)
        }
    }

    private static func isMediaType(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && text.utf8.count <= 127
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.unicodeScalars.allSatisfy {
                        $0.isASCII && ($0.properties.isAlphabetic || "0123456789!#$&-^_.+".unicodeScalars.contains($0))
                    }
            }
    }
}
