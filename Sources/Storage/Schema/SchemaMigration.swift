/// One numbered step of a database schema: the text of a file in `schema/`, embedded so that the program needs no files
/// beside it.
///
/// A test compares each with its file. Released migrations never change; new ones are appended.
package struct SchemaMigration: Sendable {
    /// The number the file begins with; consecutive from 1.
    package let version: Int
    /// The file below `schema/`.
    package let file: String
    /// Its statements.
    package let sql: String
}

extension SchemaMigration {
    /// Brings an open database to the newest version, in one transaction per step.
    ///
    /// - Throws: `StoreError.schema` when the database is newer than `migrations`.
    static func apply(_ migrations: [SchemaMigration], to connection: SQLiteConnection) throws(StoreError) {
        try connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, file TEXT NOT NULL)")
        let current = Int(try connection.integer("SELECT coalesce(max(version), 0) FROM schema_version") ?? 0)
        guard current <= migrations.count else {
            throw StoreError(
                .schema,
                "\(connection.path) has schema version \(current), but this program knows versions up to "
                    + "\(migrations.count).",
                remedy: "Run the program version that wrote it, or a newer one.")
        }
        for migration in migrations[current...] {
            do {
                try connection.execute("BEGIN IMMEDIATE")
                try connection.execute(migration.sql)
                try connection.execute(
                    "INSERT INTO schema_version VALUES (\(migration.version), '\(migration.file)')")
                try connection.execute("COMMIT")
            } catch {
                connection.rollbackIfNeeded()
                throw error
            }
        }
    }
}
