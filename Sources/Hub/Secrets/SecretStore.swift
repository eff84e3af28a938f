import ConnectorKit
import Foundation
import Synchronization
import Values

/// Finds the secrets connections refer to, anew each time, so that a rotated secret is used without restart.
///
/// The stores: the environment (`env:NAME`), files (`file:PATH`) and the vault (`vault:NAME`). A secret that is a JSON
/// object holds several values that belong and rotate together; `#FIELD` after a name picks one of them.
///
/// Remembers what it gave out, so that texts which came from elsewhere can be cleaned before they are logged or stored.
final class SecretStore: SecretResolver {
    /// The largest secret file read.
    static let bytesMax = 64 << 10

    private let environment: @Sendable (String) -> String?
    private let file: @Sendable (String) -> [UInt8]?
    private let vault: SecretVault?
    private let known = Mutex(SecretRedactor())
    /// Held while the vault is written: each writing begins with reading.
    private let writing = Mutex(())

    init(
        environment: @escaping @Sendable (String) -> String?, file: @escaping @Sendable (String) -> [UInt8]?,
        vault: SecretVault? = nil
    ) {
        self.environment = environment
        self.file = file
        self.vault = vault
    }

    /// The secret; one trailing line end of a file does not count.
    func secret(_ reference: SecretReference) async throws -> Secret {
        let (name, field) = Self.parts(reference.name)
        var text: String?
        switch reference.store {
        case "env":
            text = self.environment(name)
        case "file":
            text = self.file(name).flatMap { bytes in
                guard bytes.count <= Self.bytesMax else { return nil }
                var content = bytes[...]
                if content.last == UInt8(ascii: "\n") { content.removeLast() }
                if content.last == UInt8(ascii: "\r") { content.removeLast() }
                return String(validating: content, as: UTF8.self)
            }
        case "vault":
            guard let vault = self.vault else {
                throw ConnectorError(
                    .auth, code: ConnectorError.Code.secretUnavailable, "There is no vault for \(reference).",
                    remedy: "Make one with: junction secret set \(name)")
            }
            do {
                text = try vault.secret(name)
            } catch {
                throw ConnectorError(
                    .auth, code: ConnectorError.Code.secretUnavailable, "\(reference): \(error.message)",
                    remedy: error.remedy)
            }
        default:
            throw ConnectorError(
                .auth, code: ConnectorError.Code.secretUnavailable, "There is no secret store \(reference.store).",
                remedy: "Write { secret: \"env:NAME\" }, { secret: \"file:PATH\" } or { secret: \"vault:NAME\" }.")
        }
        if let field { text = text.flatMap { Self.field(field, of: $0) } }
        guard let text, !text.isEmpty else { throw ConnectorError.secretUnavailable(reference) }
        self.known.withLock { $0.add(text) }
        return Secret(text)
    }

    /// Keeps a secret of the vault; the other stores, and fields of a secret, are not written.
    func replace(_ reference: SecretReference, with secret: Secret) async -> Bool {
        let (name, field) = Self.parts(reference.name)
        guard reference.store == "vault", field == nil, let vault = self.vault else { return false }
        let text = secret.reveal { $0 }
        self.known.withLock { $0.add(text) }
        return self.writing.withLock { _ in
            do {
                try vault.set(name, to: text, now: Date.now.formatted(.iso8601))
                return true
            } catch {
                return false
            }
        }
    }

    /// `text` with every secret given out so far replaced.
    func redacted(_ text: String) -> String {
        self.known.withLock { $0 }.redacted(text)
    }

    /// `value` with every secret given out so far replaced, wherever it stands.
    func redacted(_ value: Value) -> Value {
        self.known.withLock { $0 }.redacted(value)
    }

    private static func parts(_ name: String) -> (name: String, field: String?) {
        guard let hash = name.lastIndex(of: "#"), hash > name.startIndex else { return (name, nil) }
        let field = name[name.index(after: hash)...]
        return field.isEmpty ? (name, nil) : (String(name[..<hash]), String(field))
    }

    private static func field(_ name: String, of text: String) -> String? {
        guard let object = try? JSON.parse(Array(text.utf8)), let value = object[name] else { return nil }
        return value.asString ?? (value.asContext == nil && value.asList == nil ? JSON.string(value) : nil)
    }
}
