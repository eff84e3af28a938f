internal import Values

/// A table as events see it.
struct TableShape: Sendable, Hashable {
    struct Column: Sendable, Hashable {
        var name: String
        var type: PostgresType
        /// Whether it is among what a row is known by before a change.
        var isIdentity = false
    }

    var schema: String
    var name: String
    var columns: [Column]
    /// The columns of the primary key, in its order; empty when there is none.
    var key: [Int]

    /// `public.orders`.
    var path: String { "\(self.schema).\(self.name)" }

    /// What events with this key are in order by.
    func keyText(_ row: ValueContext?) -> String? {
        guard let row, !self.key.isEmpty else { return nil }
        let values = self.key.map { row[self.columns[$0].name] ?? .null }
        if values.count == 1, case .string(let text) = values[0] { return text }
        return values.count == 1 ? JSON.string(values[0]) : JSON.string(.list(values))
    }

    /// The values of the key.
    func keyContext(_ row: ValueContext?) -> Value {
        guard let row, !self.key.isEmpty else { return .null }
        var context = ValueContext()
        for column in self.key { context[self.columns[column].name] = row[self.columns[column].name] ?? .null }
        return .context(context)
    }
}
