import ConnectorKit
import ScriptConnector
import Values

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Connections to small shell programs.
enum Script {
    /// A program that a shell runs.
    static func shell(_ text: String, _ more: ValueContext = [:]) -> Value {
        var program: ValueContext = ["command": ["/bin/sh", "-c", .string(text)]]
        program.merge(more)
        return .context(program)
    }

    static func open(
        _ programs: ValueContext, _ more: ValueContext = [:], secrets: any SecretResolver = NoSecrets()
    ) async throws -> any Connection {
        var parameters: ValueContext = ["programs": .context(programs)]
        parameters.merge(more)
        return try await ScriptModule().connect(
            ConnectionConfiguration(id: "scripts", parameters: .context(parameters), secrets: secrets))
    }

    /// Opens, runs, closes.
    static func run(
        _ text: String, _ declaration: ValueContext = [:], _ parameters: ValueContext = [:], input: Value? = nil,
        call: (inout OperationCall) -> Void = { _ in }
    ) async throws -> Outcome {
        let connection = try await Self.open(["program": Self.shell(text, declaration)], parameters)
        var fields: ValueContext = ["program": "program"]
        fields["input"] = input
        var operation = OperationCall(operation: "run", input: .context(fields))
        call(&operation)
        let outcome = await connection.invoke(operation)
        await connection.close()
        return outcome
    }

    /// A directory that is removed afterwards.
    static func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        var template = Array(("/tmp" + "/junction-script-XXXXXX").utf8CString)
        let path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let path else { throw Failure(message: "No temporary directory: \(errno).") }
        defer {
            for name in ["note", "program"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
        return try await body(path)
    }

    struct Failure: Error {
        var message: String
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether a process on this machine has `argument` as its last argument.
    static func isRunning(_ argument: String) -> Bool {
        guard let processes = opendir("/proc") else { return false }
        defer { closedir(processes) }
        while let entry = readdir(processes) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard Int(name) != nil else { continue }
            let file = Glibc.open("/proc/\(name)/cmdline", O_RDONLY)
            guard file >= 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = read(file, &bytes, bytes.count)
            close(file)
            let arguments = bytes.prefix(max(0, count)).split(separator: 0)
            if arguments.last.map({ $0.elementsEqual(argument.utf8) }) ?? false { return true }
        }
        return false
    }

    static func write(_ path: String, _ text: String, mode: mode_t = 0o644) {
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
        _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
        Glibc.close(file)
    }

    /// Waits until `condition` holds; false after ten seconds.
    static func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<1_000 {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}
