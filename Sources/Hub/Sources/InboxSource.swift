import ConnectorKit
import HubDocuments
import Storage
import Synchronization
import Values

/// The events of a trigger that were kept in the inbox, the oldest first, once more.
///
/// Their ids are those they had, so that what is remembered of them counts. Nothing is acknowledged to anybody.
final class InboxSource: EventSource {
    private let trigger: TriggerDeclaration
    private let range: Range<Int64>
    private let letters: DeadLetters
    private let state = Mutex<(cursor: String?, isAtEnd: Bool, batch: UInt64)>((nil, false, 0))

    private static let pageMaximum = 500

    /// The events received from `range.lowerBound` until before `range.upperBound`, in Unix milliseconds.
    init(_ trigger: TriggerDeclaration, range: Range<Int64>, letters: DeadLetters) {
        self.trigger = trigger
        self.range = range
        self.letters = letters
    }

    func connect() {}

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let (cursor, isAtEnd) = self.state.withLock { ($0.cursor, $0.isAtEnd) }
        guard !isAtEnd else { throw SourceInterruption.endOfInput }
        let limit = min(max(1, maximum), Self.pageMaximum)
        var filter = InboxFilter()
        filter.trigger = [.equal(self.trigger.id)]
        filter.receivedAt = [.greaterOrEqual(self.range.lowerBound), .less(self.range.upperBound)]
        let query = Query(
            filter: filter, sort: [SortCriterion(InboxFilter.SortField.receivedAt)],
            page: PageRequest(cursor.map { .after($0) } ?? .from(0), limit: limit))
        let page = try await self.letters.read { (records) throws(StoreError) in try records.inbox(query) }
        let number = self.state.withLock { state in
            state.cursor = page.endCursor
            state.isAtEnd = page.items.count < limit || page.endCursor == nil
            state.batch += 1
            return state.batch
        }
        guard !page.items.isEmpty else { throw SourceInterruption.endOfInput }
        let events = try page.items.map { try self.letters.seal.open($0).event(decoding: self.trigger.decoding) }
        return EventBatch(id: EventBatch.ID(rawValue: number), events: events)
    }

    func acknowledge(_ batch: EventBatch.ID) {}
    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) {}
    func close() {}
}

extension InboxRecord {
    /// The event as its source gave it.
    func event(decoding: RecordDecoding) -> SourceEvent {
        let headers = (try? JSON.parse(self.headers))?.asContext ?? ValueContext()
        return SourceEvent(
            id: self.eventID, payload: self.payload, contentType: self.contentType,
            body: RecordDecoder.decode(
                record: self.payload, contentType: self.contentType, headers: headers, decoding: decoding),
            coordinates: (try? JSON.parse(self.coordinates))?.asContext ?? ValueContext(), headers: headers)
    }
}
