/// Writes a `multipart/form-data` body (RFC 7578).
struct MultipartWriter {
    private var bytes: [UInt8] = []
    private let boundary: String

    /// The boundary must not occur in a part; a random one of 128 bits does not.
    init(boundary: String = "junction-\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))") {
        self.boundary = boundary
    }

    var contentType: String { "multipart/form-data; boundary=\(self.boundary)" }

    mutating func file(_ field: String, name: String, bytes: [UInt8]) {
        let escaped = name.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "%22"
            case "\r", "\n": "_"
            default: String(scalar)
            }
        }.joined()
        self.bytes += "--\(self.boundary)\r\n".utf8
        self.bytes += "Content-Disposition: form-data; name=\"\(field)\"; filename=\"\(escaped)\"\r\n".utf8
        self.bytes += "Content-Type: application/octet-stream\r\n\r\n".utf8
        self.bytes += bytes
        self.bytes += "\r\n".utf8
    }

    mutating func field(_ name: String, _ text: String) {
        self.bytes += "--\(self.boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8
        self.bytes += text.utf8
        self.bytes += "\r\n".utf8
    }

    func finish() -> [UInt8] {
        self.bytes + "--\(self.boundary)--\r\n".utf8
    }
}
