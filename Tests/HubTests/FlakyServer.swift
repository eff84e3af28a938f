import Foundation
import Glibc
import Synchronization

/// An HTTP/1.1 service on a loopback port of its own that fails at a seeded rate: 503s, resets, late answers.
///
/// Counts what it did per idempotency key, as the outside world would.
final class FlakyServer: Sendable {
    enum Reply: Sendable {
        case ok, unavailable, reset, late
    }

    struct State {
        var requests = 0
        var effects: [String: Int] = [:]
        var keysByBody: [String: Set<String>] = [:]
        var sockets: [Int32] = []
    }

    struct CannotStart: Error {}

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let reply: @Sendable (Int) -> Reply

    /// `reply` decides about the request of a number, from 0.
    init(_ reply: @escaping @Sendable (Int) -> Reply) throws {
        self.reply = reply
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        guard isListening else { throw CannotStart() }
        self.listener = listener
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let socket = accept(self.listener, nil, nil)
                guard socket >= 0 else { return }
                self.state.withLock { $0.sockets.append(socket) }
                Thread.detachNewThread { self.serve(socket) }
            }
        }
    }

    var requests: Int { self.state.withLock { $0.requests } }
    var effects: [String: Int] { self.state.withLock { $0.effects } }
    var keysByBody: [String: Set<String>] { self.state.withLock { $0.keysByBody } }

    func stop() {
        for socket in self.state.withLock({ $0.sockets }) + [self.listener] { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private func serve(_ socket: Int32) {
        defer {
            self.state.withLock { $0.sockets.removeAll { $0 == socket } }
            close(socket)
        }
        while let (key, body) = Self.readRequest(socket) {
            let number = self.state.withLock { state in
                defer { state.requests += 1 }
                state.keysByBody[body, default: []].insert(key)
                return state.requests
            }
            let reply = self.reply(number)
            if reply == .ok || reply == .late { self.state.withLock { $0.effects[key, default: 0] += 1 } }
            switch reply {
            case .ok:
                Self.send(socket, status: "200 OK", body: body)
            case .unavailable:
                Self.send(socket, status: "503 Service Unavailable", body: "{\"message\":\"try later\"}")
            case .late:
                // Says nothing until the caller has given up.
                var byte: UInt8 = 0
                while recv(socket, &byte, 1, 0) > 0 {}
                return
            case .reset:
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
                return
            }
        }
    }

    private static func send(_ socket: Int32, status: String, body: String) {
        let text =
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        _ = Array(text.utf8).withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// The idempotency key and the body of the next request.
    private static func readRequest(_ socket: Int32) -> (key: String, body: String)? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        let end: [UInt8] = Array("\r\n\r\n".utf8)
        while bytes.suffix(4) != end[...] {
            guard recv(socket, &byte, 1, 0) == 1 else { return nil }
            bytes.append(byte)
        }
        var headers: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 {
                headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        var body = [UInt8](repeating: 0, count: Int(headers["content-length"] ?? "0") ?? 0)
        var count = 0
        while count < body.count {
            let read = body.withUnsafeMutableBytes {
                recv(socket, $0.baseAddress?.advanced(by: count), $0.count - count, 0)
            }
            guard read > 0 else { return nil }
            count += read
        }
        return (headers["idempotency-key"] ?? "", String(decoding: body, as: UTF8.self))
    }
}
