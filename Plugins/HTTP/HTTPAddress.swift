internal import CCurlShim

/// A URL taken apart by libcurl's own parser, so that what is checked is what is called.
struct HTTPAddress: Sendable, Hashable {
    var scheme: String
    var host: String
    var port: String
    var path: String
    var query: String?
    var hasUser: Bool
    var hasFragment: Bool
    /// The URL again, normalised.
    var text: String

    /// Parses `text`, relative to `base` if given.
    ///
    /// `nil` when it is no URL.
    init?(_ text: String, relativeTo base: String? = nil) {
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

    /// Whether both lead to the same server, in the sense of the web's origin.
    func hasSameOrigin(as other: HTTPAddress) -> Bool {
        self.scheme == other.scheme && self.host == other.host && self.port == other.port
    }
}

/// Percent-encoding after RFC 3986.
enum PercentEncoding {
    /// Encodes everything but unreserved characters: for names and values of a query.
    static func component(_ text: String) -> String {
        Self.encode(text) { $0.isUnreserved }
    }

    /// Encodes what may not stand in a path; leaves `/` and escapes that are already there.
    static func path(_ text: String) -> String {
        Self.encode(text) { $0.isUnreserved || "/%!$&'()*+,;=:@".utf8.contains($0) }
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
