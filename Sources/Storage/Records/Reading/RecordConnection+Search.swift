/// How a search should find its rows, when there is a better answer than SQLite's own guess.
struct AccessPlan {
    /// What follows the table in FROM: nothing, or `INDEXED BY` an index.
    var hint = ""
    /// How many rows match, when that is known without counting.
    var knownTotal: Int?
}

extension RecordConnection {
    /// Finds a page of rows.
    func search<Filter, Row>(
        _ query: Query<Filter>, in table: RecordTable<Filter, Row>,
        plan: (_ definitionKeys: [UInt64]?) throws(StoreError) -> AccessPlan = { _ throws(StoreError) in AccessPlan() }
    ) throws(StoreError) -> ResultPage<Row> {
        let definitionKeys = try self.definitionKeys(table.definition(query.filter))
        var conditions = WhereBuilder()
        table.add(query.filter, definitionKeys, to: &conditions)
        var alternatives: [WhereBuilder] = []
        for filter in query.anyOf {
            var alternative = WhereBuilder()
            table.add(filter, try self.definitionKeys(table.definition(filter)), to: &alternative)
            alternatives.append(alternative)
        }
        conditions.add(anyOf: alternatives)
        let plan = try plan(definitionKeys)
        let from = "\(table.name) t \(plan.hint)"
        var (rows, positions) = try self.page(query, in: table, from: from, where: conditions)
        if case .before = query.page.position {
            rows.reverse()
            positions.reverse()
        }
        let countedMaximum = ResultPage<Row>.countedMaximum
        let total: Int
        if let known = plan.knownTotal {
            total = known
        } else {
            total = try self.number(
                "SELECT count(*) FROM (SELECT 1 FROM \(from) WHERE \(conditions.sql) LIMIT \(countedMaximum + 1))",
                conditions.parameters)
        }
        let isCut = plan.knownTotal == nil && total > countedMaximum
        return ResultPage(
            items: rows, total: isCut ? countedMaximum : total, hasMoreThanTotal: isCut,
            startCursor: positions.first.map(Cursor.encode), endCursor: positions.last.map(Cursor.encode))
    }

    /// The rows of a page in reading order, each with its sort values.
    private func page<Filter, Row>(
        _ query: Query<Filter>, in table: RecordTable<Filter, Row>, from: String, where conditions: WhereBuilder
    ) throws(StoreError) -> (rows: [Row], positions: [[SQLParameter]]) {
        guard (1...10_000).contains(query.page.limit) else {
            throw StoreError(
                .misuse, "A page has 1 to 10,000 rows, not \(query.page.limit).", remedy: "Ask for fewer rows.")
        }
        var conditions = conditions
        var isReversed = false
        var offset = 0
        var cursor: String?
        switch query.page.position {
        case .from(let count): offset = max(0, count)
        case .after(let text): cursor = text
        case .before(let text): (cursor, isReversed) = (text, true)
        }
        let ordering = Ordering(query.sort, table: table, isReversed: isReversed)
        if let cursor {
            ordering.add(after: try Cursor.decode(cursor, count: ordering.criteria.count), to: &conditions)
        }
        let columns = table.columns.map { "t.\($0)" } + ordering.criteria.map(\.sql)
        let firstPosition = Int32(table.columns.count)
        let sql = """
            SELECT \(columns.joined(separator: ", ")) FROM \(from) WHERE \(conditions.sql)
            ORDER BY \(ordering.sql) LIMIT ? OFFSET ?
            """
        let parameters = conditions.parameters + [.integer(Int64(query.page.limit)), .integer(Int64(offset))]
        var rows: [Row] = []
        var positions: [[SQLParameter]] = []
        let statement = try self.statement(sql, parameters)
        while try statement.step() {
            rows.append(table.row(statement))
            positions.append(ordering.criteria.indices.map { statement.parameter(firstPosition + Int32($0)) })
        }
        return (rows, positions)
    }

    /// The keys of the definitions that satisfy a condition; nil when all do.
    func definitionKeys(_ condition: ProcessDefinitionCondition) throws(StoreError) -> [UInt64]? {
        if condition.isEmpty { return nil }
        var builder = WhereBuilder()
        builder.add(condition)
        return try self.rows(
            "SELECT key FROM process_definition t WHERE \(builder.sql) ORDER BY key", builder.parameters
        ) { $0.uint64(0) }
    }
}

extension RecordTable {
    /// Adds everything a filter means.
    fileprivate func add(_ filter: Filter, _ definitionKeys: [UInt64]?, to builder: inout WhereBuilder) {
        if let definitionKeys { builder.add("t.definition_key", in: definitionKeys) }
        self.conditions(filter, &builder)
    }
}

extension WhereBuilder {
    /// Adds a condition on the table `process_definition`.
    mutating func add(_ condition: ProcessDefinitionCondition) {
        self.add("t.key", condition.key)
        self.add("t.process_id", condition.processID)
        self.add("t.name", condition.name)
        self.add("t.version", condition.version)
        self.add("t.version_tag", condition.versionTag)
    }

    /// Adds conditions on variables of the instance, and of a scope when one is given, of a row.
    mutating func add(_ variables: [VariableCondition], instance: String, scope: String? = nil) {
        for variable in variables {
            var inner = WhereBuilder()
            inner.add("v.instance_key = \(instance)")
            if let scope { inner.add("v.scope_key = \(scope)") }
            inner.add("v.name", [.equal(variable.name)])
            inner.add("v.value", variable.value)
            self.add("EXISTS (SELECT 1 FROM variable v WHERE \(inner.sql))", inner.parameters)
        }
    }
}

extension SQLiteStatement {
    /// A column of a sort expression.
    fileprivate func parameter(_ column: Int32) -> SQLParameter {
        if self.isNull(column) { return .null }
        return self.isText(column) ? .text(self.text(column) ?? "") : .integer(self.int64(column))
    }
}
