import Crypto
public import HubDocuments
public import Runtime
public import Storage
import Values

extension HubCode {
    /// What was kept sealed does not open: its key is gone, or it was changed.
    public static let sealBroken = HubCode(rawValue: "HB319")
    /// What is to be kept sealed cannot be, for there is no key.
    public static let sealMissing = HubCode(rawValue: "HB320")
}

/// Seals payloads before they are stored, and opens them again: of dead letters, of the inbox.
///
/// The key is derived from that of the project's vault. Each sealed text names its key, so that keys can rotate: what
/// was sealed under an earlier one stays readable. Without a vault nothing is sealed, and what was stored plain is read
/// as it is. Safe to use from many tasks.
public final class LetterSeal: Sendable {
    /// What is sealed, which is authenticated with it, so that sealed texts cannot be put to another use.
    public enum Purpose: String, Sendable {
        /// The payload of a dead letter.
        case letterPayload = "letter.payload"
        /// The headers of a dead letter.
        case letterHeaders = "letter.headers"
        /// A payload in the inbox.
        case inbox
    }

    /// Whether payloads are sealed.
    public enum Mode: String, Sendable, CaseIterable {
        /// When there is a key.
        case auto
        /// Always: without a key nothing is stored.
        case required
        /// Never; what was sealed before stays readable.
        case off
    }

    private let vault: SecretVault?
    private let mode: Mode
    /// Whether there was a key when the hub began; one that comes later counts after a restart.
    private let hasKey: Bool

    /// Seals nothing.
    public static let plain = LetterSeal(vault: nil)

    /// The seal of a project with this vault.
    public init(vault: SecretVault?, mode: Mode = .auto) {
        self.vault = vault
        self.mode = mode
        self.hasKey = vault?.hasKey ?? false
    }

    /// Whether what is stored from now on is sealed.
    public var isActive: Bool { self.mode != .off && self.hasKey }

    /// Finds out whether the key can be used.
    ///
    /// Throws `HubError`: `HB320` when sealing is required and there is no key, `HB308` when key and vault do not belong
    /// together.
    public func check() throws(HubError) {
        if self.mode == .required, !self.hasKey { throw Self.missing }
        if self.isActive { _ = try self.vault?.payloadKeys() }
    }

    private static let missing = HubError(
        .sealMissing, "Payloads are to be kept sealed (deadLetters.encryption: required), but there is no key.",
        remedy: "Make a vault with: junction secret set NAME, or set JUNCTION_SECRETS_KEY.")

    // MARK: - Bytes

    /// What begins so was written by `seal`; nothing else that is stored does.
    private static let magic: [UInt8] = [0x00, 0x4A, 0x53, 0x31]
    private static let plainMark: UInt8 = 0
    private static let sealedMark: UInt8 = 1

    /// How many bytes a seal adds.
    public static let overhead = LetterSeal.magic.count + 1 + PayloadKeys.idBytes + 12 + 16

    /// Whether bytes are sealed.
    public static func isSealed(_ bytes: [UInt8]) -> Bool {
        bytes.count >= Self.overhead && bytes.starts(with: Self.magic) && bytes[Self.magic.count] == Self.sealedMark
    }

    /// The bytes as they are to be stored.
    ///
    /// Nothing stays nothing. Throws `HubError`: `HB320`, `HB308`.
    public func seal(_ bytes: [UInt8], for purpose: Purpose) throws(HubError) -> [UInt8] {
        if bytes.isEmpty { return bytes }
        if self.mode == .required, !self.hasKey { throw Self.missing }
        guard self.isActive, let vault else {
            // Told apart from what is sealed, whatever somebody sends.
            return bytes.starts(with: Self.magic) ? Self.magic + [Self.plainMark] + bytes : bytes
        }
        let key = try vault.payloadKeys().current
        guard let box = try? AES.GCM.seal(bytes, using: key.key, authenticating: Self.context(purpose)),
            let combined = box.combined
        else {
            throw HubError(.sealBroken, "A payload cannot be sealed.", remedy: "Report this as a defect.")
        }
        var sealed = Self.magic
        sealed.reserveCapacity(bytes.count + Self.overhead)
        sealed.append(Self.sealedMark)
        sealed += key.id
        sealed += combined
        return sealed
    }

