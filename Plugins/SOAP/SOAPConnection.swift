internal import ConnectorKit
internal import HTTPTransport
internal import Synchronization
internal import Values

/// One connection: a described service, and a client that calls it.
final class SOAPConnection: Connection {
    private let id: String
    private let settings: SOAPSettings
    private let service: SOAPService
    private let endpoint: HTTPAddress
    private let client: HTTPClient
    private let secrets: any SecretResolver
    private let clock: any ConnectorClock
    private let validator: SchemaValidator?
    private let descriptor: ConnectorDescriptor
    /// Whether `call` and `describe` are operations beside those of the description, which they then hide.
    private let isGeneral: Bool
    private let isClosed = Mutex(false)

    init(
        _ configuration: ConnectionConfiguration, _ settings: SOAPSettings, _ service: SOAPService,
        _ descriptor: ConnectorDescriptor, isGeneral: Bool
    ) throws {
        if let error = settings.unknownOperation(in: service) { throw error }
        self.id = configuration.id
        self.settings = settings
        self.service = service
        self.endpoint = try ServiceLoader.endpoint(service, settings)
        self.secrets = configuration.secrets
        self.clock = configuration.clock
        self.validator = settings.validation == .none || !service.isLiteral ? nil : try SchemaValidator(service)
        self.descriptor = descriptor
        self.isGeneral = isGeneral
        var http = settings.http
        http.base = self.endpoint
        self.client = try HTTPClient(
            id: configuration.id, settings: http, secrets: configuration.secrets, clock: configuration.clock,
            userAgent: SOAPDescription.agent)
    }

    /// Asks the address for its headers.
    ///
    /// Any answer but one about the credential will do: services answer nothing but messages.
    func test() async throws {
        let request = HTTPRequest(method: "HEAD", target: .url(self.endpoint), timeout: .seconds(10))
        let response = try await self.client.send(request)
        guard response.status == 401 || response.status == 403 else { return }
        throw self.client.failure(response, of: request)
    }

    func isRepeatable(_ call: OperationCall) async -> Bool? {
        if self.isGeneral, call.operation == SOAPDescription.describe { return nil }
        let name =
            self.isGeneral && call.operation == SOAPDescription.call
            ? call.input["operation"]?.asString : call.operation
        guard let operation = name.flatMap({ self.service.operation($0) }) else { return nil }
        return self.isRepeatable(operation, call)
    }

    private func isRepeatable(_ operation: SOAPOperation, _ call: OperationCall) -> Bool {
        self.settings.isRepeatable(operation)
            || (self.settings.http.honoursIdempotencyKey && call.idempotencyKey != nil)
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            guard !self.isClosed.withLock({ $0 }) else { throw ConnectorError.closed(self.id) }
            if Task.isCancelled {
                var error = ConnectorError(wrapping: CancellationError())
                error.mayHaveExecuted = false
                throw error
            }
            switch call.operation {
            case SOAPDescription.call where self.isGeneral: return try await self.call(call)
            case SOAPDescription.describe where self.isGeneral: return .done(try self.describe(call), facts: [:])
            default:
                guard let operation = self.service.operations.first(where: { $0.id == call.operation }) else {
                    throw self.unknown(call.operation)
                }
                return try await self.send(operation, call.input, call)
            }
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        throw ConnectorError.unknownEvent(request.event, of: self.descriptor)
    }

    func close() async {
        self.isClosed.withLock { $0 = true }
        await self.client.close()
    }

    // MARK: - Operations

    private func unknown(_ name: String) -> ConnectorError {
        if let reason = self.service.refused[name] {
            return SOAPErrors.unsupported("\(name) cannot be called: \(reason)", "Use another port of the service.")
        }
        var descriptor = self.descriptor
        descriptor.operations += OperationDescriber(self.service).operations
        return .unknownOperation(name, of: descriptor)
    }

    private func call(_ call: OperationCall) async throws -> Outcome {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        reader.require("operation")
        let name = reader.string("operation") ?? ""
        let value = reader.value("input") ?? [:]
        let headers = reader.value("headers")
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        guard let operation = self.service.operation(name) else { throw self.unknown(name) }
        guard var input = value.asContext else {
            throw SOAPErrors.input("input.input: expected an object but found \(value.typeName).")
        }
        if let headers { input[ValueKey.headers] = headers }
        return try await self.send(operation, .context(input), call)
    }

