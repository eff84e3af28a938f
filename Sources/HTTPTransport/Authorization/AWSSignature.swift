public import ConnectorKit
internal import Crypto
internal import Values

/// Signature Version 4 of AWS, in header fields.
public struct AWSSignatureSettings: Sendable {
    /// The region, such as `eu-central-1`.
    public var region: String
    /// The service, such as `sqs`, `lambda`, `s3`.
    public var service: String
    /// Names the key.
    public var accessKeyID: HTTPCredential
    /// The key.
    public var secretAccessKey: SecretReference
    /// The token of temporary credentials.
    public var sessionToken: SecretReference?

    /// Creates settings.
    public init(
        region: String, service: String, accessKeyID: HTTPCredential, secretAccessKey: SecretReference,
        sessionToken: SecretReference? = nil
    ) {
        self.region = region
        self.service = service
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
    }

    init?(_ reader: FieldReader) {
        reader.require("region")
        reader.require("service")
        let region = reader.string("region")
        let service = reader.string("service")
        let id = reader.credential("accessKeyId")
        let key = reader.secret("secretAccessKey")
        let token = reader.optionalSecret("sessionToken")
        guard let region, let service, let id, let key else { return nil }
        self.init(region: region, service: service, accessKeyID: id, secretAccessKey: key, sessionToken: token)
    }
}

/// One signature: a pure function of request, time and key.
struct AWSSignature {
    var region: String
    var service: String
    var accessKeyID: String
    var secretAccessKey: String

    /// S3 signs the path as it is, the others encode it once more.
    var isS3: Bool { self.service == "s3" }

    /// The value of `Authorization`.
    ///
    /// - Parameters:
    ///   - path: As it is sent: percent-encoded.
    ///   - fields: Those that are signed; `host` and `x-amz-date` must be among them.
    ///   - payloadHash: SHA-256 of the body in hexadecimal, or `UNSIGNED-PAYLOAD`.
    ///   - timestamp: `yyyyMMdd'T'HHmmss'Z'`.
    func authorization(
        method: String, path: String, query: String?, fields: [(name: String, value: String)], payloadHash: String,
        timestamp: String
    ) -> String {
        let (canonical, signed) = self.canonicalRequest(
            method: method, path: path, query: query, fields: fields, payloadHash: payloadHash)
        let date = String(timestamp.prefix(8))
        let scope = "\(date)/\(self.region)/\(self.service)/aws4_request"
        let text =
            "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n" + Hex.encode(SHA256.hash(data: Array(canonical.utf8)))
        var key = Array("AWS4\(self.secretAccessKey)".utf8)
        for part in [date, self.region, self.service, "aws4_request"] {
            key = Self.hmac(Array(part.utf8), key)
        }
        return "AWS4-HMAC-SHA256 Credential=\(self.accessKeyID)/\(scope), SignedHeaders=\(signed), Signature="
            + Hex.encode(Self.hmac(Array(text.utf8), key))
    }

    /// The canonical request, and the names of the signed fields.
    func canonicalRequest(
        method: String, path: String, query: String?, fields: [(name: String, value: String)], payloadHash: String
    ) -> (text: String, signedFields: String) {
        var values: [String: [String]] = [:]
        for field in fields { values[field.name.lowercased(), default: []].append(Self.trimmed(field.value)) }
        let names = values.keys.sorted()
        let lines = names.map { "\($0):\((values[$0] ?? []).joined(separator: ","))\n" }.joined()
        let signed = names.joined(separator: ";")
        let text = [
            method, self.canonical(path: path), Self.canonical(query: query ?? ""), lines, signed, payloadHash,
        ].joined(separator: "\n")
        return (text, signed)
    }

    /// A path as it is signed.
    func canonical(path: String) -> String {
        let plain = path.isEmpty ? "/" : path
        let segments = plain.split(separator: "/", omittingEmptySubsequences: false)
        return segments.map { segment in
            PercentEncoding.component(self.isS3 ? PercentEncoding.decoded(String(segment)) : String(segment))
        }.joined(separator: "/")
    }

    private static func canonical(query: String) -> String {
        let pairs = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.map { PercentEncoding.component(PercentEncoding.decoded(String($0))) }
        }
        let sorted = pairs.map { (name: $0[0], value: $0.count > 1 ? $0[1] : "") }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
        return sorted.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// Without spaces around it, and with runs of spaces as one.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }

    private static func hmac(_ text: [UInt8], _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key)))
    }
}
