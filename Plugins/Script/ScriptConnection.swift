internal import ConnectorKit
internal import PluginHost
internal import Synchronization
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Runs the programs of one connection, each in a process of its own.
final class ScriptConnection: Connection {
    private typealias Run = Task<Result<ProgramRun.Result, ProgramRun.LaunchFailure>, Never>

    private struct State {
        var runs: [UInt64: Run] = [:]
        var nextRun: UInt64 = 0
        var places = 0
        var isClosed = false
    }

    private let id: String
    private let settings: ScriptSettings
    private let sandbox: Sandbox
    private let secrets: any SecretResolver
    private let state = Mutex(State())

    init(_ configuration: ConnectionConfiguration, _ settings: ScriptSettings, _ sandbox: Sandbox) {
        self.id = configuration.id
        self.secrets = configuration.secrets
        self.settings = settings
        self.sandbox = sandbox
    }

    /// Everything declared is there, and the sandbox works.
    func test() async throws {
        try self.checkOpen()
        for (name, program) in self.settings.programs.sorted(by: { $0.key < $1.key }) {
            _ = try self.locate(name, program)
            _ = try await self.environment(program)
        }
        guard self.sandbox.bubblewrap != nil || self.settings.programs.values.contains(where: { $0.network == .none })
        else { return }
        if let failure = await self.sandbox.failure(hasNetwork: false) { throw ScriptErrors.noSandbox(failure) }
    }

    func isRepeatable(_ call: OperationCall) async -> Bool? {
        guard call.operation == "run", let name = call.input["program"]?.asString else { return nil }
        return self.settings.programs[name]?.isRepeatable
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            try self.checkOpen()
            guard !Task.isCancelled else { throw Self.cancelled }
            let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
            switch call.operation {
            case "run": return try await self.run(reader, call)
            case "programs":
                reader.finish()
                if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
                return .done(self.describe(), facts: [:])
            default: throw ConnectorError.unknownOperation(call.operation, of: ScriptModule.description)
            }
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        throw ConnectorError.unknownEvent(request.event, of: ScriptModule.description)
    }

    func close() async {
        let runs = self.state.withLock { state in
            state.isClosed = true
            return Array(state.runs.values)
        }
        for run in runs { run.cancel() }
        for run in runs { _ = await run.value }
    }

    private func checkOpen() throws {
        if self.state.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.id) }
    }

    private static var cancelled: ConnectorError {
        var error = ConnectorError(wrapping: CancellationError())
        error.mayHaveExecuted = false
        return error
    }

    private func describe() -> Value {
        let programs = self.settings.programs.sorted { $0.key < $1.key }.map { name, program -> Value in
            [
                "name": .string(name), "description": .string(program.description),
                "network": .string(program.network.rawValue), "effect": .string(program.effect.rawValue),
                "isRepeatable": .boolean(program.isRepeatable),
            ]
        }
        return [
            "sandbox": self.sandbox.bubblewrap == nil ? "none" : "bubblewrap", "reason": .string(self.sandbox.reason),
            "programs": .list(programs),
        ]
    }

    // MARK: - Running

    private func run(_ reader: FieldReader, _ call: OperationCall) async throws -> Outcome {
        reader.require("program")
        let name = reader.string("program") ?? ""
        let arguments = reader.strings("arguments") ?? []
        let input = reader.value("input")
        let timeout = reader.duration("timeout")
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        guard let program = self.settings.programs[name] else {
            throw ScriptErrors.undeclared(name, known: self.settings.programs.keys.sorted())
        }
        let refusal: String? =
            if !arguments.isEmpty, !program.takesArguments {
                "The program \(name) takes no arguments from a call."
            } else if (arguments + [call.idempotencyKey ?? ""]).contains(where: { $0.utf8.contains(0) }) {
                "An argument or the idempotency key holds a NUL."
            } else { nil }
        if let refusal {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters, refusal,
                remedy: "Correct the input, or declare arguments: true.")
        }
        var bytes: [UInt8] = []
        if let input { JSON.write(input, into: &bytes) }
        guard bytes.count <= self.settings.inputBytesMax else {
            throw ScriptErrors.inputTooLarge(bytes.count, self.settings.inputBytesMax)
        }
        let path = try self.locate(name, program)
        var (environment, secrets) = try await self.environment(program)
        environment["JUNCTION_IDEMPOTENCY_KEY"] = call.idempotencyKey
        environment["TRACEPARENT"] = call.traceparent
        var launch = Sandbox.Launch(command: program.command + arguments, path: path)
        launch.directory = program.directory
        launch.environment = environment
        launch.hasNetwork = program.network == .host
        launch.readable = program.readable
        launch.writable = program.writable
        launch.limits = program.limits
        let allowed = min(timeout ?? program.timeout, program.timeout, call.timeout)
        let longest = secrets.map(\.utf8.count).max() ?? 0
        let run = ProgramRun(
            self.sandbox.specification(launch), input: bytes, timeout: allowed,
            outputBytesMax: program.outputBytesMax, errorTailBytesMax: ProgramReport.errorBytesMax + longest)
        let result = try await self.perform(run, name)
        let report = ProgramReport(name, program, result, secrets: secrets, allowed: allowed)
        return report.outcome(sandbox: self.sandbox.bubblewrap == nil ? "none" : "bubblewrap")
    }

    private func perform(_ run: ProgramRun, _ name: String) async throws -> ProgramRun.Result {
        let entry = try self.state.withLock { state -> (number: UInt64, run: Run) in
            if state.isClosed { throw ConnectorError.closed(self.id) }
            guard state.runs.count < self.settings.concurrentMax else {
                throw ScriptErrors.busy(self.settings.concurrentMax)
            }
            let task = Run {
                do throws(ProgramRun.LaunchFailure) {
                    return .success(try await run.result())
                } catch {
                    return .failure(error)
                }
            }
            state.nextRun += 1
            state.runs[state.nextRun] = task
            return (state.nextRun, task)
        }
        let outcome = await withTaskCancellationHandler {
            await entry.run.value
        } onCancel: {
            entry.run.cancel()
        }
        self.state.withLock { _ = $0.runs.removeValue(forKey: entry.number) }
        switch outcome {
        case .success(let result): return result
        case .failure(let failure): throw ScriptErrors.notStarted(name, failure.reason)
        }
    }

    private func locate(_ name: String, _ program: ScriptProgram) throws -> String {
        var path = ScriptProgram.path
        if case .text(let own) = program.environment["PATH"] { path = own }
        let command = program.command.first ?? ""
        guard let found = ProgramRun.locate(command, path: path) else { throw ScriptErrors.missing(name, command) }
        let folders = [program.directory].compactMap { $0 } + program.readable + program.writable
        for folder in folders where access(folder, F_OK) != 0 { throw ScriptErrors.noPath(name, folder) }
        return found
    }

    /// The variables of a program, and those of their values that nobody may see.
    private func environment(_ program: ScriptProgram) async throws -> ([String: String], secrets: [String]) {
        var variables = ["PATH": ScriptProgram.path, "HOME": "/tmp", "LANG": "C.UTF-8"]
        var secrets: [String] = []
        for (name, variable) in program.environment {
            switch variable {
            case .text(let text): variables[name] = text
            case .secret(let reference):
                let value = try await self.secrets.secret(reference).reveal { $0 }
                variables[name] = value
                secrets.append(value)
            }
        }
        return (variables, secrets)
    }
}
