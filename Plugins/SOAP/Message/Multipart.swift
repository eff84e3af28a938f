internal import ConnectorKit

/// An answer in several parts (RFC 2387): the message, and what it refers to.
struct Multipart {
    private static let partsMax = 1_000
    private static let headerBytesMax = 16 << 10

    /// The message.
    private(set) var root: [UInt8] = []
    /// The other parts, by the id a reference gives, as base64.
    private(set) var attachments: [String: String] = [:]

    /// Takes a body apart.
    ///
    /// - Throws: `ConnectorError` when it is not what its content type says.
    init(_ body: [UInt8], _ type: ContentType) throws(ConnectorError) {
        guard let boundary = type.parameters["boundary"], (1...200).contains(boundary.utf8.count) else {
            throw SOAPErrors.attachment("the content type has no boundary")
        }
        let parts = try Self.split(body, boundary)
        guard !parts.isEmpty else { throw SOAPErrors.attachment("there is no part between boundaries") }
        let start = type.parameters["start"].map(Self.bare)
        var rootIndex = 0
        var read: [(id: String, bytes: ArraySlice<UInt8>, encoding: String)] = []
        for (index, part) in parts.enumerated() {
            let (headers, content) = try Self.read(part)
            let id = headers["content-id"].map(Self.bare) ?? ""
            if let start, id == start { rootIndex = index }
            read.append((id, content, (headers["content-transfer-encoding"] ?? "binary").lowercased()))
        }
        self.root = try Self.decoded(read[rootIndex].bytes, read[rootIndex].encoding)
        for (index, part) in read.enumerated() where index != rootIndex && !part.id.isEmpty {
            guard self.attachments[part.id] == nil else {
                throw SOAPErrors.attachment("two parts have the same id")
            }
            self.attachments[part.id] = Base64.encode(try Self.decoded(part.bytes, part.encoding))
        }
    }

    /// What a `cid:` reference leads to, as base64.
    func attachment(_ reference: String) -> String? {
        guard reference.lowercased().hasPrefix("cid:") else { return nil }
        let id = String(reference.dropFirst(4))
        return self.attachments[id] ?? self.attachments[Self.percentDecoded(id)]
    }

    private static func bare(_ id: String) -> String {
        var id = id.trimmingXMLSpace
        if id.hasPrefix("<"), id.hasSuffix(">") { id = String(id.dropFirst().dropLast()) }
        return id
    }

    private static func percentDecoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>, _ encoding: String) throws(ConnectorError) -> [UInt8] {
        switch encoding {
        case "binary", "8bit", "7bit": return Array(bytes)
        case "base64":
            guard let decoded = Base64.decode(String(decoding: bytes, as: UTF8.self).xmlTokens.joined()) else {
                throw SOAPErrors.attachment("a part is not the base64 it is said to be")
            }
            return decoded
        default: throw SOAPErrors.attachment("a part has the encoding \(encoding.prefix(40))")
        }
    }

    // MARK: - Cutting

    /// What stands between the boundaries.
    private static func split(_ body: [UInt8], _ boundary: String) throws(ConnectorError) -> [ArraySlice<UInt8>] {
        let delimiter = Array("--\(boundary)".utf8)
        var parts: [ArraySlice<UInt8>] = []
        var start: Int?
        var position = 0
        while let found = Self.find(delimiter, body, from: position) {
            // A delimiter begins a line; the line end before it belongs to it.
            var end = found
            if end > 0, body[end - 1] == 0x0A { end -= 1 }
            if end > 0, end < found, body[end - 1] == 0x0D { end -= 1 }
            if let start, end >= start { parts.append(body[start..<end]) }
            guard parts.count <= Self.partsMax else {
                throw SOAPErrors.attachment("there are more than \(Self.partsMax) parts")
            }
            position = found + delimiter.count
            if body[position...].starts(with: [0x2D, 0x2D]) { return parts }
            while position < body.count, body[position] != 0x0A { position += 1 }
            position += 1
            start = position
        }
        throw SOAPErrors.attachment("the last boundary is missing")
    }

    /// Where the next delimiter that begins a line is.
    private static func find(_ delimiter: [UInt8], _ body: [UInt8], from start: Int) -> Int? {
        body.withUnsafeBufferPointer { bytes in
            delimiter.withUnsafeBufferPointer { wanted in
                guard let first = wanted.first, bytes.count >= wanted.count else { return nil }
                var position = start
                while position + wanted.count <= bytes.count {
                    if bytes[position] == first, position == 0 || bytes[position - 1] == 0x0A,
                        (1..<wanted.count).allSatisfy({ bytes[position + $0] == wanted[$0] })
                    {
                        return position
                    }
                    position += 1
                }
                return nil
            }
        }
    }

    /// The header fields of a part, names in lower case, and its content.
    private static func read(
        _ part: ArraySlice<UInt8>
    ) throws(ConnectorError) -> (headers: [String: String], content: ArraySlice<UInt8>) {
        var headers: [String: String] = [:]
        var rest = part
        while true {
            guard let end = rest.firstIndex(of: 0x0A), end - part.startIndex <= Self.headerBytesMax else {
                throw SOAPErrors.attachment("a part's header does not end within \(Self.headerBytesMax) bytes")
            }
            let line = String(decoding: rest[..<end], as: UTF8.self).trimmingXMLSpace
            rest = rest[(end + 1)...]
            if line.isEmpty { return (headers, rest) }
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = String(line[..<colon]).lowercased()
            headers[name] = String(line[line.index(after: colon)...]).trimmingXMLSpace
        }
    }
}
