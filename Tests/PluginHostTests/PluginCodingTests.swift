import ConnectorKit
import Testing
import Values

@testable import PluginHost

/// What crosses the boundary arrives as it was, and what is malformed is refused with its place.
@Suite struct PluginCodingTests {
    private static let error = ConnectorError(
        .rateLimited, code: "X-1", "Slow down.", remedy: "Wait.", isRetryable: false, mayHaveExecuted: true,
        retryAfter: .milliseconds(1_500), details: ["status": 429])

    @Test(arguments: [
        Outcome.done(["a": 1], facts: ["f": true]), .done(.null, facts: [:]), .alreadyDone("x", facts: [:]),
        .retry(after: .seconds(2), Self.error), .retry(after: nil, Self.error), .park(Self.error), .reject(Self.error),
    ])
    func outcomesArriveAsTheyWere(_ outcome: Outcome) throws {
        let json = PluginCoding.json(outcome)
        let arrived = try PluginCoding.outcome(json)
        #expect(PluginCoding.json(arrived) == json)
        #expect(arrived.error?.isRetryable == outcome.error?.isRetryable)
        #expect(arrived.error?.retryAfter == outcome.error?.retryAfter)
        #expect(arrived.error?.details == outcome.error?.details)
        #expect(arrived.value == outcome.value)
    }

    @Test func descriptionsArriveAsTheyWere() throws {
        let idempotencies: [OperationIdempotency] = [.none, .natural, .key(window: nil), .key(window: .seconds(60))]
        let descriptor = ConnectorDescriptor(
            id: "x", version: 3, title: "X", summary: "S", parameters: ["type": "object"],
            secrets: [SecretDescriptor(parameter: "p", title: "P", isRequired: true)],
            operations: zip(Effect.allCases, idempotencies + [.none]).map {
                OperationDescriptor(
                    id: $0.rawValue, title: "T", summary: "S", effect: $0, idempotency: $1, input: true, output: false)
            },
            events: DeliveryGuarantee.allCases.map {
                EventDescriptor(
                    id: $0.rawValue, title: "T", summary: "S", parameters: true, payload: [:], delivery: $0,
                    isOrdered: $0 == .atMostOnce, holdMaximum: $0 == .atMostOnce ? nil : .seconds(1))
            })
        #expect(try PluginCoding.descriptor(PluginCoding.json(descriptor)) == descriptor)
    }

    @Test func batchesAndInterruptionsArriveAsTheyWere() throws {
        let events = [
            SourceEvent(
                id: "1", payload: [0, 255], contentType: "a/b", body: .value(.null), occurredAtMilliseconds: 5),
            SourceEvent(
                id: "2", payload: [], contentType: "c/d",
                body: .undecodable(.init(line: 3, column: 4, reason: "bad")), coordinates: ["file": "x"],
                headers: ["h": "y"]),
            SourceEvent(id: "3", payload: [1], contentType: "e/f"),
        ]
        let results: [PluginCoding.ReadResult] = [
            .batch(nil), .batch(EventBatch(id: .init(rawValue: 7), events: events)), .interruption(.endOfInput),
            .interruption(.notConnected(reason: "gone")), .interruption(.backOff(.milliseconds(250))),
        ]
        for result in results {
            let json = PluginCoding.json(result)
            #expect(PluginCoding.json(try PluginCoding.readResult(json)) == json)
        }
        guard case .batch(let batch?) = try PluginCoding.readResult(PluginCoding.json(results[1])) else {
            Issue.record("The batch was lost.")
            return
        }
        #expect(batch.events.map(\.payload) == events.map(\.payload))
        for disposition in [BatchDisposition.setAside, .redeliver(after: .seconds(3))] {
            #expect(try PluginCoding.disposition(PluginCoding.json(disposition)) == disposition)
        }
    }

