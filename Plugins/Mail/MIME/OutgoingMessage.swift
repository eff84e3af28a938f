internal import ConnectorKit
internal import Values

/// A message to be sent: its parts, checked, and what they look like on the way (RFC 5322, 2045 to 2047, 2231).
struct OutgoingMessage: Sendable {
    /// Something sent along.
    struct Attachment: Sendable {
        var name: String
        var contentType: String
        var bytes: [UInt8]
        /// What HTML refers to it by; such a thing is shown within the text.
        var contentID: String?
    }

    var from: MailAddress
    var to: [MailAddress] = []
    var cc: [MailAddress] = []
    /// Named to the server only.
    var bcc: [MailAddress] = []
    var replyTo: [MailAddress] = []
    var subject = ""
    var text: String?
    var html: String?
    var attachments: [Attachment] = []
    var headers: [(name: String, value: String)] = []
    /// Without angle brackets.
    var messageID: String
    var unixMilliseconds: Int64

    /// Header fields that are written from the other parts.
    static let reservedHeaders: Set<String> = [
        "from", "to", "cc", "bcc", "reply-to", "sender", "subject", "date", "message-id", "mime-version", "return-path",
        "received",
    ]

    /// Everybody who gets it, once each.
    var recipients: [String] {
        var seen: Set<String> = []
        return (self.to + self.cc + self.bcc).map(\.address).filter { seen.insert($0.lowercased()).inserted }
    }

    /// The size of text and attachments before they are encoded.
    var contentBytes: Int {
        (self.text?.utf8.count ?? 0) + (self.html?.utf8.count ?? 0) + self.attachments.reduce(0) { $0 + $1.bytes.count }
    }

    /// The message, with CRLF line ends.
    func rendered() -> [UInt8] {
        var lines = [
            "Date: " + HeaderText.date(self.unixMilliseconds),
            HeaderText.addresses("From", [self.from]),
        ]
        if !self.to.isEmpty { lines.append(HeaderText.addresses("To", self.to)) }
        if !self.cc.isEmpty { lines.append(HeaderText.addresses("Cc", self.cc)) }
        if self.to.isEmpty, self.cc.isEmpty { lines.append("To: undisclosed-recipients:;") }
        if !self.replyTo.isEmpty { lines.append(HeaderText.addresses("Reply-To", self.replyTo)) }
        lines.append("Message-ID: <\(self.messageID)>")
        lines.append(HeaderText.unstructured("Subject", self.subject))
        for (name, value) in self.headers { lines.append(HeaderText.unstructured(name, value)) }
        lines.append("MIME-Version: 1.0")
        var bytes = Array(lines.joined(separator: "\r\n").utf8)
        bytes += "\r\n".utf8
        bytes += self.body()
        return bytes
    }

    /// The header fields of the content, an empty line, and the content.
    private func body() -> [UInt8] {
        guard !self.attachments.isEmpty else { return self.alternatives() }
        return Self.multipart(
            "mixed", [self.alternatives()] + self.attachments.map(Self.part), boundary: self.boundary("m"))
    }

    private func alternatives() -> [UInt8] {
        let plain = self.text ?? (self.html == nil ? "" : nil)
        switch (plain, self.html) {
        case (let plain?, let html?):
            return Self.multipart(
                "alternative", [Self.part(plain, "plain"), Self.part(html, "html")], boundary: self.boundary("a"))
        case (nil, let html?): return Self.part(html, "html")
        case (let plain, nil): return Self.part(plain ?? "", "plain")
        }
    }

    /// Cannot be in any part: quoted-printable has no `=_`, base64 no `_`, and plain text that has it is not sent as is.
    private func boundary(_ kind: String) -> String {
        "=_\(kind)_\(StableHash.fnv1a64(Array(self.messageID.utf8)))"
    }

    private static func multipart(_ subtype: String, _ parts: [[UInt8]], boundary: String) -> [UInt8] {
        var bytes = Array("Content-Type: multipart/\(subtype);\r\n boundary=\"\(boundary)\"\r\n\r\n".utf8)
        for part in parts {
            bytes += "--\(boundary)\r\n".utf8
            bytes += part
            if !bytes.hasLineEnd { bytes += "\r\n".utf8 }
        }
        bytes += "--\(boundary)--\r\n".utf8
        return bytes
    }

    private static func part(_ text: String, _ subtype: String) -> [UInt8] {
        let content = Self.withLineEnds(text)
        let isPlain = TransferEncoding.isPlain(content)
        let isASCII = content.allSatisfy { $0 < 128 }
        var bytes = Array(
            ("Content-Type: text/\(subtype); charset=\(isASCII ? "us-ascii" : "utf-8")\r\n"
                + "Content-Transfer-Encoding: \(isPlain ? "7bit" : "quoted-printable")\r\n\r\n").utf8)
        bytes += isPlain ? content : TransferEncoding.quotedPrintable(content)
        return bytes
    }

    private static func part(_ attachment: Attachment) -> [UInt8] {
        var head = "Content-Type: " + attachment.contentType + HeaderText.parameter("name", attachment.name)
        head += "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "
        head += (attachment.contentID == nil ? "attachment" : "inline")
        head += HeaderText.parameter("filename", attachment.name)
        if let id = attachment.contentID { head += "\r\nContent-ID: <\(id)>" }
        return Array((head + "\r\n\r\n").utf8) + TransferEncoding.base64(attachment.bytes)
    }

    /// The text with CRLF for every line end of whatever kind.
    private static func withLineEnds(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 64)
        var last: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case 13: bytes += [13, 10]
            case 10 where last == 13: break
            case 10: bytes += [13, 10]
            default: bytes.append(byte)
            }
            last = byte
        }
        return bytes
    }
}

extension [UInt8] {
    fileprivate var hasLineEnd: Bool { self.last == 10 }
}
