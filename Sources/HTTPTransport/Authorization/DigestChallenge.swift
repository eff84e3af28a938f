internal import Crypto

/// What a service asks for with `WWW-Authenticate: Digest` (RFC 7616), and the answer to it.
struct DigestChallenge: Sendable, Hashable {
    enum Algorithm: String, Sendable {
        case md5 = "MD5"
        case md5Session = "MD5-sess"
        case sha256 = "SHA-256"
        case sha256Session = "SHA-256-sess"

        var isSession: Bool { self == .md5Session || self == .sha256Session }

        func hash(_ text: String) -> String {
            let bytes = Array(text.utf8)
            switch self {
            case .md5, .md5Session: return Hex.encode(Insecure.MD5.hash(data: bytes))
            case .sha256, .sha256Session: return Hex.encode(SHA256.hash(data: bytes))
            }
        }
    }

    var realm: String
    var nonce: String
    var opaque: String?
    var algorithm: Algorithm
    /// Whether the algorithm was named: it is repeated only then.
    var namesAlgorithm: Bool
    /// Whether the answer is protected by a count and a nonce of ours; services of RFC 2069 know no such thing.
    var hasQuality: Bool
    var hashesUser: Bool

    /// The strongest challenge among the fields of a response that can be answered.
    init?(_ fields: [String]) {
        let challenges = fields.flatMap { Self.parse($0) }.compactMap { Self.read($0) }
        guard
            let best = challenges.first(where: { $0.algorithm == .sha256 || $0.algorithm == .sha256Session })
                ?? challenges.first
        else { return nil }
        self = best
    }

    private init(
        realm: String, nonce: String, opaque: String?, algorithm: Algorithm, namesAlgorithm: Bool, hasQuality: Bool,
        hashesUser: Bool
    ) {
        self.realm = realm
        self.nonce = nonce
        self.opaque = opaque
        self.algorithm = algorithm
        self.namesAlgorithm = namesAlgorithm
        self.hasQuality = hasQuality
        self.hashesUser = hashesUser
    }

    private static func read(_ parameters: [String: String]) -> DigestChallenge? {
        guard let nonce = parameters["nonce"], let realm = parameters["realm"] else { return nil }
        let name = parameters["algorithm"] ?? "MD5"
        let known: [Algorithm] = [.md5, .md5Session, .sha256, .sha256Session]
        guard let algorithm = known.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else { return nil }
        let qualities = parameters["qop"]?.split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
        if let qualities, !qualities.contains("auth") { return nil }
        return DigestChallenge(
            realm: realm, nonce: nonce, opaque: parameters["opaque"], algorithm: algorithm,
            namesAlgorithm: parameters["algorithm"] != nil, hasQuality: qualities != nil,
            hashesUser: parameters["userhash"]?.lowercased() == "true")
    }

    /// The value of `Authorization` for one request.
    ///
    /// - Parameters:
    ///   - target: Path and query, as they are sent.
    ///   - count: How many requests were answered with this nonce, this one included.
    func answer(
        user: String, password: String, method: String, target: String, count: UInt32, clientNonce: String
    ) -> String {
        let hash = self.algorithm.hash
        var secret = hash("\(user):\(self.realm):\(password)")
        if self.algorithm.isSession { secret = hash("\(secret):\(self.nonce):\(clientNonce)") }
        let digits = String(count, radix: 16)
        let number = String(repeating: "0", count: 8 - digits.count) + digits
        let request = hash("\(method):\(target)")
        let response =
            self.hasQuality
            ? hash("\(secret):\(self.nonce):\(number):\(clientNonce):auth:\(request)")
            : hash("\(secret):\(self.nonce):\(request)")
        let name = self.hashesUser ? hash("\(user):\(self.realm)") : user
        var parts = [
            "username=\(Self.quoted(name))", "realm=\(Self.quoted(self.realm))", "nonce=\(Self.quoted(self.nonce))",
            "uri=\(Self.quoted(target))", "response=\"\(response)\"",
        ]
        if self.namesAlgorithm { parts.append("algorithm=\(self.algorithm.rawValue)") }
        if self.hasQuality || self.algorithm.isSession { parts.append("cnonce=\(Self.quoted(clientNonce))") }
        if self.hasQuality { parts += ["qop=auth", "nc=\(number)"] }
        if let opaque = self.opaque { parts.append("opaque=\(Self.quoted(opaque))") }
        if self.hashesUser { parts.append("userhash=true") }
        return "Digest " + parts.joined(separator: ", ")
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    // MARK: - Reading

    /// The parameters of each Digest challenge in a field; a field may hold several challenges, of any scheme.
    private static func parse(_ field: String) -> [[String: String]] {
        var scanner = Scanner(Array(field.utf8.prefix(8_192)))
        var challenges: [[String: String]] = []
        var current: [String: String]?
        while let name = scanner.token() {
            if scanner.skip(UInt8(ascii: "=")) {
                let value = scanner.value()
                current?[name.lowercased()] = value
            } else {
                if let current { challenges.append(current) }
                current = name.lowercased() == "digest" ? [:] : nil
            }
        }
        if let current { challenges.append(current) }
        return challenges
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var index = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        private mutating func skipSeparators() {
            while self.index < self.bytes.count, [0x20, 0x09, 0x2C].contains(self.bytes[self.index]) { self.index += 1 }
        }

        /// The next word; `nil` at the end, and where there is none.
        mutating func token() -> String? {
            self.skipSeparators()
            let start = self.index
            while self.index < self.bytes.count, ![0x20, 0x09, 0x2C, 0x3D, 0x22].contains(self.bytes[self.index]) {
                self.index += 1
            }
            return start == self.index ? nil : String(decoding: self.bytes[start..<self.index], as: UTF8.self)
        }

        mutating func skip(_ byte: UInt8) -> Bool {
            while self.index < self.bytes.count, self.bytes[self.index] == 0x20 { self.index += 1 }
            guard self.index < self.bytes.count, self.bytes[self.index] == byte else { return false }
            self.index += 1
            return true
        }

        /// A word, or a quoted text.
        mutating func value() -> String {
            while self.index < self.bytes.count, self.bytes[self.index] == 0x20 { self.index += 1 }
            guard self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: "\"") else {
                return self.token() ?? ""
            }
            self.index += 1
            var text: [UInt8] = []
            while self.index < self.bytes.count, self.bytes[self.index] != UInt8(ascii: "\"") {
                if self.bytes[self.index] == UInt8(ascii: "\\"), self.index + 1 < self.bytes.count { self.index += 1 }
                text.append(self.bytes[self.index])
                self.index += 1
            }
            self.index = min(self.index + 1, self.bytes.count)
            return String(decoding: text, as: UTF8.self)
        }
    }
}
