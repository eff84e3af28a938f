import Foundation
import Glibc
import Synchronization

/// The outside world: an HTTP service on loopback that answers every call, and remembers which effect each idempotency
/// key had.
///
/// It outlives the programs that are killed.
final class EffectService: Sendable {
    private struct Log {
        /// What was asked for with each key.
        var effects: [String: Set<String>] = [:]
        var calls = 0
    }

    /// An answer: its status, and its body, which is JSON.
    typealias Reply = (status: Int, body: String)

    let port: UInt16
    private let listener: Int32
    private let log = Mutex(Log())
    private let reply: @Sendable (_ head: [String]) -> Reply

    /// Starts it; `reply` gives the answer to a request, of which it sees the request line and the headers.
    init(reply: @escaping @Sendable (_ head: [String]) -> Reply = { _ in (200, "{}") }) throws {
        self.reply = reply
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        guard bound else { throw UnixHTTP.Failure(what: "cannot listen: error \(errno)") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            weak let service = self
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread {
                    while service?.answer(connection) == true {}
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// The keys seen for each effect.
    ///
    /// One effect with two keys would have happened twice.
    var keysByEffect: [String: Set<String>] {
        log.withLock { log in
            log.effects.reduce(into: [:]) { result, entry in
                for effect in entry.value { result[effect, default: []].insert(entry.key) }
            }
        }
    }

    /// The effects asked for with each key.
    var effectsByKey: [String: Set<String>] { log.withLock(\.effects) }

    var calls: Int { log.withLock(\.calls) }

    /// Answers one request; false when the connection is over.
    private func answer(_ connection: Int32) -> Bool {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let head = text[..<end.lowerBound].components(separatedBy: "\r\n")
                let length = Self.header("content-length", head).flatMap { Int($0) } ?? 0
                let body = text[end.upperBound...]
                if body.utf8.count >= length {
                    let key = Self.header("idempotency-key", head) ?? "none"
                    log.withLock { log in
                        log.calls += 1
                        _ = log.effects[key, default: []].insert("\(head[0]) \(body)")
                    }
                    let (status, answer) = self.reply(head)
                    let bytes = Array(
                        """
                        HTTP/1.1 \(status) \(status == 200 ? "OK" : "Refused")\r
                        Content-Type: application/json\r
                        Content-Length: \(answer.utf8.count)\r
                        \r
                        \(answer)
                        """.utf8)
                    return (try? UnixHTTP.write(bytes, to: connection)) != nil
                }
            }
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return false }
            bytes += buffer[0..<count]
        }
    }

    private static func header(_ name: String, _ lines: [String]) -> String? {
        lines.first { $0.lowercased().hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }
}
