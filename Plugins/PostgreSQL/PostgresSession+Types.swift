extension PostgresSession {
    /// A type that is built in, or that was learned.
    func type(_ oid: UInt32) -> PostgresType { PostgresType.builtIn(oid) ?? self.types[oid] ?? .other }

    /// Asks the database about types of its own: arrays need their elements, domains their base types.
    func learn(_ oids: [UInt32], _ limits: CallLimits) throws(PQFailure) {
        var wanted = Set(oids.filter { PostgresType.builtIn($0) == nil && self.types[$0] == nil })
        var found: [UInt32: TypeRow] = [:]
        var rounds = 0
        while !wanted.isEmpty, rounds < 8 {
            rounds += 1
            let list = wanted.sorted().map(String.init).joined(separator: ",")
            let rows = try self.typeRows(
                "SELECT oid::int8, typelem::int8, typbasetype::int8, typlen, typdelim FROM pg_catalog.pg_type "
                    + "WHERE oid IN (\(list))", limits)
            for oid in wanted { self.types[oid] = .other }
            wanted = []
            for row in rows {
                found[row.oid] = row
                for next in [row.element, row.base]
                where next != 0 && PostgresType.builtIn(next) == nil && found[next] == nil {
                    wanted.insert(next)
                }
            }
        }
        for oid in found.keys { self.types[oid] = Self.resolve(oid, found, depth: 0) }
    }

    private struct TypeRow {
        var oid: UInt32
        var element: UInt32
        var base: UInt32
        var isArray: Bool
        var delimiter: UInt8
    }

    private static func resolve(_ oid: UInt32, _ rows: [UInt32: TypeRow], depth: Int) -> PostgresType {
        if let type = PostgresType.builtIn(oid) { return type }
        guard let row = rows[oid], depth < 8 else { return .other }
        if row.base != 0 { return Self.resolve(row.base, rows, depth: depth + 1) }
        guard row.isArray else { return .other }
        return .array(
            Self.resolve(row.element, rows, depth: depth + 1),
            delimiter: rows[row.element]?.delimiter ?? UInt8(ascii: ","))
    }

    private func typeRows(_ text: String, _ limits: CallLimits) throws(PQFailure) -> [TypeRow] {
        var rows: [TypeRow] = []
        let run = PQPipeline.Run { self.mustClose = true }
        let ending = try PQPipeline.run(
            [.statement(text), .synchronize], on: self.connection, limits.waiting, run, isRowwise: { _ in false },
            onResult: { _, result in
                guard result.status == .rows, result.columnCount == 5 else { return false }
                for row in 0..<result.rowCount {
                    let texts = (0..<5).map { column in
                        result.withText(row, column) { $0.map { String(decoding: $0, as: UTF8.self) } ?? "" }
                    }
                    guard let oid = UInt32(texts[0]), let element = UInt32(texts[1]), let base = UInt32(texts[2]) else {
                        continue
                    }
                    rows.append(
                        TypeRow(
                            oid: oid, element: element, base: base, isArray: texts[3] == "-1" && element != 0,
                            delimiter: texts[4].utf8.first ?? UInt8(ascii: ",")))
                }
                return false
            })
        if let stopped = ending.stopped { throw stopped }
        return rows
    }
}
