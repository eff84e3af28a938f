import Glibc
import Synchronization

/// An HTTP/1.1 server on loopback that answers every request with the same document, on one thread.
///
/// It costs as little as a server can, so that a measurement with it tells about the client. Reads requests with
/// `Content-Length` or without a body; keeps connections open and understands pipelining.
final class LoopbackHTTPServer: Sendable {
    /// The port it listens on.
    let port: Int
    private let listener: Int32
    /// A pipe whose one end the thread watches: closing the other ends it.
    private let stop: (read: Int32, write: Int32)
    private let requests = Atomic<Int>(0)

    /// How many requests it has answered.
    var requestCount: Int { self.requests.load(ordering: .relaxed) }

    /// Starts the server; `document` is JSON.
    init(document: [UInt8]) throws(CommandFailure) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 1_024) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, isBound else {
            throw CommandFailure(
                .measurement, "No socket on loopback: \(String(cString: strerror(errno)))",
                remedy: "Check the limits of open files and ports.")
        }
        self.listener = listener
        self.port = Int(UInt16(bigEndian: address.sin_port))
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw CommandFailure(.measurement, "No pipe.", remedy: "Check the limit of open files.")
        }
        self.stop = (ends[0], ends[1])
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(document.count)\r\n\r\n"
        let loop = Loop(self, answer: Array(head.utf8) + document)
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Loop>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(loop).toOpaque())
        precondition(started == 0, "no thread for the measurement")
        pthread_detach(thread)
    }

    /// Ends the thread and closes every connection.
    func close() {
        Glibc.close(self.stop.write)
    }

    /// What the thread owns; nobody else touches it.
    private final class Loop {
        let server: LoopbackHTTPServer
        let answer: [UInt8]
        /// Bytes of requests that are not complete, by connection.
        var partial: [Int32: [UInt8]] = [:]

        init(_ server: LoopbackHTTPServer, answer: [UInt8]) {
            self.server = server
            self.answer = answer
        }

        func run() {
            var watched = [self.server.listener, self.server.stop.read].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while poll(&watched, nfds_t(watched.count), -1) >= 0 {
                if watched[1].revents != 0 { break }
                for index in watched.indices.dropFirst(2) where watched[index].revents != 0 {
                    // poll passes over a negative descriptor.
                    if !self.serve(watched[index].fd, &buffer) { watched[index].fd = -1 }
                }
                guard watched[0].revents != 0 else { continue }
                let connection = accept(self.server.listener, nil, nil)
                guard connection >= 0, fcntl(connection, F_SETFL, O_NONBLOCK) == 0 else { continue }
                var on: Int32 = 1
                setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                watched.append(pollfd(fd: connection, events: Int16(POLLIN), revents: 0))
            }
            for file in watched.map(\.fd) where file >= 0 { Glibc.close(file) }
        }

        /// Answers what has arrived; false when the connection is over.
        private func serve(_ file: Int32, _ buffer: inout [UInt8]) -> Bool {
            let count = recv(file, &buffer, buffer.count, 0)
            guard count > 0 else {
                if count < 0, errno == EAGAIN { return true }
                self.partial[file] = nil
                Glibc.close(file)
                return false
            }
            var bytes = self.partial[file] ?? []
            bytes.append(contentsOf: buffer[0..<count])
            var start = 0
            var answers: [UInt8] = []
            while let end = Self.requestEnd(bytes, start) {
                start = end
                answers += self.answer
                self.server.requests.add(1, ordering: .relaxed)
            }
            bytes.removeFirst(start)
            self.partial[file] = bytes
            var sent = 0
            while sent < answers.count {
                let count = answers[sent...].withUnsafeBytes { send(file, $0.baseAddress, $0.count, 0x4000) }
                guard count > 0 else { return true }
                sent += count
            }
            return true
        }

        /// Where the request that begins at `start` ends; nil when it is not there yet.
        private static func requestEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
            var index = start
            var lineStart = start
            var bodyLength = 0
            while index < bytes.count {
                guard bytes[index] == UInt8(ascii: "\n") else {
                    index += 1
                    continue
                }
                let line = bytes[lineStart..<index]
                index += 1
                lineStart = index
                if line.count <= 1 {
                    return bytes.count - index >= bodyLength ? index + bodyLength : nil
                }
                // "content-length:" has 15 bytes.
                if line.count > 15, line.first == UInt8(ascii: "C") || line.first == UInt8(ascii: "c"),
                    line.prefix(15).elementsEqual("content-length:".utf8, by: { $0 | 0x20 == $1 | 0x20 })
                {
                    bodyLength = line.dropFirst(15).reduce(0) {
                        (48...57).contains($1) ? $0 * 10 + Int($1 - 48) : $0
                    }
                }
            }
            return nil
        }
    }
}
