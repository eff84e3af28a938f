import ConnectorKit
import Foundation
import Testing
import Values

@testable import RedisConnector

@Suite struct OperationTests {
    @Test func keysAreWrittenReadAndDeleted() async throws {
        let connection = try await Server.running().connect()
        let key = newName("key")
        #expect(await connection.call("get", ["key": .string(key)]).value == ["value": .null])
        #expect(await connection.call("set", ["key": .string(key), "value": "grün"]).value == ["set": true])
        #expect(await connection.call("get", ["key": .string(key)]).value == ["value": "grün"])
        let again: ValueContext = ["key": .string(key), "value": "other", "condition": "ifAbsent"]
        #expect(await connection.call("set", again).value == ["set": false])
        #expect(await connection.call("exists", ["keys": [.string(key), "test:nothing"]]).value == ["count": 1])
        #expect(await connection.call("expire", ["key": .string(key), "ttl": "1h"]).value == ["set": true])
        let left = try #require(try await connection.redis("PTTL", .string(key)).asInt64)
        #expect((3_500_000...3_600_000).contains(left))
        #expect(await connection.call("delete", ["keys": .string(key)]).value == ["deleted": 1])
        #expect(await connection.call("delete", ["keys": .string(key)]).value == ["deleted": 0])
        await connection.close()
    }

    @Test func aKeyVanishesAfterItsTime() async throws {
        let connection = try await Server.running().connect()
        let key = newName("ttl")
        let outcome = await connection.call("set", ["key": .string(key), "value": 1, "ttl": "30ms"])
        #expect(outcome.value == ["set": true])
        let deadline = ContinuousClock.now + .seconds(5)
        while await connection.call("get", ["key": .string(key)]).value != ["value": .null] {
            try #require(ContinuousClock.now < deadline)
        }
        await connection.close()
    }

    @Test(
        arguments: [
            (input: ["value": "a"], format: "text", read: "a"),
            (input: ["value": ["n": 1, "l": [true]]], format: "json", read: ["n": 1, "l": [true]]),
            (input: ["value": ["n": 1]], format: "text", read: "{\"n\":1}"),
            (input: ["value": "AP8=", "encoding": "base64"], format: "base64", read: "AP8="),
            (input: ["value": "AP8=", "encoding": "base64"], format: "text", read: ["base64": "AP8="]),
            (input: ["value": "{"], format: "json", read: ["base64": "ew=="]),
            (input: ["value": "a\r\n$3\r\nb\u{0}"], format: "text", read: "a\r\n$3\r\nb\u{0}"),
            (input: ["value": ""], format: "text", read: ""),
        ] as [(input: ValueContext, format: String, read: Value)])
    func valuesAreShownAsAsked(_ row: (input: ValueContext, format: String, read: Value)) async throws {
        let connection = try await Server.running().connect()
        let key = newName("format")
        var input = row.input
        input["key"] = .string(key)
        #expect(await connection.call("set", input).error == nil)
        let outcome = await connection.call("get", ["key": .string(key), "as": .string(row.format)])
        #expect(outcome.value == ["value": row.read])
        #expect(await connection.call("delete", ["keys": .string(key)]).error == nil)
        await connection.close()
    }

    @Test func hashes() async throws {
        let connection = try await Server.running().connect()
        let key = Value.string(newName("hash"))
        #expect(await connection.call("hset", ["key": key, "fields": ["a": "1", "b": [2]]]).value == ["added": 2])
        #expect(await connection.call("hget", ["key": key, "field": "a"]).value == ["value": "1"])
        #expect(await connection.call("hget", ["key": key, "field": "c"]).value == ["value": .null])
        #expect(await connection.call("hgetall", ["key": key, "as": "json"]).value == ["fields": ["a": 1, "b": [2]]])
        #expect(await connection.call("hdel", ["key": key, "fields": ["a", "z"]]).value == ["deleted": 1])
        #expect(await connection.call("delete", ["keys": key]).error == nil)
        await connection.close()
    }

