import ConnectorKit
import Decisions
import HTTPTransport
import HubDocuments
import Values

/// Carries out operations of a specification over a transport, once each: retries are the caller's.
struct OperationRunner: Sendable {
    let spec: ConnectorSpec
    let connection: ValueContext
    let transport: any SpecTransport
    let clock: any ConnectorClock
    private let builder: RequestBuilder
    private let mapper: ErrorMapper

    /// The largest number of records one call collects.
    static let recordsMaximum = 100_000
    /// How often a list is read again from its start because its cursor expired.
    static let restartsMaximum = 3

    init(spec: ConnectorSpec, connection: ValueContext, transport: any SpecTransport, clock: any ConnectorClock) {
        self.spec = spec
        self.connection = connection
        self.transport = transport
        self.clock = clock
        self.builder = RequestBuilder(spec: spec, connection: connection)
        self.mapper = ErrorMapper(spec: spec)
    }

    /// What came of one operation.
    struct Answer: Sendable {
        var value: Value
        var facts: ValueContext
        var isAlreadyDone = false
        /// The records, when the operation lists some.
        var records: [Value] = []
        /// Whether a list was read to its end.
        var isComplete = true
        /// `response` of the last answer.
        var response: Value = .null
    }

    func run(_ call: OperationCall) async throws -> Answer {
        guard let operation = self.spec.operation(self.current(call.operation)) else {
            throw ConnectorError.unknownOperation(call.operation, of: self.spec.descriptor)
        }
        let input = try self.input(call.input, operation)
        var fields: ValueContext = [
            "operation": .string(operation.id), "attempt": .number(Number(Int64(call.attempt))),
            "idempotencyKey": call.idempotencyKey.map { .string($0) } ?? .null,
        ]
        fields["traceparent"] = call.traceparent.map { .string($0) }
        let scope = SpecScope(
            input: input, connection: self.connection, call: fields, unixMilliseconds: self.clock.unixMilliseconds)
        let deadline = self.clock.now + call.timeout
        if let pagination = operation.pagination, pagination.kind != .none {
            return try await self.pages(operation, pagination, scope, call, deadline)
        }
        let size = operation.pagination?.size.map { Value.number(Number($0)) } ?? .null
        let request = try self.builder.request(
            operation, scope.with("page", ["size": size]), call: call, timeout: call.timeout)
        let exchange = try await self.exchange(request, operation, scope)
        var answer = Answer(value: .null, facts: self.facts(exchange, operation), response: exchange.value)
        answer.isAlreadyDone = exchange.isAlreadyDone
        let map = exchange.scope.map
        if let records = operation.response.records {
            answer.records = try self.records(records, exchange, operation)
            try self.check(answer.records, operation, exchange)
            answer.value = operation.response.output?.value(map) ?? .list(answer.records)
        } else {
            answer.value = operation.response.output?.value(map) ?? exchange.body
            try self.check(answer.value, operation, exchange)
        }
        return answer
    }

    /// The bytes an operation answers with, and `response` without a body.
    ///
    /// Throws `ConnectorError`; `bytesMaximum` is the transport's to watch.
    func bytes(_ call: OperationCall, bytesMaximum: Int) async throws -> (bytes: [UInt8], response: Value) {
        guard let operation = self.spec.operation(self.current(call.operation)) else {
            throw ConnectorError.unknownOperation(call.operation, of: self.spec.descriptor)
        }
        let scope = SpecScope(
            input: try self.input(call.input, operation), connection: self.connection,
            call: ["operation": .string(operation.id), "attempt": 1], unixMilliseconds: self.clock.unixMilliseconds)
        var request = try self.builder.request(operation, scope, call: call, timeout: call.timeout)
        request.responseBytesMaximum = bytesMaximum
        let response = try await self.transport.send(request)
        guard operation.response.success.contains(response.status) else {
            let value = (try? AnswerReader.value(response, .text, isLenient: true)) ?? .null
            throw self.mapper.error(response, operation, scope.with("response", value))
        }
        var head = response
        head.body = []
        return (response.body, (try? AnswerReader.value(head, .none, isLenient: true)) ?? .null)
    }

