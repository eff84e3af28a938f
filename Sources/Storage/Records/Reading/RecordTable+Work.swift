extension RecordTable where Filter == JobFilter, Row == JobRecord {
    /// Jobs.
    static let jobs = RecordTable(
        name: "job",
        columns: [
            "key", "instance_key", "element_instance_key", "definition_key", "element_id", "type", "state", "retries",
            "priority", "worker", "deadline", "error_message", "created_at",
        ],
        row: { row in
            JobRecord(
                key: row.uint64(0), instanceKey: row.uint64(1), elementInstanceKey: row.uint64(2),
                definitionKey: row.uint64(3), elementID: row.text(4) ?? "", type: row.text(5) ?? "",
                state: UInt8(clamping: row.int64(6)), retries: row.int(7), priority: row.int(8), worker: row.text(9),
                deadline: row.optionalInt64(10), errorMessage: row.text(11), createdAt: row.int64(12))
        },
        definition: { $0.definition },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.instance_key", filter.instanceKey)
            builder.add("t.element_instance_key", filter.elementInstanceKey)
            builder.add("t.element_id", filter.elementID)
            builder.add("t.type", filter.type)
            builder.add("t.state", filter.state)
            builder.add("t.retries", filter.retries)
            builder.add("t.worker", filter.worker)
            builder.add("t.deadline", filter.deadline)
            builder.add("t.error_message", filter.errorMessage)
            builder.add("t.created_at", filter.createdAt)
            builder.add(
                "(t.state = 2 AND t.retries > 0)", if: filter.hasFailedWithRetriesLeft,
                else: "NOT (t.state = 2 AND t.retries > 0)")
        },
        sortExpression: { field in
            switch field {
            case .jobKey: nil
            case .type: .text("type")
            case .state: .number("state")
            case .retries: .number("retries")
            case .worker: .text("worker", isNullable: true)
            case .deadline: .number("deadline", isNullable: true)
            case .errorMessage: .text("error_message", isNullable: true)
            case .elementId: .text("element_id")
            case .elementInstanceKey: .number("element_instance_key")
            case .processDefinitionId: .definition("substr(d.process_id, 1, 64)")
            case .processDefinitionKey: .number("definition_key")
            case .processInstanceKey: .number("instance_key")
            case .creationTime: .number("created_at")
            case .hasFailedWithRetriesLeft:
                SortExpression(sql: "(t.state = 2 AND t.retries > 0)", isNullable: false)
            }
        })
}

extension RecordTable where Filter == UserTaskFilter, Row == UserTaskRecord {
    /// User tasks.
    static let userTasks = RecordTable(
        name: "user_task",
        columns: [
            "key", "instance_key", "element_instance_key", "definition_key", "element_id", "name", "state", "assignee",
            "candidate_groups", "candidate_users", "priority", "due_date", "follow_up_date", "form_key", "created_at",
            "ended_at",
        ],
        row: { row in
            UserTaskRecord(
                key: row.uint64(0), instanceKey: row.uint64(1), elementInstanceKey: row.uint64(2),
                definitionKey: row.uint64(3), elementID: row.text(4) ?? "", name: row.text(5),
                state: UInt8(clamping: row.int64(6)), assignee: row.text(7),
                candidateGroups: StringList.decode(row.bytes(8)), candidateUsers: StringList.decode(row.bytes(9)),
                priority: row.int(10), dueDate: row.text(11), followUpDate: row.text(12), formKey: row.text(13),
                createdAt: row.int64(14), endedAt: row.optionalInt64(15))
        },
        definition: { $0.definition },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.instance_key", filter.instanceKey)
            builder.add("t.element_instance_key", filter.elementInstanceKey)
            builder.add("t.element_id", filter.elementID)
            builder.add("t.name", filter.name)
            builder.add("t.state", filter.state)
            builder.add("t.assignee", filter.assignee)
            builder.add(candidate: filter.candidateGroup, kind: 0, column: "t.candidate_groups")
            builder.add(candidate: filter.candidateUser, kind: 1, column: "t.candidate_users")
            builder.add("t.priority", filter.priority)
            builder.add("t.due_date", filter.dueDate)
            builder.add("t.follow_up_date", filter.followUpDate)
            builder.add("t.created_at", filter.createdAt)
            builder.add("t.ended_at", filter.endedAt)
            builder.add(filter.instanceVariables, instance: "t.instance_key")
            builder.add(filter.localVariables, instance: "t.instance_key", scope: "t.element_instance_key")
        },
        sortExpression: { field in
            switch field {
            case .userTaskKey: nil
            case .creationDate: .number("created_at")
            case .completionDate: .number("ended_at", isNullable: true)
            case .followUpDate: .text("follow_up_date", isNullable: true)
            case .dueDate: .text("due_date", isNullable: true)
            case .priority: .number("priority")
            case .name: .text("name", isNullable: true)
            }
        })
}

