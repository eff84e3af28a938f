internal import ConnectorKit
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A program that is run to its end: given all of its input at once, and heard out, within bounds.
///
/// Each run has a thread of its own, so that nobody else ever blocks. Whatever the program started is killed with it.
public struct ProgramRun: Sendable {
    /// No process came to be.
    public struct LaunchFailure: Error, Sendable {
        /// Why.
        public var reason: String
    }

    /// How a run ended.
    public enum End: Sendable, Hashable {
        /// The program ended by itself, with this code.
        case exited(Int)
        /// A signal that this run did not send ended it.
        case signalled(Int)
        /// It was killed after `timeout`.
        case timedOut
        /// It was killed because the task was cancelled.
        case cancelled
        /// It was killed because it wrote more than `outputBytesMax`.
        case outputTooLarge
        /// It ended, and somebody else has learned how.
        case unknown
    }

    /// What came of a run.
    public struct Result: Sendable {
        /// How it ended.
        public var end: End
        /// What it wrote to its standard output; as far as it got, unless it exited.
        public var output: [UInt8]
        /// The end of what it wrote to its standard error.
        public var errorTail: [UInt8]
        /// How much it wrote there in all.
        public var errorBytes: Int
        /// How long it ran.
        public var duration: Duration
    }

    /// How it is started.
    public var specification: LaunchSpecification
    /// What it reads from its standard input; it need not read all of it.
    public var input: [UInt8]
    /// How long it may run.
    public var timeout: Duration
    /// How much it may write to its standard output.
    public var outputBytesMax: Int
    /// How much of its standard error is kept.
    public var errorTailBytesMax: Int

    /// Describes a run.
    public init(
        _ specification: LaunchSpecification, input: [UInt8] = [], timeout: Duration,
        outputBytesMax: Int = 1 << 20, errorTailBytesMax: Int = 4 << 10
    ) {
        self.specification = specification
        self.input = input
        self.timeout = timeout
        self.outputBytesMax = outputBytesMax
        self.errorTailBytesMax = errorTailBytesMax
    }

    /// The path a program's name leads to along `path`, a list of folders with colons between; the name itself if it
    /// has a slash, `nil` if nothing there can be executed.
    public static func locate(_ name: String, path: String) -> String? {
        let found = LaunchSpecification.program(name, path: path)
        return found.contains("/") && access(found, X_OK) == 0 ? found : nil
    }

    /// Runs it.
    ///
    /// Cancelling the task kills the program; the result then says so.
    public func result() async throws(LaunchFailure) -> Result {
        let stop = Stop()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let code = DetachedThread.start { continuation.resume(returning: ProgramThread.run(self, stop)) }
                if code != 0 {
                    let words = String(cString: strerror(code))
                    let failure = LaunchFailure(reason: "No thread could be started: \(words).")
                    continuation.resume(returning: .failure(failure))
                }
            }
        } onCancel: {
            stop.request()
        }
        return try outcome.get()
    }

    /// Tells the thread to stop.
    fileprivate final class Stop: Sendable {
        let wakeup = Wakeup()
        private let isRequestedFlag = Atomic(false)

        var isRequested: Bool { self.isRequestedFlag.load(ordering: .acquiring) }

        func request() {
            self.isRequestedFlag.store(true, ordering: .releasing)
            self.wakeup.wake()
        }
    }
}

/// The thread of one run.
private struct ProgramThread {
    private static let chunkBytes = 64 << 10
    /// The longest sleep when nothing tells of the end of a process.
    private static let sleepMax = Duration.milliseconds(500)
    /// What is still read of the error stream when the program has ended: more than a pipe holds.
    private static let tailChunksMax = 64

    private let run: ProgramRun
    private let stop: ProgramRun.Stop
    private let clock = SystemConnectorClock()
    private var child: ChildProcess
    private var written = 0
    private var output: [UInt8] = []
    private var tail: [UInt8] = []
    private var errorBytes = 0
    private var buffer = [UInt8](repeating: 0, count: ProgramThread.chunkBytes)

