internal import CODBC
internal import ConnectorKit
internal import SQLSupport
internal import Values

/// One statement with many sets of parameters.
struct ODBCBatch {
    /// Memory for the parameters of one execution.
    private static let blockBytesMaximum = 8 << 20

    let operations: ODBCOperations

    private var session: ODBCSession { self.operations.session }

    /// Runs the batch: all or nothing, or each set for itself.
    func run(_ text: String, _ sets: [ODBCText.Parameters], isAtomic: Bool) throws(ODBCFailure) -> Outcome {
        try self.operations.admit(text)
        var sql = text
        var rows: [Swift.Result<[ODBCValue], ConnectorError>] = []
        var template: SQLTemplate?
        for (index, set) in sets.enumerated() {
            do throws(ODBCFailure) {
                switch set {
                case .none: rows.append(.success([]))
                case .listed(let values):
                    rows.append(.success(try self.operations.values(values) { "[\(index)][\($0)]" }))
                case .named(let context):
                    let known: SQLTemplate
                    if let template { known = template } else { known = try self.operations.template(text) }
                    template = known
                    sql = known.questioned
                    rows.append(.success(try self.operations.values(context, known)))
                }
            } catch {
                if isAtomic { throw error }
                rows.append(.failure(self.operations.error(error)))
            }
        }
        if rows.isEmpty { return self.outcome([]) }
        return isAtomic ? try self.atomically(sql, rows) : self.eachForItself(sql, rows)
    }

    private typealias ItemResult = Swift.Result<Int, ConnectorError>

    // MARK: - All or nothing

    private func atomically(
        _ sql: String, _ rows: [Swift.Result<[ODBCValue], ConnectorError>]
    ) throws(ODBCFailure) -> Outcome {
        var values: [[ODBCValue]] = []
        for case .success(let row) in rows { values.append(row) }
        guard Set(values.map(\.count)).count == 1 else {
            throw .ours(
                ODBCErrors.mismatch(
                    "sets", expected: "the same number of values in each set", found: "different numbers"))
        }
        let counts = try self.session.transaction(commits: true) { () throws(ODBCFailure) -> [Int] in
            let statement = try self.prepare(sql, values[0].count)
            var counts: [Int] = []
            for chunk in self.chunks(values) { counts += try self.execute(statement, chunk, first: counts.count) }
            return counts
        }
        return self.outcome(counts.map { .success($0) })
    }

    private func prepare(_ sql: String, _ count: Int) throws(ODBCFailure) -> ODBCStatement {
        let statement = try self.operations.harmless { () throws(ODBCDiagnostic) in
            try self.session.statement(self.operations.call)
        }
        try self.operations.harmless { () throws(ODBCDiagnostic) in try statement.prepare(sql) }
        try self.operations.check(statement, count)
        return statement
    }

    /// Runs of rows that go together: not too many, and not too large.
    private func chunks(_ rows: [[ODBCValue]]) -> [ArraySlice<[ODBCValue]>] {
        var chunks: [ArraySlice<[ODBCValue]>] = []
        var start = 0
        while start < rows.count {
            var end = min(start + self.operations.settings.arrayRows, rows.count)
            while end > start + 1, ODBCParameterBlock.bytes(rows[start..<end]) > Self.blockBytesMaximum {
                end = start + (end - start) / 2
            }
            chunks.append(rows[start..<end])
            start = end
        }
        return chunks
    }

    /// Runs the statement for each row, as an array if the driver takes it; all succeed, or this throws.
    ///
    /// Returns how many rows each touched.
    private func execute(
        _ statement: ODBCStatement, _ rows: ArraySlice<[ODBCValue]>, first: Int
    ) throws(ODBCFailure) -> [Int] {
        let block = ODBCParameterBlock(rows)
        guard rows.count > 1, statement.setRows(block) else {
            statement.setSingleRow()
            var counts: [Int] = []
            for (offset, row) in rows.enumerated() {
                counts.append(try self.executeOne(statement, row, index: first + offset))
            }
            return counts
        }
        try self.operations.harmless { () throws(ODBCDiagnostic) in try statement.bind(block) }
        let execution = statement.execute()
        let failed = (0..<rows.count).first { Int32(block.statuses[$0]) == SQL_PARAM_ERROR }
        switch execution {
        case .notBegun: throw .notBegun
        case .failed(let diagnostic): throw self.failure(diagnostic, row: failed.map { first + $0 })
        case .done: break
        }
        if let failed {
            throw self.failure(ODBCDiagnostic.first(SQL_HANDLE_STMT, statement.raw), row: first + failed)
        }
        return try withExtendedLifetime(block) { () throws(ODBCFailure) in
            try self.counts(statement, rows.count)
        }
    }

