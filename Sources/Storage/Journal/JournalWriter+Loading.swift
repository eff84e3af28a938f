extension JournalWriter {
    /// Creates the partitions of a new store.
    func addPartitions(_ count: Int) throws(StoreError) {
        let partition = try self.connection.prepare("INSERT INTO partition VALUES (?1, 0, 0, 0, 0)")
        let base = try self.connection.prepare("INSERT INTO journal_base VALUES (?1, 0, ?2)")
        try self.transaction { () throws(StoreError) in
            for number in 0..<count {
                partition.bind(1, number)
                try partition.run()
                base.bind(1, number)
                base.bind(2, ChainHash.start.bytes)
                try base.run()
            }
        }
    }

    /// Reads the heads from the file.
    func load() throws(StoreError) {
        self.heads = try self.lookup.heads()
        self.sweptID = try self.connection.integer("SELECT swept_id FROM journal_sweep") ?? 0
        let newest = try self.connection.integer("SELECT max(id) FROM journal") ?? 0
        // Ids are never used again, also when the newest batches have been trimmed.
        self.nextID = 1 + max(newest, self.sweptID, self.heads.map(\.lastID).max() ?? 0)
    }

    /// Checks that the newest batch of every partition continues the chain.
    func verifyHeads() throws(StoreError) {
        for (partition, head) in self.heads.enumerated() where head.sequence > head.base {
            let before =
                if head.sequence - 1 == head.base {
                    try self.lookup.base(partition).hash
                } else {
                    try self.lookup.hash(id: try self.lookup.previousID(id: head.lastID))
                }
            guard let before else { throw self.lookup.broken(partition, head.sequence - 1, "it is missing") }
            _ = try self.lookup.batch(
                id: head.lastID, partition: partition, sequence: head.sequence, after: before)
        }
    }
}
