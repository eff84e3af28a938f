extension RecordTable where Filter == ProcessInstanceFilter, Row == ProcessInstanceRecord {
    /// Process instances without paths.
    static let processInstances = RecordTable(
        name: "process_instance",
        columns: [
            "key", "definition_key", "state", "started_at", "ended_at", "open_incidents", "parent_instance_key",
            "parent_element_instance_key", "business_id",
        ],
        row: { row in
            ProcessInstanceRecord(
                key: row.uint64(0), definitionKey: row.uint64(1), parentInstanceKey: row.optionalUInt64(6),
                parentElementInstanceKey: row.optionalUInt64(7), businessID: row.text(8),
                state: LifecycleState(rawValue: UInt8(clamping: row.int64(2))) ?? .active, startedAt: row.int64(3),
                endedAt: row.optionalInt64(4), openIncidents: row.int(5), path: [])
        },
        definition: { $0.definition },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.state", filter.state)
            builder.add("t.open_incidents > 0", if: filter.hasIncident, else: "t.open_incidents = 0")
            builder.add("t.business_id", filter.businessID)
            builder.add("t.started_at", filter.startedAt)
            builder.add("t.ended_at", filter.endedAt)
            builder.add("t.parent_instance_key", filter.parentInstanceKey)
            builder.add("t.parent_element_instance_key", filter.parentElementInstanceKey)
            builder.add(filter.variables, instance: "t.key")
            if !filter.errorMessage.isEmpty {
                var inner = WhereBuilder()
                inner.add("i.message", filter.errorMessage)
                builder.add(
                    """
                    EXISTS (SELECT 1 FROM incident i
                    WHERE i.instance_key = t.key AND i.resolved_at IS NULL AND \(inner.sql))
                    """, inner.parameters)
            }
            let retried = "EXISTS (SELECT 1 FROM job j WHERE j.instance_key = t.key AND j.state = 2 AND j.retries > 0)"
            builder.add(retried, if: filter.hasRetriesLeft, else: "NOT \(retried)")
        },
        sortExpression: { field in
            switch field {
            case .processInstanceKey: nil
            case .processDefinitionId: .definition("substr(d.process_id, 1, 64)")
            case .processDefinitionName: .definition("substr(d.name, 1, 64)")
            case .processDefinitionVersion: .definition("d.version")
            case .processDefinitionVersionTag: .definition("substr(d.version_tag, 1, 64)")
            case .processDefinitionKey: .number("definition_key")
            case .parentProcessInstanceKey: .number("parent_instance_key", isNullable: true)
            case .parentElementInstanceKey: .number("parent_element_instance_key", isNullable: true)
            case .startDate: .number("started_at")
            case .endDate: .number("ended_at", isNullable: true)
            case .state: .number("state")
            case .hasIncident: SortExpression(sql: "(t.open_incidents > 0)", isNullable: false)
            case .businessId: .text("business_id", isNullable: true)
            }
        })
}

extension RecordTable where Filter == ProcessDefinitionFilter, Row == ProcessDefinitionRecord {
    /// Process definitions without documents.
    static let processDefinitions = RecordTable(
        name: "process_definition",
        columns: [
            "key", "process_id", "version", "version_tag", "name", "resource_name", "deployment_key", "deployed_at",
        ],
        row: { row in
            ProcessDefinitionRecord(
                key: row.uint64(0), processID: row.text(1) ?? "", version: row.int(2), versionTag: row.text(3),
                name: row.text(4), resourceName: row.text(5) ?? "", deploymentKey: row.uint64(6), resource: [],
                deployedAt: row.int64(7))
        },
        definition: { _ in ProcessDefinitionCondition() },
        conditions: { filter, builder in
            builder.add(filter.definition)
            builder.add("t.resource_name", filter.resourceName)
            builder.add("t.deployment_key", filter.deploymentKey)
            let newest = "(SELECT max(m.version) FROM process_definition m WHERE m.process_id = t.process_id)"
            builder.add("t.version = \(newest)", if: filter.isLatest, else: "t.version < \(newest)")
        },
        sortExpression: { field in
            switch field {
            case .processDefinitionKey: nil
            case .processDefinitionId: .text("process_id")
            case .name: .text("name", isNullable: true)
            case .resourceName: .text("resource_name")
            case .version: .number("version")
            case .versionTag: .text("version_tag", isNullable: true)
            }
        })
}
