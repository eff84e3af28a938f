extension RecordConnection {
    /// Below this number of matches, finding all of them by an index and sorting them beats walking in order.
    private static let narrowMaximum = 20_000

    /// How to find process instances.
    ///
    /// SQLite does not know how many instances a definition or a state has; the totals do. When only these matter, the
    /// number of matches is known too. Other conditions are left to SQLite, whose indexes for them are selective.
    func plan(
        _ query: Query<ProcessInstanceFilter>, definitionKeys: [UInt64]?
    ) throws(StoreError) -> AccessPlan {
        let filter = query.filter
        let isSelective =
            !filter.key.isEmpty || !filter.businessID.isEmpty || !filter.parentInstanceKey.isEmpty
            || !filter.parentElementInstanceKey.isEmpty || !query.anyOf.isEmpty
        let hasPattern = filter.state.contains { if case .like = $0 { true } else { false } }
        if isSelective || hasPattern { return AccessPlan() }
        if filter.hasIncident == true { return AccessPlan(hint: "INDEXED BY process_instance_incident") }
        let states = LifecycleState.allCases.filter { state in filter.state.allSatisfy { $0.matches(state) } }
        var matches = 0
        for total in try self.instanceTotals() where definitionKeys?.contains(total.definitionKey) ?? true {
            for state in states { matches += total[state] }
        }
        var plan = AccessPlan()
        let isExact =
            filter.hasIncident == nil && filter.startedAt.isEmpty && filter.endedAt.isEmpty && filter.variables.isEmpty
            && filter.errorMessage.isEmpty && filter.hasRetriesLeft == nil
        if isExact { plan.knownTotal = matches }
        if matches <= Self.narrowMaximum {
            // A partial index is usable only when the condition stands in the statement as it does in the index.
            switch filter.state {
            case [.equal(.active)]: plan.hint = "INDEXED BY process_instance_active"
            case [.equal(.terminated)]: plan.hint = "INDEXED BY process_instance_terminated"
            default: if definitionKeys != nil { plan.hint = "INDEXED BY process_instance_definition" }
            }
        } else if filter.startedAt.isEmpty && filter.endedAt.isEmpty {
            switch query.sort.first?.field {
            case nil, .processInstanceKey: plan.hint = "NOT INDEXED"
            case .startDate: plan.hint = "INDEXED BY process_instance_started"
            case .endDate: plan.hint = "INDEXED BY process_instance_ended"
            default: break
            }
        }
        return plan
    }
}

extension ProcessInstanceTotal {
    fileprivate subscript(state: LifecycleState) -> Int {
        switch state {
        case .active: self.active
        case .completed: self.completed
        case .terminated: self.terminated
        }
    }
}

extension Comparison<LifecycleState> {
    /// Whether a state, which is never missing, satisfies the comparison.
    fileprivate func matches(_ state: LifecycleState) -> Bool {
        switch self {
        case .equal(let other): state == other
        case .notEqual(let other): state != other
        case .exists(let isPresent): isPresent
        case .less(let other): state.rawValue < other.rawValue
        case .lessOrEqual(let other): state.rawValue <= other.rawValue
        case .greater(let other): state.rawValue > other.rawValue
        case .greaterOrEqual(let other): state.rawValue >= other.rawValue
        case .oneOf(let states): states.contains(state)
        case .noneOf(let states): !states.contains(state)
        case .like: false
        }
    }
}
