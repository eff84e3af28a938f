public import ConnectorKit
import Synchronization
public import Values

/// A connection of a declarative connector.
public final class DeclaredConnection: Connection {
    let id: String
    let module: DeclaredConnector
    let runner: OperationRunner
    let credential: SpecCredential?
    let secrets: any SecretResolver
    private let isClosed = Mutex(false)

    init(
        id: String, module: DeclaredConnector, runner: OperationRunner, credential: SpecCredential?,
        secrets: any SecretResolver
    ) {
        self.credential = credential
        self.secrets = secrets
        self.id = id
        self.module = module
        self.runner = runner
    }

    /// Calls the operation under `connection.test`; without one, there is nothing that could be asked harmlessly.
    public func test() async throws {
        guard !self.isClosed.withLock({ $0 }) else { throw ConnectorError.closed(self.id) }
        guard let test = self.module.spec.connection.test else { return }
        let input = test.input.value(
            SpecScope(
                input: .null, connection: self.runner.connection, call: ValueContext(),
                unixMilliseconds: self.runner.clock.unixMilliseconds
            ).map)
        _ = try await self.runner.run(OperationCall(operation: test.operation, input: input))
    }

    /// Carries out one operation, all its pages included.
    public func invoke(_ call: OperationCall) async -> Outcome {
        do {
            try Task.checkCancellation()
            guard !self.isClosed.withLock({ $0 }) else { throw ConnectorError.closed(self.id) }
            let answer = try await self.runner.run(call)
            return answer.isAlreadyDone
                ? .alreadyDone(answer.value, facts: answer.facts) : .done(answer.value, facts: answer.facts)
        } catch {
            var error = ConnectorError(wrapping: error)
            if error.code == ConnectorError.Code.cancelled,
                self.module.descriptor.operation(self.runner.current(call.operation))?.effect == .read
            {
                error.mayHaveExecuted = false
            }
            return .failed(error)
        }
    }

    /// The values an editor can offer for a member of an operation's input, with their labels.
    ///
    /// Empty for a member without `dynamicOptions`. Throws what calling the operation that lists them throws.
    public func options(
        operation: String, member: String, input: Value = [:]
    ) async throws -> [(value: Value, label: String)] {
        guard let options = self.module.spec.operation(operation)?.dynamicOptions[member] else { return [] }
        let scope = SpecScope(
            input: input, connection: self.runner.connection, call: ValueContext(),
            unixMilliseconds: self.runner.clock.unixMilliseconds)
        let answer = try await self.runner.run(
            OperationCall(operation: options.operation, input: options.input.value(scope.map).withoutNulls))
        return answer.records.map { record in
            let map = scope.with("record", record).map
            let value = options.value.value(map)
            return (value, options.label.text(map) ?? value.plainText ?? "")
        }
    }

    /// Prepares a source of an event that is polled, or taken from a queue.
    public func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard !self.isClosed.withLock({ $0 }) else { throw ConnectorError.closed(self.id) }
        guard let event = self.module.spec.event(request.event), event.isArmed else {
            throw ConnectorError.unknownEvent(request.event, of: self.module.descriptor)
        }
        if let objects = event.objects { return try self.objectSource(request, event, objects) }
        if let queue = event.queue { return try self.queueSource(request, event, queue) }
        guard let poll = event.poll else {
            throw ConnectorError.unknownEvent(request.event, of: self.module.descriptor)
        }
        let reader = FieldReader(request.parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        let start = reader.value("start")
        let input = reader.object("input")
        _ = input?.keys()
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        let poller = Poller(spec: poll, runner: self.runner)
        return PollSource(
            event: event, poller: poller, parameters: request.parameters.asContext ?? ValueContext(), start: start,
            memory: request.memory, replay: try request.replay.map { try Self.range($0, poller.cursor) })
    }

    /// `{ from, to }`, each a cursor.
    private static func range(_ value: Value, _ cursor: PollCursor) throws(ConnectorError) -> PollSource.Range {
        let reader = FieldReader(value, path: "replay", code: ConnectorError.Code.invalidParameters)
        func position(_ key: String) -> Number? {
            guard let value = reader.value(key) else { return nil }
            let position = cursor.position(value)
            if position == nil { reader.add("replay.\(key): expected a cursor of the kind \(cursor.spec.cursorUnit).") }
            return position
        }
        let range = PollSource.Range(from: position("from"), to: position("to"))
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        return range
    }

