import Engine
import Foundation
import Hub
import Logging
import ProcessModel
import Runtime
import Server
import ServiceLifecycle
import Storage
import UnixSignals
import Values

/// Stores, engine, hub and server in this process.
///
/// `serve` runs one until it is told to stop; a command that finds no server runs one for as long as it needs it.
final class EngineHost: Sendable {
    /// How a host is set up.
    struct Options: Sendable {
        var dataDirectory: String
        /// Where the API listens.
        var socketPath: String
        var port: Int?
        var project: ProjectConfiguration?
        /// The folder of the project.
        var projectFolder: String
        /// Whether the project is served: its documents deployed, its triggers run.
        var servesProject: Bool
        /// Whether connector calls are carried out.
        ///
        /// Else they wait for a host that does: a command that only looks must
        /// neither call anybody nor fail calls whose connections it does not know.
        var runsConnectors = false
        /// The connectors there are.
        var connectors = ModuleTable()
        /// Who deploys the project's documents.
        var actor: String
    }

    let options: Options
    let runtime: WorkflowRuntime
    let hub: HubService
    let records: SQLiteRecordReader
    /// Findings about the configuration that do not forbid it.
    let warnings: [Diagnostic]
    private let journal: SQLiteJournalStore
    private let partitionCount: Int
    private let recordStore: SQLiteRecordStore
    private let idempotency: SQLiteIdempotencyStore
    private let sourceStates: SQLiteSourceStateStore
    private let logger: Logger

    /// Opens the stores and recovers the engine; nothing moves before `serve`.
    ///
    /// - Throws: `StoreError` when another process has the data directory or it cannot be read, `CommandFailure` when
    ///   the configuration has errors.
    init(_ options: Options, logger: Logger) throws {
        self.options = options
        self.logger = logger
        let directory = try Self.createDirectory(options.dataDirectory)
        let (configuration, diagnostics) = HubConfiguration.load(
            connections: options.project?.connections, triggers: options.project?.triggers ?? [],
            registry: ConnectorRegistry(options.connectors.modules),
            variables: Self.variables(options, directory: directory), guards: { options.connectors.guards(of: $0) })
        guard !diagnostics.contains(where: { $0.severity == .error }) else {
            throw CommandFailure(
                .configuration, "The connections and triggers of the project have errors.",
                remedy: "Correct them, then start again.", diagnostics: diagnostics)
        }
        self.warnings = diagnostics
        self.journal = try SQLiteJournalStore(
            directory: directory, options: .init(partitionCount: options.project?.partitions ?? 64))
        // A store that was there keeps its own number.
        let partitions = try self.journal.retainedSequences().count
        self.partitionCount = partitions
        self.recordStore = try SQLiteRecordStore(directory: directory, partitionCount: partitions)
        var engine = RuntimeConfiguration()
        engine.processingThreads = options.project?.threads ?? 0
        self.runtime = try WorkflowRuntime(
            configuration: engine, journal: self.journal, records: self.recordStore, logger: logger)
        self.records = try SQLiteRecordReader(directory: directory)
        self.idempotency = try SQLiteIdempotencyStore(directory: directory)
        self.sourceStates = try SQLiteSourceStateStore(directory: directory)
        let vault = SecretVault(project: options.project, dataDirectory: options.dataDirectory)
        let letters = options.project?.deadLetters ?? DeadLetterSettings()
        try LetterSeal(vault: vault, mode: letters.encryption).check()
        self.hub = HubService(
            service: self.runtime, modules: options.connectors.modules, isolated: ModuleTable.isolated,
            isolate: options.connectors.isolate, configuration: configuration, idempotency: self.idempotency,
            vault: vault, records: self.records, letters: letters, sources: self.sourceStates,
            node: ProcessInfo.processInfo.hostName, breakerFile: join(directory, "breakers.json"), logger: logger)
    }

    /// Runs everything; `body` gets control once the API answers.
    ///
    /// Returns when `body` has ended and all is shut down.
    ///
    /// - Parameters:
    ///   - signals: Signals that end it gracefully.
    ///   - drain: How long requests may take to finish then.
    ///   - body: Its task is cancelled when a signal comes.
    func serve<Result: Sendable>(
        signals: [UnixSignal] = [], drain: Duration = .seconds(10),
        body: @escaping @Sendable (_ port: Int?) async throws -> Result
    ) async throws -> Result? {
        self.runtime.start()
        let result: Swift.Result<Result?, any Error>
        do {
            result = .success(try await self.serveRunning(signals: signals, drain: drain, body: body))
        } catch {
            result = .failure(error)
        }
        await self.shutdown()
        return try result.get()
    }

