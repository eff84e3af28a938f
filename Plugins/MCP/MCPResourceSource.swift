internal import ConnectorKit
internal import Values

/// The parameters of a source, checked.
struct MCPResourceSettings: Sendable {
    static let event = EventDescriptor(
        id: "resource", title: "Resource updated",
        summary: "Emits the content of a resource when it changed; what came and went between two looks is not seen.",
        parameters: [
            "type": "object", "additionalProperties": false, "required": ["uri"],
            "properties": [
                "uri": ["type": "string", "description": "The resource."],
                "every": [
                    "type": "string", "default": "60s",
                    "description": "Time between looks when the server tells nothing.",
                ],
                "maxBytes": ["type": "string", "default": "1MiB", "description": "Bytes of content at most."],
            ],
        ],
        payload: [
            "type": "object", "description": "uri, and contents as the server gives them: text or blob of each.",
        ], delivery: .atLeastOnce, isOrdered: true)

    var uri = ""
    var every = Duration.seconds(60)
    var bytesMax = 1 << 20

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "resource", code: ConnectorError.Code.invalidParameters)
        reader.require("uri")
        self.uri = reader.string("uri") ?? ""
        if reader.has("uri"), !(1...2_000).contains(self.uri.utf8.count) {
            reader.add("resource.uri: expected 1 to 2000 bytes.")
        }
        self.every = reader.duration("every") ?? self.every
        if self.every < .milliseconds(100) { reader.add("resource.every: expected at least 100ms.") }
        self.bytesMax = reader.bytes("maxBytes") ?? self.bytesMax
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }
}

/// Emits the content of a resource as it is, whenever it is another than the last one that was acknowledged.
///
/// What the server tells is a hint, which may be lost; a look every so often is the truth. So the newest content always
/// arrives, and is known again after a restart, while contents in between may be missed. One batch is out at a time. Its
/// id counts the acknowledged contents, so that a content that comes back is another event.
actor MCPResourceSource: EventSource {
    private enum Out {
        case nothing
        case batch(EventBatch.ID, hash: String)
        case again(at: Duration)
    }

    private let settings: MCPResourceSettings
    private let connection: MCPConnection
    private let memory: any SourceMemory
    private let clock: any ConnectorClock
    private let hint = MCPHint()
    private var isConnected = false
    private var isClosed = false
    private var count: Int64 = 0
    private var lastHash: String?
    private var out = Out.nothing
    private var nextLook = Duration.zero
    private var nextBatch: UInt64 = 1

    init(
        _ settings: MCPResourceSettings, connection: MCPConnection, memory: any SourceMemory,
        clock: any ConnectorClock
    ) {
        self.settings = settings
        self.connection = connection
        self.memory = memory
        self.clock = clock
    }

    func connect() async throws {
        if self.isClosed { throw ConnectorError.closed("resource source") }
        let saved = try await self.memory.load()
        self.count = saved?["count"]?.asInt64 ?? 0
        self.lastHash = saved?["hash"]?.asString
        self.out = .nothing
        self.connection.watch(self.settings.uri, self.hint)
        try await self.subscribe()
        self.nextLook = self.clock.now
        self.isConnected = true
    }

    /// Asks to be told; a server that cannot is looked at all the same.
    private func subscribe() async throws {
        do {
            _ = try await self.call(MCPProtocol.subscribe)
        } catch let error as ConnectorError where [.unsupported, .validation].contains(error.kind) {
            return
        }
    }

    private func call(_ method: String) async throws -> Value {
        do {
            return try await self.connection.session().call(
                method, ["uri": .string(self.settings.uri)], timeout: .seconds(30))
        } catch let error as ConnectorError where error.isRetryable && error.code != ConnectorError.Code.cancelled {
            self.isConnected = false
            throw SourceInterruption.notConnected(reason: error.message)
        }
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.isConnected, !self.isClosed else {
                throw SourceInterruption.notConnected(reason: "The source is not connected.")
            }
            var next = self.nextLook
            switch self.out {
            case .batch: next = deadline
            case .again(let moment): next = moment
            case .nothing: if self.hint.take() { next = self.clock.now }
            }
            let now = self.clock.now
            if case .batch = self.out {
                // One at a time.
            } else if now >= next, let batch = try await self.look() {
                return batch
            }
            guard now < deadline else { return nil }
            if now >= next { continue }
            if case .nothing = self.out {
                try await self.sleepUntilHint(for: min(deadline, next) - now)
            } else {
                // What is told meanwhile is looked at afterwards.
                try await self.clock.sleep(for: min(deadline, next) - now)
            }
        }
    }

    private func look() async throws -> EventBatch? {
        // A process that was replaced knows of no subscription; asking twice changes nothing.
        if case .nothing = self.out { try await self.subscribe() }
        let answer = try await self.call(MCPProtocol.readResource)
        self.nextLook = self.clock.now + self.settings.every
        self.out = .nothing
        guard let contents = answer["contents"]?.asList else {
            throw MCPErrors.malformed("a resource without contents")
        }
        let value: Value = ["uri": .string(self.settings.uri), "contents": .list(contents)]
        let payload = Array(JSON.string(value).utf8)
        let first = StableHash.fnv1a64(payload)
        let second = StableHash.fnv1a64(payload, state: StableHash.mixed(first))
        let hash = String(first, radix: 16) + "-" + String(second, radix: 16)
        guard hash != self.lastHash, !self.isClosed else { return nil }
        var event = SourceEvent(
            id: "\(self.settings.uri)|\(self.count + 1)|\(hash)", payload: payload, contentType: "application/json",
            body: .value(value), coordinates: ["uri": .string(self.settings.uri)])
        if payload.count > self.settings.bytesMax {
            event.payload = []
            event.body = .undecodable(
                .init(
                    line: 1,
                    reason: "The resource has \(payload.count) bytes; at most \(self.settings.bytesMax) are allowed."))
        }
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        self.out = .batch(id, hash: hash)
        return EventBatch(id: id, events: [event])
    }

    private func sleepUntilHint(for duration: Duration) async throws {
        let clock = self.clock
        let hint = self.hint
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hint.wait() }
            group.addTask { try await clock.sleep(for: duration) }
            defer { group.cancelAll() }
            try await group.next()
        }
        try Task.checkCancellation()
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard case .batch(batch, let hash) = self.out else { return }
        self.out = .nothing
        self.count += 1
        self.lastHash = hash
        try await self.memory.save(["version": 1, "count": .number(Number(self.count)), "hash": .string(hash)])
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard case .batch(batch, _) = self.out else { return }
        switch disposition {
        case .redeliver(let after): self.out = .again(at: self.clock.now + after)
        case .setAside: try await self.acknowledge(batch)
        }
    }

    func close() async {
        self.isClosed = true
        self.isConnected = false
        self.connection.unwatch(self.hint)
    }
}
