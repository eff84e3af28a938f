import Foundation
import Glibc
import Synchronization

/// A project folder with its data, and the real program on it.
final class Project: Sendable {
    let folder: URL
    let service: EffectService

    /// The program built together with these tests.
    static var junction: String {
        if let named = ProcessInfo.processInfo.environment["JUNCTION_PROGRAM"] { return named }
        return URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "junction").path
    }

    var data: String { folder.appending(path: "data").path }
    var socket: String { data + "/junction.sock" }

    /// A process of two calls of the service, one after the other.
    init(service: EffectService? = nil) throws {
        self.service = try service ?? EffectService()
        // On a disk: what a kill leaves there is the point. The name stays short, for the socket.
        folder = FileManager.default.temporaryDirectory.appending(path: "jk-\(UInt32.random(in: 0...UInt32.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        try write("junction.yaml", "deploy: [\"*.bpmn\"]\nconnections: connections.yaml\n")
        try write(
            "connections.yaml",
            """
            apiVersion: hub/v1
            kind: Connections
            profiles:
              quick:
                timeout: { attempt: 5s, total: 20s, connect: 1s }
                retry: { max: 5, backoff: { kind: fullJitter, base: 20ms, cap: 200ms } }
            connections:
              effects:
                connector: http
                parameters:
                  baseUrl: 'http://127.0.0.1:\(self.service.port)'
                  allowPrivate: true
                  honoursIdempotencyKey: true
                resilience: quick

            """)
        func call(_ id: String) -> String {
            """
            <serviceTask id="\(id)"><extensionElements>\
            <apg:call connector="http" operation="request" connection="effects">\
            <apg:with target="method" source="POST"/><apg:with target="path" source="/\(id)"/>\
            <apg:with target="body" source="={ order: order }"/></apg:call></extensionElements></serviceTask>
            """
        }
        try write(
            "ordered.bpmn",
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:apg="urn:junction:apg:1.0" \
            targetNamespace="urn:test"><process id="ordered" isExecutable="true"><startEvent id="start"/>\
            \(call("first"))\(call("second"))<endEvent id="end"/>\
            <sequenceFlow id="f1" sourceRef="start" targetRef="first"/>\
            <sequenceFlow id="f2" sourceRef="first" targetRef="second"/>\
            <sequenceFlow id="f3" sourceRef="second" targetRef="end"/></process></definitions>
            """)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// Runs a command to its end.
    func run(_ arguments: String..., input: String? = nil) async throws -> (status: Int32, text: String) {
        try await run(arguments, input: input)
    }

    func run(_ arguments: [String], input: String? = nil) async throws -> (status: Int32, text: String) {
        let program = try RunningProgram(arguments + ["--data", data], in: folder, input: input)
        let status = await program.end()
        return (status, program.text)
    }

    /// Starts the server without waiting for it.
    func launch(
        crashPoint: String? = nil, environment: [String: String] = [:], ignoresSizeLimit: Bool = false,
        logLevel: String = "info"
    ) throws -> RunningProgram {
        var environment = environment
        environment["JUNCTION_CRASH_POINT"] = crashPoint
        return try RunningProgram(
            [
                "serve", "--project", folder.path, "--data", data, "--progress", "none", "--drain", "2",
                "--log-level", logLevel,
            ], in: folder,
            environment: environment, ignoresSizeLimit: ignoresSizeLimit)
    }

    /// Starts the server and returns when it answers.
    func serve(
        crashPoint: String? = nil, environment: [String: String] = [:], ignoresSizeLimit: Bool = false,
        logLevel: String = "info"
    ) async throws -> RunningProgram {
        let server = try launch(
            crashPoint: crashPoint, environment: environment, ignoresSizeLimit: ignoresSizeLimit, logLevel: logLevel)
        try await eventually("the server answers") {
            guard server.isRunning else {
                // A crash point may be passed before anybody can ask.
                if crashPoint != nil { return true }
                throw UnixHTTP.Failure(what: "the server ended: \(server.text)")
            }
            return (try? self.send("GET", "/v2/status"))?.status == 204
        }
        return server
    }

    func send(
        _ method: String, _ path: String, _ body: String = "", headers: [String: String] = [:],
        timeoutSeconds: Int = 30
    ) throws -> UnixHTTP.Answer {
        try UnixHTTP.send(
            method, path, headers: headers, body: Array(body.utf8), socket: socket, timeoutSeconds: timeoutSeconds)
    }

    /// How many instances there are in a state.
    func count(_ state: String) throws -> Int {
        let answer = try send(
            "POST", "/v2/process-instances/search", "{\"filter\":{\"state\":\"\(state)\"},\"page\":{\"limit\":1}}")
        guard let total = (answer["page"] as? [String: Any])?["totalItems"] as? Int else {
            throw UnixHTTP.Failure(what: "\(answer.status) \(answer.body)")
        }
        return total
    }
}

/// Returns when a condition holds; gives up after a minute.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try !condition() {
        guard ContinuousClock.now < end else { throw UnixHTTP.Failure(what: "not within a minute: \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// A program under way; killed with the object.
final class RunningProgram: @unchecked Sendable {
    // Sendable: `process` is configured before init returns; its methods used here may be called from any thread.
    private let process = Process()
    private let output = Mutex(Data())
    private let ended = DispatchGroup()

    init(
        _ arguments: [String], in folder: URL, environment: [String: String] = [:], ignoresSizeLimit: Bool = false,
        input: String? = nil
    ) throws {
        if ignoresSizeLimit {
            // A signal that is ignored stays ignored in the program; the write fails instead.
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", Project.junction] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: Project.junction)
            process.arguments = arguments
        }
        process.currentDirectoryURL = folder
        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("JUNCTION_") }
        variables.merge(environment) { _, new in new }
        process.environment = variables
        if let input {
            // Short enough for the buffer of a pipe.
            let pipe = Pipe()
            process.standardInput = pipe
            try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try pipe.fileHandleForWriting.close()
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        ended.enter()
        process.terminationHandler = { [ended] _ in ended.leave() }
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.output.withLock { $0 += data }
        }
        try process.run()
    }

    deinit {
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
    }

    var isRunning: Bool { process.isRunning }
    var identifier: Int32 { process.processIdentifier }
    /// Everything it has written.
    var text: String { String(decoding: output.withLock { $0 }, as: UTF8.self) }
    /// Whether it ended by SIGKILL.
    var wasKilled: Bool { process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL }

    func signal(_ signal: Int32) {
        Glibc.kill(process.processIdentifier, signal)
    }

    /// Waits for the end; the exit status.
    func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            ended.notify(queue: .global()) { continuation.resume() }
        }
        return process.terminationStatus
    }
}
