public import Hub
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import Runtime
public import ServiceLifecycle
public import Storage
import Synchronization

/// The HTTP API on a Unix domain socket and, when asked, on a TCP port of the loopback interface.
///
/// `run` serves until its service group shuts down gracefully or its task is cancelled. A graceful shutdown lets
/// requests finish, and cuts waits (long polls, `awaitCompletion`) short; the caller bounds it with a deadline.
public final class APIServer: Service {
    /// Where and how to serve.
    public struct Configuration: Sendable {
        /// The path of the Unix domain socket.
        public var socketPath: String?
        /// The TCP port on 127.0.0.1; 0 lets the system choose.
        public var loopbackPort: Int?
        /// The partitions of the engine, shown in the topology.
        public var partitionCount: Int
        /// How much the server takes.
        public var limits: APIServerLimits

        /// Creates a configuration.
        public init(
            socketPath: String?, loopbackPort: Int? = nil, partitionCount: Int = 64,
            limits: APIServerLimits = APIServerLimits()
        ) {
            self.socketPath = socketPath
            self.loopbackPort = loopbackPort
            self.partitionCount = partitionCount
            self.limits = limits
        }
    }

    /// The version of this program, as clients see it.
    public static let version = "0.1.0"

    private let configuration: Configuration
    private let services: RouteServices
    private let table: RouteTable
    private let logger: Logger
    private let onReady: @Sendable (Int?) async -> Void

    /// Creates a server; nothing is opened before `run`.
    ///
    /// - Parameters:
    ///   - ingress: Where requests to triggers arrive; nil: nowhere.
    ///   - onReady: Called once every address listens, with the TCP port.
    public init(
        configuration: Configuration, workflow: any WorkflowService, records: any RecordReader,
        journal: any JournalStore, hub: HubService, ingress: Ingress? = nil, logger: Logger,
        onReady: @escaping @Sendable (_ loopbackPort: Int?) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.services = RouteServices(
            workflow: workflow, records: records, journal: journal, hub: hub, ingress: ingress,
            partitionCount: configuration.partitionCount,
            limits: configuration.limits, logger: logger)
        self.table = RouteTable(APIRoutes.all)
        self.logger = logger
        self.onReady = onReady
    }

    /// Serves.
    ///
    /// - Throws: `ServerError` when the socket cannot be opened, what the system reports when the port cannot.
    public func run() async throws {
        let listeners = [self.configuration.socketPath == nil, self.configuration.loopbackPort == nil].filter { !$0 }
        let readiness = Readiness(count: listeners.count, notify: self.onReady)
        let socket = try self.configuration.socketPath.map { try UnixSocketPath($0) }
        try socket?.checkFree()
        defer { socket?.remove() }
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if let socket {
                    let application = self.application(.unixDomainSocket(path: socket.temporaryPath)) { _ in
                        do throws(ServerError) {
                            try socket.publish()
                            self.logger.info("Listening", metadata: ["server.socket": "\(socket.path)"])
                        } catch {
                            self.logger.error("Socket not put in place", metadata: ["error": "\(error)"])
                        }
                        await readiness.ready(port: nil)
                    }
                    group.addTask { try await application.run() }
                }
                if let port = self.configuration.loopbackPort {
                    let application = self.application(.hostname("127.0.0.1", port: port)) { channel in
                        let port = channel.localAddress?.port
                        self.logger.info("Listening", metadata: ["server.port": "\(port ?? 0)"])
                        await readiness.ready(port: port)
                    }
                    group.addTask { try await application.run() }
                }
                // When one listener ends, the others do too.
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.services.startDraining()
        }
    }

    private func application(
        _ address: BindAddress, onRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> some ApplicationProtocol {
        // Hummingbird's own lines repeat ours.
        var quiet = self.logger
        quiet.logLevel = max(.warning, quiet.logLevel)
        return Application(
            responder: Dispatcher(table: self.table, services: self.services),
            server: .http1(
                configuration: .init(
                    idleTimeout: .nanoseconds(self.configuration.limits.idleConnection.nanoseconds),
                    httpDecoderConfiguration: .init(maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10))),
            configuration: ApplicationConfiguration(
                address: address, serverName: nil, backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(self.configuration.limits.connections)),
            onServerRunning: onRunning, logger: quiet)
    }

    /// Calls back when every listener is open.
    private final class Readiness: Sendable {
        private let state: Mutex<(missing: Int, port: Int?)>
        private let notify: @Sendable (Int?) async -> Void

        init(count: Int, notify: @escaping @Sendable (Int?) async -> Void) {
            self.state = Mutex((count, nil))
            self.notify = notify
        }

        func ready(port: Int?) async {
            let (isComplete, port) = self.state.withLock { state in
                state.missing -= 1
                state.port = port ?? state.port
                return (state.missing == 0, state.port)
            }
            if isComplete { await self.notify(port) }
        }
    }
}

extension Duration {
    /// Whole nanoseconds, at most about 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue + attoseconds / 1_000_000_000
    }
}
