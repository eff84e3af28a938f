/// Conditions on the events of the inbox.
public struct InboxFilter: RecordFilter {
    /// What events can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case inboxKey
        case trigger
        case eventId
        case receivedAt
    }

    /// The entry's key.
    public var key: [Comparison<UInt64>] = []
    /// The trigger it came through.
    public var trigger: [Comparison<String>] = []
    /// Its id at the source.
    public var eventID: [Comparison<String>] = []
    /// What makes it the same event as another one.
    public var dedupeKey: [Comparison<String>] = []
    /// Unix milliseconds.
    public var receivedAt: [Comparison<Int64>] = []
    /// As in `InboxRecord.effect`.
    public var effect: [Comparison<UInt8>] = []
    /// The instance, message or signal that came of it.
    public var effectKey: [Comparison<UInt64>] = []

    /// Creates a filter that matches everything.
    public init() {}
}
