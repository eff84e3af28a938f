internal import CCurlShim

/// A URL taken apart by libcurl's own parser, so that what is checked is what is called.
public struct HTTPAddress: Sendable, Hashable {
    /// In lower case.
    public let scheme: String
    /// In lower case; an IPv6 address in brackets.
    public let host: String
    /// That of the scheme when the URL names none.
    public let port: String
    /// Begins with a slash; escapes stay as they are.
    public let path: String
    /// Without the question mark.
    public let query: String?
    /// Whether it holds credentials.
    public let hasUser: Bool
    /// Whether it has a fragment.
    public let hasFragment: Bool
    /// The URL again, normalised.
    public let text: String

    /// Parses `text`, relative to `base` if given.
    ///
    /// `nil` when it is no URL.
    public init?(_ text: String, relativeTo base: String? = nil) {
        var parts = jhc_url()
        let code =
            if let base { jhc_url_parse(base, text, &parts) } else { jhc_url_parse(nil, text, &parts) }
        guard code == 0 else { return nil }
        defer { jhc_url_free(&parts) }
        self.scheme = String(cString: parts.scheme).lowercased()
        self.host = String(cString: parts.host).lowercased()
        self.port = String(cString: parts.port)
        self.path = String(cString: parts.path)
        self.query = parts.query.map { String(cString: $0) }
        self.hasUser = parts.user != nil
        self.hasFragment = parts.fragment != nil
        self.text = String(cString: parts.whole)
    }

    /// Path and query, as they are sent.
    public var target: String { self.query.map { self.path + "?" + $0 } ?? self.path }

    /// Host and port as `Host` names them: without a port that is the scheme's own.
    public var authority: String {
        self.port == (self.scheme == "https" ? "443" : "80") ? self.host : "\(self.host):\(self.port)"
    }

    /// Whether the scheme is `http` or `https`.
    public var isHTTP: Bool { self.scheme == "https" || self.scheme == "http" }

    /// Whether both lead to the same server, in the sense of the web's origin.
    public func hasSameOrigin(as other: HTTPAddress) -> Bool {
        self.scheme == other.scheme && self.host == other.host && self.port == other.port
    }
}

/// Percent-encoding after RFC 3986.
public enum PercentEncoding {
    /// Encodes everything but unreserved characters: for names and values of a query.
    public static func component(_ text: String) -> String {
        Self.encode(text) { $0.isUnreserved }
    }

    /// Encodes what may not stand in a path; leaves `/` and escapes that are already there.
    public static func path(_ text: String) -> String {
        Self.encode(text) { $0.isUnreserved || "/%!$&'()*+,;=:@".utf8.contains($0) }
    }

    /// Writes `name=value` pairs, joined by `&`: a query, or the body of a form.
    public static func form(_ pairs: [(String, String)]) -> String {
        pairs.map { Self.component($0.0) + "=" + Self.component($0.1) }.joined(separator: "&")
    }

    /// Undoes percent-encoding; what is no escape stays.
    static func decoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let escaped = Hex.decode(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self))
            {
                result += escaped
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func encode(_ text: String, keeping: (UInt8) -> Bool) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if keeping(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isUnreserved: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
