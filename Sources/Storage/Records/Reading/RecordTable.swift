/// How one kind of record is read: its columns, what its filter means, what it can be sorted by.
struct RecordTable<Filter: RecordFilter, Row: Sendable>: Sendable {
    /// An expression to sort by.
    struct SortExpression: Sendable {
        let sql: String
        let isNullable: Bool

        /// A number.
        static func number(_ column: String, isNullable: Bool = false) -> SortExpression {
            SortExpression(sql: "t.\(column)", isNullable: isNullable)
        }

        /// A text; cut, so that cursors stay short.
        static func text(_ column: String, isNullable: Bool = false) -> SortExpression {
            SortExpression(sql: "substr(t.\(column), 1, 64)", isNullable: isNullable)
        }

        /// A column of the record's definition.
        static func definition(_ expression: String) -> SortExpression {
            SortExpression(
                sql: "(SELECT \(expression) FROM process_definition d WHERE d.key = t.definition_key)", isNullable: true
            )
        }
    }

    /// The table, called `t` in expressions; its primary key is `key`.
    let name: String
    /// The columns `row` reads, in order.
    let columns: [String]
    /// Builds a row from the current row of a statement.
    let row: @Sendable (SQLiteStatement) -> Row
    /// The part of a filter that is about the definition; it is resolved to definition keys beforehand.
    let definition: @Sendable (Filter) -> ProcessDefinitionCondition
    /// Adds what the rest of a filter means.
    let conditions: @Sendable (Filter, inout WhereBuilder) -> Void
    /// What to sort by; nil is the key itself.
    let sortExpression: @Sendable (Filter.SortField) -> SortExpression?
}

/// Builds keyset conditions and orders.
struct Ordering: Sendable {
    /// One criterion; the last one is the key.
    struct Criterion: Sendable {
        let sql: String
        let isNullable: Bool
        let isDescending: Bool
    }

    let criteria: [Criterion]

    /// The order of a query; `isReversed` reads it backwards.
    init<Filter, Row>(_ sort: [SortCriterion<Filter.SortField>], table: RecordTable<Filter, Row>, isReversed: Bool) {
        var criteria: [Criterion] = []
        var isDescending = false
        for criterion in sort {
            isDescending = criterion.isDescending
            guard let expression = table.sortExpression(criterion.field) else { break }
            criteria.append(
                Criterion(
                    sql: expression.sql, isNullable: expression.isNullable,
                    isDescending: criterion.isDescending != isReversed))
        }
        criteria.append(Criterion(sql: "t.key", isNullable: false, isDescending: isDescending != isReversed))
        self.criteria = criteria
    }

    /// The ORDER BY list.
    var sql: String {
        self.criteria.map { $0.sql + ($0.isDescending ? " DESC" : "") }.joined(separator: ", ")
    }

    /// The rows that come after the one with these values.
    func add(after values: [SQLParameter], to builder: inout WhereBuilder) {
        var alternatives: [WhereBuilder] = []
        for (index, criterion) in self.criteria.enumerated() {
            var alternative = WhereBuilder()
            for (equal, value) in zip(self.criteria, values).prefix(index) {
                alternative.add("\(equal.sql) IS ?", [value])
            }
            if criterion.add(after: values[index], to: &alternative) { alternatives.append(alternative) }
        }
        // Implied by the alternatives, but in a form for which an index can be used.
        if let first = self.criteria.first, !first.isNullable {
            builder.add("\(first.sql) \(first.isDescending ? "<=" : ">=") ?", [values[0]])
        }
        builder.add(anyOf: alternatives)
    }
}

extension Ordering.Criterion {
    /// Adds the condition of coming after a value, missing values being smallest; false when nothing does.
    fileprivate func add(after value: SQLParameter, to builder: inout WhereBuilder) -> Bool {
        switch (value, self.isDescending) {
        case (.null, true):
            return false
        case (.null, false):
            builder.add("\(self.sql) IS NOT NULL")
        case (_, false):
            builder.add("\(self.sql) > ?", [value])
        case (_, true):
            builder.add(
                self.isNullable ? "(\(self.sql) < ? OR \(self.sql) IS NULL)" : "\(self.sql) < ?", [value])
        }
        return true
    }
}
