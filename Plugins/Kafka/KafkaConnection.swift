internal import ConnectorKit
internal import Synchronization
internal import Values

/// One cluster, with one producer, one transactional producer and any number of consumers.
///
/// Nothing is connected before it is needed.
actor KafkaConnection: Connection {
    private let id: String
    private let settings: KafkaSettings
    private let secrets: any SecretResolver
    private let schemas: SchemaStore
    private let reader: MessageReader
    private let transactions: Transactions
    private var producer: Task<KafkaProducer, any Error>?
    private var isClosed = false

    init(_ configuration: ConnectionConfiguration, _ settings: KafkaSettings) throws {
        self.id = configuration.id
        self.settings = settings
        self.secrets = configuration.secrets
        self.schemas = try SchemaStore(settings, configuration)
        self.reader = MessageReader(settings: settings, schemas: self.schemas)
        self.transactions = Transactions(configuration.id, settings, configuration.secrets)
    }

    // MARK: - Test

    func test() async throws {
        try self.checkOpen()
        let credentials = try await KafkaCredentials(self.settings, self.secrets)
        let settings = self.settings
        let probe = try ProbeClient(settings, credentials)
        try await KafkaThread.run {
            defer { probe.destroy() }
            try probe.ask(timeout: settings.connectTimeout)
        }
    }

    // MARK: - Operations

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            try self.checkOpen()
            try Task.checkCancellation()
            switch call.operation {
            case "produce":
                let message = try await self.reader.message(call.input, path: "input", call: call)
                return await self.send([(message, call)], timeout: call.timeout)[0]
            case "produceTransaction":
                return try await self.transaction(call)
            default:
                throw ConnectorError.unknownOperation(call.operation, of: KafkaModule.description)
            }
        } catch is CancellationError {
            return .failed(KafkaErrors.cancelled("The call", mayHaveExecuted: false))
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    /// Messages are sent together; transactions one after the other.
    func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
        var outcomes = [Outcome?](repeating: nil, count: calls.count)
        var messages: [(OutgoingMessage, OperationCall)] = []
        var places: [Int] = []
        for (index, call) in calls.enumerated() {
            guard call.operation == "produce", !self.isClosed, !Task.isCancelled else {
                outcomes[index] = await self.invoke(call)
                continue
            }
            do {
                messages.append((try await self.reader.message(call.input, path: "input", call: call), call))
                places.append(index)
            } catch {
                outcomes[index] = .failed(ConnectorError(wrapping: error))
            }
        }
        var start = 0
        while start < messages.count {
            let end = min(start + KafkaProducer.groupMaximum, messages.count)
            let slice = Array(messages[start..<end])
            let timeout = slice.map(\.1.timeout).min() ?? .seconds(30)
            for (place, outcome) in zip(places[start..<end], await self.send(slice, timeout: timeout)) {
                outcomes[place] = outcome
            }
            start = end
        }
        return outcomes.map { $0 ?? .failed(ConnectorError.closed(self.id)) }
    }

    private func send(_ messages: [(OutgoingMessage, OperationCall)], timeout: Duration) async -> [Outcome] {
        let deliveries: [KafkaProducer.Delivery]
        do {
            deliveries = await (try await self.usableProducer()).send(messages.map(\.0), timeout: timeout)
        } catch {
            return messages.map { _ in .failed(ConnectorError(wrapping: error)) }
        }
        return zip(messages, deliveries).map { message, delivery in
            switch delivery {
            case .delivered(let partition, let offset, let timestamp):
                let result = Self.result(message.0.topic, partition, offset, timestamp)
                return .done(.context(result), facts: Self.facts(message.0))
            case .failed(let error):
                return .failed(error)
            }
        }
    }

    private func transaction(_ call: OperationCall) async throws -> Outcome {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        reader.require("messages")
        let items = reader.value("messages")?.asList
        if reader.has("messages"), items?.isEmpty ?? true {
            reader.add("input.messages: expected a list of at least one message.")
        }
        if let items, items.count > KafkaProducer.groupMaximum {
            reader.add("input.messages: expected at most \(KafkaProducer.groupMaximum) messages.")
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        var messages: [OutgoingMessage] = []
        for (index, item) in (items ?? []).enumerated() {
            messages.append(try await self.reader.message(item, path: "input.messages[\(index)]", call: call))
        }
        let deliveries = try await self.transactions.send(messages, timeout: call.timeout)
        let results = zip(messages, deliveries).map { message, delivery -> Value in
            guard case .delivered(let partition, let offset, let timestamp) = delivery, offset >= 0 else {
                return ["topic": .string(message.topic)]
            }
            return .context(Self.result(message.topic, partition, offset, timestamp))
        }
        return .done(
            ["messages": .list(results)], facts: ["messages": .number(Number(messages.count))])
    }

    private static func result(
        _ topic: String, _ partition: Int32, _ offset: Int64, _ timestamp: Int64?
    ) -> ValueContext {
        ValueContext([
            ("topic", .string(topic)), ("partition", .number(Number(Int64(partition)))),
            ("offset", .number(Number(offset))), ("timestamp", timestamp.map { .number(Number($0)) } ?? .null),
        ])
    }

    private static func facts(_ message: OutgoingMessage) -> ValueContext {
        ["bytes": .number(Number((message.key?.count ?? 0) + (message.value?.count ?? 0)))]
    }

    /// The producer; a new one when the last can no longer be used, with the secrets as they are now.
    private func usableProducer() async throws -> KafkaProducer {
        if let task = self.producer {
            if let producer = try? await task.value, producer.isUsable { return producer }
            // Somebody else may have replaced it meanwhile.
            if self.producer == task {
                self.producer = nil
                Task { await (try? task.value)?.close() }
            }
        }
        try self.checkOpen()
        if let task = self.producer { return try await task.value }
        let (id, settings, secrets) = (self.id, self.settings, self.secrets)
        let task = Task { try KafkaProducer(id, settings, try await KafkaCredentials(settings, secrets)) }
        self.producer = task
        return try await task.value
    }

    // MARK: - Sources

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        try self.checkOpen()
        guard KafkaModule.description.event(request.event) != nil else {
            throw ConnectorError.unknownEvent(request.event, of: KafkaModule.description)
        }
        let settings = try RecordSourceSettings(request.parameters, decoding: request.decoding)
        if let replay = request.replay {
            return try ReplaySource(
                self.id, settings, try ReplayRange(replay), self.settings, secrets: self.secrets,
                schemas: self.schemas)
        }
        return try RecordSource(self.id, settings, self.settings, secrets: self.secrets, schemas: self.schemas)
    }

    func close() async {
        guard !self.isClosed else { return }
        self.isClosed = true
        await (try? self.producer?.value)?.close()
        await self.transactions.close()
        await self.schemas.close()
    }

    private func checkOpen() throws {
        if self.isClosed { throw ConnectorError.closed(self.id) }
    }
}
