public import ConnectorKit
internal import Crypto
internal import Values

/// A signature over parts of the request, the way many services describe it: a text, a key, a header field.
public struct HMACSettings: Sendable {
    /// The hash.
    public enum Algorithm: String, Sendable, CaseIterable {
        /// SHA-1: for old services only.
        case sha1
        /// SHA-256.
        case sha256
        /// SHA-384.
        case sha384
        /// SHA-512.
        case sha512
    }

    /// How the signature is written.
    public enum Encoding: String, Sendable, CaseIterable {
        /// Lower-case hexadecimal.
        case hex
        /// Base64 with padding.
        case base64
        /// Base64 for URLs, without padding.
        case base64url
    }

    /// How the time is written.
    public enum TimeFormat: String, Sendable, CaseIterable {
        /// Unix seconds.
        case seconds
        /// Unix milliseconds.
        case milliseconds
        /// `2026-01-31T23:59:59Z`.
        case iso8601
    }

    /// The key.
    public var key: SecretReference
    /// How the key is written.
    public var keyEncoding = SecretEncoding.text
    /// The hash.
    public var algorithm = Algorithm.sha256
    /// What is signed, with names in braces: `{method}`, `{host}`, `{path}`, `{query}`, `{target}` (path and query),
    /// `{timestamp}`, `{nonce}`, `{body}`, `{bodyHash}` (hexadecimal, by `algorithm`), `{header:name}`.
    public var text: String
    /// Where the signature goes.
    public var header: String
    /// What stands before it, such as `sha256=`; names in braces as in `text`.
    public var prefix = ""
    /// How it is written.
    public var encoding = Encoding.hex
    /// Where the time goes, if anywhere.
    public var timestampHeader: String?
    /// How the time is written.
    public var timestampFormat = TimeFormat.seconds
    /// Where the nonce goes, if anywhere.
    public var nonceHeader: String?

    /// Creates settings.
    public init(key: SecretReference, text: String, header: String) {
        self.key = key
        self.text = text
        self.header = header
    }

    init?(_ reader: FieldReader) {
        reader.require("header")
        reader.require("stringToSign")
        let key = reader.secret("key")
        let text = reader.string("stringToSign")
        let header = reader.string("header")
        let prefix = reader.string("prefix") ?? ""
        let encoding = reader.word("encoding", of: Encoding.self) ?? .hex
        let algorithm = reader.word("algorithm", of: Algorithm.self) ?? .sha256
        let keyEncoding = reader.word("keyEncoding", of: SecretEncoding.self) ?? .text
        let timestampHeader = reader.string("timestampHeader")
        let format = reader.word("timestampFormat", of: TimeFormat.self) ?? .seconds
        let nonceHeader = reader.string("nonceHeader")
        for name in [header, timestampHeader, nonceHeader].compactMap({ $0 }) {
            if let problem = HTTPFields.problem(name: name, value: "") { reader.add("\(reader.path): \(problem)") }
        }
        for (field, template) in [("stringToSign", text), ("prefix", prefix)] {
            guard let template else { continue }
            if let unknown = HMACTemplate(template).unknownName {
                reader.add(
                    "\(reader.path).\(field): {\(unknown.prefix(40))} is no part of a request.",
                    "Known here: \(HMACTemplate.names.joined(separator: ", ")), header:NAME.")
            }
        }
        guard let key, let text, let header else { return nil }
        self.init(key: key, text: text, header: header)
        self.prefix = prefix
        self.encoding = encoding
        self.algorithm = algorithm
        self.keyEncoding = keyEncoding
        self.timestampHeader = timestampHeader
        self.timestampFormat = format
        self.nonceHeader = nonceHeader
    }
}

/// A text with names in braces.
struct HMACTemplate {
    static let names = ["method", "host", "path", "query", "target", "timestamp", "nonce", "body", "bodyHash"]

    private enum Piece {
        case text(String)
        case name(String)
    }

    private var pieces: [Piece] = []