    private func objectSource(
        _ request: SourceRequest, _ event: EventSpec, _ objects: ObjectsSpec
    ) throws(ConnectorError) -> ObjectSource {
        let parameters = try ObjectParameters(request.parameters, of: objects, isQueued: event.queue != nil)
        var notices: QueueSource?
        var range: ObjectSource.Range?
        if let replay = request.replay {
            let reader = FieldReader(replay, path: "replay", code: ConnectorError.Code.invalidParameters)
            func moment(_ key: String) -> Int64? {
                guard let text = reader.string(key) else { return nil }
                let moment = Timestamp.milliseconds(text)
                if moment == nil { reader.add("replay.\(key): expected a timestamp.") }
                return moment
            }
            range = ObjectSource.Range(prefix: reader.string("prefix"), from: moment("from"), to: moment("to"))
            reader.finish()
            if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        } else if parameters.isNotified, let queue = event.queue {
            var decoding = RecordDecoding()
            decoding.format = .json
            notices = QueueSource(
                client: QueueClient(
                    event: event, spec: queue, runner: self.runner,
                    parameters: try QueueParameters(.context(parameters.queue), of: queue), decoding: decoding))
        } else if let name = parameters.queue.keys.first {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "parameters.\(name): only a source that is notified by a queue has this parameter.",
                remedy: "Set notify: queue, or remove it.")
        }
        return ObjectSource(
            event: event, spec: objects, runner: self.runner, parameters: parameters, decoding: request.decoding,
            memory: request.memory, replay: range, notices: notices)
    }

    private func queueSource(
        _ request: SourceRequest, _ event: EventSpec, _ queue: QueueSpec
    ) throws(ConnectorError) -> QueueSource {
        guard request.replay == nil else {
            throw ConnectorError(
                .unsupported, code: SpecErrorCode.replay,
                "\(self.module.spec.metadata.title) forgets what was acknowledged: events of \(event.id) cannot be read again.",
                remedy: "Replay them from the inbox of the trigger.")
        }
        if let objection = request.decoding.messageObjection, let error = ConnectorError.invalidParameters([objection])
        {
            throw error
        }
        return QueueSource(
            client: QueueClient(
                event: event, spec: queue, runner: self.runner,
                parameters: try QueueParameters(request.parameters, of: queue), decoding: request.decoding))
    }

    /// Tells the remote where events are to be sent; what `keep` says is to be stored by the caller.
    ///
    /// - Parameters:
    ///   - url: Where the events go.
    ///   - secret: A secret for services that are told one.
    /// - Returns: What to keep, which may hold a secret; `nil` when the service needs no telling.
    public func subscribe(event id: String, url: String, secret: Secret? = nil) async throws -> ValueContext? {
        guard let subscribe = self.module.spec.event(id)?.webhook?.subscribe else { return nil }
        let text = secret.map { $0.reveal { Value.string($0) } } ?? .null
        var scope = SpecScope(
            input: .null, connection: self.runner.connection, call: ValueContext(),
            unixMilliseconds: self.runner.clock.unixMilliseconds
        ).with("webhook", ["url": .string(url), "secret": text])
        let answer = try await self.runner.run(
            OperationCall(
                operation: subscribe.operation, input: subscribe.input.value(scope.map).withoutNulls,
                idempotencyKey: "\(self.id)/\(id)/\(url)"))
        scope.variables["response"] = answer.response
        return subscribe.keep.value(scope.map).asContext ?? ValueContext()
    }

    /// Tells the remote that events are no longer wanted; `kept` is what `subscribe` returned.
    public func unsubscribe(event id: String, kept: ValueContext) async throws {
        guard let unsubscribe = self.module.spec.event(id)?.webhook?.unsubscribe else { return }
        let scope = SpecScope(
            input: .null, connection: self.runner.connection, call: ValueContext(),
            unixMilliseconds: self.runner.clock.unixMilliseconds
        ).with("kept", .context(kept))
        do {
            _ = try await self.runner.run(
                OperationCall(operation: unsubscribe.operation, input: unsubscribe.input.value(scope.map)))
        } catch let error as ConnectorError where error.kind == .notFound {
            // Gone already.
        }
    }

    /// Decides what a request to the webhook of an event is; see `WebhookReceiver`.
    ///
    /// The secret is found anew each time, in `kept`, in the credential or in a parameter that is a secret. Throws
    /// `ConnectorError`: `unsupported` when the event does not come by webhook, `auth` when the secret cannot be had.
    public func receive(
        event id: String, _ request: WebhookRequest, kept: ValueContext = ValueContext()
    ) async throws -> WebhookVerdict {
        guard let receiver = WebhookReceiver(self.module.spec, event: id) else {
            throw ConnectorError.unknownEvent(id, of: self.module.descriptor)
        }
        var fields = try await self.credential?.resolved() ?? ValueContext()
        for name in self.module.spec.connection.secrets {
            guard let reference = self.runner.connection[name].flatMap({ SecretReference($0) }) else { continue }
            fields[name] = .string(try await self.secrets.secret(reference).reveal { $0 })
        }
        return receiver.receive(
            request, connection: self.runner.connection, credential: fields, kept: kept,
            now: self.runner.clock.unixMilliseconds / 1_000)
    }

    /// Ends calls that run.
    public func close() async {
        self.isClosed.withLock { $0 = true }
        await self.runner.transport.close()
    }
}