extension WhereBuilder {
    /// Adds conditions on the candidates of a task: that one of them satisfies it, or that none is the one refused.
    fileprivate mutating func add(candidate comparisons: [Comparison<String>], kind: Int, column: String) {
        let tasks = "SELECT c.task_key FROM user_task_candidate c WHERE c.kind = \(kind) AND"
        for comparison in comparisons {
            var inner = WhereBuilder()
            switch comparison {
            case .exists(let isPresent):
                self.add("\(column) \(isPresent ? "<>" : "=") '[]'")
            case .notEqual(let name):
                inner.add("c.name", [.equal(name)])
                self.add("t.key NOT IN (\(tasks) \(inner.sql))", inner.parameters)
            case .noneOf(let names):
                inner.add("c.name", in: names)
                self.add("t.key NOT IN (\(tasks) \(inner.sql))", inner.parameters)
            default:
                inner.add("c.name", [comparison])
                self.add("t.key IN (\(tasks) \(inner.sql))", inner.parameters)
            }
        }
    }
}

extension RecordTable where Filter == IncidentFilter, Row == IncidentRecord {
    /// Incidents.
    static let incidents = RecordTable(
        name: "incident",
        columns: [
            "key", "instance_key", "element_instance_key", "definition_key", "element_id", "job_key", "type", "message",
            "remedy", "created_at", "resolved_at",
        ],
        row: { row in
            IncidentRecord(
                key: row.uint64(0), instanceKey: row.uint64(1), elementInstanceKey: row.uint64(2),
                definitionKey: row.uint64(3), elementID: row.text(4) ?? "", jobKey: row.optionalUInt64(5),
                type: row.text(6) ?? "", message: row.text(7) ?? "", remedy: row.text(8) ?? "",
                createdAt: row.int64(9), resolvedAt: row.optionalInt64(10))
        },
        definition: { $0.definition },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.instance_key", filter.instanceKey)
            builder.add("t.element_instance_key", filter.elementInstanceKey)
            builder.add("t.element_id", filter.elementID)
            builder.add("t.job_key", filter.jobKey)
            builder.add("t.type", filter.type)
            builder.add("t.message", filter.message)
            builder.add("t.created_at", filter.createdAt)
            builder.add("t.resolved_at IS NOT NULL", if: filter.isResolved, else: "t.resolved_at IS NULL")
        },
        sortExpression: { field in
            switch field {
            case .incidentKey: nil
            case .processDefinitionKey: .number("definition_key")
            case .processDefinitionId: .definition("substr(d.process_id, 1, 64)")
            case .processInstanceKey: .number("instance_key")
            case .errorType: .text("type")
            case .errorMessage: .text("message")
            case .elementId: .text("element_id")
            case .elementInstanceKey: .number("element_instance_key")
            case .creationTime: .number("created_at")
            case .state: SortExpression(sql: "(t.resolved_at IS NOT NULL)", isNullable: false)
            case .jobKey: .number("job_key", isNullable: true)
            }
        })
}

extension RecordTable where Filter == TimerFilter, Row == TimerRecord {
    /// Timers.
    static let timers = RecordTable(
        name: "timer",
        columns: ["key", "instance_key", "element_instance_key", "definition_key", "element_id", "due_at"],
        row: { row in
            TimerRecord(
                key: row.uint64(0), instanceKey: row.optionalUInt64(1), elementInstanceKey: row.optionalUInt64(2),
                definitionKey: row.uint64(3), elementID: row.text(4) ?? "", dueAt: row.int64(5))
        },
        definition: { $0.definition },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.instance_key", filter.instanceKey)
            builder.add("t.element_id", filter.elementID)
            builder.add("t.due_at", filter.dueAt)
        },
        sortExpression: { field in
            switch field {
            case .timerKey: nil
            case .dueDate: .number("due_at")
            case .elementId: .text("element_id")
            case .processInstanceKey: .number("instance_key", isNullable: true)
            case .processDefinitionKey: .number("definition_key")
            }
        })
}
