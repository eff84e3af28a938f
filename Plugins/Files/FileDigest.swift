internal import Crypto

/// A digest that grows piece by piece.
struct FileDigest {
    enum Algorithm: String, CaseIterable {
        case sha256, sha512, sha1, md5
    }

    private enum State {
        case sha256(SHA256)
        case sha512(SHA512)
        case sha1(Insecure.SHA1)
        case md5(Insecure.MD5)
    }

    private var state: State

    init(_ algorithm: Algorithm) {
        self.state =
            switch algorithm {
            case .sha256: .sha256(SHA256())
            case .sha512: .sha512(SHA512())
            case .sha1: .sha1(Insecure.SHA1())
            case .md5: .md5(Insecure.MD5())
            }
    }

    mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            switch self.state {
            case .sha256(var hash):
                hash.update(bufferPointer: buffer)
                self.state = .sha256(hash)
            case .sha512(var hash):
                hash.update(bufferPointer: buffer)
                self.state = .sha512(hash)
            case .sha1(var hash):
                hash.update(bufferPointer: buffer)
                self.state = .sha1(hash)
            case .md5(var hash):
                hash.update(bufferPointer: buffer)
                self.state = .md5(hash)
            }
        }
    }

    /// The digest in lower-case hexadecimal.
    func finalize() -> String {
        switch self.state {
        case .sha256(let hash): Self.hex(hash.finalize())
        case .sha512(let hash): Self.hex(hash.finalize())
        case .sha1(let hash): Self.hex(hash.finalize())
        case .md5(let hash): Self.hex(hash.finalize())
        }
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
