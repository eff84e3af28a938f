import Values

/// Blanks out secrets in what came from elsewhere: a remote may repeat them in its errors, its headers, its answers.
struct SecretRedactor: Sendable {
    /// What stands in their place.
    static let mark = "<secret>"
    /// Shorter secrets are not searched for: they would blank out ordinary words.
    private static let lengthMin = 4
    /// How many are remembered; with rotation the oldest leave first.
    private static let countMax = 4_096

    private var secrets: Set<String> = []
    /// The longest first, so that a secret inside another leaves nothing of it.
    private var ordered: [[UInt8]] = []
    /// Whether a secret begins with the byte.
    private var firstBytes = [Bool](repeating: false, count: 256)

    /// Remembers a secret.
    mutating func add(_ text: String) {
        guard text.utf8.count >= Self.lengthMin, !self.secrets.contains(text) else { return }
        if self.secrets.count >= Self.countMax {
            self = SecretRedactor()
        }
        self.secrets.insert(text)
        let bytes = Array(text.utf8)
        self.firstBytes[Int(bytes[0])] = true
        let place = self.ordered.firstIndex { $0.count < bytes.count } ?? self.ordered.count
        self.ordered.insert(bytes, at: place)
    }

    /// `text` without the secrets.
    func redacted(_ text: String) -> String {
        guard !self.ordered.isEmpty else { return text }
        var text = text
        return text.withUTF8 { bytes -> [UInt8]? in
            var result: [UInt8]?
            var copied = 0
            var index = 0
            while index < bytes.count {
                guard self.firstBytes[Int(bytes[index])],
                    let secret = self.ordered.first(where: { Self.matches($0, bytes, index) })
                else {
                    index += 1
                    continue
                }
                result = result ?? []
                result?.append(contentsOf: bytes[copied..<index])
                result?.append(contentsOf: Self.mark.utf8)
                index += secret.count
                copied = index
            }
            result?.append(contentsOf: bytes[copied...])
            return result
        }.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// `value` without the secrets, in texts and in keys.
    func redacted(_ value: Value) -> Value {
        guard !self.ordered.isEmpty else { return value }
        switch value {
        case .string(let text): return .string(self.redacted(text))
        case .list(let items): return .list(items.map { self.redacted($0) })
        case .context(let context):
            var result = ValueContext()
            result.reserveCapacity(context.count)
            for (key, value) in context { result[self.redacted(key)] = self.redacted(value) }
            return .context(result)
        default: return value
        }
    }

    private static func matches(_ secret: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        guard bytes.count - start >= secret.count else { return false }
        for offset in secret.indices where bytes[start + offset] != secret[offset] { return false }
        return true
    }
}
