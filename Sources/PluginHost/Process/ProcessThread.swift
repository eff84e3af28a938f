internal import CSpawnShim
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A pipe that wakes a thread out of `poll`.
final class Wakeup: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    /// Without descriptors to spare, the thread is not woken, and looks around at its own pace instead.
    init() {
        var read: Int32 = -1
        var write: Int32 = -1
        if jn_pipe(&read, &write) == 0 {
            _ = jn_set_nonblocking(read)
            _ = jn_set_nonblocking(write)
        }
        self.readEnd = read
        self.writeEnd = write
    }

    deinit {
        if self.readEnd >= 0 {
            _ = close(self.readEnd)
            _ = close(self.writeEnd)
        }
    }

    func wake() {
        var byte: UInt8 = 1
        _ = write(self.writeEnd, &byte, 1)
    }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(self.readEnd, &bytes, bytes.count) > 0 {}
    }
}

/// The thread of one process: starts it, moves bytes, reaps it.
struct ProcessThread {
    /// One read; also how much one turn takes from a stream, so that no stream starves another.
    private static let chunkBytes = 256 << 10
    /// The longest line of the error stream that is kept.
    private static let logLineBytesMax = 8 << 10
    private static let logLinesPerSecond = 200
    /// The longest sleep when nothing tells of the end of a process.
    private static let sleepMaxMilliseconds: Int64 = 500
    /// What may still come out of a pipe whose process has ended: all of it, if it does not exceed this.
    private static let tailBytesMax = 64 << 20

    private let core: ProcessCore
    private let wakeup: Wakeup
    private var child: ChildProcess
    private var framer: LineFramer
    private var errorFramer = LineFramer(bytesMax: ProcessThread.logLineBytesMax)
    private var quota = LineQuota(perSecond: ProcessThread.logLinesPerSecond)
    private var output: [UInt8] = []
    private var outputStart = 0
    private var closesInput = false
    private var buffer = [UInt8](repeating: 0, count: ProcessThread.chunkBytes)

    static func start(_ core: ProcessCore, _ wakeup: Wakeup) {
        let code = DetachedThread.start { ProcessThread.main(core, wakeup) }
        if code != 0 { core.spawnFailed("No thread could be started: \(String(cString: strerror(code))).") }
    }

    private static func main(_ core: ProcessCore, _ wakeup: Wakeup) {
        do throws(ChildProcess.Failure) {
            var thread = ProcessThread(core, wakeup, try ChildProcess(core.specification))
            core.spawned(thread.child.pid)
            let reason = thread.run()
            core.exited(reason)
        } catch {
            core.spawnFailed(error.reason)
        }
    }

    private init(_ core: ProcessCore, _ wakeup: Wakeup, _ child: ChildProcess) {
        self.core = core
        self.wakeup = wakeup
        self.child = child
        self.framer = LineFramer(bytesMax: core.frameBytesMax)
    }

    /// Serves the process until it has ended; how it did.
    private mutating func run() -> String {
        defer { self.child.closeAll() }
        while true {
            let pending = self.core.pending()
            self.take(pending.output)
            for order in pending.orders { self.carryOut(order) }
            self.writeOutput()
            self.poll(wait: pending.wait)
            if self.child.hasEnded {
                // Whatever it started goes with it; what it had said before it ended still counts.
                self.child.signal(SIGKILL)
                self.drain()
                return self.child.reap().description
            }
            self.core.tick()
        }
    }

    private mutating func take(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if self.outputStart == self.output.count {
            self.output = bytes
        } else {
            self.output.removeFirst(self.outputStart)
            self.output += bytes
        }
        self.outputStart = 0
    }

    private mutating func carryOut(_ order: ProcessCore.Order) {
        switch order {
        case .closeInput: self.closesInput = true
        case .terminate: self.child.signal(SIGTERM)
        case .kill: self.child.signal(SIGKILL)
        }
    }

    private mutating func writeOutput() {
        while self.outputStart < self.output.count, self.child.input >= 0 {
            let (start, end, input) = (self.outputStart, self.output.count, self.child.input)
            let count = self.output.withUnsafeBytes { bytes in
                write(input, bytes.baseAddress?.advanced(by: start), end - start)
            }
            if count > 0 {
                self.outputStart += count
                self.core.wrote(count)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                return
            } else if errno != EINTR {
                // It does not read any more; that it ended, or a ping, tells the rest.
                self.child.closeInput()
            }
        }
        if self.closesInput { self.child.closeInput() }
    }

    private mutating func poll(wait: Duration?) {
        let hasOutput = self.outputStart < self.output.count && self.child.input >= 0
        var descriptors = [
            pollfd(fd: self.wakeup.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.child.output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.child.errors, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.child.exit, events: Int16(POLLIN), revents: 0),
            pollfd(fd: hasOutput ? self.child.input : -1, events: Int16(POLLOUT), revents: 0),
        ]
        var milliseconds = Self.sleepMaxMilliseconds
        if let wait {
            let (seconds, attoseconds) = wait.components
            milliseconds = min(milliseconds, seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + 1)
        }
        guard systemPoll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds)) > 0 else { return }
        if descriptors[0].revents != 0 { self.wakeup.drain() }
        if descriptors[1].revents != 0, self.readOutput() == 0 { self.child.closeOutput() }
        if descriptors[2].revents != 0, self.readErrors() == 0 { self.child.closeErrors() }
    }

    /// How many bytes came; 0 at the end of the stream, below zero when there are none now.
    private mutating func readOutput() -> Int {
        let count = Self.read(self.child.output, &self.buffer)
        guard count > 0 else { return count }
        let items = self.framer.append(self.buffer[..<count])
        if !items.isEmpty { self.core.received(items) }
        return count
    }

    private mutating func readErrors() -> Int {
        let count = Self.read(self.child.errors, &self.buffer)
        guard count > 0 else { return count }
        for item in self.errorFramer.append(self.buffer[..<count]) { self.log(item) }
        return count
    }

    private mutating func drain() {
        var rest = Self.tailBytesMax
        while self.child.output >= 0, rest > 0 {
            let count = self.readOutput()
            if count <= 0 { break }
            rest -= count
        }
        rest = Self.tailBytesMax
        while self.child.errors >= 0, rest > 0 {
            let count = self.readErrors()
            if count <= 0 { break }
            rest -= count
        }
        if let last = self.errorFramer.finish() { self.log(last) }
    }

    private static func read(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
        while true {
            let count = systemRead(descriptor, &buffer, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : 0 }
        }
    }

    private mutating func log(_ item: LineFramer.Item) {
        let (passes, dropped) = self.quota.take(at: self.core.now)
        guard passes else { return }
        if dropped > 0 {
            self.core.handlers.log(PeerLogLine(.warning, "\(dropped) lines were dropped: it writes too many."))
        }
        switch item {
        case .line(let bytes): self.core.handlers.log(PeerLogLine(.info, String(decoding: bytes, as: UTF8.self)))
        case .oversized:
            self.core.handlers.log(
                PeerLogLine(.warning, "A line of more than \(Self.logLineBytesMax) bytes was dropped."))
        }
    }
}

/// `poll`, for a type that has a method of that name.
func systemPoll(_ descriptors: inout [pollfd], _ count: nfds_t, _ milliseconds: Int32) -> Int32 {
    poll(&descriptors, count, milliseconds)
}

/// `read`, likewise.
func systemRead(_ descriptor: Int32, _ buffer: inout [UInt8], _ count: Int) -> Int {
    read(descriptor, &buffer, count)
}
