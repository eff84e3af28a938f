internal import ConnectorKit
internal import SQLSupport
internal import Values

extension PostgresSession {
    /// How much is sent at once.
    private static let pieceBytes = 64 << 10

    // MARK: - In

    /// Copies rows into a table, in one transaction.
    ///
    /// Returns how many.
    func copyIn(
        _ copy: PostgresRequest.CopyIn, key: PostgresKey?, fileRoot: String?, _ effort: PostgresEffort
    ) -> Result<Transacted, ConnectorError> {
        do throws(ConnectorError) {
            let encoder = try self.rowEncoder(copy, effort)
            let file: CopyFile.Reader?
            if case .file(let path, _) = copy.source {
                file = try CopyFile.Reader(root: fileRoot ?? "", path: path)
            } else {
                file = nil
            }
            return .success(try self.transactCopy(copy, encoder, file, key, effort))
        } catch {
            return .failure(error)
        }
    }

    private func transactCopy(
        _ copy: PostgresRequest.CopyIn, _ types: [PostgresType], _ file: CopyFile.Reader?, _ key: PostgresKey?,
        _ effort: PostgresEffort
    ) throws(ConnectorError) -> Transacted {
        var transaction = Transaction(effort: effort)
        do throws(TransactionFailure) {
            try self.begin(&transaction, "BEGIN", key, statements: [], commits: false)
            let count: Int
            do throws(ConnectorError) {
                count = try self.sendCopy(copy, types, file, effort)
            } catch {
                throw .failed(error)
            }
            let result = PostgresResult(affected: count)
            transaction.results = [result]
            if let key {
                try self.record(key.update(.context(result.value)), in: &transaction)
            } else {
                try self.commit(&transaction)
            }
            return .done([result])
        } catch {
            self.rollBack(effort)
            switch error {
            case .failed(let error): throw error
            case .keyIsTaken:
                guard let key else { break }
                return .doneBefore(try self.recorded(key, effort))
            case .stale: break
            }
            throw PostgresErrors.cut(.broken("a plan was lost"), timeout: effort.timeout, mayHaveExecuted: false)
        }
    }

    /// The types of the columns rows go to; none for a file, whose text the server reads itself.
    private func rowEncoder(
        _ copy: PostgresRequest.CopyIn, _ effort: PostgresEffort
    ) throws(ConnectorError) -> [PostgresType] {
        guard case .rows = copy.source else { return [] }
        let list = copy.columns.isEmpty ? "*" : copy.columns.map(SQLText.quotedName).joined(separator: ", ")
        let text = "SELECT \(list) FROM \(SQLText.quotedPath(copy.table)) LIMIT 0"
        let prepared: Result<Prepared, PQServerError>
        do throws(PQFailure) {
            prepared = try self.prepare(text, effort.limits)
        } catch {
            throw PostgresErrors.cut(error, timeout: effort.timeout, mayHaveExecuted: false)
        }
        return try prepared.mapError { self.error($0, effort, mayHaveExecuted: false) }.get().columns.map(\.type)
    }

    private func sendCopy(
        _ copy: PostgresRequest.CopyIn, _ types: [PostgresType], _ file: CopyFile.Reader?, _ effort: PostgresEffort
    ) throws(ConnectorError) -> Int {
        var options = "(FORMAT text)"
        if case .file(_, let fileOptions) = copy.source { options = fileOptions.clause }
        let text = "COPY \(copy.target) FROM STDIN \(options)"
        return try self.guarded(effort) { limits throws(CopyFailure) in
            try self.startCopy(text, .copyIn, limits)
            let problem: ConnectorError?
            do throws(CopyFailure) {
                switch copy.source {
                case .rows(let rows): try self.send(rows, types, copy.columns, limits)
                case .file: try self.send(file, limits)
                }
                problem = nil
            } catch .ours(let error) {
                problem = error
            }
            try self.stepping { () throws(PQFailure) in
                try self.connection.endCopy(failing: problem == nil ? nil : "the data cannot be read", limits)
            }
            do throws(CopyFailure) {
                let result = try self.finishCopy(limits)
                if let problem { throw .ours(problem) }
                return result
            } catch {
                if let problem { throw .ours(problem) }
                throw error
            }
        }
    }

    private func send(
        _ rows: [[Value]], _ types: [PostgresType], _ columns: [String], _ limits: PQConnection.Limits
    ) throws(CopyFailure) {
        var piece: [UInt8] = []
        for (index, row) in rows.enumerated() {
            guard row.count == types.count else {
                throw .ours(
                    PostgresErrors.mismatch(
                        "rows[\(index)]", .init(expected: "\(types.count) values", found: "\(row.count)")))
            }
            for (column, (value, type)) in zip(row, types).enumerated() {
                if column > 0 { piece.append(UInt8(ascii: "\t")) }
                do throws(PostgresEncoder.Mismatch) {
                    Self.append(try PostgresEncoder.text(value, type), to: &piece)
                } catch {
                    let name = columns.indices.contains(column) ? columns[column] : String(column)
                    throw .ours(PostgresErrors.mismatch("rows[\(index)].\(name)", error))
                }
            }
            piece.append(UInt8(ascii: "\n"))
            if piece.count >= Self.pieceBytes {
                try self.put(piece, limits)
                piece.removeAll(keepingCapacity: true)
            }
        }
        if !piece.isEmpty { try self.put(piece, limits) }
    }

