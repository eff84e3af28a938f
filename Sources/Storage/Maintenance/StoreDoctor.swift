/// Checks the files of an embedded store from outside; for `junction doctor`.
///
/// Works on a store that is in use as well as on one at rest.
public enum StoreDoctor {
    /// A problem found.
    public struct Finding: Sendable, CustomStringConvertible {
        /// The file.
        public var file: String
        /// What is wrong.
        public var problem: String

        /// File and problem in one line.
        public var description: String { "\(self.file): \(self.problem)" }
    }

    /// Everything wrong with the files of a data directory; empty when all is well.
    ///
    /// Reads both files completely: about a second per gigabyte.
    /// - Throws: when a file cannot be read at all.
    public static func examine(directory: String, options: SQLiteOptions = SQLiteOptions()) throws(StoreError)
        -> [Finding]
    {
        let journal = try SQLiteConnection.reader(path: directory + "/journal.db", options: options)
        let records = try SQLiteConnection.reader(path: directory + "/records.db", options: options)
        // Records first: what is projected afterwards can only make them lag further behind this moment of the journal.
        try records.execute("BEGIN")
        let positions = try Self.positions(records)
        try journal.execute("BEGIN")
        var findings = try Self.damage(journal) + Self.damage(records)
        guard findings.isEmpty else { return findings }
        let heads: [JournalWriter.Head]
        do {
            heads = try JournalLookup(journal).heads()
        } catch {
            guard error.code == .corrupt else { throw error }
            return [Finding(file: journal.path, problem: error.message)]
        }
        for (partition, head) in heads.enumerated() {
            let projected = positions[partition] ?? 0
            if head.checkpointSequence > head.sequence || head.base > head.checkpointSequence {
                findings.append(
                    Finding(
                        file: journal.path,
                        problem: "partition \(partition) is trimmed up to \(head.base), checkpointed up to "
                            + "\(head.checkpointSequence) and ends at \(head.sequence)"))
            }
            if projected > head.sequence {
                findings.append(
                    Finding(
                        file: records.path,
                        problem:
                            "partition \(partition) is projected up to batch \(projected), but its journal ends at "
                            + "\(head.sequence)"))
            }
            if projected < head.base {
                findings.append(
                    Finding(
                        file: records.path,
                        problem: "partition \(partition) is projected up to batch \(projected), but its journal begins "
                            + "after \(head.base)"))
            }
        }
        return findings + (try Self.wrongTotals(records))
    }

    /// The projected positions by partition.
    static func positions(_ records: SQLiteConnection) throws(StoreError) -> [Int: UInt64] {
        let select = try records.prepare("SELECT partition, sequence FROM projection")
        var positions: [Int: UInt64] = [:]
        while try select.step() { positions[select.int(0)] = select.uint64(1) }
        return positions
    }

    private static func damage(_ connection: SQLiteConnection) throws(StoreError) -> [Finding] {
        do {
            return try connection.texts("PRAGMA integrity_check(20)").filter { $0 != "ok" }.map { problem in
                Finding(file: connection.path, problem: problem)
            }
        } catch {
            guard error.code == .corrupt else { throw error }
            return [Finding(file: connection.path, problem: error.message)]
        }
    }

    private static func wrongTotals(_ records: SQLiteConnection) throws(StoreError) -> [Finding] {
        let select = try records.prepare(
            """
            SELECT definition_key, state, sum(kept), sum(real) FROM (
                SELECT definition_key, state, count AS kept, 0 AS real FROM process_instance_total
                UNION ALL SELECT definition_key, state, 0, count(*) FROM process_instance GROUP BY 1, 2)
            GROUP BY 1, 2 HAVING sum(kept) <> sum(real)
            """)
        var findings: [Finding] = []
        while try select.step() {
            findings.append(
                Finding(
                    file: records.path,
                    problem: "definition \(select.uint64(0)) is said to have \(select.int(2)) instances in state "
                        + "\(select.int(1)), but has \(select.int(3))"))
        }
        return findings
    }
}
