/// A `multipart/form-data` body (RFC 7578), read strictly: a malformed part refuses the whole body.
struct MultipartForm: Sendable {
    /// One part of the form.
    struct Part: Sendable, Hashable {
        var name: String
        var fileName: String?
        var contentType: String?
        var bytes: [UInt8]
    }

    private static let partCountMax = 1_000
    private static let headerBytesMax = 8 * 1_024
    private static let crlf: [UInt8] = [13, 10]
    private static let dashes: [UInt8] = [45, 45]

    /// The parts in the order sent.
    let parts: [Part]

    /// Reads a body with the boundary its `Content-Type` header names.
    init(_ body: [UInt8], contentType: String) throws(ProblemDetails) {
        let boundary = try Self.boundary(contentType)
        let delimiter = Self.dashes + Array(boundary.utf8)
        guard body.starts(with: delimiter) else {
            throw .malformedMultipart("it does not begin with the boundary \(quoted(boundary)).")
        }
        var parts: [Part] = []
        var position = delimiter.count
        while true {
            if body[position...].starts(with: Self.dashes) { break }
            guard body[position...].starts(with: Self.crlf) else {
                throw .malformedMultipart("a boundary is not followed by a line end.")
            }
            position += 2
            guard parts.count < Self.partCountMax else {
                throw .malformedMultipart("it has more than \(Self.partCountMax) parts.")
            }
            guard let headerEnd = Self.find(Self.crlf + Self.crlf, in: body, from: position),
                headerEnd - position <= Self.headerBytesMax
            else {
                throw .malformedMultipart("the headers of part \(parts.count + 1) do not end.")
            }
            guard let end = Self.find(Self.crlf + delimiter, in: body, from: headerEnd + 2) else {
                throw .malformedMultipart("part \(parts.count + 1) does not end with the boundary.")
            }
            var part = try Self.part(headers: body[position..<headerEnd], number: parts.count + 1)
            // A part without content ends where its headers end.
            part.bytes = end > headerEnd + 4 ? Array(body[(headerEnd + 4)..<end]) : []
            parts.append(part)
            position = end + 2 + delimiter.count
        }
        self.parts = parts
    }

    private static func boundary(_ contentType: String) throws(ProblemDetails) -> String {
        let parameters = try Self.parameters(of: contentType)
        guard parameters.value.lowercased() == "multipart/form-data" else {
            throw .mediaType(contentType, expected: "multipart/form-data")
        }
        guard let boundary = parameters.named["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw .malformedMultipart("Content-Type has no boundary of 1 to 70 characters.")
        }
        return boundary
    }

    private static func part(headers: ArraySlice<UInt8>, number: Int) throws(ProblemDetails) -> Part {
        var name: String?
        var part = Part(name: "", bytes: [])
        for line in String(decoding: headers, as: UTF8.self).split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else {
                throw .malformedMultipart("part \(number) has a header without a colon.")
            }
            let value = trimmed(line[line.index(after: colon)...])
            switch line[..<colon].lowercased() {
            case "content-disposition":
                let disposition = try Self.parameters(of: value)
                guard disposition.value.lowercased() == "form-data" else {
                    throw .malformedMultipart("part \(number) is not form-data.")
                }
                name = disposition.named["name"]
                part.fileName = disposition.named["filename"]
            case "content-type":
                part.contentType = String(value)
            default:
                break
            }
        }
        guard let name else { throw .malformedMultipart("part \(number) has no name.") }
        part.name = name
        return part
    }

    /// Splits `value; name=token; name="quoted"`.
    private static func parameters(
        of text: some StringProtocol
    ) throws(ProblemDetails) -> (value: String, named: [String: String]) {
        var characters = Array(text.unicodeScalars)[...]
        let value = characters.prefix { $0 != ";" }
        characters = characters.dropFirst(value.count)
        var named: [String: String] = [:]
        while characters.first == ";" {
            characters = characters.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = characters.prefix { $0 != "=" && $0 != ";" }
            characters = characters.dropFirst(name.count)
            guard characters.first == "=" else {
                if name.isEmpty { continue }
                throw .malformedMultipart("a header parameter has no value.")
            }
            characters = characters.dropFirst()
            named[Self.text(name).lowercased()] = try Self.parameterValue(&characters)
        }
        return (String(trimmed(Self.text(value))), named)
    }

    private static func parameterValue(_ characters: inout ArraySlice<Unicode.Scalar>) throws(ProblemDetails) -> String
    {
        guard characters.first == "\"" else {
            let token = characters.prefix { $0 != ";" }
            characters = characters.dropFirst(token.count)
            return String(trimmed(Self.text(token)))
        }
        characters = characters.dropFirst()
        var value = String.UnicodeScalarView()
        while let scalar = characters.popFirst() {
            if scalar == "\"" {
                characters = characters.drop { $0 == " " || $0 == "\t" }
                return String(value)
            }
            if scalar == "\\", let escaped = characters.first, escaped == "\"" || escaped == "\\" {
                value.append(escaped)
                characters = characters.dropFirst()
            } else {
                value.append(scalar)
            }
        }
        throw .malformedMultipart("a quoted header parameter does not end.")
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    /// The first position of `pattern` at or after `start`.
    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard start + pattern.count <= bytes.count, let first = pattern.first else { return nil }
        return bytes.withUnsafeBufferPointer { buffer in
            pattern.withUnsafeBufferPointer { pattern in
                for position in start...(bytes.count - pattern.count)
                where buffer[position] == first
                    && buffer[position..<(position + pattern.count)].elementsEqual(pattern)
                {
                    return position
                }
                return nil
            }
        }
    }
}

/// The text without spaces and tabs at its ends.
func trimmed(_ text: some StringProtocol) -> Substring {
    var slice = Substring(text)
    while let first = slice.first, first == " " || first == "\t" { slice.removeFirst() }
    while let last = slice.last, last == " " || last == "\t" { slice.removeLast() }
    return slice
}
