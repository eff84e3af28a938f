import JunctionClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Values

/// What a client sent.
struct SentRequest: Sendable {
    var method: String
    var path: String
    var headers: HTTPHeaders
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var value: Value { (try? JSON.parse(body)) ?? .null }
}

/// What a stub answers.
struct StubAnswer: Sendable {
    var status = 200
    var body = "{}"
    var headers: [(String, String)] = []
    /// Closes the connection instead of answering.
    var hangsUp = false
}

/// An HTTP server that keeps what it is sent and answers from a closure.
final class StubServer: Sendable {
    private let channel: any Channel
    private let requests = Mutex<[SentRequest]>([])

    /// Everything that was sent, in order.
    var sent: [SentRequest] { requests.withLock { $0 } }
    let client: JunctionClient

    private init(channel: any Channel, client: JunctionClient) {
        self.channel = channel
        self.client = client
    }

    static func run(
        _ answer: @escaping @Sendable (SentRequest) -> StubAnswer,
        _ body: (StubServer) async throws -> Void
    ) async throws {
        let received = Mutex<@Sendable (SentRequest) -> Void>({ _ in })
        let box = Box(received)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { request in
                            box.value.withLock { $0 }(request)
                            return answer(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = JunctionClient(
            endpoint: .http("http://127.0.0.1:\(channel.localAddress?.port ?? 0)"), actor: "ada")
        let server = StubServer(channel: channel, client: client)
        box.value.withLock { $0 = { request in server.requests.withLock { $0.append(request) } } }
        do { try await body(server) } catch {
            await server.close()
            throw error
        }
        await server.close()
    }

    private func close() async {
        await client.shutdown()
        try? await channel.close()
    }

    private final class Box: Sendable {
        let value: Mutex<@Sendable (SentRequest) -> Void>
        init(_ value: consuming sending Mutex<@Sendable (SentRequest) -> Void>) { self.value = value }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (SentRequest) -> StubAnswer
        private var request: SentRequest?

        init(_ answer: @escaping @Sendable (SentRequest) -> StubAnswer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = SentRequest(method: head.method.rawValue, path: head.uri, headers: head.headers, body: [])
            case .body(let buffer):
                request?.body += Array(buffer.readableBytesView)
            case .end:
                guard let request else { return }
                let answer = answer(request)
                if answer.hangsUp {
                    context.close(promise: nil)
                    return
                }
                let body = ByteBuffer(string: answer.body)
                let head = HTTPResponseHead(
                    version: .http1_1, status: .init(statusCode: answer.status),
                    headers: HTTPHeaders(answer.headers + [("content-length", "\(body.readableBytes)")]))
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
