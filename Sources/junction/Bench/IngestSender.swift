import Engine
import Foundation
import Glibc
import Runtime

/// Sends requests over HTTP/1.1 from one thread: each connection has one request under way.
///
/// A request that is answered 503 is sent again, as senders do, but at once.
final class IngestSender {
    /// A request, but for the number at the end of its last header field.
    struct Request {
        var head: [UInt8]
        var body: [UInt8]

        /// `head` ends inside a header field whose value the number completes.
        init(head: String, body: [UInt8]) {
            self.head = Array(head.utf8)
            self.body = body
        }

        func bytes(_ number: Int) -> [UInt8] {
            self.head + Array("\(number)\r\n\r\n".utf8) + self.body
        }
    }

    /// What came of the requests.
    struct Sent: Sendable {
        /// Answers with 202.
        var accepted = 0
        /// Answers with 503.
        var busy = 0
        /// Processor time of the sending thread.
        var processorSeconds = 0.0
        /// When each request was sent, or was due when no connection was free.
        var sentAt: [Int64] = []
        /// From the sending of each request to its answer, in nanoseconds.
        var answerTimes: [Int64] = []
    }

    private struct Lane {
        var number: Int?
        var received: [UInt8] = []
    }

    private let request: Request
    private let count: Int
    private let rate: Double?
    private let clock = SystemClock()
    private var watched: [pollfd] = []
    private var lanes: [Lane] = []
    private var again: [Int] = []
    private var next = 0
    private var sent = Sent()

    private init(_ request: Request, count: Int, rate: Double?) {
        self.request = request
        self.count = count
        self.rate = rate
        self.sent.sentAt = [Int64](repeating: 0, count: count)
        self.sent.answerTimes = [Int64](repeating: 0, count: count)
    }

    /// Sends `count` requests, `rate` a second or as fast as they are answered; returns when all are answered.
    static func send(
        _ request: Request, count: Int, port: Int, connections: Int, rate: Double?
    ) async throws -> Sent {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let sender = IngestSender(request, count: count, rate: rate)
                continuation.resume(with: Result { try sender.run(port: port, connections: connections) })
            }
        }
    }

    private func run(port: Int, connections: Int) throws -> Sent {
        defer { for entry in self.watched { close(entry.fd) } }
        for _ in 0..<connections {
            self.watched.append(pollfd(fd: try Self.connect(port), events: Int16(POLLIN), revents: 0))
            self.lanes.append(Lane())
        }
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        let processor = time
        let began = self.clock.monotonicNanoseconds()
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while self.sent.accepted < self.count {
            try self.sendDue(since: began)
            let isPacing = self.rate != nil && self.next < self.count
            guard poll(&self.watched, nfds_t(self.watched.count), isPacing ? 1 : 10_000) >= 0 else {
                throw BenchFailure("poll: \(String(cString: strerror(errno)))")
            }
            for index in self.watched.indices where self.watched[index].revents != 0 {
                try self.receive(index, &buffer)
            }
        }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        self.sent.processorSeconds =
            Double(time.tv_sec - processor.tv_sec) + Double(time.tv_nsec - processor.tv_nsec) / 1e9
        return self.sent
    }

    private func sendDue(since began: Int64) throws {
        for index in self.lanes.indices where self.lanes[index].number == nil {
            let now = self.clock.monotonicNanoseconds()
            let number: Int
            if let repeated = self.again.popLast() {
                number = repeated
            } else if self.next < self.count {
                if let rate = self.rate, now < began + Int64(Double(self.next) * 1e9 / rate) { return }
                number = self.next
                self.next += 1
                self.sent.sentAt[number] = now
            } else {
                return
            }
            self.lanes[index].number = number
            let bytes = self.request.bytes(number)
            var written = 0
            while written < bytes.count {
                let count = bytes[written...].withUnsafeBytes {
                    Glibc.send(self.watched[index].fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw BenchFailure("send: \(String(cString: strerror(errno)))") }
                written += count
            }
        }
    }

    private func receive(_ index: Int, _ buffer: inout [UInt8]) throws {
        let count = recv(self.watched[index].fd, &buffer, buffer.count, 0)
        guard count > 0, let number = self.lanes[index].number else {
            throw BenchFailure("The server closed a connection.")
        }
        self.lanes[index].received.append(contentsOf: buffer[0..<count])
        guard let status = try Self.status(ofAnswer: self.lanes[index].received) else { return }
        switch status {
        case 202:
            self.sent.accepted += 1
            self.sent.answerTimes[number] = self.clock.monotonicNanoseconds() - self.sent.sentAt[number]
        case 503:
            self.sent.busy += 1
            self.again.append(number)
        default:
            let text = String(decoding: self.lanes[index].received.suffix(300), as: UTF8.self)
            throw BenchFailure("A request was answered \(status): \(text)")
        }
        self.lanes[index].received.removeAll(keepingCapacity: true)
        self.lanes[index].number = nil
    }

    /// The status of a complete answer; nil when some of it is still to come.
    private static func status(ofAnswer bytes: [UInt8]) throws -> Int? {
        var lineStart = 0
        var length: Int?
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
            let line = bytes[lineStart..<index]
            lineStart = index + 1
            if line.count <= 1 {
                guard let length else { throw BenchFailure("An answer has no Content-Length.") }
                guard bytes.count >= lineStart + length else { return nil }
                // "HTTP/1.1 " has nine bytes.
                return bytes[9..<12].reduce(0) { $0 * 10 + Int($1) - 48 }
            }
            // "content-length:" has 15 bytes.
            if line.count > 15, line.prefix(15).elementsEqual("content-length:".utf8, by: { $0 | 0x20 == $1 | 0x20 }) {
                length = line.dropFirst(15).reduce(0) { (48...57).contains($1) ? $0 * 10 + Int($1 - 48) : $0 }
            }
        }
        return nil
    }

    private static func connect(_ port: Int) throws -> Int32 {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard file >= 0, result == 0 else { throw BenchFailure("connect: \(String(cString: strerror(errno)))") }
        var on: Int32 = 1
        setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return file
    }
}
