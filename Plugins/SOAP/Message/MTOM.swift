internal import ConnectorKit

/// Puts large binaries beside the message (MTOM 1.0, XOP 1.0).
struct MTOMSink: BinarySink, Sendable {
    /// How many are put beside one message; further ones stay in the text.
    private static let attachmentsMax = 1_000

    /// From how many bytes on.
    let threshold: Int
    private(set) var attachments: [(id: String, bytes: [UInt8])] = []

    init(threshold: Int) {
        self.threshold = threshold
    }

    mutating func take(base64: String) -> String? {
        let padding = base64.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard base64.utf8.count / 4 * 3 - padding >= self.threshold, self.attachments.count < Self.attachmentsMax,
            let bytes = Base64.decode(base64)
        else { return nil }
        let id = "part\(self.attachments.count + 1)@junction"
        self.attachments.append((id, bytes))
        return "cid:\(id)"
    }

    /// The body of the request, and its content type.
    func package(
        _ envelope: [UInt8], version: SOAPVersion, action: String, boundary: String
    ) -> (body: [UInt8], contentType: String) {
        var body: [UInt8] = []
        body.reserveCapacity(envelope.count + self.attachments.reduce(0) { $0 + $1.bytes.count + 200 } + 400)
        func part(_ headers: [String], _ content: [UInt8]) {
            body += "--\(boundary)\r\n\(headers.joined(separator: "\r\n"))\r\n\r\n".utf8
            body += content
            body += "\r\n".utf8
        }
        let action = version == .v12 && !action.isEmpty ? "; action=\"\(action.quotedParameter)\"" : ""
        part(
            [
                "Content-Type: application/xop+xml; charset=UTF-8; type=\"\(version.mediaType)\"\(action)",
                "Content-Transfer-Encoding: 8bit", "Content-ID: <root@junction>",
            ], envelope)
        for attachment in self.attachments {
            part(
                [
                    "Content-Type: application/octet-stream", "Content-Transfer-Encoding: binary",
                    "Content-ID: <\(attachment.id)>",
                ], attachment.bytes)
        }
        body += "--\(boundary)--\r\n".utf8
        let type =
            "multipart/related; type=\"application/xop+xml\"; start=\"<root@junction>\"; "
            + "start-info=\"\(version.mediaType)\"; boundary=\"\(boundary)\"\(action)"
        return (body, type)
    }
}

extension String {
    /// The inside of a quoted parameter: quotes and backslashes escaped, control characters left out.
    var quotedParameter: String {
        var text = ""
        for scalar in self.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7F {
            if scalar == "\"" || scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}

/// A media type with its parameters.
struct ContentType {
    var type = ""
    var parameters: [String: String] = [:]

    init(_ text: String) {
        var rest = text[...]
        self.type = Self.trimmed(rest.prefix { $0 != ";" }).lowercased()
        rest = rest.drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = Self.trimmed(rest.prefix { $0 != "=" && $0 != ";" }).lowercased()
            rest = rest.dropFirst(rest.prefix { $0 != "=" && $0 != ";" }.count)
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst()
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let next = rest.popFirst(), next != "\"" {
                    value.append(next == "\\" ? rest.popFirst() ?? "\\" : next)
                }
                rest = rest.drop { $0 != ";" }
            } else {
                value = Self.trimmed(rest.prefix { $0 != ";" })
                rest = rest.drop { $0 != ";" }
            }
            if self.parameters[name] == nil { self.parameters[name] = value }
        }
    }

    private static func trimmed(_ text: Substring) -> String { String(text).trimmingXMLSpace }
}
