internal import ConnectorKit
internal import Values

/// A message that was received, taken apart (RFC 5322, 2045, 2046).
///
/// Whatever it is made of, something comes out: mail is often wrong. Everything is bounded.
struct IncomingMessage {
    private static let depthMax = 20
    private static let partsMax = 500
    private static let headerValueMax = 4_000
    private static let textBytesMax = 4 << 20

    private var text: String?
    private var html: String?
    private var attachments: [Value] = []
    private var parts = 0
    private var attachmentBytesLeft: Int

    /// The message as a value.
    ///
    /// - Parameter attachmentBytesMax: How much of attachments is given, together; those beyond are named only.
    static func value(_ bytes: [UInt8], attachmentBytesMax: Int) -> Value {
        let (fields, body) = HeaderReader.split(bytes[...])
        var message = IncomingMessage(attachmentBytesLeft: attachmentBytesMax)
        message.read(fields, body, depth: 0)
        func first(_ name: String) -> [UInt8]? { fields.first { $0.name.lowercased() == name }?.value }
        func addresses(_ name: String) -> Value {
            let all = fields.filter { $0.name.lowercased() == name }.flatMap { HeaderReader.addresses($0.value) }
            return .list(all.map { ["name": .string($0.name), "address": .string($0.address)] })
        }
        var headers = ValueContext()
        for (name, value) in fields {
            let key = name.lowercased()
            let text = String(HeaderReader.text(value).prefix(Self.headerValueMax))
            headers[key] = headers[key]?.asString.map { .string($0 + "\n" + text) } ?? .string(text)
        }
        var value: ValueContext = [
            "subject": .string(first("subject").map { HeaderReader.text($0) } ?? ""),
            "from": addresses("from"), "to": addresses("to"), "cc": addresses("cc"), "replyTo": addresses("reply-to"),
            "headers": .context(headers), "attachments": .list(message.attachments),
        ]
        value["messageId"] = first("message-id").map { .string(Self.id(HeaderReader.text($0))) }
        value["inReplyTo"] = first("in-reply-to").map { .string(Self.id(HeaderReader.text($0))) }
        value["date"] = first("date").map { .string(HeaderReader.text($0)) }
        value["text"] = message.text.map { .string($0) }
        value["html"] = message.html.map { .string($0) }
        return .context(value)
    }

    private init(attachmentBytesLeft: Int) { self.attachmentBytesLeft = attachmentBytesLeft }

    /// Without angle brackets.
    private static func id(_ text: String) -> String {
        text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
    }

    private mutating func read(
        _ fields: [(name: String, value: [UInt8])], _ body: ArraySlice<UInt8>, depth: Int
    ) {
        self.parts += 1
        guard self.parts <= Self.partsMax else { return }
        func first(_ name: String) -> [UInt8]? { fields.first { $0.name.lowercased() == name }?.value }
        let (type, parameters) = HeaderReader.parameters(first("content-type") ?? Array("text/plain".utf8))
        if type.hasPrefix("multipart/"), let boundary = parameters["boundary"], !boundary.isEmpty, depth < Self.depthMax
        {
            for part in Self.parts(of: body, boundary: boundary, maximum: Self.partsMax - self.parts) {
                let (fields, body) = HeaderReader.split(part)
                self.read(fields, body, depth: depth + 1)
            }
            return
        }
        let encoding = first("content-transfer-encoding").map { HeaderReader.text($0).lowercased() } ?? ""
        let content: [UInt8] =
            switch encoding {
            case "base64": TransferEncoding.decodeBase64(body)
            case "quoted-printable": TransferEncoding.decodeQuotedPrintable(body)
            default: Array(body)
            }
        let (disposition, dispositionParameters) = HeaderReader.parameters(first("content-disposition") ?? [])
        let name = dispositionParameters["filename"] ?? parameters["name"]
        let isText = disposition != "attachment" && name == nil
        if isText, type == "text/plain", self.text == nil {
            self.text = Self.decoded(content, parameters["charset"])
        } else if isText, type == "text/html", self.html == nil {
            self.html = Self.decoded(content, parameters["charset"])
        } else {
            let id = first("content-id").map { Self.id(HeaderReader.text($0)) }
            self.attach(content, type, name, id)
        }
    }

    private static func decoded(_ content: [UInt8], _ charset: String?) -> String {
        Charset.decode(content.prefix(Self.textBytesMax), charset ?? "us-ascii").replacing("\r\n", with: "\n")
    }

    private mutating func attach(_ content: [UInt8], _ type: String, _ name: String?, _ id: String?) {
        var value: ValueContext = [
            "contentType": .string(type.isEmpty ? "application/octet-stream" : String(type.prefix(200))),
            "size": .number(Number(Int64(content.count))),
        ]
        // A name must not lead anywhere when somebody writes a file of it.
        value["name"] = name.map { .string(String($0.split { $0 == "/" || $0 == "\\" }.last?.prefix(255) ?? "")) }
        value["contentId"] = id.map { .string($0) }
        if content.count <= self.attachmentBytesLeft {
            self.attachmentBytesLeft -= content.count
            value["content"] = .string(Base64.encode(content))
        }
        self.attachments.append(.context(value))
    }

    /// Cuts the content of a multipart at the lines of its boundary.
    private static func parts(of body: ArraySlice<UInt8>, boundary: String, maximum: Int) -> [ArraySlice<UInt8>] {
        let mark = Array("--\(boundary)".utf8)
        var parts: [ArraySlice<UInt8>] = []
        var start: Int?
        var index = body.startIndex
        while index < body.endIndex, parts.count < maximum {
            let end = body[index...].firstIndex(of: 10) ?? body.endIndex
            let next = min(end + 1, body.endIndex)
            var line = body[index..<end]
            while let last = line.last, last == 13 || last == 32 || last == 9 { line = line.dropLast() }
            let isEnd =
                line.count == mark.count + 2 && line.starts(with: mark) && line.suffix(2).elementsEqual("--".utf8)
            if isEnd || (line.count == mark.count && line.starts(with: mark)) {
                if let start { parts.append(body[start..<Self.withoutLineEnd(body, start, index)]) }
                start = isEnd ? nil : next
                if isEnd { break }
            }
            index = next
        }
        // One without an end goes as far as there is anything.
        if let start, start <= body.endIndex, parts.count < maximum { parts.append(body[start...]) }
        return parts
    }

    /// The line end before a boundary belongs to the boundary.
    private static func withoutLineEnd(_ body: ArraySlice<UInt8>, _ start: Int, _ index: Int) -> Int {
        var end = index
        if end > start, body[end - 1] == 10 { end -= 1 }
        if end > start, body[end - 1] == 13 { end -= 1 }
        return end
    }
}