    @Test func callsAndRequestsArriveAsTheyWere() throws {
        let call = OperationCall(
            operation: "o", input: [1, true], idempotencyKey: "k", timeout: .milliseconds(1_234), attempt: 3,
            traceparent: "t")
        let arrived = try PluginCoding.call(PluginCoding.json(call))
        #expect(PluginCoding.json(arrived) == PluginCoding.json(call))
        #expect(arrived.timeout == call.timeout)
        var decoding = RecordDecoding()
        decoding.format = .csv
        decoding.delimiter = UInt8(ascii: ";")
        decoding.columnTypes = ["n": .number]
        let request = SourceRequest(event: "e", parameters: ["p": 1], decoding: decoding)
        #expect(
            try PluginCoding.request(PluginCoding.json(request, source: 1, position: ["at": 1])).decoding == decoding)
    }

    @Test(
        arguments: [
            (.null, "result: expected an object"), (["outcome": "maybe"], "result.outcome: expected one of done"),
            (["outcome": "retry"], "result.error: expected an object"),
            (["outcome": "reject", "error": ["kind": "odd", "message": "m"]], "result.error.kind"),
            (["outcome": "reject", "error": ["kind": "auth"]], "result.error.message"),
            (
                ["outcome": "reject", "error": ["kind": "auth", "message": "m", "retryAfterMilliseconds": -1]],
                "retryAfterMilliseconds"
            ),
            (["outcome": "done", "value": 1, "facts": 3], "result.facts"),
        ] as [(Value, String)])
    func malformedOutcomesAreRefusedWithTheirPlace(_ row: (json: Value, place: String)) {
        let error = #expect(throws: PluginCodingError.self) { try PluginCoding.outcome(row.json) }
        #expect(error?.reason.contains(row.place) == true, "\(String(describing: error))")
    }

    @Test(
        arguments: [
            ["batch": ["id": 1, "events": []]], ["batch": ["id": -1, "events": [["id": "1", "payload": ""]]]],
            ["batch": ["id": 1, "events": [["id": "1", "payload": "***"]]]], ["batch": ["events": []]],
            ["batch": ["id": 1, "events": [["payload": ""]]]], ["interruption": "later"], ["interruption": [:]], 3,
        ] as [Value])
    func malformedBatchesAreRefused(_ json: Value) {
        #expect(throws: PluginCodingError.self) { try PluginCoding.readResult(json) }
    }

    @Test func failuresBecomeErrorsOfTheTaxonomy() {
        let own = RPCError(code: -32_000, message: "m", data: PluginCoding.json(Self.error))
        let rows: [(RPCFailure, String)] = [
            (.refused(own), "rateLimited X-1 true"),
            (.refused(RPCError(code: -32_601, message: "m")), "unsupported CON-9007 false"),
            (.refused(RPCError(code: -32_602, message: "m")), "validation CON-9007 false"),
            (.refused(RPCError(code: -1, message: "m")), "unknown CON-9007 true"),
            (.refused(RPCError(code: -32_001, message: "m")), "conflict CON-9008 false"),
            (.lost(reason: "r", mayHaveExecuted: true, retryAfter: nil), "unavailable CON-9001 true"),
            (.unusable(reason: "r", retryAfter: nil), "unavailable CON-9002 false"),
            (.handshake(method: "connect", own), "rateLimited X-1 true"),
            (.timedOut(mayHaveExecuted: true), "timeout CON-9005 true"),
            (.cancelled(mayHaveExecuted: false), "timeout CON-0001 false"),
            (.tooLarge(bytes: 2, bytesMax: 1), "validation CON-9004 false"),
            (.overloaded, "transient CON-9006 false"), (.closed, "unavailable CON-0005 false"),
        ]
        for (failure, expected) in rows {
            let error = failure.connectorError(connection: "c")
            #expect("\(error.kind.rawValue) \(error.code) \(error.mayHaveExecuted)" == expected)
            #expect(!error.remedy.isEmpty)
        }
    }
}