    /// The same idempotency key has its effect once, and the first answer every time.
    @Test func whatIsCountedIsCountedOncePerKey() async throws {
        let connection = try await Server.running().connect()
        let key = Value.string(newName("once"))
        let first = newName("call")
        func wasDone(_ outcome: Outcome) -> Bool {
            if case .alreadyDone = outcome { true } else { false }
        }
        let one = await connection.call("increment", ["key": key, "by": 5], key: first)
        let repeated = await connection.call("increment", ["key": key, "by": 5], key: first)
        #expect(one.value == ["value": 5] && !wasDone(one), "\(String(describing: one.error))")
        #expect(repeated.value == ["value": 5] && wasDone(repeated))
        #expect(await connection.call("increment", ["key": key], key: newName("call")).value == ["value": 6])
        #expect(await connection.call("increment", ["key": key]).value == ["value": 7])

        let list = Value.string(newName("once-list"))
        for _ in 0..<3 {
            let outcome = await connection.call("push", ["list": list, "values": ["a", "b"]], key: first)
            #expect(outcome.value == ["length": 2])
        }
        let stream = Value.string(newName("once-stream"))
        var ids: Set<Value> = []
        for _ in 0..<3 {
            let outcome = await connection.call("xadd", ["stream": stream, "fields": ["a": 1]], key: first)
            ids.insert(try #require(outcome.value?["id"]))
        }
        #expect(ids.count == 1)
        #expect(try await connection.redis("XLEN", stream) == 1)
        #expect(await connection.call("delete", ["keys": [key, list, stream]]).error == nil)
        await connection.close()
    }

    @Test func repeatabilityFollowsTheCall() async throws {
        let server = try Server.running()
        let connection = try await server.connect()
        func isRepeatable(_ operation: String, _ input: ValueContext, key: String? = nil) async -> Bool? {
            await connection.isRepeatable(
                OperationCall(operation: operation, input: .context(input), idempotencyKey: key))
        }
        #expect(await isRepeatable("increment", ["key": "k"], key: "i") == nil)
        #expect(await isRepeatable("increment", ["key": "k"]) == false)
        #expect(await isRepeatable("command", ["command": ["GET", "k"]]) == true)
        #expect(await isRepeatable("command", ["command": ["SET", "k", "v"]]) == true)
        #expect(await isRepeatable("command", ["command": ["SET", "k", "v", "nx"]]) == false)
        #expect(await isRepeatable("command", ["command": ["INCR", "k"]]) == false)
        let forgetful = try await server.connect(["dedupeWindow": 0])
        let call = OperationCall(operation: "increment", input: ["key": "k"], idempotencyKey: "i")
        #expect(await forgetful.isRepeatable(call) == false)
        await connection.close()
        await forgetful.close()
    }

    @Test func listsAndStreams() async throws {
        let connection = try await Server.running().connect()
        let list = Value.string(newName("list"))
        #expect(await connection.call("push", ["list": list, "values": ["a", "b", ["c": 1]]]).value == ["length": 3])
        #expect(await connection.call("push", ["list": list, "value": "z", "side": "left"]).value == ["length": 4])
        #expect(await connection.call("pop", ["list": list]).value == ["values": ["z"]])
        #expect(
            await connection.call("pop", ["list": list, "count": 5, "side": "right"]).value
                == ["values": ["{\"c\":1}", "b", "a"]])
        #expect(await connection.call("pop", ["list": list]).value == ["values": []])

        let stream = Value.string(newName("stream"))
        let missing = await connection.call("xadd", ["stream": stream, "fields": ["a": 1], "create": false])
        #expect(missing.error?.kind == .notFound)
        let input: ValueContext = ["stream": stream, "fields": ["a": 1], "create": false]
        #expect(await connection.call("xadd", input, key: newName("call")).error?.kind == .notFound)
        for number in 0..<5 {
            let input: ValueContext = [
                "stream": stream, "fields": ["n": .number(Number(number))], "maxLength": 3, "exact": true,
            ]
            #expect(await connection.call("xadd", input).error == nil)
        }
        #expect(try await connection.redis("XLEN", stream) == 3)
        #expect(await connection.call("delete", ["keys": stream]).error == nil)
        await connection.close()
    }

