import Crypto
import Foundation
import HubDocuments
import Synchronization
import Values

/// Secrets in one file, each sealed with AES-256-GCM under a key that is kept elsewhere.
///
/// The file is JSON, readable by its owner only, and replaced as a whole: `{ format, keyCheck, secrets: { NAME:
/// { sealed, updated } }, formerKeys: [sealed] }`. Keys that were replaced are kept, sealed under the one that replaced
/// them, for what else was sealed with their help. A sealed text is nonce, ciphertext and tag in base64; the name is authenticated with it, so
/// that sealed texts cannot be exchanged. Reading looks at the file each time and decrypts only when it has changed.
///
/// Safe to use from many tasks; of two programs that write at once the later wins.
public final class SecretVault: Sendable {
    /// Where the key is.
    public struct KeySource: Sendable {
        /// Gives the key as base64 of 32 bytes; nil when there is none.
        let text: @Sendable () -> String?
        /// The place in words, for messages.
        let place: String
        /// The file a new key is written to; nil when a person has to provide it.
        let file: String?

        /// The key in the file at `path`, which is made when the first secret is stored.
        public static func file(_ path: String) -> KeySource {
            KeySource(
                text: { DiskFile.bytes(path, maximum: 4_096).map { String(decoding: $0, as: UTF8.self) } },
                place: "the file \(path)", file: path)
        }

        /// A key given as text, from the environment variable `name`.
        public static func environment(_ name: String, _ text: String) -> KeySource {
            KeySource(text: { text }, place: "the variable \(name)", file: nil)
        }
    }

    /// One secret, without its content.
    public struct Entry: Sendable, Hashable {
        /// Its name.
        public var name: String
        /// When it was last stored, as ISO 8601 text in UTC.
        public var updated: String
    }

    /// The file.
    public let path: String
    private let key: KeySource
    private let cache = Mutex<Cache?>(nil)
    private let payloadCache = Mutex<PayloadCache?>(nil)

    private struct Cache {
        var version: FileVersion
        var secrets: [String: String]
    }

    private struct PayloadCache {
        var version: FileVersion?
        var keys: PayloadKeys
    }

    private struct FileVersion: Equatable {
        var inode: UInt64
        var size: Int64
        var modified: Int64
        var changed: Int64
    }

    private struct Content {
        var keyCheck: String?
        var sealed: [String: (sealed: String, updated: String)] = [:]
        /// Keys that were replaced, the oldest first, sealed under the current one.
        var formerKeys: [String] = []
    }

    private static let format = "junction-secrets/1"
    /// What former keys are sealed as: no name of a secret.
    private static let formerKeyName = "former key"
    /// The largest vault read.
    private static let bytesMax = 16 << 20
    /// The longest secret.
    public static let secretBytesMax = 64 << 10

    /// A vault in the file at `path`, which need not exist.
    public init(path: String, key: KeySource) {
        self.path = path
        self.key = key
    }

    /// The names, sorted.
    ///
    /// Needs no key. Throws `HubError` when the file is not a vault.
    public func list() throws(HubError) -> [Entry] {
        try self.content().sealed.map { Entry(name: $0.key, updated: $0.value.updated) }
            .sorted { $0.name < $1.name }
    }

    /// The secret called `name`; nil when there is none.
    ///
    /// Throws `HubError` when the file or the key cannot be read, or do not belong together.
    func secret(_ name: String) throws(HubError) -> String? {
        guard let version = self.version() else { return nil }
        if let cached = self.cache.withLock({ $0 }), cached.version == version { return cached.secrets[name] }
        let content = try self.content()
        let key = try self.symmetricKey(content)
        var secrets: [String: String] = [:]
        for (name, entry) in content.sealed { secrets[name] = try self.open(name, entry.sealed, key) }
        let cache = Cache(version: version, secrets: secrets)
        self.cache.withLock { $0 = cache }
        return secrets[name]
    }

