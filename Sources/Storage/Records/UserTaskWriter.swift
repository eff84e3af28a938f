internal import Values

/// Writes user tasks and the index over their candidates.
final class UserTaskWriter {
    private let upsert: SQLiteStatement
    private let selectCandidates: SQLiteStatement
    private let insertCandidate: SQLiteStatement
    private let deleteCandidate: SQLiteStatement

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.upsert = try connection.prepareUpsert("user_task", columns: 16)
        self.selectCandidates = try connection.prepare(
            "SELECT candidate_groups, candidate_users FROM user_task WHERE key = ?1")
        self.insertCandidate = try connection.prepare("INSERT OR IGNORE INTO user_task_candidate VALUES (?1, ?2, ?3)")
        self.deleteCandidate = try connection.prepare(
            "DELETE FROM user_task_candidate WHERE kind = ?1 AND name = ?2 AND task_key = ?3")
    }

    /// Writes one task, replacing what was known of it.
    func write(_ record: UserTaskRecord) throws(StoreError) {
        self.selectCandidates.bind(1, record.key)
        var old: (groups: [String], users: [String]) = ([], [])
        if try self.selectCandidates.step() {
            old = (StringList.decode(self.selectCandidates.bytes(0)), StringList.decode(self.selectCandidates.bytes(1)))
        }
        self.selectCandidates.reset()
        try self.index(kind: 0, old: old.groups, new: record.candidateGroups, key: record.key)
        try self.index(kind: 1, old: old.users, new: record.candidateUsers, key: record.key)
        let row = self.upsert
        row.bind(1, record.key)
        row.bind(2, record.instanceKey)
        row.bind(3, record.elementInstanceKey)
        row.bind(4, record.definitionKey)
        row.bind(5, record.elementID)
        row.bind(6, record.name)
        row.bind(7, Int(record.state))
        row.bind(8, record.assignee)
        row.bindText(9, StringList.encode(record.candidateGroups))
        row.bindText(10, StringList.encode(record.candidateUsers))
        row.bind(11, record.priority)
        row.bind(12, record.dueDate)
        row.bind(13, record.followUpDate)
        row.bind(14, record.formKey)
        row.bind(15, record.createdAt)
        row.bind(16, record.endedAt)
        try row.run()
    }

    private func index(kind: Int, old: [String], new: [String], key: UInt64) throws(StoreError) {
        if old == new { return }
        for name in old where !new.contains(name) {
            self.deleteCandidate.bind(1, kind)
            self.deleteCandidate.bind(2, name)
            self.deleteCandidate.bind(3, key)
            try self.deleteCandidate.run()
        }
        for name in new where !old.contains(name) {
            self.insertCandidate.bind(1, kind)
            self.insertCandidate.bind(2, name)
            self.insertCandidate.bind(3, key)
            try self.insertCandidate.run()
        }
    }
}

/// A list of strings as a JSON array in one column.
enum StringList {
    /// The JSON text.
    static func encode(_ list: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        JSON.write(.list(list.map { .string($0) }), into: &bytes)
        return bytes
    }

    /// The strings of a JSON text written by `encode`; empty when it is none.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [String] {
        guard let value = try? JSON.parse(bytes), let list = value.asList else { return [] }
        return list.compactMap(\.asString)
    }
}
