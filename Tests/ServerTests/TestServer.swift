import Foundation
import Hub
import JunctionClient
import Logging
import Runtime
import ServiceLifecycle
import Storage

@testable import Server

/// A folder that goes away with its owner; its path is short enough for sockets.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/jt-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A server on a real socket, with empty stores unless a test fills them.
struct TestServer: Sendable {
    let workflow: FakeWorkflow
    let client: JunctionClient
    let socketPath: String
    let port: Int?
    let records: SQLiteRecordStore
    /// Begins the end of the server.
    let shutDown: @Sendable () async -> Void

    /// Runs a server for as long as `body` runs.
    static func run(
        limits: APIServerLimits = APIServerLimits(), tcp: Bool = false, batch: RecordBatch? = nil,
        configuration: HubConfiguration = HubConfiguration(), remembersRequests: Bool = false, ingress: Ingress? = nil,
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let workflow = FakeWorkflow()
        let journal = try SQLiteJournalStore(directory: folder.path)
        let records = try SQLiteRecordStore(directory: folder.path)
        if let batch { try records.apply(batch) }
        let reader = try SQLiteRecordReader(directory: folder.path)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let idempotency = remembersRequests ? try SQLiteIdempotencyStore(directory: folder.path) : nil
        let hub = HubService(
            service: workflow, modules: [], configuration: configuration, idempotency: idempotency, records: reader,
            logger: logger)
        let socketPath = folder.path + "/s"
        let (ready, opened) = AsyncStream<Int?>.makeStream()
        let server = APIServer(
            configuration: .init(
                socketPath: socketPath, loopbackPort: tcp ? 0 : nil, partitionCount: 2, limits: limits),
            workflow: workflow, records: reader, journal: journal, hub: hub, ingress: ingress, logger: logger
        ) { port in opened.yield(port) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [server], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                let port = await ready.first { _ in true } ?? nil
                let client = JunctionClient(endpoint: .unixSocket(socketPath), actor: "ada")
                let test = TestServer(
                    workflow: workflow, client: client, socketPath: socketPath, port: port, records: records,
                    shutDown: { await group.triggerGracefulShutdown() })
                do { try await body(test) } catch {
                    await client.shutdown()
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await client.shutdown()
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
        reader.close()
        records.close()
        idempotency?.close()
        journal.close()
        withExtendedLifetime(folder) {}
    }

    /// Calls an operation; an answer of any status.
    func call(
        _ method: String, _ path: String, _ body: String? = nil, contentType: String = "application/json",
        headers: [(String, String)] = []
    ) async throws -> (status: Int, body: String) {
        do {
            let answer = try await client.call(
                method, path, body: body.map { Array($0.utf8) }, contentType: contentType, headers: headers)
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        } catch ClientError.problem(let problem) {
            return (problem.status, "\(problem.code) \(problem.title)")
        }
    }
}
