internal import Crypto

/// The digest of what makes two requests the same.
public enum RequestFingerprint {
    /// SHA-256 over the parts, each with its length, in hexadecimal digits.
    public static func of(_ parts: [[UInt8]]) -> String {
        var hasher = SHA256()
        for part in parts {
            withUnsafeBytes(of: UInt64(part.count).littleEndian) { hasher.update(bufferPointer: $0) }
            hasher.update(data: part)
        }
        var text = ""
        for byte in hasher.finalize() {
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }
}
