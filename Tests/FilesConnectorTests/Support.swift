import ConnectorKit
import FilesConnector
import Foundation
import Testing
import Values

/// A directory of its own, removed when the last reference goes.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "junction-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        self.path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func put(_ name: String, _ text: String) throws {
        try self.put(name, Array(text.utf8))
    }

    func put(_ name: String, _ bytes: [UInt8]) throws {
        let url = URL(filePath: self.path).appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: self.path + "/" + name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Names in `directory`, sorted; empty when there is no such directory.
    func names(_ directory: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.path + "/" + directory)) ?? []).sorted()
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self.path + "/" + name, withDestinationPath: target)
    }
}

func connect(
    _ directory: TemporaryDirectory, _ parameters: ValueContext = ValueContext(),
    clock: any ConnectorClock = ManualConnectorClock()
) async throws -> any Connection {
    var all: ValueContext = ["root": .string(directory.path)]
    all.merge(parameters)
    return try await FilesModule().connect(
        ConnectionConfiguration(id: "files", parameters: .context(all), clock: clock))
}

extension Connection {
    func call(_ operation: String, _ input: Value) async -> Outcome {
        await self.invoke(OperationCall(operation: operation, input: input))
    }
}

extension SourceEvent {
    var value: Value? {
        if case .value(let value) = self.body { return value }
        return nil
    }

    var trouble: Undecodable? {
        if case .undecodable(let finding) = self.body { return finding }
        return nil
    }
}