    /// Stores a secret under `name`, instead of the one there was.
    ///
    /// - Parameters:
    ///   - name: Letters, digits, `-`, `_`, `.` and `/`, at most 128.
    ///   - text: 1 to `secretBytesMax` bytes.
    ///   - now: ISO 8601 text of the time.
    /// - Throws: `HubError` when name or text will not do, or the vault cannot be written.
    public func set(_ name: String, to text: String, now: String) throws(HubError) {
        guard Self.isName(name) else {
            throw HubError(
                .secretVault, "\"\(name.shortened(to: 40))\" is no name of a secret.",
                remedy: "Use letters, digits, -, _, . and /.")
        }
        guard !text.isEmpty, text.utf8.count <= Self.secretBytesMax else {
            throw HubError(
                .secretVault, "A secret has 1 to \(Self.secretBytesMax) bytes, not \(text.utf8.count).",
                remedy: "Check what was given on standard input.")
        }
        var content = try self.content()
        let key = try self.symmetricKey(content, makesKey: content.sealed.isEmpty && content.formerKeys.isEmpty)
        content.keyCheck = Self.check(of: key)
        content.sealed[name] = (try self.seal(name, text, key), now)
        try self.write(content)
    }

    /// Removes a secret; false when there was none.
    public func remove(_ name: String) throws(HubError) -> Bool {
        var content = try self.content()
        guard content.sealed.removeValue(forKey: name) != nil else { return false }
        try self.write(content)
        return true
    }

    /// Whether there is a key, of whatever kind.
    var hasKey: Bool { self.key.text() != nil }

    /// The keys payloads are sealed under; found anew when the vault has changed.
    ///
    /// Throws `HubError` when there is no key, or vault and key do not belong together.
    func payloadKeys() throws(HubError) -> PayloadKeys {
        let version = self.version()
        let cached = self.payloadCache.withLock { $0 }
        if let cached, cached.version == version { return cached.keys }
        do {
            let keys = try self.readPayloadKeys()
            self.payloadCache.withLock { $0 = PayloadCache(version: version, keys: keys) }
            return keys
        } catch {
            // While the key is being replaced, vault and key do not belong together for a moment.
            guard let cached else { throw error }
            return cached.keys
        }
    }

    private func readPayloadKeys() throws(HubError) -> PayloadKeys {
        let content = try self.content()
        let key = try self.symmetricKey(content)
        var keys = PayloadKeys(vaultKey: key)
        for sealed in content.formerKeys {
            let text = try self.open(Self.formerKeyName, sealed, key)
            guard let data = Data(base64Encoded: text.filter { !$0.isWhitespace }), data.count == 32 else { continue }
            keys.add(formerVaultKey: SymmetricKey(data: data))
        }
        return keys
    }

    /// Seals every secret under a new key, and puts it where the old one is.
    ///
    /// The old key is kept in the vault, sealed: payloads that were sealed with its help stay readable.
    ///
    /// Only for a key in a file. The new key stands beside the old one, as `PATH.new`, until the vault is written, so that
    /// an interruption loses nothing.
    public func rotateKey() throws(HubError) {
        guard let file = self.key.file else {
            throw HubError(
                .secretVault, "The key is in \(self.key.place), which this program cannot change.",
                remedy: "Keep it in a file, or store the secrets anew under a new key.")
        }
        var content = try self.content()
        let old = try self.symmetricKey(content)
        let new = SymmetricKey(size: .bits256)
        for (name, entry) in content.sealed {
            content.sealed[name] = (try self.seal(name, try self.open(name, entry.sealed, old), new), entry.updated)
        }
        let former = try content.formerKeys.map { sealed throws(HubError) in
            try self.open(Self.formerKeyName, sealed, old)
        }
        content.formerKeys = try (former + [Self.text(of: old)]).map { text throws(HubError) in
            try self.seal(Self.formerKeyName, text, new)
        }
        content.keyCheck = Self.check(of: new)
        try Self.replace(file + ".new", with: Array(Self.text(of: new).utf8))
        try self.write(content)
        guard rename(file + ".new", file) == 0 else {
            throw HubError(
                .secretVault, "\(file).new cannot be renamed to \(file): \(String(cString: strerror(errno))).",
                remedy: "Rename it by hand: the vault is sealed under it.")
        }
    }
}

// MARK: - Sealing