    /// How many rows each set touched: one count for all, or one for each.
    private func counts(_ statement: ODBCStatement, _ rows: Int) throws(ODBCFailure) -> [Int] {
        var counts: [Int] = []
        repeat {
            counts.append(statement.columnCount == 0 ? statement.affected ?? 0 : 0)
        } while try self.operations.afterwards { () throws(ODBCDiagnostic) in
            counts.count < rows ? try statement.nextResult() : false
        }
        statement.closeCursor()
        if counts.count == rows { return counts }
        // A sum for all: each set touched as many as any other, as far as anybody can tell.
        let total = counts.reduce(0, +)
        if total.isMultiple(of: rows) { return Array(repeating: total / rows, count: rows) }
        return [total] + Array(repeating: 0, count: rows - 1)
    }

    private func executeOne(
        _ statement: ODBCStatement, _ row: [ODBCValue], index: Int
    ) throws(ODBCFailure) -> Int {
        let block = ODBCParameterBlock([row])
        try self.operations.harmless { () throws(ODBCDiagnostic) in try statement.bind(block) }
        switch statement.execute() {
        case .notBegun: throw .notBegun
        case .failed(let diagnostic): throw self.failure(diagnostic, row: index)
        case .done: break
        }
        return try withExtendedLifetime(block) { () throws(ODBCFailure) in
            let result = try self.operations.results(statement, self.operations.bounds(0))
            statement.closeCursor()
            return result.affected ?? 0
        }
    }

    private func failure(_ diagnostic: ODBCDiagnostic, row: Int?) -> ODBCFailure {
        var diagnostic = diagnostic
        if let row { diagnostic.message += " (set \(row) of the parameters)" }
        return .driver(diagnostic, mayHaveExecuted: true)
    }

    // MARK: - Each for itself

    /// Sets go in transactions of many; where one fails, those of its transaction are run again one by one.
    private func eachForItself(_ sql: String, _ rows: [Swift.Result<[ODBCValue], ConnectorError>]) -> Outcome {
        var results: [ItemResult?] = Array(repeating: nil, count: rows.count)
        var groups: [[(index: Int, values: [ODBCValue])]] = []
        for (index, row) in rows.enumerated() {
            switch row {
            case .failure(let error): results[index] = .failure(error)
            case .success(let values):
                let isSame = groups.last?.last.map { $0.values.count == values.count } ?? false
                if isSame { groups[groups.count - 1].append((index, values)) } else { groups.append([(index, values)]) }
            }
        }
        for group in groups {
            var position = 0
            for chunk in self.chunks(group.map(\.values)) {
                let items = group[position..<(position + chunk.count)]
                position += chunk.count
                for (item, result) in zip(items, self.run(sql, chunk)) { results[item.index] = result }
            }
        }
        return self.outcome(results.map { $0 ?? .failure(self.operations.error(.notBegun)) })
    }

    private func run(_ sql: String, _ chunk: ArraySlice<[ODBCValue]>) -> [ItemResult] {
        if chunk.count > 1, self.session.capabilities.hasTransactions {
            do throws(ODBCFailure) {
                return try self.session.transaction(commits: true) { () throws(ODBCFailure) -> [Int] in
                    let statement = try self.prepare(sql, chunk.first?.count ?? 0)
                    return try self.execute(statement, chunk, first: 0)
                }.map { .success($0) }
            } catch {
                let error = self.operations.error(error)
                // What may have happened must not happen again.
                if error.mayHaveExecuted || self.operations.call.ending != nil || self.session.mustClose {
                    return chunk.map { _ in .failure(error) }
                }
            }
        }
        return chunk.map { values in
            do throws(ODBCFailure) {
                if self.operations.call.ending != nil { throw .notBegun }
                let statement = try self.prepare(sql, values.count)
                let block = ODBCParameterBlock([values])
                try self.operations.harmless { () throws(ODBCDiagnostic) in try statement.bind(block) }
                try self.operations.execute(statement)
                return try withExtendedLifetime(block) { () throws(ODBCFailure) in
                    .success(try self.operations.results(statement, self.operations.bounds(0)).affected ?? 0)
                }
            } catch {
                return .failure(self.operations.error(error))
            }
        }
    }

    // MARK: - Outcome

    private func outcome(_ results: [ItemResult]) -> Outcome {
        var items: [Value] = []
        var affected = 0
        var errors: [ConnectorError] = []
        for result in results {
            switch result {
            case .success(let count):
                affected += count
                items.append(["affected": SQLText.whole(count)])
            case .failure(let error):
                errors.append(error)
                items.append(["error": SQLText.item(error)])
            }
        }
        // When none happened for the same reason, that is what became of the whole.
        if let first = errors.first, errors.count == results.count,
            errors.allSatisfy({ $0.code == first.code && $0.kind == first.kind })
        {
            var error = first
            error.mayHaveExecuted = errors.contains(where: \.mayHaveExecuted)
            return .failed(error)
        }
        return .done(
            [
                "affected": SQLText.whole(affected), "failed": SQLText.whole(errors.count), "items": .list(items),
            ], facts: self.session.capabilities.facts)
    }
}
