import ConnectorKit
import HTTPConnector
import Synchronization
import Testing
import Values

struct HTTPHostileResponseTests {
    static let seeds: [UInt64] = (0..<6).map { 0x4057_0000 + $0 }

    /// What made libcurl 7.88 crash: a folded line before any header, on a handle that had seen headers before.
    @Test func aFoldedLineWithoutAHeaderBeforeItHarmsNothing() async throws {
        let folded = "HTTP/1.1 200 OK\r\n folded: 1\r\nContent-Length: 0\r\n\r\n"
        try await withStub(answering: { $0.target == "/odd" ? .raw(folded) : .json("{}") }) { connection, _ in
            for _ in 0..<20 {
                #expect(await connection.invoke(request(["path": "fine"])).error == nil)
                if let error = await connection.invoke(request(["path": "odd"])).error {
                    #expect(error.code == "CON-1009")
                }
            }
        }
    }

    /// 8 MiB of zeros, compressed to less than a hundredth.
    static let zeros: [UInt8] = {
        // A stored-as-fixed deflate stream of one zero and repeats of 258 bytes, framed as zlib without a checksum: what
        // fails at the end does not matter, the bound is to be met before.
        var bits = BitWriter()
        bits.write(0b1, 1)
        bits.write(0b01, 2)
        bits.writeReversed(0x30, 8)
        for _ in 0..<(8 << 20) / 258 {
            bits.writeReversed(0xC5, 8)
            bits.writeReversed(0, 5)
        }
        let body = [0x78, 0x9C] + bits.bytes
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }()

    struct BitWriter {
        var bytes: [UInt8] = []
        private var used = 8

        mutating func write(_ value: Int, _ count: Int) {
            for bit in 0..<count {
                if self.used == 8 {
                    self.bytes.append(0)
                    self.used = 0
                }
                self.bytes[self.bytes.count - 1] |= UInt8(value >> bit & 1) << UInt8(self.used)
                self.used += 1
            }
        }

        /// Codes of Huffman go in with their highest bit first.
        mutating func writeReversed(_ value: Int, _ count: Int) {
            for bit in (0..<count).reversed() { self.write(value >> bit & 1, 1) }
        }
    }

    @Test func aBodyThatGrowsBeyondReasonIsRefused() async throws {
        // Well below maxResponse, but more than 100 times what came over the wire.
        try await withStub(["maxResponse": "1GiB"], answering: { _ in .rawThenClose(Self.zeros) }) { connection, _ in
            let error = try #require(await connection.invoke(request([:])).error)
            #expect(error.code == "CON-1007" && error.message.contains("beyond reason"), "\(error)")
        }
    }

