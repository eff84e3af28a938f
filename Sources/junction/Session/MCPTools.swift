import JunctionClient
import PluginHost
import Values

/// What `junction mcp` answers: the tools there are, and their results.
struct MCPTools: Sendable {
    /// The revisions of the protocol that are spoken, newest first.
    static let versions = ["2025-06-18", "2025-03-26", "2024-11-05"]
    /// Tools of processes are called this and the id of the process.
    static let startPrefix = "start_"
    /// How many processes are offered.
    static let processesMax = 500

    let client: JunctionClient
    let isReadOnly: Bool

    func answer(_ method: String, _ params: Value) async -> Result<Value, RPCError> {
        switch method {
        case "initialize": return .success(Self.initialize(params))
        case "ping": return .success([:])
        case "tools/list":
            do {
                return .success(["tools": .list(try await self.tools())])
            } catch {
                return .failure(RPCError(code: RPCError.internalError, message: "\(error)"))
            }
        case "tools/call":
            guard let name = params["name"]?.asString else {
                return .failure(RPCError(code: RPCError.invalidParams, message: "The name of the tool is missing."))
            }
            do throws(Unknown) {
                return .success(try await self.call(name, params["arguments"]?.asContext ?? ValueContext()))
            } catch {
                return .failure(RPCError(code: RPCError.invalidParams, message: "There is no tool \(name)."))
            }
        default:
            return .failure(RPCError(code: RPCError.methodNotFound, message: "There is no method \(method)."))
        }
    }

    private static func initialize(_ params: Value) -> Value {
        let asked = params["protocolVersion"]?.asString ?? ""
        return [
            "protocolVersion": .string(Self.versions.contains(asked) ? asked : Self.versions[0]),
            "capabilities": ["tools": ["listChanged": false]],
            "serverInfo": ["name": "junction", "title": "Junction", "version": .string(Version.text)],
            "instructions": """
            Junction runs business processes. Start one with its start_ tool; people's work is in the user tasks; \
            what could not be delivered is in the dead letters.
            """,
        ]
    }

    // MARK: - The tools

    private static func object(_ properties: ValueContext, required: [Value] = []) -> Value {
        [
            "type": "object", "properties": .context(properties), "required": .list(required),
            "additionalProperties": false,
        ]
    }

    private static func tool(_ name: String, _ description: String, _ input: Value, readOnly: Bool) -> Value {
        [
            "name": .string(name), "description": .string(description), "inputSchema": input,
            "annotations": ["readOnlyHint": .boolean(readOnly), "openWorldHint": false],
        ]
    }

    private static let limit: Value = ["type": "integer", "minimum": 1, "maximum": 1_000, "default": 50]
    private static let key: Value = ["type": "string", "description": "The key, as listed."]

    static let listing: [Value] = [
        tool(
            "list_user_tasks", "Lists the tasks that wait for people, the oldest first.",
            object(["assignee": ["type": "string"], "candidateGroup": ["type": "string"], "limit": limit]),
            readOnly: true),
        tool(
            "list_dead_letters", "Lists what could not be delivered, the newest first.",
            object(["origin": ["type": "string", "description": "A trigger."], "limit": limit]), readOnly: true),
        tool(
            "get_process_instance", "Shows the state of a process instance.",
            object(["key": key], required: ["key"]), readOnly: true),
    ]

    static let changing: [Value] = [
        tool(
            "complete_user_task", "Completes a user task with its result.",
            object(
                ["key": key, "variables": ["type": "object", "description": "The result."]], required: ["key"]),
            readOnly: false),
        tool(
            "replay_dead_letter", "Sends a dead letter through its trigger again.",
            object(
                [
                    "key": key, "dryRun": ["type": "boolean", "default": false],
                    "payload": ["type": "string", "description": "Sent instead of the letter's own payload."],
                ], required: ["key"]), readOnly: false),
    ]

    private func tools() async throws -> [Value] {
        if self.isReadOnly { return Self.listing }
        let processes = try await self.processes()
        return Self.listing + Self.changing + processes.map { Self.startTool($0) }
    }

    /// The newest version of each deployed process.
    private func processes() async throws -> [Value] {
        var newest: [String: Value] = [:]
        var cursor: String?
        repeat {
            let page = try await self.client.search(.processDefinitions, limit: 1_000, after: cursor)
            for item in page.items {
                guard let id = item["processDefinitionId"]?.asString else { continue }
                let version = item["version"]?.asInt64 ?? 0
                if version >= newest[id]?["version"]?.asInt64 ?? 0 { newest[id] = item }
            }
            cursor = page.items.isEmpty ? nil : page.endCursor
        } while cursor != nil && newest.count < Self.processesMax
        return newest.sorted { $0.key < $1.key }.prefix(Self.processesMax).map(\.value)
    }

