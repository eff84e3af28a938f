import Foundation
import Glibc
import Synchronization

/// A server on a loopback port of its own that answers every request with the same bytes, then closes.
final class FakeServer: Sendable {
    struct CannotStart: Error {}

    let port: Int
    private let listener: Int32
    private let answer: @Sendable (String) -> [UInt8]
    private let requests = Mutex<[String]>([])

    /// `answer` gets the request, headers and body.
    init(_ answer: @escaping @Sendable (String) -> [UInt8]) throws {
        self.answer = answer
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        guard isBound else { throw CannotStart() }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in self.accept() }
    }

    /// One that answers with a body.
    convenience init(
        status: Int = 200, type: String = "text/xml; charset=utf-8", headers: String = "", body: [UInt8]
    ) throws {
        try self.init { _ in
            Array(
                "HTTP/1.1 \(status) Fake\r\nContent-Type: \(type)\r\n\(headers)Content-Length: \(body.count)\r\n\r\n"
                    .utf8)
                + body
        }
    }

    var url: String { "http://127.0.0.1:\(self.port)/" }
    var received: [String] { self.requests.withLock { $0 } }

    func stop() { shutdown(self.listener, Int32(SHUT_RDWR)) }

    private func accept() {
        while true {
            let socket = Glibc.accept(self.listener, nil, nil)
            guard socket >= 0 else { break }
            Thread.detachNewThread { [self] in
                self.serve(socket)
                Glibc.close(socket)
            }
        }
        Glibc.close(self.listener)
    }

    private func serve(_ socket: Int32) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !Self.isComplete(bytes) {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            bytes += buffer[..<count]
        }
        let request = String(decoding: bytes, as: UTF8.self)
        self.requests.withLock { $0.append(request) }
        var rest = self.answer(request)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    private static func isComplete(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let head = text[..<end.lowerBound].lowercased()
        guard let field = head.range(of: "content-length:") else { return true }
        let count = Int(head[field.upperBound...].prefix { $0 != "\r\n" }.trimmingCharacters(in: .whitespaces)) ?? 0
        return text[end.upperBound...].utf8.count >= count
    }
}