    /// The operation a former name stands for today.
    func current(_ id: String) -> String {
        var id = id
        for migration in self.spec.migrations.sorted(by: { $0.to < $1.to }) { id = migration.operations[id] ?? id }
        return id
    }

    // MARK: - Input

    private func input(_ value: Value, _ operation: OperationSpec) throws(ConnectorError) -> Value {
        var input = value.isNull ? .context(ValueContext()) : value
        if var members = input.asContext, let properties = operation.input.value["properties"]?.asContext {
            for (name, schema) in properties where members[name] == nil {
                if let standard = schema["default"] { members[name] = standard }
            }
            input = .context(members)
        }
        let violations = operation.input.compiled.violations(of: input)
        guard let first = violations.first else { return input }
        throw ConnectorError(
            .validation, code: ConnectorError.Code.invalidParameters,
            "The input of \(operation.id) is wrong: "
                + violations.map { $0.description.hasSuffix(".") ? $0.description : $0.description + "." }
                .joined(separator: " "),
            remedy: first.path.isEmpty
                ? "Give an object with the members of the operation's input."
                : "Correct the members named.")
    }

    // MARK: - One exchange

    /// One request with its answer, which was a success.
    private struct Exchange {
        var response: SpecResponse
        /// `response` as expressions see it.
        var value: Value
        var scope: SpecScope
        var isAlreadyDone: Bool
        var body: Value { self.value["body"] ?? .null }
    }

    /// A failure, with the answer it came from.
    private struct FailedAnswer: Error {
        var error: ConnectorError
        var scope: SpecScope
    }

    private func exchange(
        _ request: SpecRequest, _ operation: OperationSpec, _ scope: SpecScope
    ) async throws -> Exchange {
        do {
            return try await self.exchangeKeeping(request, operation, scope)
        } catch let failed as FailedAnswer {
            throw failed.error
        }
    }

    private func exchangeKeeping(
        _ request: SpecRequest, _ operation: OperationSpec, _ scope: SpecScope
    ) async throws -> Exchange {
        let response = try await self.transport.send(request)
        let isSuccess = operation.response.success.contains(response.status)
        let value: Value
        do {
            value = try AnswerReader.value(response, operation.response.decoding, isLenient: !isSuccess)
        } catch {
            throw ConnectorError(
                .unknown, code: SpecErrorCode.unexpectedAnswer,
                "\(self.spec.metadata.title) answered \(operation.id) with something else: \(error.message)",
                remedy: "Look at the service; something between may have answered instead of it.",
                mayHaveExecuted: operation.effect != .read,
                details: ["status": .number(Number(Int64(response.status)))])
        }
        let full = scope.with("response", value)
        let map = full.map
        if let already = operation.response.alreadyDone, already.status?.contains(response.status) ?? true,
            already.condition?.holds(map) ?? true
        {
            return Exchange(response: response, value: value, scope: full, isAlreadyDone: true)
        }
        if isSuccess, operation.response.condition?.holds(map) ?? true {
            return Exchange(response: response, value: value, scope: full, isAlreadyDone: false)
        }
        throw FailedAnswer(error: self.mapper.error(response, operation, full), scope: full)
    }

    private func facts(_ exchange: Exchange, _ operation: OperationSpec) -> ValueContext {
        var facts: ValueContext = ["status": .number(Number(Int64(exchange.response.status)))]
        let map = exchange.scope.map
        for (name, value) in operation.response.facts {
            let value = value.value(map)
            if !value.isNull { facts[name] = value }
        }
        return facts
    }

    private func records(
        _ template: SpecTemplate, _ exchange: Exchange, _ operation: OperationSpec
    ) throws(ConnectorError) -> [Value] {
        switch template.value(exchange.scope.map) {
        case .list(let items): return items
        case .null:
            // Many services leave an empty list out; a page of text is something else.
            guard exchange.body.asString == nil else {
                throw self.unexpected(operation, "response.records is nothing, for the answer is text.", exchange)
            }
            return []
        default:
            throw self.unexpected(operation, "response.records is no list.", exchange)
        }
    }

