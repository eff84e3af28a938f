import Storage

extension DeadLetters {
    /// Whether an instance of the process a trigger starts is running; false when there are no records to tell.
    func hasRunningInstance(of trigger: TriggerDeclaration) async -> Bool {
        guard let process = trigger.target.workflow else { return false }
        var filter = ProcessInstanceFilter()
        filter.definition.processID = [.equal(process)]
        filter.state = [.equal(.active)]
        let query = Query(filter: filter, page: PageRequest(limit: 1))
        let found = try? await self.read { (records) throws(StoreError) in
            try records.processInstances(query).items.first
        }
        return found.flatMap { $0 } != nil
    }
}
