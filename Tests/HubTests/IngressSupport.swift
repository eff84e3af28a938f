import ConnectorKit
import Decisions
import HubDocuments
import Logging
import Synchronization
import Testing
import Values

@testable import Hub

/// A trigger with the parameters in YAML.
func ingressTrigger(
    _ kind: IngressSettings.Kind, _ yaml: String, id: String = "t", rejectsWhenFull: Bool = false
) throws -> IngressTrigger {
    let log = DiagnosticLog(file: "t.yaml")
    let document = YAMLDocument.parse("source:\n  p:\n" + yaml.indented(by: 4), log: log)
    let root = MappingReader(try #require(document), path: "", log: log)
    let source = try #require(root.mapping("source"))
    let node = try #require(source.node("p"))
    let template = ValueTemplate(node, key: "p", reader: source)
    #expect(log.diagnostics.isEmpty, "\(log.diagnostics.map(\.message))")
    return IngressTrigger(
        id: id, kind: kind, parameters: template, decoding: RecordDecoding(), rejectsWhenFull: rejectsWhenFull,
        file: "t.yaml", position: node.position)
}

extension String {
    fileprivate func indented(by count: Int) -> String {
        self.split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
    }
}

/// Secrets that can be changed while they are used.
final class ChangingSecrets: SecretResolver {
    private let table: Mutex<[String: String]>

    init(_ table: [String: String]) { self.table = Mutex(table) }

    func set(_ name: String, _ text: String?) { self.table.withLock { $0[name] = text } }

    func secret(_ reference: SecretReference) async throws -> Secret {
        guard let text = self.table.withLock({ $0[reference.name] }) else {
            throw ConnectorError.secretUnavailable(reference)
        }
        return Secret(text)
    }
}

/// Takes the events of a source as a trigger's runner does: batches are settled event by event, then acknowledged.
final class TestRunner: Sendable {
    let source: PushSource
    private let events = Mutex<[SourceEvent]>([])
    private let outcome: @Sendable (SourceEvent, Int) -> EventOutcome
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// The events it took, in order.
    var taken: [SourceEvent] { self.events.withLock { $0 } }

    /// `outcome` is asked with the number of events taken before.
    init(
        _ source: PushSource,
        outcome: @escaping @Sendable (SourceEvent, Int) -> EventOutcome = { _, number in
            .started(Key(rawValue: UInt64(number + 1)), result: nil)
        }
    ) {
        self.source = source
        self.outcome = outcome
    }

    func start() async throws {
        try await self.source.connect()
        self.task.withLock { $0 = Task { await self.run() } }
    }

    private func run() async {
        while !Task.isCancelled {
            guard let batch = try? await self.source.read(maximum: 256, wait: .seconds(10)) else { continue }
            for (index, event) in batch.events.enumerated() {
                let number = self.events.withLock { events in
                    events.append(event)
                    return events.count - 1
                }
                self.source.settled(batch.id, index: index, self.outcome(event, number))
            }
            try? await self.source.acknowledge(batch.id)
        }
    }

    func stop() async {
        let task = self.task.withLock { $0 }
        task?.cancel()
        await task?.value
        await self.source.close()
    }
}

/// An ingress with one armed trigger.
struct IngressSite {
    let ingress: Ingress
    let runner: TestRunner
    let secrets: ChangingSecrets
    let clock: any ConnectorClock

    init(
        _ kind: IngressSettings.Kind, _ yaml: String, secrets: [String: String] = [:],
        clock: any ConnectorClock = SystemConnectorClock(), rejectsWhenFull: Bool = false,
        outcome: @escaping @Sendable (SourceEvent, Int) -> EventOutcome = { _, number in
            .started(Key(rawValue: UInt64(number + 1)), result: nil)
        }
    ) async throws {
        let trigger = try ingressTrigger(kind, yaml, rejectsWhenFull: rejectsWhenFull)
        self.secrets = ChangingSecrets(secrets)
        self.clock = clock
        self.ingress = Ingress(
            secrets: self.secrets, requests: nil, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        self.ingress.declare([trigger])
        self.runner = TestRunner(try self.ingress.source(of: trigger), outcome: outcome)
        try await self.runner.start()
    }

    func send(
        _ path: String, _ body: String = "", method: String = "POST", headers: [(String, String)] = [],
        query: String? = nil, peer: String = "127.0.0.1", actor: String = "ada"
    ) async -> IngressReply {
        await self.ingress.send(
            path, Array(body.utf8), method: method, headers: headers, query: query, peer: peer, actor: actor)
    }
}

extension Ingress {
    /// Sends a request as the server does.
    func send(
        _ path: String, _ body: [UInt8] = [], method: String = "POST", headers: [(String, String)] = [],
        query: String? = nil, peer: String = "127.0.0.1", actor: String = "ada"
    ) async -> IngressReply {
        let request = IngressRequest(
            method: method, path: path, query: query, headers: headers.map { ($0.0.lowercased(), $0.1) }, body: body,
            peer: peer, actor: actor)
        switch self.route(method, path: path[...]) {
        case .endpoint(let endpoint): return await endpoint.receive(request)
        case .events: return await self.receiveEvents(request)
        case .closed(let reply): return reply
        case .nothing: return IngressReply(404, .unknownName, "nothing", remedy: "")
        }
    }
}

extension IngressReply {
    var text: String { String(decoding: self.body, as: UTF8.self) }
}
