internal import ConnectorKit
internal import Values

/// A source that lives in another process; armed anew in the next process when one is lost.
actor RemoteSource: EventSource {
    private let connection: RemoteConnection
    private let number: Int64
    private let request: SourceRequest
    private var isArmed = false
    private var isClosed = false
    private var nextBatch: UInt64 = 1
    /// Batches that are out, and their numbers in the process.
    ///
    /// Numbers of a process that is gone mean nothing in the next.
    private var batches: [UInt64: UInt64] = [:]

    init(_ connection: RemoteConnection, _ number: Int64, _ request: SourceRequest) {
        self.connection = connection
        self.number = number
        self.request = request
    }

    private var source: Value { PluginCoding.number(self.number) }

    /// Arms it in the process there is now, at the position that was saved last.
    ///
    /// Throws `ConnectorError`.
    func arm() async throws {
        let position = self.request.replay == nil ? try await self.request.memory.load() : nil
        let params = PluginCoding.json(self.request, source: self.number, position: position)
        _ = try await self.connection.call(.arm, params, timeout: .seconds(30))
        self.isArmed = true
    }

    func connect() async throws {
        if self.isClosed { throw SourceInterruption.endOfInput }
        if !self.isArmed {
            try await self.interrupting { try await self.arm() }
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
        let answer = try await self.call(
            .acknowledge, ["source": self.source, "batch": PluginCoding.number(number)])
        // The short way to save, for plugins that need not know when it is kept.
        if let position = answer["position"], self.request.replay == nil {
            try await self.request.memory.save(position)
        }
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
        defer { self.connection.forget(self.number) }
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
        try await self.interrupting { try await self.connection.call(method, params, timeout: timeout) }
    }

    private func interrupting<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as ConnectorError {
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
