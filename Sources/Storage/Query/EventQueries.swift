/// Conditions on published messages.
public struct MessageFilter: RecordFilter {
    /// What messages can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case messageKey
        case name
        case correlationKey
        case state
        case publishedAt
        case expiresAt
    }

    /// The message's key.
    public var key: [Comparison<UInt64>] = []
    /// Its name.
    public var name: [Comparison<String>] = []
    /// What it correlates by.
    public var correlationKey: [Comparison<String>] = []
    /// The sender's id for it.
    public var messageID: [Comparison<String>] = []
    /// As in `MessageRecord.state`.
    public var state: [Comparison<UInt8>] = []
    /// The instance that took it.
    public var instanceKey: [Comparison<UInt64>] = []
    /// Unix milliseconds.
    public var publishedAt: [Comparison<Int64>] = []
    /// Unix milliseconds.
    public var expiresAt: [Comparison<Int64>] = []

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on dead letters, ended ones included.
public struct DeadLetterFilter: RecordFilter {
    /// What dead letters can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case deadLetterKey
        case origin
        case stage
        case errorCode
        case state
        case redriveCount
        case createdAt
        case endedAt
    }

    /// The dead letter's key.
    public var key: [Comparison<UInt64>] = []
    /// The trigger or connector it came through.
    public var origin: [Comparison<String>] = []
    /// Where it failed.
    public var stage: [Comparison<String>] = []
    /// The code of its newest error.
    public var errorCode: [Comparison<String>] = []
    /// What its newest error says.
    public var errorMessage: [Comparison<String>] = []
    /// The key that makes it unique at its source.
    public var dedupeKey: [Comparison<String>] = []
    /// As in `DeadLetterRecord.state`.
    public var state: [Comparison<UInt8>] = []
    /// Unix milliseconds.
    public var createdAt: [Comparison<Int64>] = []
    /// When it ended; Unix milliseconds.
    public var endedAt: [Comparison<Int64>] = []
    /// As in `DeadLetterRecord.kind`.
    public var kind: [Comparison<UInt8>] = []
    /// The connection it came or was to go through.
    public var connection: [Comparison<String>] = []
    /// The job whose call failed.
    public var jobKey: [Comparison<UInt64>] = []
    /// The dead letter it replaces.
    public var parentKey: [Comparison<UInt64>] = []

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on the audit log.
public struct AuditFilter: RecordFilter {
    /// What audit entries can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case auditLogKey
        case timestamp
        case actorId
        case operationType
        case entityKey
    }

    /// The entry's key.
    public var key: [Comparison<UInt64>] = []
    /// Who did it.
    public var actor: [Comparison<String>] = []
    /// What was done.
    public var action: [Comparison<String>] = []
    /// To which object.
    public var object: [Comparison<String>] = []
    /// Unix milliseconds.
    public var at: [Comparison<Int64>] = []

    /// Creates a filter that matches everything.
    public init() {}
}
