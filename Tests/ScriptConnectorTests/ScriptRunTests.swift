import ConnectorKit
import ScriptConnector
import Testing
import Values

@Suite("Running programs", .serialized)
struct ScriptRunTests {
    @Test func jsonGoesInAndComesOut() async throws {
        let input: Value = ["text": "ä\n\"", "list": [1, .null, true]]
        let outcome = try await Script.run("cat; echo word >&2", input: input)
        #expect(outcome.error == nil)
        #expect(outcome.value?["output"] == input)
        #expect(outcome.value?["stderr"] == "word\n")
        #expect(outcome.value?["exitCode"] == 0)
        #expect(outcome.facts["program"] == "program")
    }

    private static let outputs: [(output: Value, says: String, value: Value)] = [
        ("text", "printf 'a b'", "a b"),
        ("ndjson", #"printf '{"a":1}\n\n[2]\n'"#, [["a": 1], [2]]),
        ("ndjson", "true", []),
        ("json", "true", .null),
    ]

    @Test(arguments: Self.outputs)
    func outputIsReadAsDeclared(_ row: (output: Value, says: String, value: Value)) async throws {
        let outcome = try await Script.run(row.says, ["output": row.output])
        #expect(outcome.error == nil)
        #expect(outcome.value?["output"] == row.value)
    }

    @Test(arguments: [
        (code: 64, kind: ConnectorError.Kind.validation, mayHaveExecuted: false),
        (code: 65, kind: .validation, mayHaveExecuted: false),
        (code: 67, kind: .notFound, mayHaveExecuted: false),
        (code: 69, kind: .unavailable, mayHaveExecuted: false),
        (code: 75, kind: .transient, mayHaveExecuted: false),
        (code: 77, kind: .permission, mayHaveExecuted: false),
        (code: 1, kind: .unknown, mayHaveExecuted: true),
        (code: 255, kind: .unknown, mayHaveExecuted: true),
    ])
    func exitCodesMeanWhatSysexitsSays(
        _ row: (code: Int, kind: ConnectorError.Kind, mayHaveExecuted: Bool)
    ) async throws {
        let outcome = try await Script.run("echo first >&2; echo no such luck >&2; exit \(row.code)")
        let error = try #require(outcome.error)
        #expect(error.kind == row.kind)
        #expect(error.code == "CON-3301")
        #expect(error.mayHaveExecuted == row.mayHaveExecuted)
        #expect(error.message.hasSuffix("no such luck"))
        #expect(error.details["exitCode"] == .number(Number(Int64(row.code))))
        if case .retry = outcome { #expect(row.kind.isRetryable) } else { #expect(!row.kind.isRetryable) }
    }

    @Test func declaredExitCodesGoFirst() async throws {
        let codes: ValueContext = [
            "exitCodes": ["3": "done", "4": "retry", "5": "park", "6": "conflict", "65": "retry"]
        ]
        #expect(try await Script.run("echo 7; exit 3", codes).value?["output"] == 7)
        guard case .retry = try await Script.run("exit 4", codes) else { Issue.record("4 is no retry"); return }
        guard case .park = try await Script.run("exit 5", codes) else { Issue.record("5 does not park"); return }
        #expect(try await Script.run("exit 6", codes).error?.kind == .conflict)
        guard case .retry = try await Script.run("exit 65", codes) else { Issue.record("65 is no retry"); return }
    }

    @Test(arguments: [
        (output: "json", says: "echo '{\"a\":'", reason: "no JSON"),
        (output: "json", says: "echo 1; echo 2", reason: "no JSON"),
        (output: "ndjson", says: "echo 1; echo oops", reason: "in line 2"),
        (output: "text", says: "printf '\\377\\376'", reason: "no UTF-8"),
        (output: "json", says: "printf '\"\\377\"'", reason: "no JSON"),
    ])
    func malformedOutputIsNamed(_ row: (output: String, says: String, reason: String)) async throws {
        let error = try #require(try await Script.run(row.says, ["output": .string(row.output)]).error)
        #expect(error.code == "CON-3305")
        #expect(error.message.contains(row.reason), "\(error.message)")
        #expect(error.mayHaveExecuted)
    }

    @Test(arguments: ["yes", "head -c 100000 /dev/zero", "head -c 1025 /dev/zero; exit 1"])
    func tooMuchOutputEndsTheProgram(_ says: String) async throws {
        let error = try #require(try await Script.run(says, ["output": "text", "maxOutput": "1KiB"]).error)
        #expect(error.code == "CON-3306")
        #expect(error.mayHaveExecuted)
    }

    @Test func aFloodOfErrorsIsBoundedAndItsEndKept() async throws {
        let outcome = try await Script.run("head -c 2000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 70")
        let tail = try #require(outcome.error?.details["stderr"]?.asString)
        #expect(tail.utf8.count <= 4 << 10)
        #expect(tail.hasSuffix("xthe end\n"))
    }

    @Test func aProgramNeedNotReadItsInput() async throws {
        let input = Value.string(String(repeating: "x", count: 1 << 20))
        #expect(try await Script.run("exec <&-; echo 1", input: input).value?["output"] == 1)
        let echoed = try await Script.run("cat", ["maxOutput": "4MiB"], input: input)
        #expect(echoed.value?["output"] == input)
    }

    @Test func inputBeyondTheBoundIsRefused() async throws {
        let outcome = try await Script.run("cat", [:], ["maxInput": 10], input: "0123456789")
        #expect(outcome.error?.kind == .validation)
        #expect(outcome.error?.code == "CON-3306")
    }

    private static let timeouts: [(own: Value, input: Value, call: Duration)] = [
        ("200ms", .null, .seconds(20)), ("20s", "200ms", .seconds(20)), ("20s", .null, .milliseconds(200)),
    ]

    @Test(arguments: Self.timeouts, ScriptSandboxTests.ways)
    func theShortestTimeoutKillsTheProgramAndItsChildren(
        _ row: (own: Value, input: Value, call: Duration), _ way: ValueContext
    ) async throws {
        let connection = try await Script.open(
            ["slow": Script.shell("sleep 98712 & sleep 98713", ["timeout": row.own])], way)
        let outcome = await connection.invoke(
            OperationCall(
                operation: "run", input: ["program": "slow", "timeout": row.input], timeout: row.call))
        await connection.close()
        #expect(outcome.error?.kind == .timeout)
        #expect(outcome.error?.code == "CON-3307")
        #expect(outcome.error?.mayHaveExecuted == true)
        #expect(await Script.eventually { !Script.isRunning("98712") && !Script.isRunning("98713") })
    }

    @Test(arguments: [false, true])
    func cancellingOrClosingEndsAProgram(byClosing: Bool) async throws {
        try await Script.withDirectory { directory in
            let connection = try await Script.open([
                "slow": Script.shell(
                    "touch \(directory)/note; sleep 987", ["writable": [.string(directory)], "timeout": "60s"])
            ])
            let task = Task {
                await connection.invoke(OperationCall(operation: "run", input: ["program": "slow"]))
            }
            #expect(await Script.eventually { Script.exists("\(directory)/note") })
            if byClosing { await connection.close() } else { task.cancel() }
            let error = try #require(await task.value.error)
            #expect(error.code == ConnectorError.Code.cancelled)
            #expect(error.mayHaveExecuted)
            await connection.close()
        }
    }

    @Test func moreProgramsThanPlacesAreRefusedForNow() async throws {
        try await Script.withDirectory { directory in
            let program = Script.shell(
                "touch \(directory)/note; sleep 987", ["writable": [.string(directory)], "timeout": "60s"])
            let connection = try await Script.open(["slow": program], ["maxConcurrent": 1])
            let call = OperationCall(operation: "run", input: ["program": "slow"])
            let first = Task { await connection.invoke(call) }
            #expect(await Script.eventually { Script.exists("\(directory)/note") })
            let error = try #require(await connection.invoke(call).error)
            #expect(error.code == "CON-3308")
            #expect(error.isRetryable && !error.mayHaveExecuted)
            await connection.close()
            _ = await first.value
        }
    }

    @Test func argumentsAreTakenWhereDeclared() async throws {
        let programs: ValueContext = [
            "open": ["command": ["printf", "%s."], "arguments": true, "output": "text"],
            "closed": ["command": "printf", "output": "text"],
        ]
        let connection = try await Script.open(programs)
        func call(_ name: Value, _ arguments: Value) async -> Outcome {
            await connection.invoke(
                OperationCall(operation: "run", input: ["program": name, "arguments": arguments]))
        }
        #expect(await call("open", ["a b", "$(id)", "--help"]).value?["output"] == "a b.$(id).--help.")
        #expect(await call("closed", ["x"]).error?.kind == .validation)
        #expect(await call("open", ["x\0y"]).error?.kind == .validation)
        let unknown = try #require(await call("opne", []).error)
        #expect(unknown.code == "CON-3302")
        #expect(unknown.remedy == "Did you mean open?")
        await connection.close()
    }

    @Test func aDeclarationSaysWhatRepeatingMeans() async throws {
        let connection = try await Script.open([
            "plain": Script.shell("true"), "reads": Script.shell("true", ["effect": "read"]),
            "keyed": Script.shell("true", ["idempotency": "key"]),
        ])
        for (name, isRepeatable) in [("plain", false), ("reads", true), ("keyed", true)] {
            let call = OperationCall(operation: "run", input: ["program": .string(name)])
            #expect(await connection.isRepeatable(call) == isRepeatable)
        }
        await connection.close()
    }

    @Test func whatIsNotThereIsNamed() async throws {
        let connection = try await Script.open(["gone": ["command": "junction-no-such-program"]])
        await #expect(throws: ConnectorError.self) { try await connection.test() }
        for parameter in ["directory", "readable", "writable"] {
            let outcome = try await Script.run("true", [parameter: "/nonexistent/folder"])
            #expect(outcome.error?.code == "CON-3304")
            #expect(outcome.error?.message.hasSuffix("there is no /nonexistent/folder.") == true, "\(outcome)")
        }
        let error = await connection.invoke(OperationCall(operation: "run", input: ["program": "gone"])).error
        #expect(error?.code == "CON-3304")
        #expect(error?.kind == .notFound)
        await connection.close()
    }

    private static let wrongParameters: [(Value, String)] = [
        ([:], "programs"), (["programs": [:]], "programs"), (["programs": ["a": [:]]], "command"),
        (["programs": ["a": ["command": []]]], "command"),
        (["programs": ["a": ["command": "x", "directory": "relative"]]], "absolute"),
        (["programs": ["a": ["command": "x", "exitCodes": ["0": "done"]]]], "1 to 255"),
        (["programs": ["a": ["command": "x", "exitCodes": ["1": "retyr"]]]], "retry"),
        (["programs": ["a": ["command": "x", "environment": ["A=B": "x"]]]], "A=B"),
        (["programs": ["a": ["command": "x", "environment": ["A": 1]]]], "secret"),
        (["programs": ["a": ["command": "x", "timeout": "0s"]]], "timeout"),
        (["programs": ["a": ["command": "x", "limits": ["cpus": "1s"]]]], "cpus"),
        (["programs": ["a": ["command": "x"]], "network": "some"], "none, host"),
    ]

    @Test(arguments: Self.wrongParameters)
    func wrongParametersAreNamed(_ parameters: Value, _ word: String) async {
        do {
            _ = try await ScriptModule().connect(ConnectionConfiguration(id: "s", parameters: parameters))
            Issue.record("accepted")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.kind == .validation)
            #expect("\(error)".contains(word), "\(error)")
        }
    }
}
