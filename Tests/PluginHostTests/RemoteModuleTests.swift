import ConnectorKit
import FilesConnector
import Foundation
import Testing
import Values

@testable import PluginHost

/// Real processes that behave.
@Suite struct RemoteModuleTests {
    private static func echo(
        _ launch: LaunchSpecification = Fixture.hosted("echo"), log: LogRecorder = LogRecorder()
    ) async throws -> RemoteModule {
        try await RemoteModule.load(launch, name: "echo", limits: .quick, log: log.log)
    }

    private static func connect(
        _ module: RemoteModule, _ parameters: Value = [:], secrets: any SecretResolver = NoSecrets()
    ) async throws -> any Connection {
        try await module.connect(ConnectionConfiguration(id: "c", parameters: parameters, secrets: secrets))
    }

    @Test func theExampleInPythonKeepsThePromisesOfAConnector() async throws {
        let folder = try Fixture.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let module = try await RemoteModule.load(Fixture.sqlite, name: "sqlite", limits: .quick)
        #expect(module.descriptor.operations.map(\.id) == ["query", "execute"])
        let create = OperationCall(
            operation: "execute", input: ["sql": "CREATE TABLE IF NOT EXISTS t (n INTEGER)"])
        let query = OperationCall(
            operation: "query", input: ["sql": "SELECT ? + 1 AS n, 'é' AS text", "arguments": [41]])
        let suite = ConnectorConformance(
            module: module,
            configuration: ConnectionConfiguration(
                id: "db", parameters: ["file": .string(folder.appending(path: "db").path)]),
            calls: [.init(create), .init(query)])
        #expect(await suite.run() == [])
        let connection = try await module.connect(
            ConnectionConfiguration(id: "db", parameters: ["file": .string(folder.appending(path: "db").path)]))
        #expect(await connection.invoke(query).value == ["rows": [["n": 42, "text": "é"]]])
        await connection.close()
    }

    @Test func aBuiltInModuleKeepsItsPromisesInAProcessOfItsOwn() async throws {
        let folder = try Fixture.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let module = RemoteModule(FilesModule().descriptor, launch: Fixture.hosted("files"), limits: .quick)
        let write = OperationCall(operation: "write", input: ["path": "a.txt", "content": "text"])
        let suite = ConnectorConformance(
            module: module,
            configuration: ConnectionConfiguration(id: "f", parameters: ["root": .string(folder.path)]),
            calls: [.init(write), .init(OperationCall(operation: "list", input: [:]))])
        #expect(await suite.run() == [])
    }

    @Test func aSourceIsArmedAnewInTheNextProcessAndLosesNothing() async throws {
        let folder = try Fixture.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let inbox = folder.appending(path: "in")
        try FileManager.default.createDirectory(at: inbox, withIntermediateDirectories: true)
        try Data("{\"a\":1}\n{\"a\":2}\nbad\n".utf8).write(to: inbox.appending(path: "x.ndjson"))
        let module = RemoteModule(FilesModule().descriptor, launch: Fixture.hosted("files"), limits: .quick)
        let connection = try await module.connect(
            ConnectionConfiguration(id: "f", parameters: ["root": .string(folder.path)]))
        let request = SourceRequest(
            event: "file", parameters: ["dir": "in", "stable": ["quietFor": "1ms", "checks": 1], "rescan": "20ms"])
        let source = try await connection.armSource(request)
        try await source.connect()
        let first = try await Self.events(source)
        #expect(first.events.count == 3)
        #expect(first.events.contains { if case .value(["a": 2]) = $0.body { true } else { false } })
        #expect(first.events.contains { if case .undecodable(let place) = $0.body { place.line == 3 } else { false } })

        let process = try #require((connection as? RemoteConnection)?.processID)
        kill(process, SIGKILL)
        await #expect(throws: SourceInterruption.self) { _ = try await source.read(maximum: 10, wait: .seconds(5)) }
        // Batches of the process that is gone mean nothing any more.
        for batch in first.batches { try await source.acknowledge(batch) }
        while true {
            do {
                try await source.connect()
                break
            } catch is SourceInterruption {
                usleep(1_000)
            }
        }
        let second = try await Self.events(source)
        #expect(Set(second.events.map(\.id)) == Set(first.events.map(\.id)))
        for batch in second.batches { try await source.acknowledge(batch) }
        #expect(await source.backlog() == 0)
        await source.close()
        await connection.close()
    }