    @Test(
        arguments: [
            (command: ["EVAL", "return 1", "0"], code: RedisErrors.Code.notAllowed),
            (command: ["CONFIG", "GET", "*"], code: RedisErrors.Code.notAllowed),
            (command: ["flushall"], code: RedisErrors.Code.notAllowed),
            (command: ["SHUTDOWN"], code: RedisErrors.Code.notAllowed),
            (command: ["KEYS", "*"], code: RedisErrors.Code.notAllowed),
            (command: ["DEBUG", "SLEEP", "1"], code: RedisErrors.Code.notAllowed),
            (command: ["SELECT", 1], code: RedisErrors.Code.notAllowed),
            (command: ["BLPOP", "x", 0], code: RedisErrors.Code.notAllowed),
            (command: ["nonsense"], code: RedisErrors.Code.notAllowed),
            (command: ["GET"], code: RedisErrors.Code.refused),
            (command: [], code: ConnectorError.Code.invalidParameters),
            (command: [1, 2], code: ConnectorError.Code.invalidParameters),
        ] as [(command: [Value], code: String)])
    func commandsThatMayDoHarmAreRefused(_ row: (command: [Value], code: String)) async throws {
        let connection = try await Server.running().connect()
        let error = try #require(await connection.call("command", ["command": .list(row.command)]).error)
        #expect(error.code == row.code)
        #expect(!error.isRetryable && !error.mayHaveExecuted)
        await connection.close()
    }

    @Test func aConnectionMayAllowCommandsButNeverThoseThatHoldItUp() async throws {
        let connection = try await Server.running().connect(["allowCommands": ["eval", "SELECT"]])
        #expect(try await connection.redis("EVAL", "return ARGV[1]", 0, "x") == "x")
        let error = await connection.call("command", ["command": ["SELECT", 1]]).error
        #expect(error?.code == RedisErrors.Code.notAllowed)
        await connection.close()
    }

    @Test(
        arguments: [
            (operation: "get", input: [:], name: "input.key"), (operation: "get", input: ["key": 7], name: "input.key"),
            (operation: "set", input: ["key": "k"], name: "input.value"),
            (operation: "set", input: ["key": "k", "value": "v", "ttl": "0ms"], name: "input.ttl"),
            (
                operation: "set", input: ["key": "k", "value": "v", "ttl": "1s", "keepTtl": true],
                name: "ttl or keepTtl"
            ),
            (operation: "set", input: ["key": "k", "value": "!", "encoding": "base64"], name: "input.value"),
            (operation: "set", input: ["key": "k", "value": [1], "encoding": "text"], name: "input.value"),
            (operation: "delete", input: ["keys": []], name: "input.keys"),
            (operation: "push", input: ["list": "l"], name: "value or values"),
            (operation: "push", input: ["list": "l", "values": "a"], name: "input.values"),
            (operation: "pop", input: ["list": "l", "count": 0], name: "input.count"),
            (operation: "xadd", input: ["stream": "s", "fields": [:]], name: "input.fields"),
            (operation: "hset", input: ["key": "k", "fields": 7], name: "input.fields"),
            (operation: "increment", input: ["key": "k", "by": "1"], name: "input.by"),
        ] as [(operation: String, input: ValueContext, name: String)])
    func wrongInputIsNamed(_ row: (operation: String, input: ValueContext, name: String)) async throws {
        let connection = try await Server.running().connect()
        let error = try #require(await connection.call(row.operation, row.input).error)
        #expect(error.kind == .validation)
        #expect(error.message.contains(row.name), "\(error.message)")
        await connection.close()
    }

