import ConnectorKit
import Foundation
import HubDocuments
import Testing
import Values

@testable import Hub

/// The encrypted store of secrets, as connections and its owner see it.
@Suite struct SecretVaultTests {
    private static let time = "2026-01-02T03:04:05Z"

    private static func vault(_ folder: Folder) -> SecretVault {
        SecretVault(path: folder.path + "/secrets.json", key: .file(folder.path + "/secrets.key"))
    }

    private static func store(_ vault: SecretVault?) -> SecretStore {
        SecretStore(
            environment: { _ in nil }, file: { DiskFile.bytes($0, maximum: SecretStore.bytesMax) }, vault: vault)
    }

    private static func read(_ store: SecretStore, _ reference: String) async throws -> String {
        try await store.secret(try #require(SecretReference(reference))).reveal { $0 }
    }

    @Test func aSecretIsFoundAndRotatedWithoutRestart() async throws {
        let folder = try Folder([:])
        let vault = Self.vault(folder)
        let store = Self.store(Self.vault(folder))
        await #expect(throws: ConnectorError.self) { try await Self.read(store, "vault:vendor/key") }
        try vault.set("vendor/key", to: "first-canary", now: Self.time)
        #expect(try await Self.read(store, "vault:vendor/key") == "first-canary")
        try vault.set("vendor/key", to: "second-canary", now: Self.time)
        #expect(try await Self.read(store, "vault:vendor/key") == "second-canary")
        #expect(store.redacted("first-canary second-canary") == "<secret> <secret>")
        #expect(try vault.list() == [SecretVault.Entry(name: "vendor/key", updated: Self.time)])
        #expect(try vault.remove("vendor/key"))
        #expect(try !vault.remove("vendor/key"))
        await #expect(throws: ConnectorError.self) { try await Self.read(store, "vault:vendor/key") }
    }

    @Test func aCredentialThatChangesWithEachUseIsKept() async throws {
        let folder = try Folder([:])
        let store = Self.store(Self.vault(folder))
        try Self.vault(folder).set("token", to: "old-canary", now: Self.time)
        let reference = try #require(SecretReference("vault:token"))
        #expect(await store.replace(reference, with: Secret("new-canary")))
        #expect(try await Self.read(Self.store(Self.vault(folder)), "vault:token") == "new-canary")
        #expect(store.redacted("new-canary") == "<secret>")
        for text in ["env:token", "file:token", "vault:token#field"] {
            let other = try #require(SecretReference(text))
            let isKept = await store.replace(other, with: Secret("x"))
            #expect(!isKept, "\(text)")
        }
        let isKept = await Self.store(nil).replace(reference, with: Secret("x"))
        #expect(!isKept)
    }

    @Test func theFileShowsNothingAndBelongsToItsOwner() throws {
        let folder = try Folder([:])
        let vault = Self.vault(folder)
        try vault.set("a", to: "canary-7d21", now: Self.time)
        for name in ["secrets.json", "secrets.key"] {
            let path = folder.path + "/" + name
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(!text.contains("canary") && !text.contains(Data("canary-7d21".utf8).base64EncodedString()))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }
        // The same text is sealed differently each time.
        let first = try String(contentsOfFile: folder.path + "/secrets.json", encoding: .utf8)
        try vault.set("a", to: "canary-7d21", now: Self.time)
        #expect(try String(contentsOfFile: folder.path + "/secrets.json", encoding: .utf8) != first)
    }

    @Test func whatWasTamperedWithDoesNotOpen() async throws {
        let folder = try Folder([:])
        let vault = Self.vault(folder)
        try vault.set("a", to: "canary-a", now: Self.time)
        try vault.set("b", to: "canary-b", now: Self.time)
        let path = folder.path + "/secrets.json"
        let whole = try JSON.parse(Array(Data(contentsOf: URL(fileURLWithPath: path))))
        func write(_ change: (inout ValueContext) -> Void) throws {
            var secrets = try #require(whole["secrets"]?.asContext)
            change(&secrets)
            var changed = try #require(whole.asContext)
            changed["secrets"] = .context(secrets)
            try Data(JSON.string(.context(changed)).utf8).write(to: URL(fileURLWithPath: path))
        }
        // A sealed text under another name, a shortened one, and none.
        for sealed in [whole["secrets"]?["b"]?["sealed"]?.asString ?? "", "AAAA", "?"] {
            try write { $0["a"] = ["sealed": .string(sealed), "updated": "x"] }
            let error = await #expect(throws: ConnectorError.self) {
                try await Self.read(Self.store(Self.vault(folder)), "vault:a")
            }
            #expect(error?.message.contains("was changed") == true)
        }
        try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: HubError.self) { try vault.list() }
    }

    @Test func anotherKeyIsRefusedBeforeAnythingIsDecrypted() throws {
        let folder = try Folder([:])
        try Self.vault(folder).set("a", to: "canary", now: Self.time)
        let other = Data(repeating: 7, count: 32).base64EncodedString()
        for (text, words) in [(other, "is not the one"), ("short", "is no key"), ("", "is no key")] {
            let vault = SecretVault(path: folder.path + "/secrets.json", key: .environment("KEY", text))
            let error = #expect(throws: HubError.self) { try vault.set("b", to: "x", now: Self.time) }
            #expect(error?.message.contains(words) == true, "\(text)")
            #expect(throws: HubError.self) { try vault.rotateKey() }
        }
        // A key that is gone is not silently replaced by a new one.
        try FileManager.default.removeItem(atPath: folder.path + "/secrets.key")
        #expect(throws: HubError.self) { try Self.vault(folder).set("b", to: "x", now: Self.time) }
    }

    @Test func theKeyIsRotatedWithoutLoss() async throws {
        let folder = try Folder([:])
        let vault = Self.vault(folder)
        let store = Self.store(Self.vault(folder))
        for number in 0..<20 { try vault.set("s\(number)", to: "canary-\(number)", now: Self.time) }
        let old = try String(contentsOfFile: folder.path + "/secrets.key", encoding: .utf8)
        try vault.rotateKey()
        #expect(try String(contentsOfFile: folder.path + "/secrets.key", encoding: .utf8) != old)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/secrets.key.new"))
        for number in 0..<20 { #expect(try await Self.read(store, "vault:s\(number)") == "canary-\(number)") }
    }

    @Test(arguments: ["", "a b", "ä", String(repeating: "x", count: 129), "a\n"])
    func namesAreChecked(_ name: String) throws {
        let folder = try Folder([:])
        #expect(throws: HubError.self) { try Self.vault(folder).set(name, to: "x", now: Self.time) }
        #expect(throws: HubError.self) { try Self.vault(folder).set("ok", to: "", now: Self.time) }
    }

    @Test func aFieldOfAnObjectIsASecretOfItsOwn() async throws {
        let folder = try Folder(["aws.json": #"{"id": "AKIA1", "key": "canary-k", "number": 42, "list": []}"#])
        let store = Self.store(nil)
        let file = "file:\(folder.path)/aws.json"
        #expect(try await Self.read(store, file + "#id") == "AKIA1")
        #expect(try await Self.read(store, file + "#key") == "canary-k")
        #expect(try await Self.read(store, file + "#number") == "42")
        for missing in ["#none", "#list"] {
            await #expect(throws: ConnectorError.self) { try await Self.read(store, file + missing) }
        }
        await #expect(throws: ConnectorError.self) { try await Self.read(store, "vault:a") }
    }

    @Test func redactionFindsEverySecretWhereverItStands() {
        var redactor = SecretRedactor()
        #expect(redactor.redacted("token") == "token")
        redactor.add("token")
        redactor.add("token-long")
        redactor.add("abc")
        #expect(redactor.redacted("token-long, token, abc, tokentoken") == "<secret>, <secret>, abc, <secret><secret>")
        #expect(
            redactor.redacted(["a": ["x token y", 1, .null], "token": "ok"] as Value)
                == ["a": ["x <secret> y", 1, .null], "<secret>": "ok"])
        for number in 0..<5_000 { redactor.add("secret-number-\(number)") }
        #expect(redactor.redacted("secret-number-4999") == "<secret>")
    }

    @Test func credentialsAreInsertedWhole() {
        let log = DiagnosticLog(file: "c.yaml")
        let text = """
            apiVersion: hub/v1
            kind: Connections
            credentials:
              vendor: { type: basic, user: junction, password: { secret: "vault:vendor" } }
              key: { type: bearer, token: { secret: "env:KEY" } }
            connections:
              a: { connector: http, parameters: { auth: { credential: vendor }, baseUrl: "http://a" } }
              b: { connector: stripe, parameters: { credential: key, version: "1" } }
              c: { connector: http, parameters: {}, endpoints: [{ auth: { credential: key } }] }
              d: { connector: http, parameters: { auth: { credential: vender } } }
            """
        let document = ConnectionsDocument.read(text, log: log)
        let vendor: Value = ["type": "basic", "user": "junction", "password": ["secret": "vault:vendor"]]
        let key: Value = ["type": "bearer", "token": ["secret": "env:KEY"]]
        #expect(document.connections[0].parameters == ["auth": vendor, "baseUrl": "http://a"])
        #expect(document.connections[1].parameters == ["credential": key, "version": "1"])
        #expect(document.connections[2].endpoints == [["auth": key]])
        #expect(log.diagnostics.map(\.message) == ["There is no credential \"vender\"."])
        #expect(log.diagnostics.first?.remedy == "Did you mean \"vendor\"?")
    }
}