    static func run(
        _ run: ProgramRun, _ stop: ProgramRun.Stop
    ) -> Swift.Result<ProgramRun.Result, ProgramRun.LaunchFailure> {
        do throws(ChildProcess.Failure) {
            var thread = ProgramThread(run, stop, try ChildProcess(run.specification))
            return .success(thread.serve())
        } catch {
            return .failure(ProgramRun.LaunchFailure(reason: error.reason))
        }
    }

    private init(_ run: ProgramRun, _ stop: ProgramRun.Stop, _ child: ChildProcess) {
        self.run = run
        self.stop = stop
        self.child = child
    }

    private mutating func serve() -> ProgramRun.Result {
        let start = self.clock.now
        let deadline = start + self.run.timeout
        var verdict: ProgramRun.End?
        while true {
            self.writeInput()
            let now = self.clock.now
            if verdict == nil {
                if self.output.count > self.run.outputBytesMax {
                    verdict = .outputTooLarge
                } else if self.stop.isRequested {
                    verdict = .cancelled
                } else if now >= deadline {
                    verdict = .timedOut
                }
                if verdict != nil { self.child.signal(SIGKILL) }
            }
            if self.child.hasEnded { break }
            self.poll(verdict == nil ? min(deadline - now, Self.sleepMax) : Self.sleepMax)
        }
        // Whatever it started goes with it; what it had said before it ended still counts.
        self.child.signal(SIGKILL)
        while self.child.output >= 0, self.output.count <= self.run.outputBytesMax, self.readOutput() > 0 {}
        // Bounded: a process that escaped the kill cannot keep us here.
        var chunks = 0
        while chunks < Self.tailChunksMax, self.readErrors() > 0 { chunks += 1 }
        let end = self.child.reap()
        self.child.closeAll()
        return ProgramRun.Result(
            end: verdict ?? Self.end(end, isTooLarge: self.output.count > self.run.outputBytesMax),
            output: self.output, errorTail: self.tail, errorBytes: self.errorBytes,
            duration: self.clock.now - start)
    }

    private static func end(_ end: ChildProcess.End, isTooLarge: Bool) -> ProgramRun.End {
        if isTooLarge { return .outputTooLarge }
        return switch end {
        case .exited(let code): .exited(code)
        case .signalled(let number): .signalled(number)
        case .unknown: .unknown
        }
    }

    private mutating func writeInput() {
        while self.written < self.run.input.count, self.child.input >= 0 {
            let (start, descriptor) = (self.written, self.child.input)
            let count = self.run.input.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress?.advanced(by: start), bytes.count - start)
            }
            if count > 0 {
                self.written += count
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                return
            } else if errno != EINTR {
                // It does not want the rest.
                break
            }
        }
        if self.child.input >= 0 { self.child.closeInput() }
    }

    private mutating func poll(_ wait: Duration) {
        var descriptors = [
            pollfd(fd: self.stop.wakeup.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.child.output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.child.errors, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.child.exit, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.child.input, events: Int16(POLLOUT), revents: 0),
        ]
        let (seconds, attoseconds) = wait.components
        let milliseconds = max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + 1)
        guard systemPoll(&descriptors, nfds_t(descriptors.count), Int32(clamping: milliseconds)) > 0 else { return }
        if descriptors[0].revents != 0 { self.stop.wakeup.drain() }
        if descriptors[1].revents != 0, self.readOutput() == 0 { self.child.closeOutput() }
        if descriptors[2].revents != 0, self.readErrors() == 0 { self.child.closeErrors() }
    }

    /// How many bytes came; 0 at the end of the stream, below zero when there are none now.
    private mutating func readOutput() -> Int {
        let count = Self.read(self.child.output, &self.buffer)
        // One byte too many is enough to know.
        if count > 0, self.output.count <= self.run.outputBytesMax { self.output += self.buffer[..<count] }
        return count
    }

    private mutating func readErrors() -> Int {
        guard self.child.errors >= 0 else { return 0 }
        let count = Self.read(self.child.errors, &self.buffer)
        guard count > 0 else { return count }
        self.errorBytes += count
        self.tail += self.buffer[..<count]
        let excess = self.tail.count - self.run.errorTailBytesMax
        if excess > 0 { self.tail.removeFirst(excess) }
        return count
    }

    private static func read(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
        while true {
            let count = systemRead(descriptor, &buffer, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : 0 }
        }
    }
}
