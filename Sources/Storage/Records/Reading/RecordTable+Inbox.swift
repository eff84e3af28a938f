extension RecordTable where Filter == InboxFilter, Row == InboxRecord {
    /// The events of the inbox.
    static let inbox = RecordTable(
        name: "inbox",
        columns: [
            "key", "trigger", "event_id", "dedupe_key", "received_at", "last_day", "effect", "effect_key",
            "content_type", "headers", "coordinates", "payload",
        ],
        row: { row in
            InboxRecord(
                key: row.uint64(0), trigger: row.text(1) ?? "", eventID: row.text(2) ?? "", dedupeKey: row.text(3),
                receivedAt: row.int64(4), keptUntil: row.int64(5) * InboxRecord.dayMilliseconds,
                effect: UInt8(clamping: row.int64(6)), effectKey: row.optionalUInt64(7),
                contentType: row.text(8) ?? "", headers: row.byteArray(9), coordinates: row.byteArray(10),
                payload: row.byteArray(11))
        },
        definition: { _ in ProcessDefinitionCondition() },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.trigger", filter.trigger)
            builder.add("t.event_id", filter.eventID)
            builder.add("t.dedupe_key", filter.dedupeKey)
            builder.add("t.received_at", filter.receivedAt)
            builder.add("t.effect", filter.effect)
            builder.add("t.effect_key", filter.effectKey)
        },
        sortExpression: { field in
            switch field {
            case .inboxKey: nil
            case .trigger: .text("trigger")
            case .eventId: .text("event_id")
            case .receivedAt: .number("received_at")
            }
        })
}
