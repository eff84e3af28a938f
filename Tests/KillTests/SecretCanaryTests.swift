import Foundation
import Synchronization
import Testing

/// Secrets of connections, from every store, through calls that succeed, fail and are given up, to a service that repeats
/// everything it is told: afterwards they are nowhere.
///
/// Nothing would be found either if the service repeated nothing, or if the search did not see what is stored. So the test
/// also expects what stands in the place of a secret, in each kind of record, and a word of the same answers that is no
/// secret, in the data directory. It failed while the redactor knew secrets only as they are: the key in the query and the
/// password were in the journal, in the records and in `connection list`, percent-encoded and as base64.
@Suite(.timeLimit(.minutes(3))) struct SecretCanaryTests {
    /// What the service was sent as credentials, by the name of the connection.
    private final class Seen: Sendable {
        private let credentials = Mutex<[String: Set<String>]>([:])

        func note(_ credential: String, of connection: String) {
            self.credentials.withLock { _ = $0[connection, default: []].insert(credential) }
        }

        subscript(connection: String) -> Set<String> { self.credentials.withLock { $0[connection] ?? [] } }
    }

    private static let mark = "<secret>"
    /// A word in every answer.
    private static let word = "repeated-7c1f0e"

    private static func random(_ name: String) -> String {
        "\(String(UInt64.random(in: UInt64.max / 2...UInt64.max), radix: 36))-canary-\(name)"
    }

    /// A service that repeats the request line and the headers, and refuses what its path says.
    private static func echo(_ seen: Seen) throws -> EffectService {
        try EffectService { head in
            let line = head[0].split(separator: " ").map(String.init)
            let path = line[1].split { $0 == "/" || $0 == "?" }.map(String.init)
            let credential = head.first { $0.lowercased().hasPrefix("authorization:") } ?? line[1]
            seen.note(credential, of: path[0])
            let all = head.joined(separator: " ") + " " + Self.word
            let body = ["message": "You said: \(all)", "headers": head.joined(separator: "\n"), "word": Self.word]
            let json = (try? JSONSerialization.data(withJSONObject: body)).map { String(decoding: $0, as: UTF8.self) }
            return (["ok": 200, "refused": 400, "busy": 503][path[1]] ?? 404, json ?? "{}")
        }
    }

    private static func model(_ connection: String, _ path: String) -> String {
        let id = "\(connection)-\(path)"
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:apg="urn:junction:apg:1.0" \
            targetNamespace="urn:test"><process id="\(id)" isExecutable="true"><startEvent id="start"/>\
            <serviceTask id="call"><extensionElements>\
            <apg:call connector="http" operation="request" connection="\(connection)">\
            <apg:with target="method" source="POST"/><apg:with target="path" source="/\(connection)/\(path)"/>\
            <apg:with target="body" source="={ order: 1 }"/></apg:call><apg:result variable="answer"/>\
            </extensionElements></serviceTask><endEvent id="end"/>\
            <sequenceFlow id="f1" sourceRef="start" targetRef="call"/>\
            <sequenceFlow id="f2" sourceRef="call" targetRef="end"/></process></definitions>
            """
    }

    /// A bearer token, a key in the query and a password: each is repeated in another shape.
    private static func connections(port: UInt16, file: String) -> String {
        func connection(_ name: String, _ auth: String) -> String {
            let parameters = "{ baseUrl: 'http://127.0.0.1:\(port)', allowPrivate: true, auth: \(auth) }"
            return "  \(name): { connector: http, resilience: quick, parameters: \(parameters) }\n"
        }
        let all = [
            connection("env", "{ type: bearer, token: { secret: 'env:CANARY' } }"),
            connection("file", "{ type: apiKey, query: key, value: { secret: 'file:\(file)' } }"),
            connection("vault", "{ type: basic, user: u, password: { secret: 'vault:service/password' } }"),
        ]
        return """
            apiVersion: hub/v1
            kind: Connections
            profiles:
              quick:
                timeout: { attempt: 5s, total: 20s, connect: 1s }
                retry: { max: 2, backoff: { kind: fullJitter, base: 20ms, cap: 50ms } }
                breaker: false
            connections:
            \(all.joined())
            """
    }

    /// The shapes in which a remote may give a secret back.
    private static func shapes(of secret: String) -> [String] {
        let escaped = secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? secret
        let lenient = escaped.replacing("%2D", with: "-")
        // As in "Basic …", without the ends, whose bits are shared with what stands before and behind.
        let pair = Data("u:\(secret)".utf8).base64EncodedString()
        let encoded = String(pair.dropFirst(3).dropLast(4))
        // A message that is cut short has a beginning.
        return [secret, escaped, lenient, encoded, String(secret.prefix(10)), String(encoded.prefix(12))]
    }

    @Test func secretsAreNowhereAfterwards() async throws {
        let seen = Seen()
        let project = try Project(service: try Self.echo(seen))
        // The characters after the dash are escaped in an address.
        let file = project.folder.appending(path: "token.txt")
        let (first, second) = (Self.random("file") + "/+&", Self.random("rotated-file") + "/+&")
        let (password, changed) = (Self.random("vault"), Self.random("rotated-vault"))
        let token = Self.random("env")
        let secrets = [token, first, second, password, changed]
        try Data("\(first)\n".utf8).write(to: file)
        try FileManager.default.removeItem(at: project.folder.appending(path: "ordered.bpmn"))
        for connection in ["env", "file", "vault"] {
            for path in ["ok", "refused", "busy"] {
                let model = project.folder.appending(path: "\(connection)-\(path).bpmn")
                try Data(Self.model(connection, path).utf8).write(to: model)
            }
        }
        try Data(Self.connections(port: project.service.port, file: file.path).utf8)
            .write(to: project.folder.appending(path: "connections.yaml"))
        var outputs: [String: String] = [:]
        let stored = try await project.run("secret", "set", "service/password", input: password + "\n")
        #expect(stored.status == 0, "\(stored.text)")
        outputs["secret set"] = stored.text

        let server = try await project.serve(environment: ["CANARY": token], logLevel: "trace")
        var keys: [String] = []
        func start(_ process: String) throws {
            let answer = try project.send(
                "POST", "/v2/process-instances", "{\"processDefinitionId\":\"\(process)\"}")
            keys.append(try #require(answer["processInstanceKey"] as? String, "\(answer.status) \(answer.body)"))
        }
        for connection in ["env", "file", "vault"] {
            for path in ["ok", "refused", "busy"] { try start("\(connection)-\(path)") }
        }
        try await eventually("calls have succeeded") { try project.count("COMPLETED") == 3 }
        try await eventually("calls have been given up") {
            let answer = try project.send("POST", "/v2/incidents/search", "{\"filter\":{\"state\":\"ACTIVE\"}}")
            return (answer["page"] as? [String: Any])?["totalItems"] as? Int == 6
        }

        // What is new is used at once, without a restart; the old one is not forgotten.
        try Data("\(second)\n".utf8).write(to: file, options: .atomic)
        let rotated = try await project.run("secret", "set", "service/password", input: changed)
        #expect(rotated.status == 0, "\(rotated.text)")
        for connection in ["file", "vault"] { for path in ["ok", "refused"] { try start("\(connection)-\(path)") } }
        try await eventually("calls with the new secrets have succeeded") { try project.count("COMPLETED") == 5 }
        let basic = Data("u:\(changed)".utf8).base64EncodedString()
        #expect(seen["env"].contains { $0.contains(token) })
        #expect(seen["file"].contains { $0.contains("rotated-file") })
        #expect(seen["file"].count > 1)
        #expect(seen["vault"].contains { $0.contains(basic) })
        #expect(seen["vault"].count > 1)

        try await self.look(at: project, keys, &outputs)
        server.signal(SIGTERM)
        #expect(await server.end() == 0, "\(server.text)")
        outputs["the log"] = server.text
        for command in [["audit", "verify", "--json"], ["doctor", "--json"]] {
            outputs[command.joined(separator: " ")] = try await project.run(command).text
        }

        let shapes = secrets.flatMap { Self.shapes(of: $0) }
        for (name, text) in outputs {
            for shape in shapes { #expect(!text.contains(shape), "\(name) tells \(shape): \(text.prefix(2_000))") }
        }
        try Self.search(project.data, shapes)
    }

    /// Every command that tells about calls, and expects that it shows the place of a secret where it shows answers.
    private func look(at project: Project, _ keys: [String], _ outputs: inout [String: String]) async throws {
        var commands = [
            ["instance", "list"], ["job", "list"], ["incident", "list"], ["dead-letter", "list"],
            ["dead-letter", "status"], ["connection", "list"], ["audit", "list", "--limit", "1000"],
            ["trigger", "list"], ["secret", "list"], ["status"],
        ]
        commands += keys.map { ["instance", "show", $0, "--variables"] }
        commands += ["env", "file", "vault"].map { ["connection", "show", $0] }
        for command in commands {
            outputs[command.joined(separator: " ")] = try await project.run(command + ["--json"]).text
        }
        for (list, member) in [("incident", "incidentKey"), ("dead-letter", "deadLetterKey")] {
            let text = outputs["\(list) list"] ?? ""
            #expect(text.contains(Self.mark), "\(list) list: \(text.prefix(2_000))")
            let found = text.split(separator: "\n").compactMap { line in
                (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?[member] as? String
            }
            #expect(found.count >= 6, "\(list) list: \(text.prefix(2_000))")
            for key in found {
                let command = [list, "show", key] + (list == "dead-letter" ? ["--payload"] : [])
                outputs[command.joined(separator: " ")] = try await project.run(command + ["--json"]).text
            }
        }
        let variables = outputs.filter { $0.key.hasPrefix("instance show") && $0.value.contains(Self.word) }
        #expect(variables.count == 5)
        for (name, text) in variables { #expect(text.contains(Self.mark), "\(name): \(text.prefix(2_000))") }
        let errors = outputs.filter { $0.key.hasPrefix("connection show") }.values.joined()
        #expect(errors.contains(Self.mark), "\(errors.prefix(2_000))")
    }

    /// Looks into every file, the store's and its log's.
    private static func search(_ directory: String, _ shapes: [String]) throws {
        var sawTheWord = false
        let files = try #require(FileManager.default.enumerator(atPath: directory))
        for case let name as String in files {
            guard let bytes = FileManager.default.contents(atPath: "\(directory)/\(name)") else { continue }
            sawTheWord = sawTheWord || bytes.range(of: Data(Self.word.utf8)) != nil
            for shape in shapes {
                #expect(bytes.range(of: Data(shape.utf8)) == nil, "\(name) has \(shape)")
            }
        }
        #expect(sawTheWord, "The search does not see what is stored.")
    }
}
