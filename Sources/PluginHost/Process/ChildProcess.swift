internal import CSpawnShim

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A running child and our ends of its three streams.
///
/// Belongs to the thread that started it, which must outlive it: the kernel kills the child when that thread ends.
struct ChildProcess {
    /// Why none could be started.
    struct Failure: Error {
        var reason: String
    }

    /// How one ended.
    enum End: Hashable, Sendable {
        case exited(Int)
        case signalled(Int)
        case unknown
    }

    let pid: pid_t
    /// Its standard input, non-blocking; below zero once closed.
    private(set) var input: Int32
    /// Its standard output, non-blocking; below zero once closed.
    private(set) var output: Int32
    /// Its standard error, non-blocking; below zero once closed.
    private(set) var errors: Int32
    /// Readable when it has ended; below zero where the kernel has no such thing.
    private(set) var exit: Int32

    /// Starts a child.
    init(_ specification: LaunchSpecification) throws(Failure) {
        guard let name = specification.command.first, !name.isEmpty else {
            throw Failure(reason: "The command is empty.")
        }
        let variables = specification.variables(LaunchSpecification.variable)
        let program = LaunchSpecification.program(name, path: variables["PATH"])
        let arguments = specification.command
        let environment = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        guard !(arguments + environment).contains(where: { $0.utf8.contains(0) }) else {
            throw Failure(reason: "The command or its environment holds a NUL.")
        }
        let pipes = try Pipes()
        var request = jn_spawn_request()
        request.input = pipes.input.read
        request.output = pipes.output.write
        request.errors = pipes.errors.write
        request.cpu_seconds = Self.limit(specification.limits.cpuSeconds)
        request.memory_bytes = Self.limit(specification.limits.memoryBytes)
        request.open_files = Self.limit(specification.limits.openFiles)
        request.processes = Self.limit(specification.limits.processes)
        request.file_bytes = Self.limit(specification.limits.fileBytes)
        request.isolates_network = specification.hasNetwork ? 0 : 1
        var stage: Int32 = 0
        let result = program.withCString { path in
            specification.directory.withCString { directory in
                Self.withStrings(arguments) { arguments in
                    Self.withStrings(environment) { environment in
                        request.path = path
                        request.directory = directory
                        request.arguments = arguments
                        request.environment = environment
                        return jn_spawn(&request, &stage)
                    }
                }
            }
        }
        for descriptor in [pipes.input.read, pipes.output.write, pipes.errors.write] { _ = close(descriptor) }
        guard result > 0 else {
            for descriptor in [pipes.input.write, pipes.output.read, pipes.errors.read] { _ = close(descriptor) }
            throw Failure(reason: Self.reason(-result, Int(stage), program, specification.directory))
        }
        self.pid = result
        self.input = pipes.input.write
        self.output = pipes.output.read
        self.errors = pipes.errors.read
        self.exit = jn_watch_process(result)
        for descriptor in [self.input, self.output, self.errors] { _ = jn_set_nonblocking(descriptor) }
    }

    private struct Pipes {
        var input: (read: Int32, write: Int32) = (-1, -1)
        var output: (read: Int32, write: Int32) = (-1, -1)
        var errors: (read: Int32, write: Int32) = (-1, -1)

        init() throws(Failure) {
            let codes = [
                jn_pipe(&self.input.read, &self.input.write), jn_pipe(&self.output.read, &self.output.write),
                jn_pipe(&self.errors.read, &self.errors.write),
            ]
            guard let code = codes.first(where: { $0 != 0 }) else { return }
            for pipe in [self.input, self.output, self.errors] where pipe.read >= 0 {
                _ = close(pipe.read)
                _ = close(pipe.write)
            }
            throw Failure(reason: "No pipe could be made: \(String(cString: strerror(-code))).")
        }
    }

    private static func limit(_ value: Int?) -> Int64 { value.map { Int64(max(0, $0)) } ?? -1 }

    private static func reason(_ number: Int32, _ stage: Int, _ program: String, _ directory: String) -> String {
        let words = String(cString: strerror(number))
        return switch stage {
        case Int(JN_SPAWN_EXEC): "\(program) could not be run: \(words)."
        case Int(JN_SPAWN_DIRECTORY): "Its directory \(directory) could not be entered: \(words)."
        case Int(JN_SPAWN_LIMITS): "Its limits could not be set: \(words)."
        case Int(JN_SPAWN_NETWORK): "It could not be cut off from the network: \(words)."
        default: "No process could be made: \(words)."
        }
    }

    /// A NULL-terminated array of C strings.
    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { buffer in
            // The array holds one element at least.
            buffer.baseAddress.map(body) ?? withUnsafePointer(to: nil, body)
        }
    }

    // MARK: - Streams

    /// Closes its input: it reads the end of file.
    mutating func closeInput() {
        if self.input >= 0 { _ = close(self.input) }
        self.input = -1
    }

    /// Closes our end of its output.
    mutating func closeOutput() {
        if self.output >= 0 { _ = close(self.output) }
        self.output = -1
    }

    /// Closes our end of its error stream.
    mutating func closeErrors() {
        if self.errors >= 0 { _ = close(self.errors) }
        self.errors = -1
    }

    /// Sends a signal to it and all it started.
    func signal(_ number: Int32) {
        if kill(-self.pid, number) != 0 { _ = kill(self.pid, number) }
    }

    /// Whether it has ended; its id stays its own until `reap`.
    var hasEnded: Bool { jn_has_ended(self.pid) != 0 }

    /// How it ended.
    ///
    /// Only for one that has.
    func reap() -> End {
        var status: Int32 = 0
        while waitpid(self.pid, &status, 0) < 0 {
            guard errno == EINTR else { return .unknown }
        }
        let signal = status & 0x7f
        return signal == 0 ? .exited(Int((status >> 8) & 0xff)) : .signalled(Int(signal))
    }

    /// Closes everything.
    mutating func closeAll() {
        self.closeInput()
        self.closeOutput()
        self.closeErrors()
        if self.exit >= 0 { _ = close(self.exit) }
        self.exit = -1
    }
}

extension ChildProcess.End: CustomStringConvertible {
    /// A sentence.
    var description: String {
        switch self {
        case .exited(let code): "It ended with code \(code)."
        case .signalled(let number): "It was ended by signal \(number)."
        case .unknown: "It ended."
        }
    }
}
