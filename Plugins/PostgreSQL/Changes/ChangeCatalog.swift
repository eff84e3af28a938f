internal import ConnectorKit
internal import SQLSupport
internal import Values

/// What the database says about slots, publications and tables.
///
/// Not `Sendable`: lives on the thread of its session. Throws `ConnectorError`.
struct ChangeCatalog {
    /// A replication slot.
    struct Slot: Hashable {
        var plugin: String
        var database: String
        /// Where the stream goes on.
        var confirmed: LogPosition?
        /// `reserved`, `extended`, `unreserved`, `lost`.
        var status: String
        /// Bytes of the log the server keeps for it.
        var lag: Int
    }

    /// A table to read, and how.
    struct Table: Sendable, Hashable {
        var shape: TableShape
        /// The publication's filter of rows.
        var filter: String?

        var source: String { SQLText.quotedName(self.shape.schema) + "." + SQLText.quotedName(self.shape.name) }
    }

    let session: PostgresSession
    let limits: PostgresSession.CallLimits

    /// Whether this session is the one that reads the slot; it stays so until it ends.
    func lock(slot: String) throws(ConnectorError) -> Bool {
        let key = PostgresLiteral.text("junction change " + slot)
        let texts = try self.session.texts(
            "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended(\(key), 0))", limits: self.limits)
        return texts.first == ["t"]
    }

    func checkLogLevel() throws(ConnectorError) {
        let level = try self.session.texts("SHOW wal_level", limits: self.limits).first.first ?? ""
        guard level != "logical" else { return }
        throw ChangeErrors.setup(
            "The server's wal_level is \(level); changes need logical.",
            remedy: "Set wal_level = logical in postgresql.conf and restart the server.", kind: .unsupported)
    }

    func position() throws(ConnectorError) -> LogPosition {
        let texts = try self.session.texts("SELECT pg_catalog.pg_current_wal_lsn()", limits: self.limits)
        return texts.first.first.flatMap { LogPosition($0) } ?? .zero
    }

    /// How long the server waits for a sign of life; nil: for ever.
    func senderTimeout() throws(ConnectorError) -> Duration? {
        let texts = try self.session.texts(
            "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'", limits: self.limits)
        return texts.first.first.flatMap { Int($0) }.flatMap { $0 > 0 ? .milliseconds($0) : nil }
    }

    func slot(_ name: String) throws(ConnectorError) -> Slot? {
        let texts = try self.session.texts(
            """
            SELECT coalesce(plugin, slot_type), coalesce(database, ''), confirmed_flush_lsn, coalesce(wal_status, 'lost'),
                coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn), 0)::int8
            FROM pg_catalog.pg_replication_slots WHERE slot_name = \(PostgresLiteral.text(name))
            """, limits: self.limits)
        guard !texts.rows.isEmpty else { return nil }
        return Slot(
            plugin: texts.text(0, 0) ?? "", database: texts.text(0, 1) ?? "",
            confirmed: texts.text(0, 2).flatMap { LogPosition($0) }, status: texts.text(0, 3) ?? "",
            lag: texts.text(0, 4).flatMap { Int($0) } ?? 0)
    }

    func drop(slot: String) throws(ConnectorError) {
        try self.session.texts(
            "SELECT pg_catalog.pg_drop_replication_slot(\(PostgresLiteral.text(slot)))", limits: self.limits)
    }

    /// Makes sure that the publication has the tables, and returns them; all it has when none are listed.
    func publish(
        _ tables: [String], in publication: String, creates: Bool
    ) throws(ConnectorError) -> [Table] {
        let name = PostgresLiteral.text(publication)
        let exists = try self.session.texts(
            "SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = \(name)", limits: self.limits)
        let wanted = try tables.map { table throws(ConnectorError) in try self.table(named: table) }
        let list = wanted.map(\.source).joined(separator: ", ")
        if exists.rows.isEmpty {
            guard creates, !wanted.isEmpty else {
                throw ChangeErrors.setup(
                    "There is no publication \(publication).",
                    remedy: "CREATE PUBLICATION \(SQLText.quotedName(publication)) FOR TABLE …, or list the tables and "
                        + "leave createPublication on.", kind: .notFound)
            }
            // A partitioned table is one table to those who read its changes.
            try self.session.texts(
                "CREATE PUBLICATION \(SQLText.quotedName(publication)) FOR TABLE \(list) "
                    + "WITH (publish_via_partition_root = true)", limits: self.limits)
        }
        let published = try self.published(in: publication)
        let missing = wanted.filter { table in !published.contains { $0.shape.path == table.shape.path } }
        guard !missing.isEmpty else {
            guard !wanted.isEmpty else { return published }
            return wanted.compactMap { table in published.first { $0.shape.path == table.shape.path } }
        }
        let paths = missing.map(\.shape.path).joined(separator: ", ")
        guard creates else {
            throw ChangeErrors.setup(
                "The publication \(publication) has no \(paths).",
                remedy: "ALTER PUBLICATION \(SQLText.quotedName(publication)) ADD TABLE \(paths).", kind: .conflict)
        }
        do throws(ConnectorError) {
            try self.session.texts(
                "ALTER PUBLICATION \(SQLText.quotedName(publication)) ADD TABLE "
                    + missing.map(\.source).joined(separator: ", "), limits: self.limits)
        } catch {
            // It may be there, by its partitions.
            guard error.details["sqlstate"] == "42710" else { throw error }
        }
        let all = try self.published(in: publication)
        let found = wanted.compactMap { table in all.first { $0.shape.path == table.shape.path } }
        guard found.count == wanted.count else {
            throw ChangeErrors.setup(
                "The publication \(publication) has partitions of \(paths), each a table of its own.",
                remedy: "ALTER PUBLICATION \(SQLText.quotedName(publication)) SET (publish_via_partition_root = true), "
                    + "or list the partitions.", kind: .conflict)
        }
        return found
    }

