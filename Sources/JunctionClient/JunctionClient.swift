import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
public import Values

/// A client of the Junction API over a Unix domain socket or HTTP.
///
/// Safe to share between tasks; connections are kept alive and pooled. Every method throws `ClientError`, or
/// `CancellationError` when its task is cancelled. End with `shutdown`.
public final class JunctionClient: Sendable {
    /// How a client behaves.
    public struct Configuration: Sendable, Hashable {
        /// How long a connection may take to open.
        public var connectTimeout = Duration.seconds(3)
        /// How long an answer may take, the wait that a call asks for not counted.
        public var responseTimeout = Duration.seconds(30)
        /// Connections kept at most; further calls wait for one.
        public var connections = 64
        /// The largest answer.
        public var responseBytes = 256 << 20

        /// Creates the default configuration.
        public init() {}
    }

    /// Where the server listens.
    public let endpoint: Endpoint
    let configuration: Configuration
    private let http: HTTPClient
    private let baseURL: String
    private let headers: HTTPHeaders

    /// Creates a client; no connection is made before the first call.
    ///
    /// `actor` is who the audit log names for what this client does; nil leaves it to the server.
    public init(endpoint: Endpoint, actor: String? = nil, configuration: Configuration = Configuration()) {
        var http = HTTPClient.Configuration()
        http.timeout.connect = .nanoseconds(configuration.connectTimeout.nanoseconds)
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.connections
        http.connectionPool.retryConnectionEstablishment = false
        http.redirectConfiguration = .disallow
        self.http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
        self.endpoint = endpoint
        self.configuration = configuration
        self.baseURL = endpoint.baseURL
        self.headers = actor.map { HTTPHeaders([("junction-actor", $0)]) } ?? HTTPHeaders()
    }

    /// Closes the connections.
    ///
    /// No call may be under way.
    public func shutdown() async {
        try? await self.http.shutdown()
    }

    /// An answer of the server.
    public struct Answer: Sendable {
        /// The status, always 2xx.
        public let status: Int
        /// The body.
        public let body: [UInt8]
        let headers: HTTPHeaders

        /// The body as a value; an empty one as null.
        public var value: Value {
            get throws {
                if self.body.isEmpty { return .null }
                do throws(JSONError) {
                    return try JSON.parse(self.body)
                } catch {
                    throw ClientError.unexpectedAnswer("not JSON: \(error)")
                }
            }
        }
    }

    /// Calls any operation of the API; the typed calls are built on this.
    ///
    /// - Parameters:
    ///   - method: The HTTP method, such as `POST`.
    ///   - path: The path, beginning with a slash.
    ///   - body: The body; nil sends none.
    ///   - contentType: The media type of the body.
    ///   - headers: More headers.
    ///   - waiting: How long the server is asked to wait before it answers.
    public func call(
        _ method: String, _ path: String, body: [UInt8]? = nil, contentType: String = "application/json",
        headers: [(String, String)] = [], waiting: Duration = .zero
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: self.baseURL + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers = self.headers
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: contentType)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let timeout = self.configuration.responseTimeout + waiting
        do {
            let response = try await self.http.execute(request, timeout: .nanoseconds(timeout.nanoseconds))
            let bytes = try await response.body.collect(upTo: self.configuration.responseBytes)
            let body = Array(bytes.readableBytesView)
            let status = Int(response.status.code)
            guard (200..<300).contains(status) else { throw ClientError.problem(Problem(status: status, body: body)) }
            return Answer(status: status, body: body, headers: response.headers)
        } catch let error as ClientError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw ClientError.unreachable(endpoint: self.endpoint, reason: Self.reason(error))
        }
    }

    /// The failure in few words.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout: "it took too long"
        case let error as HTTPClientError where error == .connectTimeout: "the connection took too long to open"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "the connection was closed"
        case let error as IOError where error.errnoCode == ENOENT || error.errnoCode == ECONNREFUSED:
            "nobody listens there"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { Self.reason($0.error) } ?? "the connection failed"
        default: "\(error)"
        }
    }
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue + attoseconds / 1_000_000_000
    }

    var milliseconds: Int64 {
        self.nanoseconds / 1_000_000
    }
}