    /// Reads until there are three events.
    private static func events(
        _ source: any EventSource
    ) async throws -> (events: [SourceEvent], batches: [EventBatch.ID]) {
        var events: [SourceEvent] = []
        var batches: [EventBatch.ID] = []
        while events.count < 3, let batch = try await source.read(maximum: 10, wait: .seconds(20)) {
            events += batch.events
            batches.append(batch.id)
        }
        return (events, batches)
    }

    @Test func theDescriptionArrivesWhole() async throws {
        let module = try await RemoteModule.load(Fixture.hosted("files"), name: "files")
        #expect(module.descriptor == FilesModule().descriptor)
    }

    @Test func aProcessInheritsNothingButWhatIsListed() async throws {
        let folder = try Fixture.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        setenv("PLUGIN_TEST_CANARY", "canary", 1)
        setenv("PLUGIN_TEST_ALLOWED", "yes", 1)
        var launch = Fixture.hosted("echo")
        launch.directory = folder.path
        launch.environmentNames = ["PLUGIN_TEST_ALLOWED"]
        launch.environment = ["OWN": "1"]
        launch.limits.openFiles = 64
        let connection = try await Self.connect(try await Self.echo(launch))
        let value = try #require(await connection.invoke(OperationCall(operation: "environment", input: [:])).value)
        await connection.close()
        let names = Set(value["names"]?.asList?.compactMap(\.asString) ?? [])
        #expect(names.isSuperset(of: ["PLUGIN_TEST_ALLOWED", "OWN", "PATH"]))
        #expect(names.subtracting(["PLUGIN_TEST_ALLOWED", "OWN", "PATH", "LANG", "LC_ALL", "TZ"]) == [])
        #expect(value["files"] == 64)
        #expect(value["group"] == true)
        let directory = try #require(value["directory"]?.asString)
        #expect(URL(filePath: directory).lastPathComponent == folder.lastPathComponent)
        // The duplicate of standard output that replies go to, and what the runtime itself opens.
        #expect(try #require(value["descriptors"]?.asInt64) < 6)
    }

    @Test func secretsAreGivenOnlyToConnectionsThatReferToThem() async throws {
        let token = SecretReference(store: "env", name: "TOKEN")
        let other = SecretReference(store: "env", name: "OTHER")
        let secrets = FixedSecrets([token: Secret("12345"), other: Secret("x")])
        let connection = try await Self.connect(
            try await Self.echo(), ["token": ["secret": "env:TOKEN"]], secrets: secrets)
        #expect(await connection.invoke(OperationCall(operation: "secret", input: [:])).value == 5)
        let refused = await connection.invoke(OperationCall(operation: "secret", input: ["name": "env:OTHER"]))
        #expect(refused.failure == "auth CON-0007")
        await connection.close()
    }

    @Test func aRefusedConnectionSaysWhyInThePluginsWords() async throws {
        let module = try await Self.echo()
        do {
            _ = try await Self.connect(module, ["refuse": true])
            Issue.record("It was accepted.")
        } catch {
            #expect(ConnectorError(wrapping: error).kind == .validation)
            #expect(ConnectorError(wrapping: error).message.contains("refused as asked"))
        }
    }

    @Test func whatAPluginPrintsGoesToTheLog() async throws {
        let log = LogRecorder()
        let connection = try await Self.connect(try await Self.echo(log: log))
        let call = OperationCall(operation: "print", input: ["text": "hello from inside"])
        #expect(await connection.invoke(call).error == nil)
        await connection.close()
        #expect(log.contains("hello from inside"))
    }

    @Test func whetherACallMayBeRepeatedIsAskedThere() async throws {
        let connection = try await Self.connect(try await Self.echo())
        #expect(await connection.isRepeatable(OperationCall(operation: "print", input: [:])) == true)
        #expect(await connection.isRepeatable(OperationCall(operation: "print", input: ["text": "x"])) == false)
        #expect(await connection.isRepeatable(OperationCall(operation: "echo", input: [:])) == nil)
        await connection.close()
        let module = try await RemoteModule.load(Fixture.sqlite, name: "sqlite", limits: .quick)
        let other = try await module.connect(ConnectionConfiguration(id: "c", parameters: ["file": ":memory:"]))
        for _ in 0..<2 {
            #expect(await other.isRepeatable(OperationCall(operation: "execute", input: [:])) == nil)
        }
        await other.close()
    }

