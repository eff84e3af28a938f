public import Values

/// What can be searched.
public enum SearchResource: String, Sendable, CaseIterable {
    case processInstances = "/v2/process-instances"
    case processDefinitions = "/v2/process-definitions"
    case jobs = "/v2/jobs"
    case userTasks = "/v2/user-tasks"
    case incidents = "/v2/incidents"
    case decisionDefinitions = "/v2/decision-definitions"
    case decisionRequirements = "/v2/decision-requirements"
    case decisionInstances = "/v2/decision-instances"
    case variables = "/v2/variables"
    case deadLetters = "/hub/v1/dead-letters"
    case audit = "/hub/v1/audit"
}

/// One page of a search.
public struct SearchPage: Sendable {
    /// The items, as the API describes them.
    public var items: [Value]
    /// How many items match in all.
    public var totalItems: Int
    /// Whether there are more than counted.
    public var hasMoreTotalItems: Bool
    /// Give it to `after` for the next page; nil on an empty page.
    public var endCursor: String?

    init(_ value: Value) throws {
        guard let items = value["items"]?.asList, let page = value["page"] else {
            throw ClientError.unexpectedAnswer("no page of items")
        }
        self.items = items
        self.totalItems = try page.wireInt("totalItems")
        self.hasMoreTotalItems = page["hasMoreTotalItems"]?.asBoolean ?? false
        self.endCursor = page["endCursor"]?.asString
    }
}
