internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// How a body is written.
enum HTTPBodyEncoding: String, CaseIterable, Sendable {
    case json, text, form, base64, multipart, file
}

/// A body as the input describes it: files are not open yet.
enum HTTPBodyDraft: Sendable {
    struct Part: Sendable {
        var name: String
        var content: Content
        var filename: String?
        var contentType: String?
    }

    enum Content: Sendable {
        case bytes([UInt8])
        case file(String)
    }

    case bytes([UInt8], contentType: String)
    case file(String)
    case multipart([Part])

    var isJSON: Bool {
        if case .bytes(_, "application/json") = self { true } else { false }
    }

    /// The body, with its files open.
    ///
    /// - Throws: `ConnectorError` when one cannot be.
    func opened(in directory: BlobDirectory?) async throws -> HTTPRequest.Body {
        switch self {
        case .bytes(let bytes, let type): return .bytes(bytes, contentType: type)
        case .file(let name):
            return .file(try await Self.open(name, directory), contentType: "application/octet-stream")
        case .multipart(let parts):
            var opened: [HTTPPart] = []
            for part in parts {
                let content: HTTPPart.Content
                switch part.content {
                case .bytes(let bytes): content = .bytes(bytes)
                case .file(let name): content = .file(try await Self.open(name, directory))
                }
                opened.append(
                    HTTPPart(
                        name: part.name, content: content, filename: part.filename, contentType: part.contentType))
            }
            return .multipart(opened)
        }
    }

    private static func open(_ name: String, _ directory: BlobDirectory?) async throws -> HTTPFile {
        guard let directory else { throw HTTPFiles.noDirectory }
        do {
            return try await directory.opened(name)
        } catch {
            throw HTTPFileFailure.error(error)
        }
    }
}

/// Reads `body` of an input.
struct HTTPBodyReader {
    let reader: FieldReader
    /// How many parts a form may have.
    private static let partsMaximum = 1_000

    /// The body, if there is one; what is wrong is added to the reader.
    func body(_ method: HTTPMethod) -> HTTPBodyDraft? {
        let encoding = self.reader.word("bodyEncoding", of: HTTPBodyEncoding.self)
        guard let value = self.reader.value("body") else { return nil }
        if method == .get || method == .head {
            self.reader.add(
                "input.body: a \(method.rawValue) request has no body.", "Use another method, or leave it out.")
            return nil
        }
        switch encoding ?? (value.asString == nil ? .json : .text) {
        case .json:
            var bytes: [UInt8] = []
            JSON.write(value, into: &bytes)
            return .bytes(bytes, contentType: "application/json")
        case .text:
            guard let text = HTTPInput.text(value) else { return self.wrong("a text") }
            return .bytes(Array(text.utf8), contentType: "text/plain; charset=utf-8")
        case .form:
            guard value.asContext != nil, let fields = self.reader.object("body") else {
                return self.wrong("an object of form fields")
            }
            return .bytes(
                Array(PercentEncoding.form(HTTPInput.pairs(fields)).utf8),
                contentType: "application/x-www-form-urlencoded")
        case .base64:
            guard let decoded = value.asString.flatMap({ Base64.decode($0) }) else { return self.wrong("base64") }
            return .bytes(decoded, contentType: "application/octet-stream")
        case .file:
            guard let name = value.asString, BlobDirectory.isName(name) else {
                return self.wrong("the plain name of a file in blobDirectory")
            }
            return .file(name)
        case .multipart: return self.multipart(value)
        }
    }

    private func wrong(_ expected: String) -> HTTPBodyDraft? {
        self.reader.add("input.body: expected \(expected).")
        return nil
    }

    private func multipart(_ value: Value) -> HTTPBodyDraft? {
        guard let items = value.asList, (1...Self.partsMaximum).contains(items.count) else {
            return self.wrong("a list of 1 to \(Self.partsMaximum) parts")
        }
        var parts: [HTTPBodyDraft.Part] = []
        for (index, item) in items.enumerated() {
            let reader = FieldReader(
                item, path: "input.body[\(index)]", code: ConnectorError.Code.invalidParameters)
            if let part = Self.part(reader) { parts.append(part) }
            reader.finish()
            for problem in reader.diagnostics { self.reader.add(problem.message, problem.remedy) }
        }
        return .multipart(parts)
    }

    private static func part(_ reader: FieldReader) -> HTTPBodyDraft.Part? {
        reader.require("name")
        let name = reader.string("name")
        let (filename, contentType) = (reader.string("filename"), reader.string("contentType"))
        let given = ["value", "base64", "file"].filter { reader.has($0) }
        guard given.count == 1 else {
            reader.add("\(reader.path): expected one of value, base64 and file.")
            return nil
        }
        if let contentType, let problem = HTTPFields.problem(name: "Content-Type", value: contentType) {
            reader.add("\(reader.path).contentType: \(problem)")
        }
        var content: HTTPBodyDraft.Content?
        var type = contentType
        switch given[0] {
        case "value":
            let value = reader.value("value") ?? .null
            if let text = HTTPInput.text(value) {
                content = .bytes(Array(text.utf8))
            } else {
                var bytes: [UInt8] = []
                JSON.write(value, into: &bytes)
                content = .bytes(bytes)
                type = type ?? "application/json"
            }
        case "base64":
            content = reader.string("base64").flatMap { Base64.decode($0) }.map { .bytes($0) }
            if content == nil { reader.add("\(reader.path).base64: expected base64.") }
        default:
            content = reader.string("file").flatMap { BlobDirectory.isName($0) ? .file($0) : nil }
            if content == nil { reader.add("\(reader.path).file: expected the plain name of a file in blobDirectory.") }
        }
        guard let name, let content else { return nil }
        var part = HTTPBodyDraft.Part(name: name, content: content, filename: filename, contentType: type)
        if case .file(let file) = content {
            part.filename = filename ?? file
            part.contentType = type ?? "application/octet-stream"
        }
        return part
    }
}

/// Simple values of inputs as texts.
enum HTTPInput {
    /// A simple value as text: numbers in plain notation, temporals as ISO 8601.
    ///
    /// `nil` for everything else.
    static func text(_ value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.description
        case .boolean(let flag): flag ? "true" : "false"
        case .null, .list, .context, .range, .function: nil
        default: value.temporalText
        }
    }

    /// The fields of an object as pairs; a list repeats the name, null leaves it out.
    static func pairs(_ reader: FieldReader) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for name in reader.keys() {
            guard let value = reader.value(name) else { continue }
            for item in value.asList ?? [value] where !item.isNull {
                guard let text = Self.text(item) else {
                    reader.add("\(reader.path).\(name): expected a text, a number, true, false or a list of these.")
                    continue
                }
                pairs.append((name, text))
            }
        }
        return pairs
    }
}

/// Files of a connection.
enum HTTPFiles {
    static let noDirectory = ConnectorError(
        .validation, code: HTTPErrorCode.file, "The connection has no blobDirectory.",
        remedy: "Name the directory for files in blobDirectory of the connection.")
}