    init(_ template: String) {
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            self.pieces.append(.text(String(rest[..<open])))
            self.pieces.append(.name(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        self.pieces.append(.text(String(rest)))
    }

    /// A name that means nothing, if there is one.
    var unknownName: String? {
        for case .name(let name) in self.pieces where !Self.names.contains(name) && !name.hasPrefix("header:") {
            return name
        }
        return nil
    }

    func uses(_ name: String) -> Bool {
        self.pieces.contains { piece in if case .name(name) = piece { true } else { false } }
    }

    func filled(_ value: (String) -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in self.pieces {
            switch piece {
            case .text(let text): bytes += text.utf8
            case .name(let name): bytes += value(name)
            }
        }
        return bytes
    }
}

extension HMACSettings {
    /// Adds time, nonce and signature.
    ///
    /// - Throws: `UnusableKey`, `HTTPFileError`, `HTTPRequest.Problem`.
    func sign(_ message: inout HTTPMessage, key: String, unixMilliseconds: Int64, nonce: String) throws {
        guard let keyBytes = self.keyEncoding.bytes(key), !keyBytes.isEmpty else { throw UnusableKey() }
        let timestamp: String
        switch self.timestampFormat {
        case .seconds: timestamp = String(unixMilliseconds / 1_000)
        case .milliseconds: timestamp = String(unixMilliseconds)
        case .iso8601: timestamp = UTCTime(unixMilliseconds: unixMilliseconds).extended
        }
        if let header = self.timestampHeader { try message.set(header, timestamp) }
        if let header = self.nonceHeader { try message.set(header, nonce) }
        let template = HMACTemplate(self.text)
        let body = message.body ?? HTTPContent([])
        var bodyBytes: [UInt8] = []
        if template.uses("body") {
            guard let bytes = body.bytes else {
                throw HTTPRequest.Problem(
                    field: "body", message: "The signature covers the body, which is a file.",
                    remedy: "Use {bodyHash} if the service takes that, or send the body from memory.")
            }
            bodyBytes = bytes
        }
        let hash = template.uses("bodyHash") ? Hex.encode(try self.hash(body)) : ""
        let signed = message
        let value: (String) -> [UInt8] = { name in
            switch name {
            case "body": return bodyBytes
            case "bodyHash": return Array(hash.utf8)
            case "timestamp": return Array(timestamp.utf8)
            case "nonce": return Array(nonce.utf8)
            case "method": return Array(signed.method.utf8)
            case "host": return Array(signed.address.authority.utf8)
            case "path": return Array(signed.address.path.utf8)
            case "query": return Array((signed.address.query ?? "").utf8)
            case "target": return Array(signed.address.target.utf8)
            default: return Array((signed.value(String(name.dropFirst("header:".count))) ?? "").utf8)
            }
        }
        let signature = self.code(template.filled(value), SymmetricKey(data: keyBytes))
        let prefix = String(decoding: HMACTemplate(self.prefix).filled(value), as: UTF8.self)
        let text =
            switch self.encoding {
            case .hex: Hex.encode(signature)
            case .base64: Base64.encode(signature)
            case .base64url: Base64URL.encode(signature)
            }
        try message.set(self.header, prefix + text)
    }

    private func code(_ text: [UInt8], _ key: SymmetricKey) -> [UInt8] {
        switch self.algorithm {
        case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: text, using: key))
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: text, using: key))
        case .sha384: Array(HMAC<SHA384>.authenticationCode(for: text, using: key))
        case .sha512: Array(HMAC<SHA512>.authenticationCode(for: text, using: key))
        }
    }

    private func hash(_ body: HTTPContent) throws -> [UInt8] {
        switch self.algorithm {
        case .sha1: try body.hash(Insecure.SHA1.self)
        case .sha256: try body.hash(SHA256.self)
        case .sha384: try body.hash(SHA384.self)
        case .sha512: try body.hash(SHA512.self)
        }
    }
}

/// A moment in UTC, as signatures write it.
struct UTCTime {
    private let year: Int64
    private let month: Int64
    private let day: Int64
    private let second: Int64

    init(unixMilliseconds: Int64) {
        let seconds = unixMilliseconds / 1_000
        self.second = seconds % 86_400
        // Days since 0000-03-01, in eras of 400 years.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * shifted + 2) / 5 + 1
        self.month = shifted < 10 ? shifted + 3 : shifted - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    private func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private func text(_ dash: String, _ colon: String) -> String {
        let date = [self.padded(self.year, 4), self.padded(self.month, 2), self.padded(self.day, 2)]
        let time = [self.second / 3_600, self.second / 60 % 60, self.second % 60].map { self.padded($0, 2) }
        return date.joined(separator: dash) + "T" + time.joined(separator: colon) + "Z"
    }

    /// `20260131T235959Z`.
    var basic: String { self.text("", "") }
    /// `2026-01-31T23:59:59Z`.
    var extended: String { self.text("-", ":") }
}
