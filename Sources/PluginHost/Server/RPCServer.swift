internal import CSpawnShim
internal import Synchronization
public import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The other side: answers requests that come over a pair of descriptors, one JSON-RPC message a line.
///
/// Requests are answered at once and in any order; a thread reads, and writes are short and in one piece each.
public final class RPCServer: Sendable {
    /// Answers a request; its task is cancelled when the other side does not want the answer any more.
    public typealias Handler =
        @Sendable (_ method: String, _ params: Value) async -> Result<Value, RPCError>

    private struct State {
        var running: [String: Task<Void, Never>] = [:]
        var asked: [Int64: CheckedContinuation<Result<Value, RPCError>, Never>] = [:]
        var nextID: Int64 = 1
        var isEnded = false
    }

    private let input: Int32
    private let output: Mutex<Int32>
    private let frameBytesMax: Int
    private let cancelMethod: String
    private let cancelField: String
    private let state = Mutex(State())

    /// Creates a server over two descriptors, which it does not close.
    ///
    /// `cancelMethod` is the notification, and `cancelField` the field of it, that cancels a request.
    public init(
        input: Int32 = 0, output: Int32 = 1, frameBytesMax: Int = 64 << 20, cancelMethod: String, cancelField: String
    ) {
        self.input = input
        self.output = Mutex(output)
        self.frameBytesMax = frameBytesMax
        self.cancelMethod = cancelMethod
        self.cancelField = cancelField
    }

    /// Serves until the input ends or the task is cancelled; then cancels what still runs, and waits for it.
    public func serve(_ handler: @escaping Handler) async {
        let (frames, feed) = AsyncStream<Void>.makeStream()
        let thread = Thread(self, handler) { feed.finish() }
        guard thread.start() else { return }
        for await _ in frames {}
        let (running, asked) = self.state.withLock { state in
            state.isEnded = true
            defer { state.asked = [:] }
            return (Array(state.running.values), Array(state.asked.values))
        }
        for continuation in asked { continuation.resume(returning: .failure(Self.ended)) }
        for task in running { task.cancel() }
        for task in running { await task.value }
    }

    /// Asks the other side.
    public func request(_ method: String, _ params: Value) async -> Result<Value, RPCError> {
        await withCheckedContinuation { continuation in
            let id = self.state.withLock { state -> Int64? in
                guard !state.isEnded else { return nil }
                defer { state.nextID += 1 }
                state.asked[state.nextID] = continuation
                return state.nextID
            }
            guard let id else { return continuation.resume(returning: .failure(Self.ended)) }
            self.write(RPCMessage.request(id: .number(Number(id)), method: method, params: params).frame)
        }
    }

    /// Tells the other side.
    public func notify(_ method: String, _ params: Value) {
        self.write(RPCMessage.notification(method: method, params: params).frame)
    }

    private static let ended = RPCError(code: RPCError.internalError, message: "The other side is gone.")

    // MARK: - Messages

    fileprivate func receive(_ item: LineFramer.Item, _ handler: @escaping Handler) {
        guard case .line(let line) = item else {
            let error = RPCError(
                code: RPCError.parseError, message: "A line has more than \(self.frameBytesMax) bytes.")
            return self.write(RPCMessage.response(id: .null, .failure(error)).frame)
        }
        let message: RPCMessage
        do {
            message = try RPCMessage(line[...])
        } catch {
            let error = RPCError(code: RPCError.parseError, message: "Expected a message but got \(error.reason).")
            return self.write(RPCMessage.response(id: .null, .failure(error)).frame)
        }
        switch message {
        case .request(let id, let method, let params): self.start(id, method, params, handler)
        case .notification(let method, let params):
            if method == self.cancelMethod, let id = params[self.cancelField] {
                self.state.withLock { $0.running[JSON.string(id)] }?.cancel()
            }
        case .response(let id, let result):
            let continuation = id.asInt64.flatMap { id in self.state.withLock { $0.asked.removeValue(forKey: id) } }
            continuation?.resume(returning: result)
        }
    }

    private func start(_ id: Value, _ method: String, _ params: Value, _ handler: @escaping Handler) {
        let key = JSON.string(id)
        self.state.withLock { state in
            guard !state.isEnded else { return }
            state.running[key] = Task {
                let result = await handler(method, params)
                self.write(RPCMessage.response(id: id, result).frame)
                _ = self.state.withLock { $0.running.removeValue(forKey: key) }
            }
        }
    }

    private func write(_ frame: [UInt8]) {
        self.output.withLock { descriptor in
            var start = 0
            while start < frame.count {
                let count = frame.withUnsafeBytes { bytes in
                    systemWrite(descriptor, bytes.baseAddress?.advanced(by: start), frame.count - start)
                }
                if count > 0 {
                    start += count
                } else if errno != EINTR {
                    // Nobody reads any more: the end of input will tell.
                    return
                }
            }
        }
    }

    // MARK: - The thread

    /// What the reading thread is handed.
    private final class Thread {
        private let server: RPCServer
        private let handler: Handler
        private let finish: @Sendable () -> Void

        init(_ server: RPCServer, _ handler: @escaping Handler, finish: @escaping @Sendable () -> Void) {
            self.server = server
            self.handler = handler
            self.finish = finish
        }

        func start() -> Bool {
            let box = Unmanaged.passRetained(self)
            #if canImport(Darwin)
                var thread: pthread_t?
            #else
                var thread = pthread_t()
            #endif
            let code = pthread_create(
                &thread, nil,
                { context in
                    #if canImport(Darwin)
                        Unmanaged<Thread>.fromOpaque(context).takeRetainedValue().run()
                    #else
                        if let context { Unmanaged<Thread>.fromOpaque(context).takeRetainedValue().run() }
                    #endif
                    return nil
                }, box.toOpaque())
            if code != 0 { box.release() }
            return code == 0
        }

        func run() {
            jn_block_signals()
            var framer = LineFramer(bytesMax: self.server.frameBytesMax)
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            while true {
                let count = read(self.server.input, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                for item in framer.append(buffer[..<count]) { self.server.receive(item, self.handler) }
            }
            self.finish()
        }
    }
}

/// `write`, for a type that has a method of that name.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
