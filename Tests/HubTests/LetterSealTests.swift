import Crypto
import Foundation
import HubDocuments
import Runtime
import Storage
import Synchronization
import Testing
import Values

@testable import Hub

@Suite struct LetterSealTests {
    private static func key(_ byte: UInt8) -> String { Data([UInt8](repeating: byte, count: 32)).base64EncodedString() }

    private static func vault(_ folder: Folder, key: String? = nil) -> SecretVault {
        SecretVault(
            path: folder.path + "/secrets.json",
            key: key.map { .environment("JUNCTION_SECRETS_KEY", $0) } ?? .file(folder.path + "/secrets.key"))
    }

    private static let payload = Array("canary-payload".utf8)

    @Test func whatIsSealedOpensAndShowsNothing() throws {
        let folder = try Folder([:])
        let seal = LetterSeal(vault: Self.vault(folder, key: Self.key(1)))
        let sealed = try seal.seal(Self.payload, for: .inbox)
        #expect(sealed.firstRange(of: Self.payload) == nil)
        #expect(sealed.count == Self.payload.count + LetterSeal.overhead)
        #expect(try seal.seal(Self.payload, for: .inbox) != sealed)
        #expect(try seal.open(sealed, for: .inbox) == Self.payload)
        // Another program with the same key reads it too.
        #expect(
            try LetterSeal(vault: Self.vault(folder, key: Self.key(1))).open(sealed, for: .inbox) == Self.payload)
        #expect(try seal.seal([], for: .inbox) == [])
    }

    @Test func everyChangedByteIsNoticed() throws {
        let folder = try Folder([:])
        let seal = LetterSeal(vault: Self.vault(folder, key: Self.key(1)))
        let sealed = try seal.seal(Self.payload, for: .inbox)
        for index in 5..<sealed.count {
            var changed = sealed
            changed[index] ^= 1
            let error = #expect(throws: HubError.self) { try seal.open(changed, for: .inbox) }
            #expect(error?.code == .sealBroken)
        }
        for length in 5..<sealed.count {
            #expect(throws: HubError.self) { try seal.open(Array(sealed[..<length]), for: .inbox) }
        }
        #expect(throws: HubError.self) { try seal.open(sealed, for: .letterPayload) }
    }

    @Test func aWrongKeyIsNamed() throws {
        let folder = try Folder([:])
        let sealed = try LetterSeal(vault: Self.vault(folder, key: Self.key(1))).seal(Self.payload, for: .inbox)
        let other = LetterSeal(vault: Self.vault(folder, key: Self.key(2)))
        let error = #expect(throws: HubError.self) { try other.open(sealed, for: .inbox) }
        #expect(error?.code == .sealBroken)
        #expect(error?.message.contains("does not have") == true)
        let none = #expect(throws: HubError.self) { try LetterSeal.plain.open(sealed, for: .inbox) }
        #expect(none?.message.contains("key is not there") == true)
    }

    @Test func aRotatedKeyReadsWhatTheFormerOnesSealed() throws {
        let folder = try Folder([:])
        let vault = Self.vault(folder)
        try vault.set("a", to: "x", now: "2026-01-01T00:00:00Z")
        let seal = LetterSeal(vault: vault)
        var sealed: [[UInt8]] = []
        for _ in 0..<3 {
            sealed.append(try seal.seal(Self.payload, for: .inbox))
            // By another program, as it is in life.
            try Self.vault(folder).rotateKey()
        }
        sealed.append(try seal.seal(Self.payload, for: .inbox))
        #expect(Set(sealed.map { $0[5..<13] }).count == 4)
        let fresh = LetterSeal(vault: Self.vault(folder))
        for bytes in sealed {
            #expect(try seal.open(bytes, for: .inbox) == Self.payload)
            #expect(try fresh.open(bytes, for: .inbox) == Self.payload)
        }
        #expect(try vault.secret("a") == "x")
    }

    @Test func withoutAKeyNothingIsSealedAndNothingIsMistakenForASeal() throws {
        let folder = try Folder([:])
        for seal in [LetterSeal.plain, LetterSeal(vault: Self.vault(folder))] {
            #expect(!seal.isActive)
            #expect(try seal.seal(Self.payload, for: .inbox) == Self.payload)
            // What looks like a seal, by chance or by intent.
            for bytes in [[0, 0x4A, 0x53, 0x31], [0, 0x4A, 0x53, 0x31, 1] + [UInt8](repeating: 7, count: 80)] {
                #expect(try seal.open(try seal.seal(bytes, for: .inbox), for: .inbox) == bytes)
            }
        }
    }

    @Test func sealingCanBeRequiredOrOff() throws {
        let folder = try Folder([:])
        let required = LetterSeal(vault: Self.vault(folder), mode: .required)
        for body in [{ try required.check() }, { _ = try required.seal(Self.payload, for: .inbox) }] {
            let error = #expect(throws: HubError.self, performing: body)
            #expect(error?.code == .sealMissing)
        }
        let vault = Self.vault(folder, key: Self.key(1))
        try LetterSeal(vault: vault, mode: .required).check()
        let sealed = try LetterSeal(vault: vault).seal(Self.payload, for: .inbox)
        let off = LetterSeal(vault: vault, mode: .off)
        #expect(try off.seal(Self.payload, for: .inbox) == Self.payload)
        #expect(try off.open(sealed, for: .inbox) == Self.payload)
    }

    @Test func aKeyThatIsNoneIsSaidAtTheStart() throws {
        let folder = try Folder([:])
        let error = #expect(throws: HubError.self) {
            try LetterSeal(vault: Self.vault(folder, key: "short")).check()
        }
        #expect(error?.code == .secretVault)
    }
}

