import ConnectorKit
import Values

/// Writes the body of a request.
enum BodyEncoder {
    /// Why a value cannot be written in the encoding asked for.
    struct Failure: Error {
        var message: String
    }

    static func encode(
        _ value: Value, as encoding: BodySpec.Encoding, keepsNulls: Bool
    ) throws(Failure) -> (bytes: [UInt8], contentType: String) {
        let value = keepsNulls ? value : value.withoutNulls
        switch encoding {
        case .json: return (Array(JSON.string(value).utf8), "application/json")
        case .ndjson:
            guard let items = value.asList else { throw Failure(message: "Expected the body to be a list of lines.") }
            let lines = items.map { JSON.string($0) + "\n" }.joined()
            return (Array(lines.utf8), "application/x-ndjson")
        case .form: return (Array(try Self.form(value, nested: false).utf8), "application/x-www-form-urlencoded")
        case .formBrackets:
            return (Array(try Self.form(value, nested: true).utf8), "application/x-www-form-urlencoded")
        case .multipart: return try Self.multipart(value)
        case .text: return (Array((value.plainText ?? "").utf8), "text/plain; charset=utf-8")
        case .xml: return (Array((value.plainText ?? "").utf8), "application/xml")
        case .raw: return (Array((value.plainText ?? "").utf8), "application/octet-stream")
        case .base64:
            guard let bytes = value.asString.flatMap({ Base64.decode($0) }) else {
                throw Failure(message: "Expected the body to be base64 text.")
            }
            return (bytes, "application/octet-stream")
        }
    }

    /// `name=value` pairs; nested values get brackets, `metadata[tier]`, `items[0][price]`.
    ///
    /// Without nesting, a list repeats its name.
    private static func form(_ value: Value, nested: Bool) throws(Failure) -> String {
        guard let members = value.asContext else {
            throw Failure(message: "Expected the body to be a context of form fields.")
        }
        var pairs: [String] = []
        for (name, value) in members {
            for (path, text) in Self.pairs(name, value, nested: nested) {
                pairs.append(Self.name(path) + "=" + URLEncoding.form(text))
            }
        }
        return pairs.joined(separator: "&")
    }

    /// A name with its brackets left readable: they stand for structure, not for themselves.
    private static func name(_ path: String) -> String {
        URLEncoding.form(path).replacing("%5B", with: "[").replacing("%5D", with: "]")
    }

    /// The fields a value becomes.
    static func pairs(_ name: String, _ value: Value, nested: Bool) -> [(String, String)] {
        switch value {
        case .null: return []
        case .list(let items):
            return items.enumerated().flatMap { index, item in
                Self.pairs(nested ? "\(name)[\(index)]" : name, item, nested: nested)
            }
        case .context(let members) where nested:
            return members.flatMap { Self.pairs("\(name)[\($0.key)]", $0.value, nested: nested) }
        default:
            return [(name, value.plainText ?? "")]
        }
    }

    // MARK: - Multipart

    private static func multipart(_ value: Value) throws(Failure) -> (bytes: [UInt8], contentType: String) {
        guard let members = value.asContext else {
            throw Failure(message: "Expected the body to be a context of parts.")
        }
        var parts: [(head: String, content: [UInt8])] = []
        for (name, value) in members {
            for value in value.asList ?? [value] { parts.append(try Self.part(name, value)) }
        }
        let boundary = Self.boundary(parts.map(\.content))
        var bytes: [UInt8] = []
        for part in parts {
            bytes += Array("--\(boundary)\r\n\(part.head)\r\n\r\n".utf8)
            bytes += part.content
            bytes += Array("\r\n".utf8)
        }
        bytes += Array("--\(boundary)--\r\n".utf8)
        return (bytes, "multipart/form-data; boundary=\(boundary)")
    }

    /// A field, or a file: a context with `base64` or `text`, and `filename` and `contentType` as needed.
    private static func part(_ name: String, _ value: Value) throws(Failure) -> (head: String, content: [UInt8]) {
        var head = "Content-Disposition: form-data; name=\"\(Self.quoted(name))\""
        guard let file = value.asContext else { return (head, Array((value.plainText ?? "").utf8)) }
        if let filename = file["filename"]?.asString { head += "; filename=\"\(Self.quoted(filename))\"" }
        if let type = file["contentType"]?.asString {
            head += "\r\nContent-Type: \(type.filter { !$0.isNewline })"
        }
        if let text = file["text"]?.plainText { return (head, Array(text.utf8)) }
        guard let bytes = file["base64"]?.asString.flatMap({ Base64.decode($0) }) else {
            throw Failure(message: "Expected the part \"\(name)\" to have text or base64.")
        }
        return (head, bytes)
    }

    /// A name as HTML writes it into a part's head.
    private static func quoted(_ text: String) -> String {
        text.replacing("\r", with: "%0D").replacing("\n", with: "%0A").replacing("\"", with: "%22")
    }

    /// A boundary that stands in no part.
    private static func boundary(_ contents: [[UInt8]]) -> String {
        var number = 0
        while true {
            let boundary = "junction-part-\(number)"
            let bytes = Array(boundary.utf8)
            if !contents.contains(where: { $0.count >= bytes.count && $0.firstRange(of: bytes) != nil }) {
                return boundary
            }
            number += 1
        }
    }
}