    /// The bytes as they were before `seal`; what never was sealed is given back as it is.
    ///
    /// Throws `HubError`: `HB319` when the key is gone or the bytes were changed, `HB308` when the vault cannot be used.
    public func open(_ bytes: [UInt8], for purpose: Purpose) throws(HubError) -> [UInt8] {
        let start = Self.magic.count + 1
        guard bytes.starts(with: Self.magic), bytes.count >= start else { return bytes }
        guard bytes[start - 1] == Self.sealedMark else { return Array(bytes[start...]) }
        guard let vault, vault.hasKey else {
            throw HubError(
                .sealBroken, "The payload is sealed, and the key is not there.",
                remedy: "Put the key of the vault back: the variable JUNCTION_SECRETS_KEY, or the file secrets.key.")
        }
        let content = start + PayloadKeys.idBytes
        guard bytes.count >= content else { throw Self.changed }
        let id = Array(bytes[start..<content])
        guard let key = try vault.payloadKeys()[id] else {
            throw HubError(
                .sealBroken,
                "The payload is sealed under the key \(Hexadecimal.text(id)), which the vault does not have.",
                remedy: "Restore the vault as it was before its key was replaced, or discard the letter.")
        }
        guard let box = try? AES.GCM.SealedBox(combined: bytes[content...]),
            let plain = try? AES.GCM.open(box, using: key, authenticating: Self.context(purpose))
        else { throw Self.changed }
        return Array(plain)
    }

    private static let changed = HubError(
        .sealBroken, "The sealed payload was changed: it does not open with its key.",
        remedy: "Restore the data directory from a backup, or discard the letter.")

    private static func context(_ purpose: Purpose) -> [UInt8] { Array("junction-payload/1:\(purpose.rawValue)".utf8) }

    // MARK: - Letters

    /// The media type of a letter whose payload could not be opened.
    static let unreadable = "application/x-sealed"

    /// The letter as it is to be recorded.
    public func seal(_ letter: NewDeadLetter) throws(HubError) -> NewDeadLetter {
        var letter = letter
        letter.payload = try self.seal(letter.payload, for: .letterPayload)
        letter.headers = try self.seal(letter.headers, for: .letterHeaders)
        return letter
    }

    /// The letter as it was before it was recorded.
    public func open(_ record: DeadLetterRecord) throws(HubError) -> DeadLetterRecord {
        var record = record
        record.payload = try self.open(record.payload, for: .letterPayload)
        record.headers = try self.open(record.headers, for: .letterHeaders)
        if let original = record.originalPayload {
            record.originalPayload = try self.open(original, for: .letterPayload)
        }
        return record
    }

    /// The letter for a list: one that cannot be opened has neither payload nor headers, and says so by its media type.
    func opened(_ record: DeadLetterRecord) -> DeadLetterRecord {
        do {
            return try self.open(record)
        } catch {
            var record = record
            record.contentType = Self.unreadable
            record.payload = []
            record.headers = []
            record.originalPayload = nil
            return record
        }
    }
}

extension DeadLetterRecord {
    /// The length of the payload, also while it is sealed.
    public var payloadSize: Int {
        LetterSeal.isSealed(self.payload) ? self.payload.count - LetterSeal.overhead : self.payload.count
    }
}

/// The keys payloads are sealed under.
struct PayloadKeys: Sendable {
    /// The length of an id.
    static let idBytes = 8

    /// The key of what is sealed now.
    var current: (id: [UInt8], key: SymmetricKey)
    /// Those of what was sealed before, by id.
    var earlier: [[UInt8]: SymmetricKey] = [:]

    /// Derives the key from that of a vault.
    init(vaultKey: SymmetricKey) {
        self.current = Self.derived(vaultKey)
    }

    /// Adds the key of a vault's former key.
    mutating func add(formerVaultKey: SymmetricKey) {
        let (id, key) = Self.derived(formerVaultKey)
        self.earlier[id] = key
    }

    subscript(id: [UInt8]) -> SymmetricKey? { id == self.current.id ? self.current.key : self.earlier[id] }

    private static func derived(_ vaultKey: SymmetricKey) -> (id: [UInt8], key: SymmetricKey) {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: vaultKey, info: Array("junction-payload/1".utf8), outputByteCount: 32)
        let code = HMAC<SHA256>.authenticationCode(for: Array("junction-payload/1:id".utf8), using: key)
        return (Array(code.prefix(Self.idBytes)), key)
    }
}

private enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
