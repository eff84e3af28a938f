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