    private func check(_ value: Value, _ operation: OperationSpec, _ exchange: Exchange) throws(ConnectorError) {
        guard let schema = operation.response.schema else { return }
        let violations = schema.compiled.violations(of: value)
        guard !violations.isEmpty else { return }
        throw self.unexpected(
            operation, violations.prefix(3).map(\.description).joined(separator: " "), exchange)
    }

    private func check(_ records: [Value], _ operation: OperationSpec, _ exchange: Exchange) throws(ConnectorError) {
        for record in records { try self.check(record, operation, exchange) }
    }

    private func unexpected(_ operation: OperationSpec, _ message: String, _ exchange: Exchange) -> ConnectorError {
        ConnectorError(
            .unknown, code: SpecErrorCode.unexpectedAnswer,
            "\(self.spec.metadata.title) answered \(operation.id) with something else than declared: \(message)",
            remedy: "Compare the answer with the schema in the specification; the service may have changed.",
            mayHaveExecuted: operation.effect != .read, details: self.facts(exchange, operation))
    }

    // MARK: - Pages

    /// Where a list stands.
    private struct Position {
        var number: Int
        var offset: Int
        var cursor: Value = .null
        var url: String?

        func value(size: Int?) -> Value {
            [
                "number": .number(Number(self.number)), "offset": .number(Number(self.offset)),
                "cursor": self.cursor, "token": self.cursor, "size": size.map { .number(Number($0)) } ?? .null,
            ]
        }
    }

    private func pages(
        _ operation: OperationSpec, _ pagination: PaginationSpec, _ scope: SpecScope, _ call: OperationCall,
        _ deadline: Duration
    ) async throws -> Answer {
        let size = self.size(pagination, scope)
        let start = Position(number: pagination.kind == .page ? pagination.start : 1, offset: pagination.start)
        var position = start
        var restarts = 0
        var pages = 0
        var records: [Value] = []
        var last: Exchange?
        var isComplete = false
        while pages < pagination.pagesMaximum, records.count < Self.recordsMaximum {
            let remaining = deadline - self.clock.now
            guard remaining > .zero else { throw self.outOfTime(operation, pages, records.count) }
            let pageScope = scope.with("page", position.value(size: size))
            let request = try self.builder.request(
                operation, pageScope, call: call, timeout: remaining, url: position.url)
            let exchange: Exchange
            do {
                exchange = try await self.exchangeKeeping(request, operation, pageScope)
            } catch let failed as FailedAnswer {
                guard pages > 0, self.isExpired(pagination, failed) else { throw failed.error }
                guard pagination.onExpiredCursor == .restart, restarts < Self.restartsMaximum else {
                    throw self.expired(operation, failed.error)
                }
                restarts += 1
                (position, pages, records) = (start, 0, [])
                continue
            }
            pages += 1
            let page = try self.records(operation.response.records ?? .literal([]), exchange, operation)
            try self.check(page, operation, exchange)
            records += page
            last = exchange
            guard let next = try self.next(position, page, exchange, pagination, size, request) else {
                isComplete = true
                break
            }
            if next.cursor == position.cursor, next.url == position.url, pagination.kind != .page,
                pagination.kind != .offset
            {
                throw ConnectorError(
                    .unknown, code: SpecErrorCode.pagination,
                    "\(operation.id): the page after \(pages) pages is the same again.",
                    remedy: "Correct pagination in the specification; its cursor does not move.")
            }
            position = next
        }
        return self.answer(operation, last, records: records, pages: pages, isComplete: isComplete)
    }

