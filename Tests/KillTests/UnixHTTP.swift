import Foundation
import Glibc

/// The least HTTP client that can talk to a server on a Unix socket: one request a connection, blocking, of no code under
/// test.
enum UnixHTTP {
    struct Answer {
        var status: Int
        var body: String

        /// A member of the JSON object in the body.
        subscript(member: String) -> Any? {
            (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])?[member]
        }
    }

    struct Failure: Error {
        var what: String
    }

    /// Sends a request and reads the answer to the end of the connection; fails when nothing comes for the timeout.
    static func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = [],
        socket socketPath: String, timeoutSeconds: Int = 30
    ) throws -> Answer {
        let descriptor = try connect(socketPath)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var head = "\(method) \(path) HTTP/1.1\r\nHost: junction\r\nConnection: close\r\n"
        head += "Content-Type: application/json\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        head += "Content-Length: \(body.count)\r\n\r\n"
        try write(Array(head.utf8) + body, to: descriptor)
        return try parse(readAll(descriptor))
    }

    private static func connect(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(what: "no socket: \(errno)") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            close(descriptor)
            throw Failure(what: "the path is too long: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw Failure(what: "cannot connect to \(path): error \(errno)")
        }
        return descriptor
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(what: "cannot send: error \(errno)") }
            sent += count
        }
    }

    private static func readAll(_ descriptor: Int32) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw Failure(what: "cannot read: error \(errno)") }
            if count == 0 { return bytes }
            bytes += buffer[0..<count]
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { throw Failure(what: "the connection broke off: \(text)") }
        let head = text[..<end.lowerBound].lowercased().components(separatedBy: "\r\n")
        var body = String(text[end.upperBound...])
        if head.contains("transfer-encoding: chunked") { body = try unchunk(body) }
        let length = head.first { $0.hasPrefix("content-length:") }.flatMap {
            Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces))
        }
        if let length, body.utf8.count < length { throw Failure(what: "the connection broke off in the body") }
        let status = head[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Answer(status: status, body: body)
    }

    private static func unchunk(_ text: String) throws -> String {
        var rest = Array(text.utf8)[...]
        var body: [UInt8] = []
        while let end = rest.firstIndex(of: 13),
            let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16)
        {
            if size == 0 { return String(decoding: body, as: UTF8.self) }
            let start = end + 2
            guard rest.endIndex >= start + size + 2 else { break }
            body += rest[start..<start + size]
            rest = rest[(start + size + 2)...]
        }
        throw Failure(what: "the connection broke off in a chunk")
    }
}