    private func send(_ file: CopyFile.Reader?, _ limits: PQConnection.Limits) throws(CopyFailure) {
        guard let file else { return }
        while true {
            let piece: [UInt8]
            do throws(ConnectorError) {
                piece = try file.next(Self.pieceBytes)
            } catch {
                throw .ours(error)
            }
            guard !piece.isEmpty else { return }
            try self.put(piece, limits)
        }
    }

    private func put(_ piece: [UInt8], _ limits: PQConnection.Limits) throws(CopyFailure) {
        var failure: PQFailure?
        piece.withUnsafeBufferPointer { bytes in
            do throws(PQFailure) {
                try self.connection.putCopy(bytes, limits)
            } catch {
                failure = error
            }
        }
        if let failure { throw .theirs(failure) }
    }

    /// A value of COPY's text format.
    private static func append(_ text: String?, to piece: inout [UInt8]) {
        guard let text else {
            piece.append(contentsOf: "\\N".utf8)
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): piece.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): piece.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): piece.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): piece.append(contentsOf: "\\t".utf8)
            default: piece.append(byte)
            }
        }
    }

    // MARK: - Out

    /// Copies rows out: into the result, or into a file that is there only when it is complete.
    func copyOut(
        _ copy: PostgresRequest.CopyOut, fileRoot: String?, _ effort: PostgresEffort
    ) -> Result<ValueContext, ConnectorError> {
        do throws(ConnectorError) {
            let writer = try copy.file.map { path throws(ConnectorError) in
                try CopyFile.Writer(root: fileRoot ?? "", path: path)
            }
            let steps = self.steps(for: effort.mode)
            if !steps.isEmpty, let failure = self.run(steps, effort.limits).failure {
                throw PostgresErrors.cut(failure, timeout: effort.timeout, mayHaveExecuted: false)
            }
            var content: [UInt8] = []
            var size = 0
            let text = "COPY \(copy.source) TO STDOUT \(copy.options.clause)"
            let rows = try self.guarded(effort) { limits throws(CopyFailure) in
                try self.startCopy(text, .copyOut, limits)
                while let piece = try self.stepping({ () throws(PQFailure) in try self.connection.getCopy(limits) }) {
                    size += piece.count
                    guard size <= copy.bytesMaximum else {
                        throw .ours(PostgresErrors.tooLarge(copy.bytesMaximum))
                    }
                    guard let writer else {
                        content += piece
                        continue
                    }
                    do throws(ConnectorError) {
                        try writer.append(piece)
                    } catch {
                        throw .ours(error)
                    }
                }
                return try self.finishCopy(limits)
            }
            var value: ValueContext = ["rows": SQLText.whole(rows), "bytes": SQLText.whole(size)]
            if let writer {
                try writer.finish()
                value["file"] = .string(copy.file ?? "")
            } else {
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw PostgresErrors.malformed("UTF-8 text", mayHaveExecuted: false)
                }
                value["content"] = .string(text)
            }
            return .success(value)
        } catch {
            return .failure(error)
        }
    }

    // MARK: - Both

    /// Why a COPY could not go on.
    private enum CopyFailure: Error {
        case theirs(PQFailure)
        case said(PQServerError)
        case ours(ConnectorError)
    }

    /// Runs `body`; a connection on which a COPY broke off is stopped and not used again.
    private func guarded(
        _ effort: PostgresEffort, _ body: (PQConnection.Limits) throws(CopyFailure) -> Int
    ) throws(ConnectorError) -> Int {
        do throws(CopyFailure) {
            return try body(effort.limits.waiting)
        } catch {
            if !self.connection.isIdle, !self.connection.isInTransaction { self.abandon() }
            switch error {
            case .said(let error): throw self.error(error, effort, mayHaveExecuted: false)
            case .ours(let error): throw error
            case .theirs(let failure):
                self.abandon()
                throw PostgresErrors.cut(failure, timeout: effort.timeout, mayHaveExecuted: false)
            }
        }
    }

    private func abandon() {
        guard !self.mustClose else { return }
        self.mustClose = true
        if let canceller = self.connection.canceller() { DedicatedThread.detach { canceller.cancel() } }
    }

    private func stepping<Success>(_ body: () throws(PQFailure) -> Success) throws(CopyFailure) -> Success {
        do throws(PQFailure) {
            return try body()
        } catch {
            throw .theirs(error)
        }
    }

    private func startCopy(
        _ text: String, _ expected: PQResult.Status, _ limits: PQConnection.Limits
    ) throws(CopyFailure) {
        let first = try self.stepping { () throws(PQFailure) in
            try self.connection.sendSimple(text)
            return try self.connection.nextResult(limits)
        }
        guard let first, first.status == expected else {
            let error = first?.serverError
            _ = try self.stepping { () throws(PQFailure) in
                while try self.connection.nextResult(limits) != nil {}
            }
            if let error { throw .said(error) }
            throw .ours(PostgresErrors.malformed("answer to COPY", mayHaveExecuted: false))
        }
    }

    /// Reads the end of a COPY; returns its number of rows.
    private func finishCopy(_ limits: PQConnection.Limits) throws(CopyFailure) -> Int {
        var error: PQServerError?
        var rows = 0
        try self.stepping { () throws(PQFailure) in
            while let result = try self.connection.nextResult(limits) {
                if let found = result.serverError { error = error ?? found }
                rows = result.affected ?? rows
            }
        }
        if let error { throw .said(error) }
        return rows
    }
}
