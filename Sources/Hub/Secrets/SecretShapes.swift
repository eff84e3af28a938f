import ConnectorKit
import Values

/// The shapes in which a remote gives a secret back that it was sent: as it is, escaped as in an address or in JSON, and
/// inside of base64, as in `Authorization: Basic …`.
enum SecretShapes {
    /// Parts of base64 shorter than this are not searched for: other data may have them.
    private static let encodedMin = 12

    /// Every shape of `secret`, itself included, each once.
    static func all(of secret: String) -> [String] {
        var shapes = [secret]
        func add(_ shape: String) { if !shapes.contains(shape) { shapes.append(shape) } }
        let escaped = Self.escaped(secret)
        add(escaped)
        add(escaped.replacing("%20", with: "+"))
        add(String(JSON.string(.string(secret)).dropFirst().dropLast()))
        for shape in Self.encoded(Array(secret.utf8)) where shape.utf8.count >= Self.encodedMin {
            add(shape)
            add(shape.replacing("+", with: "-").replacing("/", with: "_"))
        }
        return shapes
    }

    /// Percent-encoded as in a query.
    private static func escaped(_ text: String) -> String {
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

    /// What base64 makes of the bytes behind nothing, one and two other bytes: the characters that depend on the secret
    /// alone.
    private static func encoded(_ bytes: [UInt8]) -> [String] {
        (0..<3).map { offset in
            let text = Base64.encode([UInt8](repeating: 0, count: offset) + bytes)
            let end = (offset + bytes.count) * 8 / 6
            return String(text.prefix(end).dropFirst((offset * 8 + 5) / 6))
        }
    }
}