    private func published(in publication: String) throws(ConnectorError) -> [Table] {
        let hasFilters = self.session.connection.serverVersion >= 150_000
        let texts = try self.session.texts(
            """
            SELECT pg_catalog.format('%I.%I', schemaname, tablename)\(hasFilters ? ", rowfilter, attnames" : ", NULL, NULL")
            FROM pg_catalog.pg_publication_tables WHERE pubname = \(PostgresLiteral.text(publication)) ORDER BY 1
            """, limits: self.limits)
        var tables: [Table] = []
        for row in texts.rows.indices {
            var table = try self.table(expression: PostgresLiteral.text(texts.text(row, 0) ?? "") + "::regclass")
            table.filter = texts.text(row, 1)
            if let names = texts.rows[row][2].flatMap({ Self.names($0) }) {
                table.shape = table.shape.keeping(Set(names))
            }
            tables.append(table)
        }
        return tables
    }

    /// The elements of an array of names.
    private static func names(_ text: [UInt8]) -> [String]? {
        var reader = PostgresArrayReader(bytes: text, element: .text, delimiter: UInt8(ascii: ","))
        return (try? reader.read())?.asList?.compactMap(\.asString)
    }

    /// A table by the name a user gave it.
    func table(named name: String) throws(ConnectorError) -> Table {
        let literal = PostgresLiteral.text(SQLText.quotedPath(name))
        let found = try self.session.texts("SELECT pg_catalog.to_regclass(\(literal))::oid", limits: self.limits)
        guard let oid = found.first.first else {
            throw ChangeErrors.setup(
                "There is no table \(name).", remedy: "Write the name with its schema, such as public.orders.",
                kind: .notFound)
        }
        return try self.table(expression: oid)
    }

    /// A table by its number.
    func table(_ oid: UInt32) throws(ConnectorError) -> Table { try self.table(expression: String(oid)) }

    private func table(expression: String) throws(ConnectorError) -> Table {
        let texts = try self.session.texts(
            """
            SELECT n.nspname, c.relname, a.attname, a.atttypid::int8,
                pg_catalog.array_position(i.indkey::int2[], a.attnum)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_attribute a
                ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
            WHERE c.oid = \(expression) ORDER BY a.attnum
            """, limits: self.limits)
        guard !texts.rows.isEmpty else {
            throw ChangeErrors.setup("A table is gone.", remedy: "Arm the trigger again.")
        }
        let types = texts.rows.indices.map { texts.text($0, 3).flatMap { UInt32($0) } ?? 0 }
        try self.learn(types)
        var key: [(place: Int, column: Int)] = []
        var columns: [TableShape.Column] = []
        for row in texts.rows.indices {
            guard let name = texts.text(row, 2) else { continue }
            if let place = texts.text(row, 4).flatMap({ Int($0) }) { key.append((place, columns.count)) }
            columns.append(TableShape.Column(name: name, type: self.session.type(types[row])))
        }
        return Table(
            shape: TableShape(
                schema: texts.text(0, 0) ?? "", name: texts.text(0, 1) ?? "", columns: columns,
                key: key.sorted { $0.place < $1.place }.map(\.column)))
    }

    private func learn(_ types: [UInt32]) throws(ConnectorError) {
        do throws(PQFailure) {
            try self.session.learn(types, self.limits)
        } catch {
            throw PostgresErrors.cut(error, timeout: .seconds(10), mayHaveExecuted: false)
        }
    }

    /// The shape of a table as the stream describes it.
    func shape(_ relation: PGOutput.Relation) throws(ConnectorError) -> TableShape {
        try self.learn(relation.columns.map(\.type))
        let columns = relation.columns.map {
            TableShape.Column(name: $0.name, type: self.session.type($0.type), isIdentity: $0.isKey)
        }
        var shape = TableShape(schema: relation.schema, name: relation.name, columns: columns, key: [])
        switch relation.identity {
        case .primaryKey, .index: shape.key = columns.indices.filter { columns[$0].isIdentity }
        case .full, .nothing: break
        }
        // The stream does not say which key it is, nor its order; the table of today does, if it is still there.
        if let today = try? self.table(relation.id).shape {
            let names = today.key.map { today.columns[$0].name }
            let key = names.compactMap { name in columns.firstIndex { $0.name == name } }
            if !key.isEmpty, key.count == names.count { shape.key = key }
        }
        return shape
    }
}

extension TableShape {
    /// The table with some of its columns only.
    fileprivate func keeping(_ names: Set<String>) -> TableShape {
        var shape = self
        shape.columns = self.columns.filter { names.contains($0.name) }
        let key = self.key.map { self.columns[$0].name }
        shape.key = key.compactMap { name in shape.columns.firstIndex { $0.name == name } }
        if shape.key.count != key.count { shape.key = [] }
        return shape
    }
}
