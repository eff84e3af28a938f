internal import Synchronization

extension SQLiteRecordReader {
    /// See `RecordReader`.
    public func decisionRequirements(
        _ query: Query<DecisionRequirementsFilter>
    ) throws(StoreError) -> ResultPage<DecisionRequirementsRecord> {
        try self.read { connection throws(StoreError) in try connection.search(query, in: .decisionRequirements) }
    }

    /// See `RecordReader`.
    public func decisionRequirements(key: UInt64) throws(StoreError) -> DecisionRequirementsRecord? {
        try self.read { connection throws(StoreError) in
            let table = RecordTable.decisionRequirements
            return try connection.rows(
                "SELECT \(table.columns.joined(separator: ", ")), resource FROM decision_requirements WHERE key = ?",
                [.integer(Int64(bitPattern: key))]
            ) { row in
                var record = table.row(row)
                record.resource = row.byteArray(Int32(table.columns.count))
                return record
            }.first
        }
    }

    /// See `RecordReader`.
    public func decisionDefinitions(
        _ query: Query<DecisionDefinitionFilter>
    ) throws(StoreError) -> ResultPage<DecisionDefinitionRecord> {
        try self.read { connection throws(StoreError) in try connection.search(query, in: .decisionDefinitions) }
    }

    /// See `RecordReader`.
    public func decisionInstances(
        _ query: Query<DecisionInstanceFilter>
    ) throws(StoreError) -> ResultPage<WithDecision> {
        try self.read { connection throws(StoreError) in
            try connection.search(query, in: .decisionInstances).map { (record) throws(StoreError) -> WithDecision in
                WithDecision(record, decision: try self.decision(record.decisionKey, connection))
            }
        }
    }

    /// A version of a decision; they never change, so each is read once.
    private func decision(
        _ key: UInt64, _ connection: RecordConnection
    ) throws(StoreError) -> DecisionDefinitionRecord? {
        if let known = self.state.withLock({ $0.decisions[key] }) { return known }
        let table = RecordTable.decisionDefinitions
        let found = try connection.rows(
            "SELECT \(table.columns.joined(separator: ", ")) FROM decision_definition WHERE key = ?",
            [.integer(Int64(bitPattern: key))], table.row
        ).first
        if let found { self.state.withLock { $0.decisions[key] = found } }
        return found
    }
}
