/// What verifying the hash chain of one partition found.
public struct ChainReport: Sendable {
    /// The partition.
    public var partition: Int
    /// The sequence after which the retained journal begins.
    public var firstSequence: UInt64
    /// The newest batch that verified; `firstSequence` when there is none.
    public var lastSequence: UInt64
    /// Events in the batches that verified.
    public var eventCount: Int
    /// Chain value of the newest batch that verified; nil when there is none.
    public var hash: [UInt8]?
    /// Why the next batch did not verify; nil when the chain is whole.
    public var failure: StoreError?
}

extension JournalStore {
    /// Reads the whole retained journal and verifies every chain, going on with the other partitions after a failure.
    ///
    /// May run while the store is in use; sees what is committed when it begins. One report per partition.
    /// - Throws: errors of reading other than damage.
    public func verifyChains() throws(StoreError) -> [ChainReport] {
        let bases = try self.retainedSequences()
        var reports = bases.enumerated().map { partition, base in
            ChainReport(partition: partition, firstSequence: base, lastSequence: base, eventCount: 0)
        }
        do {
            try self.readJournal(after: bases) { (batch) throws(StoreError) in
                reports[batch.partition].add(batch)
                return true
            }
            return reports
        } catch let error where error.code == .corrupt {
            // One pass stops at the first failure; partition by partition finds each.
        }
        for partition in bases.indices {
            var report = ChainReport(
                partition: partition, firstSequence: bases[partition], lastSequence: bases[partition], eventCount: 0)
            do {
                try self.readJournal(partition: partition, after: bases[partition]) { (batch) throws(StoreError) in
                    report.add(batch)
                    return true
                }
            } catch let error where error.code == .corrupt {
                report.failure = error
            }
            reports[partition] = report
        }
        return reports
    }
}

extension ChainReport {
    fileprivate mutating func add(_ batch: JournalBatch) {
        self.lastSequence = batch.sequence
        self.eventCount += batch.eventCount
        self.hash = batch.hash
    }
}