    @Test(arguments: [
        ("WRONGTYPE Operation against a key", ConnectorError.Kind.conflict, RedisErrors.Code.wrongType, false),
        ("NOAUTH Authentication required.", .auth, RedisErrors.Code.credentials, false),
        ("WRONGPASS invalid username-password pair", .auth, RedisErrors.Code.credentials, false),
        ("NOPERM this user has no permissions", .permission, RedisErrors.Code.permission, false),
        ("MOVED 3999 127.0.0.1:6381", .unsupported, RedisErrors.Code.elsewhere, false),
        ("ASK 3999 127.0.0.1:6381", .unsupported, RedisErrors.Code.elsewhere, false),
        ("LOADING Redis is loading the dataset", .unavailable, RedisErrors.Code.notReady, true),
        ("BUSY Redis is busy running a script", .unavailable, RedisErrors.Code.notReady, true),
        ("READONLY You can't write against a read only replica.", .unavailable, RedisErrors.Code.readOnly, true),
        ("OOM command not allowed when used memory > 'maxmemory'.", .quotaExhausted, RedisErrors.Code.full, true),
        ("MISCONF Redis is configured to save", .quotaExhausted, RedisErrors.Code.full, true),
        ("NOGROUP No such key", .notFound, RedisErrors.Code.notFound, false),
        ("ERR unknown command", .validation, RedisErrors.Code.refused, false),
        ("", .validation, RedisErrors.Code.refused, false),
    ])
    func errorRepliesHaveTheirPlace(
        _ row: (text: String, kind: ConnectorError.Kind, code: String, isRetryable: Bool)
    ) {
        let error = RedisErrors.refusal(row.text)
        #expect(error.kind == row.kind)
        #expect(error.code == row.code)
        #expect(error.isRetryable == row.isRetryable)
        #expect(error.message == "The server answered: \(row.text).")
        #expect(!error.mayHaveExecuted)
    }

    @Test func batchesFailCallByCall() async throws {
        let connection = try await Server.running().connect()
        let (number, list) = (newName("number"), newName("list"))
        let calls = [
            OperationCall(operation: "increment", input: ["key": .string(number)]),
            OperationCall(operation: "push", input: ["list": .string(number), "value": 1]),
            OperationCall(operation: "get", input: ["kye": .string(number)]),
            OperationCall(operation: "push", input: ["list": .string(list), "value": 1]),
            OperationCall(operation: "nothing", input: [:]),
            OperationCall(operation: "get", input: ["key": .string(number)]),
        ]
        let outcomes = await connection.invokeBatch(calls)
        #expect(
            outcomes.map { $0.error?.code } == [
                nil, RedisErrors.Code.wrongType, ConnectorError.Code.invalidParameters, nil,
                ConnectorError.Code.unknownOperation, nil,
            ])
        #expect(outcomes.last?.value == ["value": "1"])
        #expect(await connection.call("delete", ["keys": [.string(number), .string(list)]]).error == nil)
        await connection.close()
    }

    @Test func manyCallsAtOnceGetTheirOwnAnswers() async throws {
        let connection = try await Server.running().connect()
        let wrong = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2_000 {
                group.addTask {
                    let text = Value.string("\(number)")
                    let outcome = await connection.call("command", ["command": ["ECHO", text]])
                    return outcome.value != ["result": text]
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wrong == 0)
        await connection.close()
    }

    @Test func whatDoesNotFitIsRefused() async throws {
        let connection = try await Server.running().connect(["maxRequest": "2KiB", "maxReply": "1KiB"])
        let key = newName("large")
        let large = Value.string(String(repeating: "x", count: 3_000))
        let request = try #require(await connection.call("set", ["key": .string(key), "value": large]).error)
        #expect(request.code == RedisErrors.Code.tooLarge)
        #expect(!request.mayHaveExecuted)
        try await connection.redis("SETRANGE", .string(key), 5_000, "x")
        let reply = try #require(await connection.call("get", ["key": .string(key)]).error)
        #expect(reply.code == RedisErrors.Code.protocolViolation)
        #expect(reply.message.contains("larger than allowed"))
        #expect(await connection.call("delete", ["keys": .string(key)]).value == ["deleted": 1])
        await connection.close()
    }
}
