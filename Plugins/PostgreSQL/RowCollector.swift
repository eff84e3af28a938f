internal import Values

/// Bytes that were read.
final class ByteCount {
    var bytes = 0
}

/// Gathers the rows of one statement.
final class RowCollector {
    private let columns: [(name: String, type: PostgresType)]
    private let bounds: PostgresBounds
    private var result = PostgresResult()
    private let count: ByteCount
    private var malformed: String?
    private var isTooLarge = false
    /// Whether the statement was ended because its result is as large as it may be.
    private(set) var hasStopped = false

    init(columns: [(name: String, type: PostgresType)], bounds: PostgresBounds, count: ByteCount) {
        self.count = count
        self.columns = columns
        self.bounds = bounds
    }

    var outcome: PostgresSession.StepOutcome {
        if let malformed { return .malformed(malformed) }
        return self.isTooLarge ? .tooLarge : .done(self.result)
    }

    /// Takes a result in; returns whether the statement shall be stopped.
    func take(_ result: PQResult) -> Bool {
        switch result.status {
        case .done: self.result.affected = result.affected
        case .row, .rows:
            self.result.hasRows = true
            if result.status == .rows { self.result.affected = result.affected }
            for row in 0..<result.rowCount { self.take(row, of: result) }
        default: break
        }
        // A little more is cheaper to read than a new connection.
        let isFarBeyond = !self.result.isComplete && self.count.bytes > max(2 * self.bounds.bytes, 1 << 20)
        guard self.bounds.stopsAtBound, self.isTooLarge || isFarBeyond, !self.hasStopped, result.status == .row else {
            return false
        }
        self.hasStopped = true
        return true
    }

    private func take(_ row: Int, of result: PQResult) {
        self.count.bytes += result.byteCount(row: row)
        guard self.malformed == nil, self.result.isComplete else { return }
        guard self.result.rows.count < self.bounds.rows else {
            self.result.isComplete = false
            return
        }
        guard self.count.bytes <= self.bounds.bytes else {
            self.result.isComplete = false
            self.isTooLarge = self.bounds.stopsAtBound
            return
        }
        guard result.columnCount == self.columns.count else {
            self.malformed = "row of the statement described"
            return
        }
        var context = ValueContext()
        context.reserveCapacity(self.columns.count)
        for (column, (name, type)) in self.columns.enumerated() {
            do {
                context[name] = try result.withText(row, column) { try PostgresDecoder.value($0, type) }
            } catch {
                self.malformed = (error as? PostgresDecoder.Malformed)?.what ?? "value"
                return
            }
        }
        self.result.rows.append(.context(context))
    }
}