    private static func startTool(_ process: Value) -> Value {
        let id = process["processDefinitionId"]?.asString ?? ""
        let name = process["name"]?.asString ?? ""
        return self.tool(
            Self.startPrefix + Self.toolName(id),
            "Starts the process \(name.isEmpty ? id : "\(name) (\(id))") and returns its instance.",
            Self.object([
                "variables": ["type": "object", "description": "What the process starts with."],
                "businessId": ["type": "string", "description": "A name for the instance in the business."],
                "waitSeconds": [
                    "type": "integer", "minimum": 0, "maximum": 60, "default": 0,
                    "description": "Waits so long for the end, and returns the variables then.",
                ],
            ]), readOnly: false)
    }

    /// Letters, digits, `_` and `-`; clients allow nothing else.
    static func toolName(_ id: String) -> String {
        String(
            String.UnicodeScalarView(
                id.unicodeScalars.map { scalar in
                    let isAllowed =
                        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                        || scalar == "-"
                    return isAllowed ? scalar : "_"
                }
            ).prefix(100))
    }

    // MARK: - Calls

    /// There is no such tool.
    private struct Unknown: Error {}

    private func call(_ name: String, _ arguments: ValueContext) async throws(Unknown) -> Value {
        do {
            return Self.result(try await self.perform(name, arguments))
        } catch let error as Unknown {
            throw error
        } catch {
            return ["content": [["type": "text", "text": .string("\(error)")]], "isError": true]
        }
    }

    private static func result(_ value: Value) -> Value {
        [
            "content": [["type": "text", "text": .string(JSON.string(value))]], "structuredContent": value,
            "isError": false,
        ]
    }

    /// What is wrong with an argument, in words for whoever called.
    private struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    private func perform(_ name: String, _ arguments: ValueContext) async throws -> Value {
        let limit = Int(clamping: min(1_000, max(1, arguments["limit"]?.asInt64 ?? 50)))
        switch name {
        case "list_user_tasks":
            var filter: ValueContext = ["state": "CREATED"]
            filter["assignee"] = arguments["assignee"]
            filter["candidateGroup"] = arguments["candidateGroup"]
            let page = try await self.client.search(
                .userTasks, filter: filter, sort: [("creationDate", false)], limit: limit)
            return ["items": .list(page.items)]
        case "list_dead_letters":
            var filter: ValueContext = ["state": "PARKED"]
            filter["origin"] = arguments["origin"]
            let page = try await self.client.search(.deadLetters, filter: filter, limit: limit)
            return ["items": .list(page.items)]
        case "get_process_instance":
            return try await self.client.get(.processInstances, try Self.key(arguments))
        case "complete_user_task" where !self.isReadOnly:
            try await self.client.completeUserTask(
                try Self.key(arguments), variables: try Self.object("variables", arguments))
            return ["completed": true]
        case "replay_dead_letter" where !self.isReadOnly:
            return try await self.client.replayDeadLetter(
                try Self.key(arguments), payload: arguments["payload"]?.asString.map { Array($0.utf8) },
                dryRun: arguments["dryRun"]?.asBoolean ?? false)
        default:
            guard !self.isReadOnly, name.hasPrefix(Self.startPrefix) else { throw Unknown() }
            return try await self.start(String(name.dropFirst(Self.startPrefix.count)), arguments)
        }
    }

    private func start(_ tool: String, _ arguments: ValueContext) async throws -> Value {
        let ids = try await self.processes().compactMap { $0["processDefinitionId"]?.asString }
        guard let id = ids.first(where: { Self.toolName($0) == tool }) else { throw Unknown() }
        let wait = max(0, min(60, arguments["waitSeconds"]?.asInt64 ?? 0))
        let instance = try await self.client.startInstance(
            .process(id: id), variables: try Self.object("variables", arguments),
            businessID: arguments["businessId"]?.asString, awaitCompletion: wait > 0 ? .seconds(wait) : nil)
        var result: ValueContext = [
            "processInstanceKey": .string("\(instance.key)"), "processDefinitionId": .string(id),
            "processDefinitionVersion": .number(Number(instance.version)),
        ]
        if wait > 0, !instance.variables.isEmpty { result["variables"] = try? JSON.parse(instance.variables) }
        return .context(result)
    }

    private static func key(_ arguments: ValueContext) throws -> Key {
        guard let key = arguments["key"]?.asString.flatMap({ Key($0) }) else {
            throw Refusal(description: "key: expected the key as listed, as a text.")
        }
        return key
    }

    private static func object(_ name: String, _ arguments: ValueContext) throws -> [UInt8]? {
        guard let value = arguments[name], !value.isNull else { return nil }
        guard value.asContext != nil else { throw Refusal(description: "\(name): expected an object.") }
        return Array(JSON.string(value).utf8)
    }
}
