import ConnectorKit
import FilesConnector
import PluginHost
import Values

#if canImport(Glibc)
    import Glibc
#endif

// A plugin for tests: `plugin-fixture files` hosts the files module, `plugin-fixture echo` one that does as it is told.
switch CommandLine.arguments.dropFirst().first {
case "files": await PluginServer.serve(FilesModule())
case "echo": await PluginServer.serve(EchoModule())
default: exit(64)
}

/// Repeats, waits, prints, tells a secret's length, or ends the process, as asked.
struct EchoModule: ConnectorModule {
    let descriptor = ConnectorDescriptor(
        id: "echo", version: 1, title: "Echo", summary: "Does as it is told.",
        parameters: [
            "type": "object", "additionalProperties": false,
            "properties": ["token": ["type": "object"], "refuse": ["type": "boolean"]],
        ],
        secrets: [SecretDescriptor(parameter: "token", title: "Token", isRequired: false)],
        operations: ["echo", "wait", "crash", "print", "secret", "environment"].map {
            OperationDescriptor(
                id: $0, title: $0, summary: "Does \($0).", effect: .other,
                idempotency: $0 == "print" ? .none : .key(window: .seconds(60)),
                input: true, output: true)
        }, events: [TickSource.event])

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let reader = FieldReader(configuration.parameters, path: "parameters", code: "CON-0006")
        _ = reader.value("token")
        if reader.boolean("refuse") == true { reader.add("refused as asked") }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        return EchoConnection(configuration: configuration)
    }
}

struct EchoConnection: Connection {
    let configuration: ConnectionConfiguration

    func test() async throws {}

    func invoke(_ call: OperationCall) async -> Outcome {
        switch call.operation {
        case "echo": return .done(call.input, facts: ["attempt": .number(Number(call.attempt))])
        case "wait":
            do { try await Task.sleep(for: .seconds(600)) } catch {
                print("cancelled")
                return .failed(ConnectorError(wrapping: error))
            }
            return .done(.null, facts: [:])
        case "crash": abort()
        case "print":
            print(call.input["text"]?.asString ?? "")
            return .done(.null, facts: [:])
        case "secret":
            let name = call.input["name"]?.asString ?? "env:TOKEN"
            do {
                guard let reference = SecretReference(name) else { return .done(.null, facts: [:]) }
                let secret = try await self.configuration.secrets.secret(reference)
                return .done(.number(Number(secret.reveal { $0.count })), facts: [:])
            } catch {
                return .failed(ConnectorError(wrapping: error))
            }
        case "environment":
            var names: [Value] = []
            var entry = environ
            while let text = entry.pointee {
                names.append(.string(String(String(cString: text).prefix { $0 != "=" })))
                entry += 1
            }
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            var buffer = [CChar](repeating: 0, count: 4_096)
            let directory = getcwd(&buffer, buffer.count).map { String(cString: $0) } ?? ""
            return .done(
                [
                    "names": .list(names), "files": .number(Number(Int64(limit.rlim_cur))),
                    "directory": .string(directory), "group": .boolean(getpgrp() == getpid()),
                    "descriptors": .number(Number((3..<200).count { fcntl(Int32($0), F_GETFD) >= 0 })),
                ], facts: [:])
        default: return .failed(.unknownOperation(call.operation, of: EchoModule().descriptor))
        }
    }

    func isRepeatable(_ call: OperationCall) -> Bool? {
        call.operation == "print" ? call.input["text"] == nil : nil
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard request.event == TickSource.event.id else {
            throw ConnectorError.unknownEvent(request.event, of: EchoModule().descriptor)
        }
        return TickSource(request)
    }

    func close() async {}
}
