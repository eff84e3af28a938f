extension RecordConnection {
    /// How many process instances each definition has.
    func instanceTotals() throws(StoreError) -> [ProcessInstanceTotal] {
        let rows = try self.rows(
            "SELECT definition_key, state, count FROM process_instance_total ORDER BY definition_key, state"
        ) { (key: $0.uint64(0), state: $0.int(1), count: $0.int(2)) }
        var totals: [ProcessInstanceTotal] = []
        for row in rows {
            if totals.last?.definitionKey != row.key {
                totals.append(ProcessInstanceTotal(definitionKey: row.key, active: 0, completed: 0, terminated: 0))
            }
            switch LifecycleState(rawValue: UInt8(clamping: row.state)) {
            case .active: totals[totals.count - 1].active = row.count
            case .completed: totals[totals.count - 1].completed = row.count
            case .terminated: totals[totals.count - 1].terminated = row.count
            case nil: break
            }
        }
        return totals
    }

    /// How much of everything there is.
    func totals() throws(StoreError) -> RecordTotals {
        var totals = RecordTotals()
        for total in try self.instanceTotals() {
            totals.activeInstances += total.active
            totals.completedInstances += total.completed
            totals.terminatedInstances += total.terminated
        }
        totals.instancesWithIncidents = try self.number(
            "SELECT count(*) FROM process_instance WHERE open_incidents > 0")
        totals.openIncidents = try self.number("SELECT count(*) FROM incident WHERE resolved_at IS NULL")
        totals.openUserTasks = try self.number("SELECT count(*) FROM user_task WHERE state = 0")
        totals.jobs = try self.number("SELECT count(*) FROM job")
        totals.timers = try self.number("SELECT count(*) FROM timer")
        totals.bufferedMessages = try self.number("SELECT count(*) FROM message WHERE state = 0")
        totals.parkedDeadLetters = try self.number("SELECT count(*) FROM dead_letter WHERE state = 0")
        totals.definitions = try self.number("SELECT count(*) FROM process_definition")
        return totals
    }

    /// One definition with its document.
    func definition(where condition: String, _ parameter: SQLParameter) throws(StoreError) -> ProcessDefinitionRecord? {
        let table = RecordTable.processDefinitions
        return try self.rows(
            "SELECT \(table.columns.joined(separator: ", ")), resource FROM process_definition WHERE \(condition)",
            [parameter]
        ) { row in
            var record = table.row(row)
            record.resource = row.byteArray(Int32(table.columns.count))
            return record
        }.first
    }
}