    typealias HostileRow = (name: String, reply: [UInt8], code: String?)

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(
        arguments: [
            (
                "interim responses without end", bytes(String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 20_000)),
                "CON-1007"
            ),
            (
                "one header line without end", bytes("HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 400_000)),
                nil
            ),
            (
                "headers without end", bytes("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 40_000)),
                "CON-1007"
            ),
            ("a chunk that lies", bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nab\r\n"), nil),
            (
                "a chunk larger than the world",
                bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nab"), nil
            ),
            (
                "chunks that end early", bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab"),
                "CON-1004"
            ),
            ("a length too long", bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), "CON-1004"),
            ("a length below zero", bytes("HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\nab"), nil),
            ("a length beyond bounds", bytes("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nab"), "CON-1007"),
            (
                "an encoding unknown",
                bytes("HTTP/1.1 200 OK\r\nContent-Encoding: snow\r\nContent-Length: 2\r\n\r\nab"), nil
            ),
            (
                "encodings without end",
                bytes(
                    "HTTP/1.1 200 OK\r\nContent-Encoding: "
                        + String(repeating: "gzip, ", count: 500) + "gzip\r\nContent-Length: 2\r\n\r\nab"), nil
            ),
            ("a status of no kind", bytes("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), "CON-1001"),
            ("a status below all", bytes("HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n"), nil),
            (
                "JSON in UTF-16",
                bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-16\r\nContent-Length: 6\r\n\r\n")
                    + [0xFE, 0xFF, 0, 0x7B, 0, 0x7D], "CON-1009"
            ),
            ("a switch of protocols", bytes("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\nabc"), nil),
        ] as [HostileRow])
    func hostileAnswersAreErrorsOfTheTaxonomy(_ row: HostileRow) async throws {
        let parameters: ValueContext = ["redirects": 2]
        try await withStub(
            parameters, answering: { $0.target == "/fine" ? .json("{}") : .rawThenClose(row.reply) }
        ) { connection, _ in
            let outcome = await connection.invoke(request(["path": "x", "method": "PUT"], timeout: .seconds(5)))
            let error = try #require(outcome.error, "\(row.name): \(outcome)")
            #expect(row.code == nil || error.code == row.code, "\(row.name): \(error)")
            #expect(error.code.hasPrefix("CON-1") && error.mayHaveExecuted, "\(row.name): \(error)")
            #expect(await connection.invoke(request(["path": "fine"])).error == nil, "\(row.name)")
        }
    }

    @Test(arguments: ["http://169.254.169.254/latest/meta-data", "http://[::ffff:10.0.0.1]/", "http://0x0a000001/"])
    func redirectsToPrivateAddressesAreDenied(_ target: String) async throws {
        // The service itself may be private, what it names may not.
        let parameters: ValueContext = [
            "allowPrivate": false, "allowPrivateHosts": ["127.0.0.1"], "redirects": 3, "connectTimeout": "1s",
            "allowHosts": ["169.254.169.254", "[::ffff:10.0.0.1]", "10.0.0.1"],
        ]
        try await withStub(parameters, answering: { _ in .status(302, headers: ["Location": target]) }) {
            connection, server in
            let error = try #require(await connection.invoke(request([:], timeout: .seconds(5))).error)
            #expect(error.code == "CON-1006", "\(error)")
            #expect(server.requests.count == 1)
        }
    }

    /// Damaged responses: every call ends with an outcome, an error always has code and remedy, and the connection works
    /// on.
    @Test(arguments: seeds)
    func damagedResponsesEndInTheTaxonomy(seed: UInt64) async throws {
        let state = Mutex(seed)
        @Sendable func pick(_ count: Int) -> Int {
            state.withLock { state in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % count
            }
        }
        let responses = [
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\": [1]}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\nX-Trailer: 1\r\n\r\n",
            "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        ]
        let alphabet = Array("\r\n: \"{}0/;HTP".utf8) + [0x00, 0x7F, 0xFF]
        let parameters: ValueContext = ["redirects": 2, "maxResponse": "4KiB"]
        try await withStub(
            parameters,
            answering: { request in
                guard request.target != "/fine" else { return .json("{}") }
                var bytes = Array(responses[pick(responses.count)].utf8)
                for _ in 0..<pick(5) {
                    let position = pick(bytes.count)
                    switch pick(4) {
                    case 0: bytes[position] = alphabet[pick(alphabet.count)]
                    case 1: bytes.remove(at: position)
                    case 2: bytes.insert(alphabet[pick(alphabet.count)], at: position)
                    default: bytes.removeSubrange(position...)
                    }
                    if bytes.isEmpty { break }
                }
                return .rawThenClose(bytes)
            }
        ) { connection, _ in
            for round in 0..<60 {
                let outcome = await connection.invoke(request(["path": "x"], timeout: .seconds(5)))
                if let error = outcome.error {
                    #expect(
                        error.code.hasPrefix("CON-1") && !error.message.isEmpty && !error.remedy.isEmpty,
                        "seed \(seed), round \(round): \(error)")
                } else {
                    #expect(outcome.value?["status"]?.asInt64 != nil, "seed \(seed), round \(round)")
                }
            }
            #expect(await connection.invoke(request(["path": "fine"])).value?["status"] == 200, "seed \(seed)")
        }
    }
}
