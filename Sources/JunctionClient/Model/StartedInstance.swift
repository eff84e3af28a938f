import NIOHTTP1
public import Values

/// Which process to start.
public enum ProcessReference: Sendable, Hashable {
    /// The newest version of a process, or exactly this one.
    case process(id: String, version: Int? = nil)
    /// The version with this key.
    case definition(Key)
}

/// A process instance that was started.
public struct StartedInstance: Sendable {
    /// The key of the instance.
    public var key: Key
    /// The version that runs.
    public var definitionKey: Key
    /// The process, by its id in the document.
    public var processID: String
    /// The version that runs.
    public var version: Int
    /// The variables at the end, when the call waited for it; a JSON object.
    public var variables: [UInt8]
    /// The idempotency key was known: this is the instance of the first call.
    public var alreadyExisted: Bool

    init(_ answer: JunctionClient.Answer) throws {
        let value = try answer.value
        self.key = try value.wireKey("processInstanceKey")
        self.definitionKey = try value.wireKey("processDefinitionKey")
        self.processID = try value.wireString("processDefinitionId")
        self.version = try value.wireInt("processDefinitionVersion")
        self.alreadyExisted = answer.headers.first(name: "idempotency-replayed") == "true"
        let member = try JSON.members(of: answer.body).last { $0.key == "variables" }
        self.variables = member.map { Array(answer.body[$0.value]) } ?? []
    }
}