    @Test func aBatchGivesEachCallItsOutcome() async throws {
        let connection = try await Self.connect(try await Self.echo())
        let outcomes = await connection.invokeBatch([
            OperationCall(operation: "echo", input: 1), OperationCall(operation: "nothing", input: 2),
            OperationCall(operation: "echo", input: ["x": [true, .null]]),
        ])
        #expect(outcomes.map(\.value) == [1, nil, ["x": [true, .null]]])
        #expect(outcomes[1].failure == "unsupported CON-0003")
        #expect(await connection.invokeBatch([]).isEmpty)
        await connection.close()
    }

    @Test func aCrashFailsTheCallsThatWereOutAndTheNextCallWorks() async throws {
        let connection = try await Self.connect(try await Self.echo())
        async let waiting = connection.invoke(OperationCall(operation: "wait", input: [:]))
        let remote = try #require(connection as? RemoteConnection)
        #expect(await eventually { remote.callCount == 1 })
        #expect(
            await connection.invoke(OperationCall(operation: "crash", input: [:])).failure
                == "unavailable CON-9001 mayHaveExecuted")
        #expect(await waiting.failure == "unavailable CON-9001 mayHaveExecuted")
        var next = await connection.invoke(OperationCall(operation: "echo", input: 2))
        while let error = next.error {
            // While it backs off, calls are refused without having been sent.
            #expect(error.kind == .unavailable && !error.mayHaveExecuted, "\(error)")
            usleep(2_000)
            next = await connection.invoke(OperationCall(operation: "echo", input: 2))
        }
        #expect(next.value == 2)
        await connection.close()
    }

    @Test func aCancelledCallEndsAtOnceAndIsCancelledThere() async throws {
        let log = LogRecorder()
        let connection = try await Self.connect(try await Self.echo(log: log))
        let call = Task { await connection.invoke(OperationCall(operation: "wait", input: [:])) }
        #expect(await connection.invoke(OperationCall(operation: "echo", input: 1)).value == 1)
        call.cancel()
        let failure = await call.value.failure
        #expect(failure == "timeout CON-0001 mayHaveExecuted" || failure == "timeout CON-0001")
        if failure?.contains("mayHaveExecuted") == true { #expect(await eventually { log.contains("cancelled") }) }
        await connection.close()
    }

    @Test func callsAreAnsweredInAnyNumber() async throws {
        let connection = try await Self.connect(try await Self.echo())
        let wrong = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<1_000 {
                group.addTask {
                    await connection.invoke(OperationCall(operation: "echo", input: .number(Number(number)))).value
                        != .number(Number(number))
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wrong == 0)
        await connection.close()
    }

    @Test func valuesMayBeAsDeepAsAnywhere() async throws {
        var deep: Value = 1
        for _ in 0..<500 { deep = [deep] }
        let connection = try await Self.connect(try await Self.echo())
        #expect(await connection.invoke(OperationCall(operation: "echo", input: deep)).value == deep)
        await connection.close()
    }

    @Test(arguments: [
        (["/nothing/like/that"], "No such file"), (["true"], "ended with code 0"), ([], "empty"),
        (["/etc/passwd"], "ermission"),
    ])
    func aCommandThatIsNoPluginIsReported(_ row: (command: [String], reason: String)) async throws {
        let failure = await #expect(throws: ConnectorError.self) {
            _ = try await RemoteModule.load(LaunchSpecification(command: row.command), name: "broken", limits: .quick)
        }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.message.contains(row.reason) == true, "\(String(describing: failure))")
    }

    @Test func aDirectoryThatDoesNotExistIsReported() async throws {
        let failure = await #expect(throws: ConnectorError.self) {
            _ = try await RemoteModule.load(
                LaunchSpecification(command: ["true"], directory: "/nothing/there"), name: "broken", limits: .quick)
        }
        #expect(failure?.message.contains("/nothing/there") == true)
    }
}
