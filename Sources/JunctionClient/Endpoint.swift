/// Where a server listens.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// A Unix domain socket at this path.
    case unixSocket(String)
    /// An HTTP base URL such as `http://127.0.0.1:8080`, without a path.
    case http(String)

    /// The path or the URL.
    public var description: String {
        switch self {
        case .unixSocket(let path): path
        case .http(let url): url
        }
    }

    /// The start of every URL, to which a path beginning with a slash is appended.
    var baseURL: String {
        switch self {
        case .unixSocket(let path): "http+unix://" + percentEncoded(path)
        case .http(let url): url.last == "/" ? String(url.dropLast()) : url
        }
    }
}

/// The text with everything but unreserved characters (RFC 3986 clause 2.3) percent-encoded.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(byte)
        default:
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
