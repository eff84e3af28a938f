extension RecordTable where Filter == MessageFilter, Row == MessageRecord {
    /// Messages.
    static let messages = RecordTable(
        name: "message",
        columns: [
            "key", "name", "correlation_key", "message_id", "state", "instance_key", "published_at", "expires_at",
        ],
        row: { row in
            MessageRecord(
                key: row.uint64(0), name: row.text(1) ?? "", correlationKey: row.text(2) ?? "", messageID: row.text(3),
                state: UInt8(clamping: row.int64(4)), instanceKey: row.optionalUInt64(5), publishedAt: row.int64(6),
                expiresAt: row.int64(7))
        },
        definition: { _ in ProcessDefinitionCondition() },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.name", filter.name)
            builder.add("t.correlation_key", filter.correlationKey)
            builder.add("t.message_id", filter.messageID)
            builder.add("t.state", filter.state)
            builder.add("t.instance_key", filter.instanceKey)
            builder.add("t.published_at", filter.publishedAt)
            builder.add("t.expires_at", filter.expiresAt)
        },
        sortExpression: { field in
            switch field {
            case .messageKey: nil
            case .name: .text("name")
            case .correlationKey: .text("correlation_key")
            case .state: .number("state")
            case .publishedAt: .number("published_at")
            case .expiresAt: .number("expires_at")
            }
        })
}

extension RecordTable where Filter == DeadLetterFilter, Row == DeadLetterRecord {
    /// Dead letters.
    static let deadLetters = RecordTable(
        name: "dead_letter",
        columns: [
            "key", "origin", "coordinates", "dedupe_key", "stage", "error_code", "error_message", "content_type",
            "state", "redrive_count", "created_at", "ended_at", "payload", "kind", "connection", "job_key",
            "parent_key", "ordering_key", "schema_id", "headers", "report", "original_payload", "updated_at",
        ],
        row: { row in
            var record = DeadLetterRecord(
                key: row.uint64(0), origin: row.text(1) ?? "", coordinates: row.byteArray(2), dedupeKey: row.text(3),
                stage: row.text(4) ?? "", errorCode: row.text(5) ?? "", errorMessage: row.text(6) ?? "",
                contentType: row.text(7) ?? "", payload: row.byteArray(12), state: UInt8(clamping: row.int64(8)),
                redriveCount: row.int(9), createdAt: row.int64(10), endedAt: row.optionalInt64(11))
            record.kind = UInt8(clamping: row.int64(13))
            record.connection = row.text(14)
            record.jobKey = row.optionalUInt64(15)
            record.parentKey = row.optionalUInt64(16)
            record.orderingKey = row.text(17)
            record.schemaID = row.text(18)
            record.headers = row.byteArray(19)
            record.report = row.byteArray(20)
            record.originalPayload = row.isNull(21) ? nil : row.byteArray(21)
            record.updatedAt = row.optionalInt64(22) ?? record.updatedAt
            return record
        },
        definition: { _ in ProcessDefinitionCondition() },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.origin", filter.origin)
            builder.add("t.stage", filter.stage)
            builder.add("t.error_code", filter.errorCode)
            builder.add("t.error_message", filter.errorMessage)
            builder.add("t.dedupe_key", filter.dedupeKey)
            builder.add("t.state", filter.state)
            builder.add("t.created_at", filter.createdAt)
            builder.add("t.ended_at", filter.endedAt)
            builder.add("t.kind", filter.kind)
            builder.add("t.connection", filter.connection)
            builder.add("t.job_key", filter.jobKey)
            builder.add("t.parent_key", filter.parentKey)
        },
        sortExpression: { field in
            switch field {
            case .deadLetterKey: nil
            case .origin: .text("origin")
            case .stage: .text("stage")
            case .errorCode: .text("error_code")
            case .state: .number("state")
            case .redriveCount: .number("redrive_count")
            case .createdAt: .number("created_at")
            case .endedAt: .number("ended_at", isNullable: true)
            }
        })
}

extension RecordTable where Filter == AuditFilter, Row == AuditRecord {
    /// The audit log.
    static let audit = RecordTable(
        name: "audit",
        columns: ["key", "at", "actor", "action", "object", "detail"],
        row: { row in
            AuditRecord(
                key: row.uint64(0), at: row.int64(1), actor: row.text(2) ?? "", action: row.text(3) ?? "",
                object: row.text(4) ?? "", detail: row.text(5))
        },
        definition: { _ in ProcessDefinitionCondition() },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.actor", filter.actor)
            builder.add("t.action", filter.action)
            builder.add("t.object", filter.object)
            builder.add("t.at", filter.at)
        },
        sortExpression: { field in
            switch field {
            case .auditLogKey: nil
            case .timestamp: .number("at")
            case .actorId: .text("actor")
            case .operationType: .text("action")
            case .entityKey: .text("object")
            }
        })
}