    private func serveRunning<Result: Sendable>(
        signals: [UnixSignal], drain: Duration, body: @escaping @Sendable (_ port: Int?) async throws -> Result
    ) async throws -> Result? {
        if self.options.servesProject || self.options.runsConnectors { self.hub.start() }
        try await self.deployProject()
        let (ready, opened) = AsyncStream<Int?>.makeStream()
        let server = APIServer(
            configuration: .init(
                socketPath: self.options.socketPath, loopbackPort: self.options.port,
                partitionCount: self.partitionCount),
            workflow: self.runtime, records: self.records, journal: self.journal, hub: self.hub,
            ingress: self.hub.ingress, logger: self.logger
        ) { port in
            opened.yield(port)
            opened.finish()
        }
        let files = TriggerFiles(
            paths: self.options.project?.triggers ?? [], hub: self.hub, logger: self.logger)
        let main = BodyService { [hub, servesProject = self.options.servesProject] in
            // Triggers begin when the API answers, and end before it stops.
            let port = await ready.first { _ in true } ?? nil
            return try await withThrowingTaskGroup(of: Result?.self) { group in
                if servesProject {
                    group.addTask {
                        await hub.run()
                        return nil
                    }
                    group.addTask {
                        await files.watch()
                        return nil
                    }
                }
                group.addTask { try await body(port) }
                defer { group.cancelAll() }
                while let result = try await group.next() {
                    if let result { return result }
                }
                return nil
            }
        }
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: server, failureTerminationBehavior: .cancelGroup),
                .init(
                    service: main, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: signals, logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
        configuration.maximumGracefulShutdownDuration = drain
        try await ServiceGroup(configuration: configuration).run()
        return try main.result
    }

    /// Bytes on disk of both stores.
    var diskBytes: Int64 { self.journal.sizeBytes() + self.recordStore.sizeBytes() }

    /// Connector calls end before the engine that waits for their answers.
    private func shutdown() async {
        await self.hub.shutdown()
        self.runtime.shutdown()
        self.records.close()
        self.recordStore.close()
        self.idempotency.close()
        self.sourceStates.close()
        self.journal.close()
    }

    // MARK: Setup

    /// Creates the data directory for its owner alone; its absolute path.
    private static func createDirectory(_ path: String) throws(CommandFailure) -> String {
        let url = URL(fileURLWithPath: path)
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure(
                .dataDirectory, "Cannot create the data directory \(path): \((error as NSError).localizedDescription)",
                remedy: "Choose another one with --data.")
        }
        return url.standardizedFileURL.path
    }

    /// What expressions in the connections file see.
    private static func variables(_ options: Options, directory: String) -> ValueContext {
        let project = URL(fileURLWithPath: options.projectFolder).standardizedFileURL.path
        let environment = ProcessInfo.processInfo.environment.sorted { $0.key < $1.key }
        return ValueContext([
            ("data", .context(ValueContext([("directory", .string(directory))]))),
            ("project", .context(ValueContext([("directory", .string(project))]))),
            ("env", .context(ValueContext(environment.map { ($0.key, .string($0.value)) }))),
        ])
    }

    private func deployProject() async throws {
        guard self.options.servesProject, let documents = self.options.project?.deploy, !documents.isEmpty else {
            return
        }
        let resources = try documents.map { DeploymentResource(name: baseName($0), bytes: try FileText.bytes($0)) }
        let deployment = try await self.runtime.deploy(resources, actor: self.options.actor)
        for definition in deployment.definitions {
            self.logger.info(
                "Deployed",
                metadata: [
                    "process.id": "\(definition.process.id)", "process.version": "\(definition.version)",
                    "resource.name": "\(definition.resourceName)",
                ])
        }
    }
}

/// A service whose work is a function; it is cancelled when the group shuts down.
private final class BodyService<Result: Sendable>: Service {
    private let body: @Sendable () async throws -> Result?
    private let outcome = ResultBox<Result>()

    init(_ body: @escaping @Sendable () async throws -> Result?) {
        self.body = body
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            do {
                self.outcome.set(.success(try await self.body()))
            } catch {
                self.outcome.set(.failure(error))
            }
        }
    }

    /// What the function returned; nil when it was cancelled.
    var result: Result? {
        get throws {
            do {
                return try self.outcome.value?.get() ?? nil
            } catch is CancellationError {
                return nil
            }
        }
    }
}
