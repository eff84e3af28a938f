internal import ConnectorKit

/// One part of a `multipart/form-data` body (RFC 7578).
public struct HTTPPart: Sendable {
    /// What it holds.
    public enum Content: Sendable {
        /// These bytes.
        case bytes([UInt8])
        /// A file, read while it is sent.
        case file(HTTPFile)
    }

    /// Name of the form field.
    public var name: String
    /// Name of the file it stands for, if any.
    public var filename: String?
    /// Its content type, if it is to say one.
    public var contentType: String?
    /// What it holds.
    public var content: Content

    /// Creates a part.
    public init(name: String, content: Content, filename: String? = nil, contentType: String? = nil) {
        self.name = name
        self.content = content
        self.filename = filename
        self.contentType = contentType
    }
}

/// Writes multipart bodies.
enum HTTPMultipart {
    /// A boundary that occurs in no part but by a chance of 1 in 2^128.
    static func boundary() -> String {
        var text = "junction-"
        for _ in 0..<2 { text += String(UInt64.random(in: 0 ... .max), radix: 36) }
        return text
    }

    static func content(_ parts: [HTTPPart], boundary: String) throws(HTTPRequest.Problem) -> HTTPContent {
        var content = HTTPContent([])
        for part in parts {
            var head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(Self.quoted(part.name))\""
            if let filename = part.filename { head += "; filename=\"\(Self.quoted(filename))\"" }
            if let type = part.contentType {
                if let problem = HTTPFields.problem(name: "Content-Type", value: type) {
                    throw HTTPRequest.Problem(field: "body", message: problem)
                }
                head += "\r\nContent-Type: \(type)"
            }
            content.append(head + "\r\n\r\n")
            switch part.content {
            case .bytes(let bytes): content.append(bytes)
            case .file(let file): content.append(file)
            }
            content.append("\r\n")
        }
        content.append("--\(boundary)--\r\n")
        return content
    }

    /// As browsers do: line ends and quotes percent-encoded, the rest as it is.
    private static func quoted(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x0A: result += "%0A".utf8
            case 0x0D: result += "%0D".utf8
            case 0x22: result += "%22".utf8
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
