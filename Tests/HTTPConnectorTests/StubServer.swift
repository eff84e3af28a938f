import Foundation
import Glibc
import Synchronization

/// A request as it arrived.
struct StubRequest: Sendable {
    var method: String
    var target: String
    var headers: [String: String]
    var body: [UInt8]
    /// Number of the connection it came over, from 1.
    var connection: Int

    var text: String { String(decoding: self.body, as: UTF8.self) }
}

/// What the stub does with it.
enum StubReply: Sendable {
    /// Sends these bytes as they are, then reads the next request.
    case raw(String)
    /// Sends these bytes and closes.
    case rawThenClose([UInt8])
    /// Closes without a word.
    case close
    /// Resets the connection.
    case reset
    /// Says nothing until the server stops.
    case hang

    static func status(_ status: Int, _ body: String = "", headers: [String: String] = [:]) -> StubReply {
        var lines = "HTTP/1.1 \(status) Stub\r\nContent-Length: \(body.utf8.count)\r\n"
        for (name, value) in headers { lines += "\(name): \(value)\r\n" }
        return .raw(lines + "\r\n" + body)
    }

    static func json(_ body: String, status: Int = 200, headers: [String: String] = [:]) -> StubReply {
        .status(status, body, headers: headers.merging(["Content-Type": "application/json"]) { own, _ in own })
    }
}

/// An HTTP/1.1 server on a loopback port of its own, made of plain sockets and one thread a connection.
final class StubServer: Sendable {
    private struct State {
        var requests: [StubRequest] = []
        var sockets: [Int32] = []
        var connections = 0
        var isStopped = false
    }

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let handler: @Sendable (StubRequest) -> StubReply

    struct CannotStart: Error {
        var call: String
        var error: Int32
    }

    init(_ handler: @escaping @Sendable (StubRequest) -> StubReply) throws {
        self.handler = handler
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard self.listener >= 0 else { throw CannotStart(call: "socket", error: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        guard bound else { throw CannotStart(call: "bind", error: errno) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in self.accept() }
    }

    var url: String { "http://127.0.0.1:\(self.port)" }
    var requests: [StubRequest] { self.state.withLock { $0.requests } }

    func stop() {
        let sockets = self.state.withLock { state in
            state.isStopped = true
            return state.sockets
        }
        for socket in sockets + [self.listener] { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private func accept() {
        while true {
            let socket = Glibc.accept(self.listener, nil, nil)
            guard socket >= 0 else { break }
            let number: Int? = self.state.withLock { state in
                guard !state.isStopped else { return nil }
                state.connections += 1
                state.sockets.append(socket)
                return state.connections
            }
            guard let number else {
                Glibc.close(socket)
                break
            }
            Thread.detachNewThread { [self] in self.serve(socket, number) }
        }
        Glibc.close(self.listener)
    }

    private func serve(_ socket: Int32, _ number: Int) {
        var buffer: [UInt8] = []
        defer {
            self.state.withLock { $0.sockets.removeAll { $0 == socket } }
            Glibc.close(socket)
        }
        while let request = Self.readRequest(socket, &buffer, number) {
            self.state.withLock { $0.requests.append(request) }
            switch self.handler(request) {
            case .raw(let text): guard Self.send(socket, Array(text.utf8)) else { return }
            case .rawThenClose(let bytes):
                _ = Self.send(socket, bytes)
                return
            case .close: return
            case .reset:
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
                return
            case .hang:
                // Until the other side, or `stop`, ends it.
                var byte: UInt8 = 0
                while recv(socket, &byte, 1, 0) > 0 {}
                return
            }
        }
    }

    private static func send(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private static func readRequest(_ socket: Int32, _ buffer: inout [UInt8], _ number: Int) -> StubRequest? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        func more() -> Bool {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count > 0 { buffer += chunk[0..<count] }
            return count > 0
        }
        var end: Int?
        while end == nil {
            end = String(decoding: buffer, as: UTF8.self).range(of: "\r\n\r\n").map { _ in
                (3..<buffer.count).first { Array(buffer[($0 - 3)...$0]) == [13, 10, 13, 10] } ?? 0
            }
            // A TLS handshake is no request, and will not become one.
            if end == nil, buffer.first == 0x16 || !more() { return nil }
        }
        let headEnd = (end ?? 0) + 1
        let lines = String(decoding: buffer[0..<headEnd], as: UTF8.self).components(separatedBy: "\r\n")
        let start = lines[0].split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] =
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let length = Int(headers["content-length"] ?? "0") ?? 0
        while buffer.count < headEnd + length { guard more() else { return nil } }
        let body = Array(buffer[headEnd..<(headEnd + length)])
        buffer.removeSubrange(0..<(headEnd + length))
        return StubRequest(
            method: String(start.first ?? ""), target: start.count > 1 ? String(start[1]) : "", headers: headers,
            body: body, connection: number)
    }
}
