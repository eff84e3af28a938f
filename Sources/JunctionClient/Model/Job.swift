public import Values

/// A job as its worker gets it.
public struct Job: Sendable {
    /// The job.
    public internal(set) var key = Key(rawValue: 0)
    /// The job type.
    public internal(set) var type = ""
    /// The process instance.
    public internal(set) var processInstanceKey = Key(rawValue: 0)
    /// The version of the process.
    public internal(set) var processDefinitionKey = Key(rawValue: 0)
    /// The process, by its id in the document.
    public internal(set) var processID = ""
    /// The element, by its id in the document.
    public internal(set) var elementID = ""
    /// The element instance.
    public internal(set) var elementInstanceKey = Key(rawValue: 0)
    /// The static headers of the element.
    public internal(set) var headers = ValueContext()
    /// Attempts left, this one included.
    public internal(set) var retries = 0
    /// Unix milliseconds when the lock ends.
    public internal(set) var deadline: Int64 = 0
    /// The variables: a JSON object.
    public internal(set) var variables: [UInt8] = []
    /// The same for every attempt of one piece of work: give it to whatever you call, and the effect happens once.
    public internal(set) var idempotencyKey = ""

    /// The variables as a value; null when they are no valid JSON.
    public var variablesValue: Value { (try? JSON.parse(self.variables)) ?? .null }

    /// Reads one job of an activation, whose variables stay bytes.
    init(_ json: ArraySlice<UInt8>) throws(JSONError) {
        for member in try JSON.members(of: json) {
            let bytes = json[member.value]
            switch member.key {
            case "jobKey": self.key = try Self.key(bytes)
            case "type": self.type = try Self.text(bytes)
            case "processInstanceKey": self.processInstanceKey = try Self.key(bytes)
            case "processDefinitionKey": self.processDefinitionKey = try Self.key(bytes)
            case "processDefinitionId": self.processID = try Self.text(bytes)
            case "elementId": self.elementID = try Self.text(bytes)
            case "elementInstanceKey": self.elementInstanceKey = try Self.key(bytes)
            case "customHeaders": self.headers = try JSON.parse(bytes).asContext ?? ValueContext()
            case "retries": self.retries = Int(try JSON.parse(bytes).asInt64 ?? 0)
            case "deadline": self.deadline = try JSON.parse(bytes).asInt64 ?? 0
            case "variables": self.variables = Array(bytes)
            case "idempotencyKey": self.idempotencyKey = try Self.text(bytes)
            default: break
            }
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> String {
        try JSON.parse(bytes).asString ?? ""
    }

    private static func key(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> Key {
        Key(try Self.text(bytes)) ?? Key(rawValue: 0)
    }
}
