internal import ConnectorKit
internal import Values

/// A source that lives in another process; armed anew in the next process when one is lost.
actor RemoteSource: EventSource {
    private let connection: RemoteConnection
    private let source: Value
    private let arming: Value
    private var isArmed = true
    private var isClosed = false
    private var nextBatch: UInt64 = 1
    /// Batches that are out, and their numbers in the process.
    ///
    /// Numbers of a process that is gone mean nothing in the next.
    private var batches: [UInt64: UInt64] = [:]

    init(_ connection: RemoteConnection, _ source: Int64, arming: Value) {
        self.connection = connection
        self.source = PluginCoding.number(source)
        self.arming = arming
    }

    func connect() async throws {
        if self.isClosed { throw SourceInterruption.endOfInput }
        if !self.isArmed {
            try await self.call(.arm, self.arming)
            self.isArmed = true
        }
        let answer = try await self.call(.open, ["source": self.source])
        if case .interruption(let interruption)? = try? PluginCoding.readResult(answer) { throw interruption }
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        if self.isClosed { throw SourceInterruption.endOfInput }
        let result = try await self.call(
            .read,
            [
                "source": self.source, "maximum": PluginCoding.number(maximum),
                "waitMilliseconds": PluginCoding.milliseconds(wait),
            ], timeout: wait + .seconds(30))
        let answer: PluginCoding.ReadResult
        do {
            answer = try PluginCoding.readResult(result)
        } catch {
            throw self.connection.malformed(error)
        }
        switch answer {
        case .interruption(let interruption):
            if case .notConnected = interruption { self.batches = [:] }
            throw interruption
        case .batch(nil):
            return nil
        case .batch(let batch?):
            let id = self.nextBatch
            self.nextBatch += 1
            self.batches[id] = batch.id.rawValue
            return EventBatch(id: .init(rawValue: id), events: batch.events)
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let number = self.batches.removeValue(forKey: batch.rawValue) else { return }
        try await self.call(.acknowledge, ["source": self.source, "batch": PluginCoding.number(number)])
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let number = self.batches.removeValue(forKey: batch.rawValue) else { return }
        try await self.call(
            .reject,
            [
                "source": self.source, "batch": PluginCoding.number(number),
                "disposition": PluginCoding.json(disposition),
            ])
    }

    func close() async {
        guard !self.isClosed else { return }
        self.isClosed = true
        if self.isArmed { _ = try? await self.call(.disarm, ["source": self.source]) }
    }

    func backlog() async -> Int? {
        guard let answer = try? await self.call(.backlog, ["source": self.source]) else { return nil }
        return answer["count"]?.asInt64.map { Int(clamping: $0) }
    }

    /// Calls the process; when it is gone, or is another one that knows nothing of this source, the source has to be
    /// connected again.
    @discardableResult
    private func call(
        _ method: PluginProtocol.Method, _ params: Value, timeout: Duration = .seconds(30)
    ) async throws -> Value {
        do {
            return try await self.connection.call(method, params, timeout: timeout)
        } catch {
            switch error.code {
            case PluginErrors.Code.lost, PluginErrors.Code.unusable, PluginErrors.Code.timedOut,
                PluginErrors.Code.unknownSource:
                self.isArmed = false
                self.batches = [:]
                throw SourceInterruption.notConnected(reason: error.message)
            default:
                throw error
            }
        }
    }
}
