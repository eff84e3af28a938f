import ConnectorKit
import Foundation
import HTTPTransport
import Testing
import Values

/// The real services, which Scripts/services starts.
enum Service {
    struct Missing: Error, CustomStringConvertible {
        var name: String
        var description: String {
            "JUNCTION_SERVICE_\(self.name) is not set: run the tests with Scripts/test, or under Scripts/services run."
        }
    }

    static func url(_ name: String) throws -> String {
        guard let url = ProcessInfo.processInfo.environment["JUNCTION_SERVICE_\(name)"] else {
            throw Missing(name: name)
        }
        return url
    }

    /// What nginx says of itself: ports and certificates.
    static func nginx(_ key: String) async throws -> String {
        try await withClient(["baseUrl": .string(try Self.url("NGINX"))]) { client async throws in
            try #require(try await client.get("service.json").json?[key]?.asString)
        }
    }
}

/// Settings read from parameters as a connector reads them.
func settings(_ parameters: ValueContext) throws -> HTTPSettings {
    let reader = FieldReader(.context(parameters), path: "parameters", code: ConnectorError.Code.invalidParameters)
    let settings = HTTPSettings(reader)
    reader.finish()
    if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    return settings
}

/// Secrets under `test:`.
func secrets(_ table: [String: String]) -> FixedSecrets {
    FixedSecrets(
        Dictionary(
            uniqueKeysWithValues: table.map { (SecretReference(store: "test", name: $0.key), Secret($0.value)) }))
}

func secret(_ name: String) -> Value { ["secret": .string("test:" + name)] }

/// A client, closed when the body is done.
func withClient<Result>(
    _ parameters: ValueContext, secrets: any SecretResolver = NoSecrets(),
    clock: any ConnectorClock = SystemConnectorClock(), _ body: (HTTPClient) async throws -> Result
) async throws -> Result {
    var all: ValueContext = ["allowPrivate": true]
    all.merge(parameters)
    let client = try HTTPClient(
        id: "test", settings: try settings(all), secrets: secrets, clock: clock, userAgent: "junction/test")
    do {
        let result = try await body(client)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}

extension HTTPResponse {
    /// The body as JSON.
    var json: Value? { try? JSON.parse(self.bytes) }
    var text: String { String(decoding: self.bytes, as: UTF8.self) }
}

extension HTTPClient {
    func get(_ path: String, timeout: Duration = .seconds(10)) async throws -> HTTPResponse {
        try await self.send(HTTPRequest(target: .path(path), timeout: timeout))
    }
}

/// A directory that is removed in the end.
func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let url = FileManager.default.temporaryDirectory.appending(path: "junction-http-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(url.path)
}
