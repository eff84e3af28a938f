import Values

/// Blanks out secrets in what came from elsewhere: a remote may repeat them in its errors, its headers, its answers.
struct SecretRedactor: Sendable {
    /// What stands in their place.
    static let mark = "<secret>"
    /// Shorter secrets are not searched for: they would blank out ordinary words.
    private static let lengthMin = 4
    /// Fewer bytes of a secret are no beginning of it: many words begin alike.
    private static let beginningMin = 8
    /// How many are remembered; with rotation the oldest leave first.
    private static let countMax = 4_096

    private var secrets: Set<String> = []
    /// The longest first, so that a secret inside another leaves nothing of it.
    private var ordered: [[UInt8]] = []
    /// Whether a secret begins with the byte.
    private var firstBytes = [Bool](repeating: false, count: 256)

    /// Remembers a secret, in every shape a remote may give it back in.
    mutating func add(_ text: String) {
        guard text.utf8.count >= Self.lengthMin, !self.secrets.contains(text) else { return }
        if self.secrets.count >= Self.countMax {
            self = SecretRedactor()
        }
        self.secrets.insert(text)
        for shape in SecretShapes.all(of: text) {
            let bytes = Array(shape.utf8)
            self.firstBytes[Int(bytes[0])] = true
            let place = self.ordered.firstIndex { $0.count < bytes.count } ?? self.ordered.count
            self.ordered.insert(bytes, at: place)
        }
    }

    /// A message without the secrets, and without beginnings of secrets: whoever made it may have cut it.
    func redacted(_ message: String) -> String {
        self.redacted(message, beginnings: true)
    }

    /// `value` without the secrets, in texts and in keys.
    ///
    /// Nothing is cut here, and other data may begin like a secret: a token, a certificate.
    func redacted(_ value: Value) -> Value {
        guard !self.ordered.isEmpty else { return value }
        switch value {
        case .string(let text): return .string(self.redacted(text, beginnings: false))
        case .list(let items): return .list(items.map { self.redacted($0) })
        case .context(let context):
            var result = ValueContext()
            result.reserveCapacity(context.count)
            for (key, value) in context {
                result[self.redacted(key, beginnings: false)] = self.redacted(value)
            }
            return .context(result)
        default: return value
        }
    }

    private func redacted(_ text: String, beginnings: Bool) -> String {
        guard !self.ordered.isEmpty else { return text }
        var text = text
        return text.withUTF8 { bytes -> [UInt8]? in
            var result: [UInt8]?
            var copied = 0
            var index = 0
            while index < bytes.count {
                let count = self.firstBytes[Int(bytes[index])] ? self.secretBytes(in: bytes, at: index, beginnings) : 0
                guard count > 0 else {
                    index += 1
                    continue
                }
                result = result ?? []
                result?.append(contentsOf: bytes[copied..<index])
                result?.append(contentsOf: Self.mark.utf8)
                index += count
                copied = index
            }
            result?.append(contentsOf: bytes[copied...])
            return result
        }.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// How many bytes at `index` are a secret, or the beginning of one.
    private func secretBytes(in bytes: UnsafeBufferPointer<UInt8>, at index: Int, _ beginnings: Bool) -> Int {
        var longest = 0
        for secret in self.ordered {
            let count = Self.common(secret, bytes, index)
            if count == secret.count { return count }
            longest = max(longest, count)
        }
        return beginnings && longest >= Self.beginningMin ? longest : 0
    }

    /// How many bytes of the secret are at `start`.
    private static func common(_ secret: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var count = 0
        while count < secret.count, start + count < bytes.count, bytes[start + count] == secret[count] { count += 1 }
        return count
    }
}