/// Sealed letters over a real store.
@Suite struct SealedLettersTests {
    private static func vault(_ site: LetterSite, _ byte: UInt8) -> SecretVault {
        SecretVault(
            path: site.path + "/secrets.json",
            key: .environment("JUNCTION_SECRETS_KEY", Data([UInt8](repeating: byte, count: 32)).base64EncodedString()))
    }

    /// The files of the store that hold a text.
    private static func files(_ site: LetterSite, with text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: site.path).filter { name in
            let path = site.path + "/" + name
            guard let data = FileManager.default.contents(atPath: path) else { return false }
            return data.range(of: Data(text.utf8)) != nil
        }
    }

    private static func letter(_ payload: String) -> NewDeadLetter {
        var letter = NewDeadLetter(
            origin: "orders", coordinates: Array(#"{"file":"f.csv","line":1,"eventId":"f#1"}"#.utf8),
            dedupeKey: "f#1", stage: "decode", errorCode: "HB201", errorMessage: "Expected 2 fields.",
            contentType: "text/csv", payload: Array(payload.utf8))
        letter.headers = Array(#"{"columns":["orderId","amount"],"token":"canary-header"}"#.utf8)
        return letter
    }

    @Test func nothingOfAPayloadIsInTheFilesAndItIsReadAndReplayedAllTheSame() async throws {
        let site = try LetterSite()
        let vault = Self.vault(site, 1)
        let life = try await site.life(vault: vault)
        let key = try await life.hub.deadLetters.record(Self.letter("canary-order"))
        let found = try await life.hub.deadLetters.letter(key)
        #expect(found.payload == Array("canary-order".utf8))
        #expect(found.headers.firstRange(of: Array("canary-header".utf8)) != nil)
        #expect(try await life.letters().map(\.payload) == [Array("canary-order".utf8)])
        let stored = try await life.read { try $0.deadLetters(Query()).items[0] }
        #expect(stored.payload != found.payload && stored.payloadSize == found.payload.count)

        var selection = DeadLetterSelection()
        selection.text = "canary-order"
        #expect(try await life.hub.deadLetters.list(selection).count == 1)

        let document = Array(#"[{"op":"replace","path":"","value":"canary-7,12"}]"#.utf8)
        _ = try await life.hub.deadLetters.edit(
            key, patch: try JSONPatch(try JSON.parse(document)), document: document, actor: "ann")
        #expect(try await life.hub.deadLetters.letter(key).payload == Array("canary-7,12".utf8))
        let edited = try await life.hub.deadLetters.letter(key)
        #expect(edited.originalPayload == Array("canary-order".utf8))
        #expect(try Self.files(site, with: "canary-") == [])
        await life.end()
        #expect(try Self.files(site, with: "canary-") == [])

        // A later run with the same key replays it.
        let second = try await site.life(vault: vault)
        let result = try await second.hub.deadLetters.replay(
            try await second.hub.deadLetters.letter(key), actor: "ann")
        guard case .started = result else {
            Issue.record("Expected a start but found \(result).")
            return
        }
        await second.end()
    }

    @Test func withoutAKeyThePayloadIsStoredAsItCameAndThatIsSaidOnce() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        life.hub.start()
        life.hub.start()
        _ = try await life.hub.deadLetters.record(Self.letter("canary-order"))
        #expect(try await !Self.files(site, with: life.letters().isEmpty ? "none" : "canary-order").isEmpty)
        #expect(life.logs.lines.withLock { $0.filter { $0.contains("not sealed") }.count } == 1)
        await life.end()
    }

    @Test func aLetterWhoseKeyIsGoneIsListedAndSaysWhyItCannotBeReplayed() async throws {
        let site = try LetterSite()
        let life = try await site.life(vault: Self.vault(site, 1))
        let key = try await life.hub.deadLetters.record(Self.letter("o-1,5"))
        await life.end()
        let other = try await site.life(vault: Self.vault(site, 2))
        let listed = try #require(try await other.letters().first)
        #expect(listed.key == key.rawValue && listed.payload == [])
        for body in [
            { _ = try await other.hub.deadLetters.letter(key) },
            { _ = try await other.hub.deadLetters.replay(listed, actor: "ann") },
        ] as [() async throws -> Void] {
            let error = await #expect(throws: HubError.self) { try await body() }
            #expect(error?.code == .sealBroken)
        }
        #expect(try await other.letters([0]).count == 1)
        await other.end()
    }
}
