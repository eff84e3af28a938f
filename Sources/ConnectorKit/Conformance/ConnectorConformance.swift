internal import Values

/// The checks every connector passes: run them from the tests of a module, and from those of the registry.
///
/// Needs no test library: each case is a function that returns what it found.
///
///     let suite = ConnectorConformance(module: MyModule(), configuration: …)
///     for finding in await suite.run() { Issue.record("\(finding)") }
public struct ConnectorConformance: Sendable {
    /// Something a connector promises and does not keep.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// The case that found it.
        public var name: String
        /// What is wrong.
        public var message: String

        /// `case: message`.
        public var description: String { "\(self.name): \(self.message)" }
    }

    /// A call that is expected to succeed, whenever and however often it is made.
    public struct GoodCall: Sendable {
        /// The call.
        public var call: OperationCall
        /// Whether it can be made to wait long enough to be cancelled; such a call may also fail.
        public var waits: Bool

        /// Creates a call.
        public init(_ call: OperationCall, waits: Bool = false) {
            self.call = call
            self.waits = waits
        }
    }

    /// A source, and how to make it emit.
    public struct Source: Sendable {
        /// The request to arm it with.
        public var request: SourceRequest
        /// Makes at least `eventsMinimum` new events appear at the remote.
        public var provoke: @Sendable () async throws -> Void
        /// How many that are.
        public var eventsMinimum: Int
        /// After so much silence there is nothing more to come.
        public var silence: Duration

        /// Describes a source.
        public init(
            _ request: SourceRequest, eventsMinimum: Int = 1, silence: Duration = .seconds(5),
            provoke: @escaping @Sendable () async throws -> Void
        ) {
            self.request = request
            self.eventsMinimum = eventsMinimum
            self.silence = silence
            self.provoke = provoke
        }
    }

    private let module: any ConnectorModule
    private let configuration: ConnectionConfiguration
    private let calls: [GoodCall]
    private let sources: [Source]

    /// Creates a suite for `module`.
    ///
    /// `configuration` leads to a remote that works.
    public init(
        module: any ConnectorModule, configuration: ConnectionConfiguration, calls: [GoodCall] = [],
        sources: [Source] = []
    ) {
        self.module = module
        self.configuration = configuration
        self.calls = calls
        self.sources = sources
    }

    /// Runs every case.
    ///
    /// Returns what they found; nothing for a connector that keeps its promises.
    public func run() async -> [Finding] {
        var findings = self.checkDescriptor()
        findings += await self.checkParameters()
        findings += await self.checkOpenAndClose()
        findings += await self.checkBadCalls()
        findings += await self.checkGoodCalls()
        findings += await self.checkBatch()
        findings += await self.checkCancellation()
        for source in self.sources {
            findings += await self.checkSource(source)
            guard self.module.descriptor.event(source.request.event)?.delivery == .atLeastOnce else { continue }
            findings += await self.checkGap(source)
            findings += await self.checkRejection(source)
            findings += await self.checkWithheldAcknowledgements(source)
        }
        return findings
    }

    // MARK: - Description

    /// The description is complete and consistent.
    public func checkDescriptor() -> [Finding] {
        var found = Report("descriptor")
        let descriptor = self.module.descriptor
        found.expect(descriptor == self.module.descriptor, "The description changes from one reading to the next.")
        found.expect(Self.isName(descriptor.id), "The id \"\(descriptor.id)\" is no name.")
        found.expect(descriptor.version >= 1, "The version \(descriptor.version) is below 1.")
        found.expect(!descriptor.title.isEmpty && !descriptor.summary.isEmpty, "Title or summary is empty.")
        found.expect(
            !descriptor.operations.isEmpty || !descriptor.events.isEmpty, "There is neither operation nor event.")
        found.expectSchema(descriptor.parameters, "parameters")
        found.expect(
            descriptor.parameters["additionalProperties"] == false,
            "The parameters allow unknown fields; a misspelt one would be ignored.")
        found.expectUnique(descriptor.operations.map(\.id), "operation")
        for operation in descriptor.operations {
            found.expect(Self.isName(operation.id), "The operation id \"\(operation.id)\" is no name.")
            found.expect(
                !operation.title.isEmpty && !operation.summary.isEmpty, "\(operation.id): no title or summary.")
            found.expectSchema(operation.input, "\(operation.id).input")
            found.expectSchema(operation.output, "\(operation.id).output")
            found.expect(
                operation.effect != .read || operation.idempotency == .natural,
                "\(operation.id): a read that is not idempotent by nature.")
        }
        found.expectUnique(descriptor.events.map(\.id), "event")
        for event in descriptor.events {
            found.expect(Self.isName(event.id), "The event id \"\(event.id)\" is no name.")
            found.expect(!event.title.isEmpty && !event.summary.isEmpty, "\(event.id): no title or summary.")
            found.expectSchema(event.parameters, "\(event.id).parameters")
            found.expectSchema(event.payload, "\(event.id).payload")
        }
        return found.findings
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    // MARK: - Connections

    /// An unknown parameter is refused, by name.
    public func checkParameters() async -> [Finding] {
        var found = Report("parameters")
        var configuration = self.configuration
        var parameters = configuration.parameters.asContext ?? ValueContext()
        parameters["conformanceUnknown"] = true
        configuration.parameters = .context(parameters)
        do {
            let connection = try await self.module.connect(configuration)
            await connection.close()
            found.add("An unknown parameter was accepted.")
        } catch {
            let wrapped = ConnectorError(wrapping: error)
            found.expect(wrapped.kind == .validation, "An unknown parameter gave \(wrapped) instead of validation.")
            found.expect(wrapped.message.contains("conformanceUnknown"), "The unknown parameter is not named.")
        }
        return found.findings
    }

    /// A connection opens, passes its own test, closes twice, and answers nothing afterwards.
    public func checkOpenAndClose() async -> [Finding] {
        await self.withConnection("open and close") { connection, found in
            do { try await connection.test() } catch { found.add("The test failed: \(error).") }
            await connection.close()
            await connection.close()
            let id = self.calls.first?.call ?? OperationCall(operation: "any", input: .null)
            if let error = await connection.invoke(id).error {
                found.expect(!error.mayHaveExecuted, "A call on a closed connection may have executed.")
            } else {
                found.add("A call on a closed connection succeeded.")
            }
        }
    }

    /// Unknown operations, unknown fields and unknown events are refused without an effect.
    public func checkBadCalls() async -> [Finding] {
        await self.withConnection("bad calls") { connection, found in
            let unknown = await connection.invoke(OperationCall(operation: "conformance-unknown", input: [:]))
            found.expectRefusal(unknown, [.unsupported], "An unknown operation")
            for operation in self.module.descriptor.operations {
                let call = OperationCall(operation: operation.id, input: ["conformanceUnknown": true])
                found.expectRefusal(
                    await connection.invoke(call), [.validation], "An unknown field of \(operation.id)")
                found.expectRefusal(
                    await connection.invoke(OperationCall(operation: operation.id, input: [1, 2])), [.validation],
                    "A list as input of \(operation.id)")
            }
            do {
                let source = try await connection.armSource(
                    SourceRequest(event: "conformance-unknown", parameters: [:]))
                await source.close()
                found.add("An unknown event was accepted.")
            } catch {
                let wrapped = ConnectorError(wrapping: error)
                found.expect(wrapped.kind == .unsupported, "An unknown event gave \(wrapped) instead of unsupported.")
            }
        }
    }

    // MARK: - Calls

    /// Good calls succeed, one by one and many at once.
    public func checkGoodCalls() async -> [Finding] {
        await self.withConnection("good calls") { connection, found in
            for good in self.calls where !good.waits {
                if let error = await connection.invoke(good.call).error {
                    found.add("\(good.call.operation) failed: \(error)")
                }
                let failures = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<16 {
                        group.addTask { await connection.invoke(good.call).error != nil }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                found.expect(failures == 0, "\(failures) of 16 calls of \(good.call.operation) at once failed.")
            }
        }
    }

    /// A batch has an outcome for each call, in order, and a bad call does not take the others along.
    public func checkBatch() async -> [Finding] {
        await self.withConnection("batch") { connection, found in
            for good in self.calls where !good.waits {
                let bad = OperationCall(operation: good.call.operation, input: ["conformanceUnknown": true])
                let outcomes = await connection.invokeBatch([good.call, bad, good.call])
                guard outcomes.count == 3 else {
                    found.add("A batch of 3 \(good.call.operation) has \(outcomes.count) outcomes.")
                    continue
                }
                for index in [0, 2] {
                    if let error = outcomes[index].error {
                        found.add("Call \(index) of a batch of \(good.call.operation) failed: \(error)")
                    }
                }
                found.expectRefusal(outcomes[1], [.validation], "A bad call in a batch of \(good.call.operation)")
            }
            let none = await connection.invokeBatch([])
            found.expect(none.isEmpty, "An empty batch has outcomes.")
        }
    }

    /// A cancelled call ends, and the connection works on.
    public func checkCancellation() async -> [Finding] {
        await self.withConnection("cancellation") { connection, found in
            for good in self.calls {
                let task = Task { await connection.invoke(good.call) }
                await Task.yield()
                task.cancel()
                _ = await task.value
                let cancelled = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await connection.invoke(good.call)
                }
                if let error = await cancelled.value.error {
                    found.expect(
                        error.code == ConnectorError.Code.cancelled,
                        "A call cancelled before it began gave \(error).")
                }
                if !good.waits, let error = await connection.invoke(good.call).error {
                    found.add("After a cancelled call, \(good.call.operation) failed: \(error)")
                }
            }
        }
    }

    private func withConnection(
        _ name: String, _ body: (any Connection, inout Report) async -> Void
    ) async -> [Finding] {
        var found = Report(name)
        do {
            let connection = try await self.module.connect(self.configuration)
            await body(connection, &found)
            await connection.close()
        } catch {
            found.add("Cannot connect: \(error).")
        }
        return found.findings
    }

    // MARK: - Sources

    /// A source emits; what was not acknowledged comes again, under the same ids; what was does not.
    public func checkSource(_ source: Source) async -> [Finding] {
        await self.withConnection("source \(source.request.event)") { connection, found in
            do {
                try await source.provoke()
                let first = try await Self.events(connection, source, acknowledging: false)
                found.expect(
                    first.count >= source.eventsMinimum,
                    "Expected at least \(source.eventsMinimum) events but got \(first.count).")
                found.expect(Set(first.map(\.id)).count == first.count, "Two events have the same id.")
                let isAtLeastOnce = self.module.descriptor.event(source.request.event)?.delivery == .atLeastOnce
                let again = try await Self.events(connection, source, acknowledging: true)
                if isAtLeastOnce {
                    found.expect(
                        Set(again.map(\.id)).isSuperset(of: first.map(\.id)),
                        "Events that were not acknowledged did not come again under the same ids.")
                }
                let afterwards = try await Self.events(connection, source, acknowledging: true)
                found.expect(afterwards.isEmpty, "\(afterwards.count) acknowledged events came again.")
            } catch {
                found.add("The source failed: \(error).")
            }
        }
    }

    /// Acknowledging a later batch does not take an earlier one along.
    public func checkGap(_ source: Source) async -> [Finding] {
        await self.withConnection("gap in the acknowledgements of \(source.request.event)") { connection, found in
            do {
                try await source.provoke()
                try await source.provoke()
                let stream = try await Self.connected(connection, source)
                let first = try await stream.read(maximum: 1, wait: source.silence)
                let second = try await stream.read(maximum: 1, wait: source.silence)
                // A source may have a single batch out at a time; then there is no gap.
                if let second { try await stream.acknowledge(second.id) }
                await stream.close()
                let expected = Set(first?.events.map(\.id) ?? [])
                found.expect(!expected.isEmpty, "No event came.")
                let again = try await Self.events(connection, source, until: expected)
                found.expect(
                    again.isSuperset(of: expected), "An unacknowledged batch before an acknowledged one is lost.")
                _ = try await Self.events(connection, source, acknowledging: true)
            } catch {
                found.add("The source failed: \(error).")
            }
        }
    }

    /// A rejected batch comes again in the same life of the source.
    public func checkRejection(_ source: Source) async -> [Finding] {
        await self.withConnection("rejection by the reader of \(source.request.event)") { connection, found in
            do {
                try await source.provoke()
                let stream = try await Self.connected(connection, source)
                guard let batch = try await stream.read(maximum: 10, wait: source.silence) else {
                    found.add("No event came.")
                    return
                }
                try await stream.reject(batch.id, .redeliver(after: .zero))
                try await stream.reject(batch.id, .redeliver(after: .zero))
                var missing = Set(batch.events.map(\.id))
                while !missing.isEmpty, let next = try await stream.read(maximum: 10, wait: source.silence) {
                    missing.subtract(next.events.map(\.id))
                    try await stream.acknowledge(next.id)
                }
                found.expect(missing.isEmpty, "\(missing.count) rejected events did not come again.")
                await stream.close()
                _ = try await Self.events(connection, source, acknowledging: true)
            } catch {
                found.add("The source failed: \(error).")
            }
        }
    }

    /// A reader that acknowledges nothing for a while gets the rest once it does.
    public func checkWithheldAcknowledgements(_ source: Source) async -> [Finding] {
        await self.withConnection("withheld acknowledgements of \(source.request.event)") { connection, found in
            do {
                try await source.provoke()
                let stream = try await Self.connected(connection, source)
                var held: [EventBatch.ID] = []
                while held.count < 20, let batch = try await stream.read(maximum: 10, wait: .milliseconds(200)) {
                    held.append(batch.id)
                }
                for id in held { try await stream.acknowledge(id) }
                try await source.provoke()
                var count = 0
                while count < source.eventsMinimum,
                    let batch = try await stream.read(maximum: 10, wait: source.silence)
                {
                    count += batch.events.count
                    try await stream.acknowledge(batch.id)
                }
                found.expect(
                    count >= source.eventsMinimum, "After withheld acknowledgements the source gave \(count) events.")
                await stream.close()
                _ = try await Self.events(connection, source, acknowledging: true)
            } catch {
                found.add("The source failed: \(error).")
            }
        }
    }

    private static func connected(_ connection: any Connection, _ source: Source) async throws -> any EventSource {
        let stream = try await connection.armSource(source.request)
        try await stream.connect()
        return stream
    }

    /// The ids of a life of a source that ends, everything acknowledged, as soon as the `expected` have come.
    private static func events(
        _ connection: any Connection, _ source: Source, until expected: Set<String>
    ) async throws -> Set<String> {
        let stream = try await Self.connected(connection, source)
        var seen: Set<String> = []
        while !seen.isSuperset(of: expected), let batch = try await stream.read(maximum: 10, wait: source.silence) {
            seen.formUnion(batch.events.map(\.id))
            try await stream.acknowledge(batch.id)
        }
        await stream.close()
        return seen
    }

    /// One life of a source: armed, connected, read until silence, closed twice.
    private static func events(
        _ connection: any Connection, _ source: Source, acknowledging: Bool
    ) async throws -> [SourceEvent] {
        let stream = try await Self.connected(connection, source)
        var events: [SourceEvent] = []
        while let batch = try await stream.read(maximum: 10, wait: source.silence) {
            events += batch.events
            guard acknowledging else { continue }
            try await stream.acknowledge(batch.id)
            try await stream.acknowledge(batch.id)
        }
        await stream.close()
        await stream.close()
        return events
    }
}

