internal import Foundation
internal import Glibc
internal import Synchronization

/// For tests: a listening socket on a free loopback port, whose connections are served by threads of their own.
package final class LoopbackServer: Sendable {
    /// The port that was free.
    package let port: Int
    private let listener: Int32
    private let open = Mutex<Set<Int32>>([])

    /// Starts listening; `serve` owns each socket until it calls `finish`.
    package init(_ serve: @escaping @Sendable (LoopbackServer, Int32) -> Void) throws {
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) | listen(listener, 16) | getsockname(listener, pointer, &length)
            }
        }
        guard code == 0 else { throw POSIXError(.EADDRINUSE) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let socket = accept(self.listener, nil, nil)
                guard socket >= 0 else { return }
                self.track(socket)
                Thread.detachNewThread { serve(self, socket) }
            }
        }
    }

    /// Lets `cut` break another socket too.
    package func track(_ socket: Int32) { self.open.withLock { _ = $0.insert(socket) } }

    /// Ends a connection; safe to call twice.
    package func finish(_ socket: Int32) {
        let isOpen = self.open.withLock { $0.remove(socket) != nil }
        if isOpen { Glibc.close(socket) }
    }

    /// Breaks every open connection, as a network does.
    package func cut() {
        self.open.withLock { for socket in $0 { Glibc.shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    /// Breaks everything and listens no more.
    package func stop() {
        self.cut()
        Glibc.shutdown(self.listener, Int32(SHUT_RDWR))
        Glibc.close(self.listener)
    }

    /// Writes all of `bytes`; false when the peer is gone.
    package static func write(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// What came next; empty when the peer is gone.
    package static func read(_ socket: Int32, atMost count: Int = 65_536) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = recv(socket, &bytes, count, 0)
        return read > 0 ? Array(bytes[..<read]) : []
    }

    /// Passes everything on to a port of the loopback interface.
    package static func proxy(to port: Int) throws -> LoopbackServer {
        try LoopbackServer { server, client in
            let upstream = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            address.sin_port = in_port_t(port).bigEndian
            let code = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    Glibc.connect(upstream, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            server.track(upstream)
            guard code == 0 else {
                server.finish(upstream)
                return server.finish(client)
            }
            let isDone = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                Self.pump(from: upstream, to: client)
                isDone.signal()
            }
            Self.pump(from: client, to: upstream)
            isDone.wait()
            server.finish(upstream)
            server.finish(client)
        }
    }

    private static func pump(from source: Int32, to target: Int32) {
        while true {
            let bytes = Self.read(source)
            if bytes.isEmpty || !Self.write(target, bytes) { break }
        }
        Glibc.shutdown(source, Int32(SHUT_RDWR))
        Glibc.shutdown(target, Int32(SHUT_RDWR))
    }
}
