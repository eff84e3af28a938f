internal import ConnectorKit
internal import Values

/// The transactions of a connection, one after the other.
actor Transactions {
    private let connection: String
    private let settings: KafkaSettings
    private let secrets: any SecretResolver
    private var client: TransactionClient?
    private var isBusy = false
    private var isClosed = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ connection: String, _ settings: KafkaSettings, _ secrets: any SecretResolver) {
        self.connection = connection
        self.settings = settings
        self.secrets = secrets
    }

    /// Sends messages all or nothing; throws a `ConnectorError`.
    func send(_ messages: [OutgoingMessage], timeout: Duration) async throws -> [KafkaProducer.Delivery] {
        guard let id = self.settings.transactionalID else {
            throw ConnectorError(
                .unsupported, code: KafkaErrors.Code.noTransactions,
                "The connection \(self.connection) has no transactionalId.",
                remedy: "Set transactionalId to a name that no other user of these brokers has.")
        }
        let deadline = Monotonic.now + timeout
        await self.enter()
        defer { self.leave() }
        if self.isClosed { throw ConnectorError.closed(self.connection) }
        guard Monotonic.now < deadline else {
            throw KafkaErrors.timedOut(
                "The transaction", after: timeout, mayHaveExecuted: false, words: "others were before it")
        }
        let client = try await self.usableClient(id)
        let end = try await withTaskCancellationHandler {
            try await KafkaThread.run { client.send(messages, timeout: deadline - Monotonic.now) }
        } onCancel: {
            client.cancel()
        }
        if !self.isClosed { client.rearm() }
        if !end.isUsable {
            self.client = nil
            try await KafkaThread.run { client.destroy() }
        }
        return try end.result.get()
    }

    private func usableClient(_ id: String) async throws -> TransactionClient {
        if let client = self.client { return client }
        let credentials = try await KafkaCredentials(self.settings, self.secrets)
        let client = try TransactionClient(self.settings, credentials, transactionalID: id)
        self.client = client
        return client
    }

    /// Ends the transaction that runs, and frees the client.
    func close() async {
        self.isClosed = true
        self.client?.cancel()
        await self.enter()
        defer { self.leave() }
        guard let client = self.client else { return }
        self.client = nil
        try? await KafkaThread.run { client.destroy() }
    }

    private func enter() async {
        guard self.isBusy else {
            self.isBusy = true
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    /// Hands the turn to the one who waits longest.
    private func leave() {
        if self.waiting.isEmpty {
            self.isBusy = false
        } else {
            self.waiting.removeFirst().resume()
        }
    }
}
