import Glibc
import SocketThread
import Synchronization
import Testing

/// An actor on a thread of its own, that reads single bytes from a pipe.
private actor PipeReader: SocketOwner {
    private nonisolated let thread: SocketThread
    private let descriptor: Int32
    private(set) var bytes: [UInt8] = []
    private(set) var attentions = 0
    private var timeout: Duration?

    init(_ descriptor: Int32, timeout: Duration? = nil) throws {
        self.descriptor = descriptor
        self.timeout = timeout
        self.thread = try SocketThread()
        self.thread.setOwner(self)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    nonisolated func attend() -> SocketInterest { self.assumeIsolated { $0.attendNow() } }

    private func attendNow() -> SocketInterest {
        self.attentions += 1
        var byte: UInt8 = 0
        while read(self.descriptor, &byte, 1) == 1 { self.bytes.append(byte) }
        return SocketInterest(descriptor: self.descriptor, timeout: self.timeout)
    }

    var threadID: UInt64 {
        var id: UInt64 = 0
        withUnsafeMutableBytes(of: &id) { $0.storeBytes(of: pthread_self(), as: pthread_t.self) }
        return id
    }

    /// Blocks the thread until a byte comes.
    func waitForByte(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return read(descriptor, &byte, 1) == 1
    }
}

@Suite struct SocketThreadTests {
    private static func pipeEnds(isBlocking: Bool = false) throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        if !isBlocking { _ = fcntl(ends[0], F_SETFL, O_NONBLOCK) }
        return (ends[0], ends[1])
    }

    private func eventually(_ condition: () async -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if await condition() { return true }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return false
    }

    @Test func whatArrivesIsAttendedToWithoutACall() async throws {
        let ends = try Self.pipeEnds()
        let reader = try PipeReader(ends.reading)
        var sent: [UInt8] = []
        for byte in 1...5 as ClosedRange<UInt8> {
            var value = byte
            #expect(write(ends.writing, &value, 1) == 1)
            sent.append(byte)
            #expect(await self.eventually { await reader.bytes == sent })
        }
        close(ends.writing)
    }

    @Test func everyJobRunsOnTheOneThread() async throws {
        let ends = try Self.pipeEnds()
        let reader = try PipeReader(ends.reading)
        let threads = await withTaskGroup(of: UInt64.self) { group in
            for _ in 0..<500 { group.addTask { await reader.threadID } }
            return await group.reduce(into: Set<UInt64>()) { $0.insert($1) }
        }
        #expect(threads.count == 1)
        close(ends.writing)
    }

    @Test func theThreadSleepsUntilItsTimeout() async throws {
        let ends = try Self.pipeEnds()
        let reader = try PipeReader(ends.reading, timeout: .milliseconds(20))
        #expect(await self.eventually { await reader.attentions > 5 })
        close(ends.writing)
    }

    @Test func aBlockingCallHoldsNobodyElseUp() async throws {
        let ends = try Self.pipeEnds()
        let slow = try PipeReader(ends.reading)
        let quick = try PipeReader(ends.reading)
        let gate = try Self.pipeEnds(isBlocking: true)
        async let wasReleased = slow.waitForByte(gate.reading)
        for _ in 0..<100 { _ = await quick.threadID }
        var byte: UInt8 = 1
        #expect(write(gate.writing, &byte, 1) == 1)
        #expect(await wasReleased)
        close(gate.writing)
        close(ends.writing)
    }

    @Test func theThreadEndsWithItsOwner() async throws {
        let ends = try Self.pipeEnds()
        let before = Self.threadCount()
        for _ in 0..<20 {
            let reader = try PipeReader(ends.reading)
            _ = await reader.threadID
        }
        #expect(await self.eventually { Self.threadCount() <= before + 10 })
        close(ends.writing)
    }

    private static func threadCount() -> Int {
        guard let folder = opendir("/proc/self/task") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }
}
