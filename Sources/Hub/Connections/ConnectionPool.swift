import ConnectorKit
import Synchronization

/// The live connections, made when first needed and kept until the hub closes.
///
/// A connection that could not be made is tried again by the next caller, so that a secret that arrives late needs no
/// restart; rotated secrets are the modules' business, which ask for them each time.
final class ConnectionPool: Sendable {
    private enum Slot {
        case connecting(Task<any Connection, any Error>)
        case connected(any Connection)
    }

    let registry: ConnectorRegistry
    let secrets: SecretStore
    private let clock: any ConnectorClock
    private let declarations: [String: ConnectionDeclaration]
    private let slots = Mutex<[Place: Slot]>([:])

    /// One endpoint of a connection; nearly all have one.
    private struct Place: Hashable {
        var id: String
        var endpoint: Int
    }

    init(
        _ declarations: [ConnectionDeclaration], registry: ConnectorRegistry, secrets: SecretStore,
        clock: any ConnectorClock
    ) {
        self.registry = registry
        self.secrets = secrets
        self.clock = clock
        self.declarations = Dictionary(declarations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The declaration of a connection.
    func declaration(_ id: String) -> ConnectionDeclaration? {
        self.declarations[id]
    }

    /// Whether any endpoint of a connection is ready.
    func isConnected(_ id: String) -> Bool {
        self.slots.withLock { slots in
            slots.contains { place, slot in
                if place.id == id, case .connected = slot { true } else { false }
            }
        }
    }

    /// The live connection to an endpoint; callers that come while it is being made share one attempt.
    ///
    /// Throws `HubError` for names that do not exist and `ConnectorError` from the module.
    func connection(_ id: String, endpoint: Int = 0) async throws -> any Connection {
        if let ready = self.ready(id, endpoint: endpoint) { return ready }
        let place = Place(id: id, endpoint: endpoint)
        guard let declaration = self.declarations[id] else {
            throw HubError.unknownConnection(id, known: Array(self.declarations.keys))
        }
        let module = try self.registry.module(for: declaration)
        let task = self.slots.withLock { slots -> Task<any Connection, any Error>? in
            switch slots[place] {
            case .connected: return nil
            case .connecting(let task): return task
            case nil:
                let configuration = ConnectionConfiguration(
                    id: id, parameters: declaration.parameters(endpoint: endpoint), secrets: self.secrets,
                    clock: self.clock)
                let task = Task { try await module.connect(configuration) }
                slots[place] = .connecting(task)
                return task
            }
        }
        guard let task else {
            return try await self.connection(id, endpoint: endpoint)
        }
        do {
            let connection = try await task.value
            self.slots.withLock { $0[place] = .connected(connection) }
            return connection
        } catch {
            self.slots.withLock { slots in
                if case .connecting? = slots[place] { slots[place] = nil }
            }
            throw error
        }
    }

    /// The live connection, without waiting.
    func ready(_ id: String, endpoint: Int = 0) -> (any Connection)? {
        self.slots.withLock { slots in
            if case .connected(let connection)? = slots[Place(id: id, endpoint: endpoint)] { connection } else { nil }
        }
    }

    /// Closes every connection.
    func close() async {
        let open = self.slots.withLock { slots -> [Slot] in
            defer { slots = [:] }
            return Array(slots.values)
        }
        for slot in open {
            switch slot {
            case .connected(let connection): await connection.close()
            case .connecting(let task): if let connection = try? await task.value { await connection.close() }
            }
        }
    }
}
