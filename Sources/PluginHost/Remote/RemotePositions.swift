internal import ConnectorKit
internal import Synchronization
internal import Values

/// Keeps the positions of the sources of one process, where each source's own memory is.
final class RemotePositions: Sendable {
    private let memories = Mutex<[Int64: any SourceMemory]>([:])

    /// The source `number` may save from now on; one that replays may not.
    func watch(_ number: Int64, _ request: SourceRequest) {
        guard request.replay == nil else { return }
        self.memories.withLock { $0[number] = request.memory }
    }

    /// The source `number` is over.
    func forget(_ number: Int64) {
        _ = self.memories.withLock { $0.removeValue(forKey: number) }
    }

    /// Answers a process that asks for a position to be kept: once it is.
    func save(_ params: Value) async -> Result<Value, RPCError> {
        guard let number = params["source"]?.asInt64, let position = params["position"] else {
            return .failure(RPCError(code: RPCError.invalidParams, message: "Expected a source and a position."))
        }
        guard let memory = self.memories.withLock({ $0[number] }) else {
            return .failure(
                RPCError(code: PluginProtocol.unknownSource, message: "There is no source \(number) that saves."))
        }
        do {
            try await memory.save(position)
            return .success([:])
        } catch {
            let error = ConnectorError(wrapping: error)
            return .failure(
                RPCError(
                    code: PluginProtocol.connectorError, message: error.message, data: PluginCoding.json(error)))
        }
    }
}