// MARK: - Findings

extension ConnectorConformance {
    /// The findings of one case.
    private struct Report {
        private let name: String
        private(set) var findings: [Finding] = []

        init(_ name: String) { self.name = name }

        mutating func add(_ message: String) {
            self.findings.append(Finding(name: self.name, message: message))
        }

        mutating func expect(_ condition: Bool, _ message: @autoclosure () -> String) {
            if !condition { self.add(message()) }
        }

        mutating func expectSchema(_ schema: Value, _ place: String) {
            let isSchema = schema.asBoolean != nil || schema.asContext != nil
            self.expect(isSchema, "\(place): a schema is an object, true or false.")
        }

        mutating func expectUnique(_ ids: [String], _ what: String) {
            self.expect(Set(ids).count == ids.count, "Two of the \(what)s have the same id.")
        }

        mutating func expectRefusal(_ outcome: Outcome, _ kinds: [ConnectorError.Kind], _ what: String) {
            guard let error = outcome.error else {
                self.add("\(what) was accepted.")
                return
            }
            self.expect(kinds.contains(error.kind), "\(what) gave \(error).")
            self.expect(!error.isRetryable, "\(what) is retryable.")
            self.expect(!error.mayHaveExecuted, "\(what) may have executed.")
            self.expect(!error.remedy.isEmpty, "\(what) gave no remedy.")
        }
    }
}
