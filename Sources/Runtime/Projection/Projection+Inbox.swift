import Engine
import Storage

extension InboxRecord {
    init(_ event: EventReceived) {
        let received = event.received
        let (end, isTooLate) = received.receivedAt.addingReportingOverflow(Swift.max(0, received.retainMilliseconds))
        self.init(
            key: event.key, trigger: received.trigger, eventID: received.eventID, dedupeKey: received.dedupeKey,
            receivedAt: received.receivedAt, keptUntil: isTooLate ? .max : end, effect: event.effect.rawValue,
            effectKey: event.effectKey == 0 ? nil : event.effectKey, contentType: received.contentType,
            headers: received.headers, coordinates: received.coordinates, payload: received.payload)
    }
}
