import Engine
import HubDocuments
import Storage

/// The inbox keeps payloads and headers sealed, as the dead-letter list does (ADR 0031).
extension LetterSeal {
    /// The event as it is kept; nil for one that is not kept.
    func seal(_ event: ReceivedEvent?) throws(HubError) -> ReceivedEvent? {
        guard let event else { return nil }
        return ReceivedEvent(
            trigger: event.trigger, eventID: event.eventID, dedupeKey: event.dedupeKey, contentType: event.contentType,
            payload: try self.seal(event.payload, for: .inbox), headers: try self.seal(event.headers, for: .inbox),
            coordinates: event.coordinates, receivedAt: event.receivedAt,
            retainMilliseconds: event.retainMilliseconds)
    }

    /// The kept event as it came.
    func open(_ record: InboxRecord) throws(HubError) -> InboxRecord {
        var record = record
        record.payload = try self.open(record.payload, for: .inbox)
        record.headers = try self.open(record.headers, for: .inbox)
        return record
    }
}