extension SecretVault {
    private static func isName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_./".utf8.contains(byte)
                }
            }
    }

    private static func text(of key: SymmetricKey) -> String {
        key.withUnsafeBytes { Data($0).base64EncodedString() } + "\n"
    }

    /// Tells one key from another, and nothing of it.
    private static func check(of key: SymmetricKey) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(Self.format.utf8), using: key)
        return Data(code.prefix(8)).base64EncodedString()
    }

    private static func context(_ name: String) -> [UInt8] { Array("\(Self.format):\(name)".utf8) }

    private func symmetricKey(_ content: Content, makesKey: Bool = false) throws(HubError) -> SymmetricKey {
        guard let text = self.key.text() else {
            if makesKey, let file = self.key.file {
                let key = SymmetricKey(size: .bits256)
                try Self.replace(file, with: Array(Self.text(of: key).utf8))
                return key
            }
            throw HubError(
                .secretVault, "The key of the vault \(self.path) is not in \(self.key.place).",
                remedy: "Put it there; without it the secrets cannot be read.")
        }
        guard let data = Data(base64Encoded: text.filter { !$0.isWhitespace }), data.count == 32 else {
            throw HubError(
                .secretVault, "What is in \(self.key.place) is no key: expected base64 of 32 bytes.",
                remedy: "Make one with: head -c 32 /dev/urandom | base64")
        }
        let key = SymmetricKey(data: data)
        if let check = content.keyCheck, check != Self.check(of: key) {
            throw HubError(
                .secretVault, "The key in \(self.key.place) is not the one the vault \(self.path) is sealed under.",
                remedy: "Use the right key; after an interrupted rotation it is in the file with .new at its end.")
        }
        return key
    }

    private func seal(_ name: String, _ text: String, _ key: SymmetricKey) throws(HubError) -> String {
        guard let box = try? AES.GCM.seal(Array(text.utf8), using: key, authenticating: Self.context(name)),
            let combined = box.combined
        else {
            throw HubError(.secretVault, "The secret \(name) cannot be sealed.", remedy: "Report this as a defect.")
        }
        return combined.base64EncodedString()
    }

    private func open(_ name: String, _ sealed: String, _ key: SymmetricKey) throws(HubError) -> String {
        guard let data = Data(base64Encoded: sealed), let box = try? AES.GCM.SealedBox(combined: data),
            let plain = try? AES.GCM.open(box, using: key, authenticating: Self.context(name)),
            let text = String(validating: plain, as: UTF8.self)
        else {
            throw HubError(
                .secretVault, "The secret \(name) in \(self.path) was changed: it does not open with the key.",
                remedy: "Store it again with: junction secret set \(name)")
        }
        return text
    }
}

// MARK: - The file

extension SecretVault {
    private func version() -> FileVersion? {
        var status = stat()
        guard stat(self.path, &status) == 0 else { return nil }
        return FileVersion(
            inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            changed: Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec))
    }

    private func content() throws(HubError) -> Content {
        guard self.version() != nil else { return Content() }
        guard let bytes = DiskFile.bytes(self.path, maximum: Self.bytesMax), let value = try? JSON.parse(bytes),
            value["format"]?.asString == Self.format, let secrets = value["secrets"]?.asContext
        else {
            throw HubError(
                .secretVault, "The file \(self.path) cannot be read, or is no vault.",
                remedy: "Check its permissions, or restore it from a backup.")
        }
        var content = Content(keyCheck: value["keyCheck"]?.asString)
        for (name, entry) in secrets {
            content.sealed[name] = (entry["sealed"]?.asString ?? "", entry["updated"]?.asString ?? "")
        }
        content.formerKeys = (value["formerKeys"]?.asList ?? []).compactMap(\.asString)
        return content
    }

    private func write(_ content: Content) throws(HubError) {
        var secrets = ValueContext()
        for (name, entry) in content.sealed.sorted(by: { $0.key < $1.key }) {
            secrets[name] = ["sealed": .string(entry.sealed), "updated": .string(entry.updated)]
        }
        var bytes: [UInt8] = []
        JSON.write(
            .context([
                "format": .string(Self.format), "keyCheck": .string(content.keyCheck ?? ""),
                "secrets": .context(secrets), "formerKeys": .list(content.formerKeys.map { .string($0) }),
            ]), into: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        try Self.replace(self.path, with: bytes)
    }

    /// Writes a file only its owner can read, as a whole and durably.
    private static func replace(_ path: String, with bytes: [UInt8]) throws(HubError) {
        func failure(_ call: String) -> HubError {
            HubError(
                .secretVault, "\(path) cannot be written: \(call) says \(String(cString: strerror(errno))).",
                remedy: "Check the folder and its permissions.")
        }
        let temporary = path + ".tmp"
        unlink(temporary)
        let file = Foundation.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open") }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = failure("write")
                Foundation.close(file)
                throw error
            }
            written += count
        }
        guard fsync(file) == 0, Foundation.close(file) == 0, rename(temporary, path) == 0 else {
            throw failure("fsync or rename")
        }
    }
}
