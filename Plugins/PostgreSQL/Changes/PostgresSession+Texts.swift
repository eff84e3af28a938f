internal import ConnectorKit
internal import SQLSupport

/// A result as texts.
struct PostgresTexts: Sendable {
    var columns: [String] = []
    var types: [UInt32] = []
    var rows: [[[UInt8]?]] = []
    var affected: Int?

    func text(_ row: Int, _ column: Int) -> String? {
        self.rows[row][column].map { String(decoding: $0, as: UTF8.self) }
    }

    /// The only column of all rows.
    var first: [String] { self.rows.compactMap { $0.first.flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } } }
}

extension PostgresSession {
    /// Runs statements without parameters in one round trip, and returns the result of the last.
    ///
    /// Throws a `ConnectorError`.
    @discardableResult
    func texts(_ statements: String..., limits: CallLimits) throws(ConnectorError) -> PostgresTexts {
        // A synchronisation point after each: a statement may end the transaction of the one before.
        try self.texts(statements.flatMap { [PQCommand.statement($0), .synchronize] }, limits)
    }

    /// Runs a query with texts for its parameters; returns its rows and its columns.
    func texts(
        _ query: String, _ parameters: [String?], limits: CallLimits
    ) throws(ConnectorError) -> (texts: PostgresTexts, columns: [(name: String, type: PostgresType)]) {
        let prepared: Result<Prepared, PQServerError>
        do throws(PQFailure) {
            prepared = try self.prepare(query, limits)
        } catch {
            throw PostgresErrors.cut(error, timeout: .seconds(60), mayHaveExecuted: false)
        }
        switch prepared {
        case .failure(let error): throw PostgresErrors.server(error, mayHaveExecuted: false)
        case .success(let prepared):
            let count = prepared.parameterTypes.count
            guard count <= parameters.count else {
                throw PostgresErrors.parameterCount(expected: count, found: parameters.count)
            }
            let command = PQCommand.execute(name: prepared.name, parameters: Array(parameters.prefix(count)))
            return (try self.texts([command, .synchronize], limits), prepared.columns)
        }
    }

    private func texts(_ commands: [PQCommand], _ limits: CallLimits) throws(ConnectorError) -> PostgresTexts {
        var texts = PostgresTexts()
        var failed: PQServerError?
        let timeout = limits.deadline - .now
        let canceller = self.connection.canceller()
        let run = PQPipeline.Run {
            self.mustClose = true
            if let canceller { DedicatedThread.detach { canceller.cancel() } }
        }
        do throws(PQFailure) {
            let ending = try PQPipeline.run(
                commands, on: self.connection, limits.waiting, run, isRowwise: { _ in false },
                onResult: { index, result in
                    if result.status == .failed {
                        failed = failed ?? result.serverError ?? PQServerError(state: "08P01", message: result.message)
                    }
                    if index == commands.count - 2, result.status == .rows || result.status == .done {
                        texts = result.texts
                    }
                    return false
                })
            if let stopped = ending.stopped { throw stopped }
        } catch {
            self.mustClose = true
            if let failed { throw PostgresErrors.server(failed, mayHaveExecuted: false) }
            throw PostgresErrors.cut(error, timeout: timeout, mayHaveExecuted: false)
        }
        if let failed { throw PostgresErrors.server(failed, mayHaveExecuted: false) }
        return texts
    }
}

extension PQResult {
    /// All of it.
    var texts: PostgresTexts {
        var texts = PostgresTexts(
            columns: (0..<self.columnCount).map(self.columnName), types: (0..<self.columnCount).map(self.columnType),
            affected: self.affected)
        texts.rows.reserveCapacity(self.rowCount)
        for row in 0..<self.rowCount {
            texts.rows.append((0..<self.columnCount).map { self.withText(row, $0) { $0.map { Array($0) } } })
        }
        return texts
    }
}

/// SQL that is put together.
enum PostgresLiteral {
    /// A text in quotes; `standard_conforming_strings` is on.
    static func text(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// A list of texts for IN; never empty.
    static func list(_ texts: some Sequence<String>) -> String {
        let items = texts.map(Self.text)
        return items.isEmpty ? "(NULL)" : "(" + items.joined(separator: ", ") + ")"
    }
}
