internal import ConnectorKit
internal import Values

/// One broker and virtual host.
///
/// Publishing has a connection to the broker; each source has another, so that a broker that stops reading from
/// publishers does not stop consumers.
struct AMQPConnection: Connection {
    private let settings: AMQPSettings
    private let configuration: ConnectionConfiguration
    private let publisher: Publisher

    init(_ settings: AMQPSettings, _ configuration: ConnectionConfiguration) throws {
        self.settings = settings
        self.configuration = configuration
        self.publisher = try Publisher(settings, configuration)
    }

    func test() async throws {
        try await self.publisher.open()
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            let message = try self.message(call)
            let outcomes = await self.publisher.publish([message], timeout: call.timeout)
            return outcomes.first ?? .failed(.closed(self.configuration.id))
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    /// All messages are written at once and confirmed together; a call that is wrong fails by itself.
    func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
        var outcomes: [Outcome?] = Array(repeating: nil, count: calls.count)
        var messages: [OutgoingMessage] = []
        var positions: [Int] = []
        for (index, call) in calls.enumerated() {
            do {
                messages.append(try self.message(call))
                positions.append(index)
            } catch {
                outcomes[index] = .failed(ConnectorError(wrapping: error))
            }
        }
        let timeout = calls.map(\.timeout).min() ?? .zero
        let published = await self.publisher.publish(messages, timeout: timeout)
        for (position, outcome) in zip(positions, published) { outcomes[position] = outcome }
        return outcomes.map { $0 ?? .failed(.closed(self.configuration.id)) }
    }

    /// A broker takes a message twice; whether that does harm, the caller says.
    func isRepeatable(_ call: OperationCall) async -> Bool? {
        if self.settings.allowsDuplicates || call.input["allowDuplicates"]?.asBoolean == true { return true }
        return nil
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard AMQPModule.description.event(request.event) != nil else {
            throw ConnectorError.unknownEvent(request.event, of: AMQPModule.description)
        }
        guard request.replay == nil else {
            throw ConnectorError(
                .unsupported, code: AMQPErrors.Code.replay, "A queue forgets the messages that were acknowledged.",
                remedy: "Replay events from the inbox of the trigger.")
        }
        return try AMQPSource(self.settings, AMQPSourceSettings(request), self.configuration)
    }

    func close() async {
        await self.publisher.close()
    }

    private func message(_ call: OperationCall) throws -> OutgoingMessage {
        guard call.operation == "publish" else {
            throw ConnectorError.unknownOperation(call.operation, of: AMQPModule.description)
        }
        return try PublishRequest.message(call, bodyBytesMaximum: self.settings.messageBytesMaximum)
    }
}
