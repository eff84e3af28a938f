import ConnectorKit
import Synchronization

/// Finds the secrets connections refer to, in the environment (`env:NAME`) and in files (`file:PATH`), anew each time,
/// so that a rotated secret is used without restart.
///
/// Remembers what it gave out, so that texts which came from elsewhere can be cleaned before they are logged or stored.
final class SecretStore: SecretResolver {
    /// The largest secret file read.
    static let bytesMax = 64 << 10
    /// Shorter secrets are not searched for: they would blank out ordinary words.
    private static let redactedLengthMin = 4

    private let environment: @Sendable (String) -> String?
    private let file: @Sendable (String) -> [UInt8]?
    private let known = Mutex<Set<String>>([])

    init(
        environment: @escaping @Sendable (String) -> String?, file: @escaping @Sendable (String) -> [UInt8]?
    ) {
        self.environment = environment
        self.file = file
    }

    /// The secret; one trailing line end of a file does not count.
    func secret(_ reference: SecretReference) async throws -> Secret {
        let text: String?
        switch reference.store {
        case "env":
            text = self.environment(reference.name)
        case "file":
            text = self.file(reference.name).flatMap { bytes in
                guard bytes.count <= Self.bytesMax else { return nil }
                var content = bytes[...]
                if content.last == UInt8(ascii: "\n") { content.removeLast() }
                if content.last == UInt8(ascii: "\r") { content.removeLast() }
                return String(validating: content, as: UTF8.self)
            }
        default:
            throw ConnectorError(
                .auth, code: ConnectorError.Code.secretUnavailable, "There is no secret store \(reference.store).",
                remedy: "Write { secret: \"env:NAME\" } or { secret: \"file:PATH\" }.")
        }
        guard let text, !text.isEmpty else { throw ConnectorError.secretUnavailable(reference) }
        if text.count >= Self.redactedLengthMin {
            _ = self.known.withLock { $0.insert(text) }
        }
        return Secret(text)
    }

    /// `text` with every secret given out so far replaced.
    func redacted(_ text: String) -> String {
        self.known.withLock { $0 }.reduce(text) { result, secret in
            result.contains(secret)
                ? result.split(separator: secret, omittingEmptySubsequences: false)
                    .joined(separator: "<secret>") : result
        }
    }
}