    private func answer(
        _ operation: OperationSpec, _ last: Exchange?, records: [Value], pages: Int, isComplete: Bool
    ) -> Answer {
        var answer = Answer(value: .null, facts: ValueContext())
        if let last {
            answer.facts = self.facts(last, operation)
            answer.response = last.value
        }
        answer.facts["pages"] = .number(Number(pages))
        answer.records = records
        answer.isComplete = isComplete
        answer.value = ["records": .list(records), "complete": .boolean(isComplete)]
        return answer
    }

    private func size(_ pagination: PaginationSpec, _ scope: SpecScope) -> Int? {
        let asked = scope.variables["input"]?["pageSize"]?.asInt64.flatMap { Int(exactly: $0) }
        guard let size = asked ?? pagination.size else { return nil }
        return max(1, min(size, pagination.sizeMaximum ?? size))
    }

    /// Where the next page is; `nil` when this was the last.
    private func next(
        _ position: Position, _ page: [Value], _ exchange: Exchange, _ pagination: PaginationSpec, _ size: Int?,
        _ request: SpecRequest
    ) throws(ConnectorError) -> Position? {
        let map = exchange.scope.with("records", .list(page)).map
        if let done = pagination.done, done.holds(map) { return nil }
        var next = position
        next.number += 1
        next.offset += page.count
        switch pagination.kind {
        case .none: return nil
        case .offset, .page:
            if page.isEmpty { return nil }
            // A page that is not full is the last, unless the specification says how to tell.
            if pagination.done == nil, let size, page.count < size { return nil }
            return next
        case .cursor, .token:
            let cursor = pagination.next?.value(map) ?? .null
            if cursor.isNull || cursor == "" { return nil }
            next.cursor = cursor
            return next
        case .link:
            let link: String? =
                if let template = pagination.next { template.text(map) } else {
                    exchange.response.header("link").flatMap { LinkHeader.target(of: "next", in: $0) }
                }
            guard let link, !link.isEmpty else { return nil }
            guard let address = HTTPAddress(link, relativeTo: request.url) else {
                throw ConnectorError(
                    .unknown, code: SpecErrorCode.pagination, "The link to the next page is no address.",
                    remedy: "Correct pagination.next in the specification.")
            }
            next.url = try self.builder.checked(address.text, map)
            return next
        }
    }

    private func isExpired(_ pagination: PaginationSpec, _ failed: FailedAnswer) -> Bool {
        if let expired = pagination.expired { return expired.holds(failed.scope.map) }
        return failed.scope.variables["response"]?["status"] == 410
    }

    private func expired(_ operation: OperationSpec, _ cause: ConnectorError) -> ConnectorError {
        ConnectorError(
            .transient, code: SpecErrorCode.cursorExpired,
            "\(operation.id): the list changed while it was read, and its cursor expired. \(cause.message)",
            remedy: "Read it again, in larger pages or with narrower conditions.", details: cause.details)
    }

    private func outOfTime(_ operation: OperationSpec, _ pages: Int, _ records: Int) -> ConnectorError {
        ConnectorError(
            .timeout, code: SpecErrorCode.pagination,
            "\(operation.id) was not read to its end in time: \(pages) pages, \(records) records.",
            remedy: "Allow more time per attempt, or ask for less.")
    }
}

/// The `Link` field of RFC 8288.
enum LinkHeader {
    /// The target of the link with that relation.
    static func target(of relation: String, in text: String) -> String? {
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
            let target = rest[rest.index(after: open)..<close]
            let after = rest[rest.index(after: close)...]
            let parameters = after.prefix { $0 != "<" }
            for parameter in parameters.split(whereSeparator: { $0 == ";" || $0 == "," }) {
                let pair = parameter.split(separator: "=", maxSplits: 1)
                guard pair.count == 2, pair[0].trimmed.lowercased() == "rel" else { continue }
                let words = pair[1].trimmed.filter { $0 != "\"" }.split(separator: " ")
                if words.contains(where: { $0.lowercased() == relation }) { return String(target) }
            }
            rest = after.dropFirst(parameters.count)
        }
        return nil
    }
}

extension StringProtocol {
    /// The text without blanks at its ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
