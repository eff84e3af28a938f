extension RecordTable where Filter == DecisionRequirementsFilter, Row == DecisionRequirementsRecord {
    /// Versions of decision models without documents.
    static let decisionRequirements = RecordTable(
        name: "decision_requirements",
        columns: ["key", "requirements_id", "version", "name", "resource_name", "deployment_key", "deployed_at"],
        row: { row in
            DecisionRequirementsRecord(
                key: row.uint64(0), requirementsID: row.text(1) ?? "", version: row.int(2), name: row.text(3) ?? "",
                resourceName: row.text(4) ?? "", deploymentKey: row.uint64(5), resource: [], deployedAt: row.int64(6))
        },
        definition: { _ in ProcessDefinitionCondition() },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.requirements_id", filter.requirementsID)
            builder.add("t.name", filter.name)
            builder.add("t.version", filter.version)
            builder.add("t.resource_name", filter.resourceName)
        },
        sortExpression: { field in
            switch field {
            case .decisionRequirementsKey: nil
            case .decisionRequirementsId: .text("requirements_id")
            case .decisionRequirementsName: .text("name")
            case .version: .number("version")
            }
        })
}

extension RecordTable where Filter == DecisionDefinitionFilter, Row == DecisionDefinitionRecord {
    /// Versions of decisions.
    static let decisionDefinitions = RecordTable(
        name: "decision_definition",
        columns: [
            "key", "decision_id", "version", "name", "version_tag", "type", "requirements_key", "requirements_id",
            "requirements_version", "requirements_name",
        ],
        row: { row in
            DecisionDefinitionRecord(
                key: row.uint64(0), decisionID: row.text(1) ?? "", version: row.int(2), name: row.text(3) ?? "",
                versionTag: row.text(4), type: DecisionType(rawValue: UInt8(clamping: row.int64(5))) ?? .other,
                requirementsKey: row.uint64(6), requirementsID: row.text(7) ?? "", requirementsVersion: row.int(8),
                requirementsName: row.text(9) ?? "")
        },
        definition: { _ in ProcessDefinitionCondition() },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.decision_id", filter.decisionID)
            builder.add("t.name", filter.name)
            builder.add("t.version", filter.version)
            builder.add("t.requirements_key", filter.requirementsKey)
            builder.add("t.requirements_id", filter.requirementsID)
            builder.add("t.requirements_name", filter.requirementsName)
            builder.add("t.requirements_version", filter.requirementsVersion)
            let newest = "(SELECT max(m.version) FROM decision_definition m WHERE m.decision_id = t.decision_id)"
            builder.add("t.version = \(newest)", if: filter.isLatest, else: "t.version < \(newest)")
        },
        sortExpression: { field in
            switch field {
            case .decisionDefinitionKey: nil
            case .decisionDefinitionId: .text("decision_id")
            case .name: .text("name")
            case .version: .number("version")
            case .decisionRequirementsKey: .number("requirements_key")
            case .decisionRequirementsId: .text("requirements_id")
            case .decisionRequirementsName: .text("requirements_name")
            case .decisionRequirementsVersion: .number("requirements_version")
            }
        })
}

extension RecordTable where Filter == DecisionInstanceFilter, Row == DecisionInstanceRecord {
    /// Evaluated decisions.
    static let decisionInstances = RecordTable(
        name: "decision_instance",
        columns: [
            "key", "evaluation_key", "decision_key", "root_decision_key", "instance_key", "element_instance_key",
            "definition_key", "evaluated_at", "failure", "output", "trace",
        ],
        row: { row in
            DecisionInstanceRecord(
                key: row.uint64(0), evaluationKey: row.uint64(1), decisionKey: row.uint64(2),
                rootDecisionKey: row.uint64(3), instanceKey: row.optionalUInt64(4),
                elementInstanceKey: row.optionalUInt64(5), definitionKey: row.optionalUInt64(6),
                evaluatedAt: row.int64(7), failure: row.text(8), output: row.byteArray(9), trace: row.byteArray(10))
        },
        definition: { $0.definition },
        conditions: { filter, builder in
            builder.add("t.key", filter.key)
            builder.add("t.evaluation_key", filter.evaluationKey)
            builder.add("t.decision_key", filter.decisionKey)
            builder.add("t.root_decision_key", filter.rootDecisionKey)
            builder.add("t.instance_key", filter.instanceKey)
            builder.add("t.element_instance_key", filter.elementInstanceKey)
            builder.add("t.evaluated_at", filter.evaluatedAt)
            builder.add("t.failure", filter.failure)
            builder.add("t.failure IS NOT NULL", if: filter.hasFailed, else: "t.failure IS NULL")
            var inner = WhereBuilder()
            inner.add("d.decision_id", filter.decisionID)
            inner.add("d.name", filter.decisionName)
            inner.add("d.version", filter.decisionVersion)
            inner.add("d.type", filter.decisionType)
            if !inner.clauses.isEmpty {
                builder.add(
                    "t.decision_key IN (SELECT d.key FROM decision_definition d WHERE \(inner.sql))", inner.parameters)
            }
        },
        sortExpression: { field in
            switch field {
            case .decisionEvaluationInstanceKey: nil
            case .decisionEvaluationKey: .number("evaluation_key")
            case .decisionDefinitionId: .decision("substr(d.decision_id, 1, 64)")
            case .decisionDefinitionKey: .number("decision_key")
            case .decisionDefinitionName: .decision("substr(d.name, 1, 64)")
            case .decisionDefinitionType: .decision("d.type")
            case .decisionDefinitionVersion: .decision("d.version")
            case .elementInstanceKey: .number("element_instance_key", isNullable: true)
            case .evaluationDate: .number("evaluated_at")
            case .evaluationFailure: .text("failure", isNullable: true)
            case .processDefinitionKey: .number("definition_key", isNullable: true)
            case .processInstanceKey: .number("instance_key", isNullable: true)
            case .rootDecisionDefinitionKey: .number("root_decision_key")
            case .state: SortExpression(sql: "(t.failure IS NOT NULL)", isNullable: false)
            }
        })
}

extension RecordTable.SortExpression {
    /// A column of the record's decision.
    fileprivate static func decision(_ expression: String) -> Self {
        Self(
            sql: "(SELECT \(expression) FROM decision_definition d WHERE d.key = t.decision_key)", isNullable: true)
    }
}