    private func describe(_ call: OperationCall) throws -> Value {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        let only = reader.string("operation")
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        var service = self.service
        if let only {
            guard let operation = service.operation(only) else { throw self.unknown(only) }
            service.operations = [operation]
        }
        let described = self.settings.operations(of: service)
        let operations = zip(service.operations, described).map { operation, description in
            Value.context([
                "id": .string(operation.id), "name": .string(operation.name),
                "summary": .string(description.summary), "effect": .string(description.effect.rawValue),
                "soapAction": .string(operation.action), "input": description.input, "output": description.output,
            ])
        }
        var value: ValueContext = [
            "service": .string(service.name), "port": .string(service.port), "address": .string(self.endpoint.text),
            "soapVersion": .string(service.version.rawValue), "operations": .list(operations),
        ]
        if !service.refused.isEmpty {
            value["refused"] = .context(
                ValueContext(service.refused.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        return .context(value)
    }

    // MARK: - One call

    private func send(_ operation: SOAPOperation, _ input: Value, _ call: OperationCall) async throws -> Outcome {
        let secret = try await self.password()
        let request = try self.request(operation, input, call, secret)
        let response = try await self.client.send(request)
        do {
            let value = try self.result(response, operation, request)
            return response.isReplay ? .alreadyDone(value, facts: response.facts) : .done(value, facts: response.facts)
        } catch {
            // Services like to repeat what they do not like.
            var error = ConnectorError(wrapping: error)
            if let secret { error = error.hiding(secret) }
            guard error.code == SOAPErrors.Code.declaredFault, self.settings.declaredFaults == .result else {
                throw error
            }
            return .done(SOAPFault.result(error), facts: response.facts)
        }
    }

    /// The password of the UsernameToken, as it is now.
    private func password() async throws -> Secret? {
        guard let security = self.settings.security else { return nil }
        let secret = try await self.secrets.secret(security.password)
        guard !secret.reveal({ $0.utf8.contains { $0 < 0x20 } }) else {
            throw ConnectorError(
                .auth, code: ConnectorError.Code.secretUnavailable,
                "The password of the connection \(self.id) holds a line end or another control character.",
                remedy: "Store it without; editors like to add a line end.")
        }
        return secret
    }

    private func result(
        _ response: HTTPResponse, _ operation: SOAPOperation, _ request: HTTPRequest
    ) throws -> Value {
        let failure = self.client.failure(response, of: request)
        let answer = SOAPAnswer(
            status: response.status, contentType: response.header("content-type") ?? "", bytes: response.bytes,
            retryAfter: failure.retryAfter)
        let isSuccess = (200..<300).contains(response.status)
        if isSuccess, response.bytes.isEmpty {
            guard operation.output != nil else { return .null }
            throw SOAPErrors.malformed("it is empty", details: ["status": .number(Number(Int64(response.status)))])
        }
        // Gateways answer in HTML; their status then says more than that it is no message.
        guard isSuccess || AnswerReader.isMessage(answer) else { throw failure }
        let validates = self.settings.validation == .both || self.settings.validation == .response
        let reader = AnswerReader(service: self.service, validator: validates ? self.validator : nil)
        do {
            return try reader.read(answer, operation)
        } catch {
            throw error.code == SOAPErrors.Code.malformedAnswer && !isSuccess ? failure : error
        }
    }

    private func request(
        _ operation: SOAPOperation, _ input: Value, _ call: OperationCall, _ secret: Secret?
    ) throws -> HTTPRequest {
        let writer = EnvelopeWriter(service: self.service)
        try self.validate(operation, input, writer)
        var random = SystemRandomNumberGenerator()
        let nonce = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        var sink = self.settings.usesMTOM ? MTOMSink(threshold: self.settings.mtomThreshold) : nil
        let envelope = try writer.write(operation, input, sink: &sink) { xml throws(XMLWriter.UnwritableText) in
            guard let secret, let security = self.settings.security else { return }
            try security.write(
                secret, nonce: nonce, now: self.clock.unixMilliseconds, self.service.version, into: &xml)
        }
        let version = self.service.version
        var body = envelope.bytes
        var contentType = "\(version.mediaType); charset=utf-8"
        if version == .v12, !operation.action.isEmpty {
            contentType += "; action=\"\(operation.action.quotedParameter)\""
        }
        if let sink {
            let boundary = "junction-" + (0..<4).map { _ in String(random.next(), radix: 36) }.joined()
            (body, contentType) = sink.package(
                envelope.bytes, version: version, action: operation.action, boundary: boundary)
        }
        var headers: [(name: String, value: String)] = [("Accept", "\(version.mediaType), multipart/related")]
        if version == .v11 { headers.append(("SOAPAction", "\"\(operation.action.quotedParameter)\"")) }
        return HTTPRequest(
            method: "POST", target: .url(self.endpoint), headers: headers,
            body: .bytes(body, contentType: contentType), timeout: call.timeout,
            isRepeatable: self.isRepeatable(operation, call), idempotencyKey: call.idempotencyKey,
            traceparent: call.traceparent)
    }

    /// Validates a request as it is without attachments and credential.
    private func validate(_ operation: SOAPOperation, _ input: Value, _ writer: EnvelopeWriter) throws {
        guard let validator = self.validator, !operation.input.isEncoded,
            self.settings.validation == .both || self.settings.validation == .request
        else { return }
        var none: MTOMSink?
        let plain = try writer.write(operation, input, sink: &none)
        guard let element = plain.bodyElement else { return }
        let findings: [String]
        do {
            findings = try validator.findings(plain.bytes, element: element)
        } catch {
            throw SOAPErrors.input("The message cannot be validated: \(error)", "Make the input smaller.")
        }
        guard findings.isEmpty else {
            throw SOAPErrors.input("The input does not keep to the schema: \(findings.joined(separator: " "))")
        }
    }
}

extension ConnectorError {
    /// The same error without a secret that the remote repeated.
    func hiding(_ secret: Secret) -> ConnectorError {
        secret.reveal { text in
            guard text.count >= 3 else { return self }
            var error = self
            error.message = self.message.replacing(text, with: "<secret>")
            error.details = Self.hiding(text, in: self.details)
            return error
        }
    }

    private static func hiding(_ secret: String, in context: ValueContext) -> ValueContext {
        ValueContext(context.map { ($0.key.replacing(secret, with: "<secret>"), Self.hiding(secret, in: $0.value)) })
    }

    private static func hiding(_ secret: String, in value: Value) -> Value {
        switch value {
        case .string(let text): .string(text.replacing(secret, with: "<secret>"))
        case .list(let items): .list(items.map { Self.hiding(secret, in: $0) })
        case .context(let context): .context(Self.hiding(secret, in: context))
        default: value
        }
    }
}
