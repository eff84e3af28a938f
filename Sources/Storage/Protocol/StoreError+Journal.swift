/// What every journal store says about the same mistakes.
extension StoreError {
    /// A batch of an epoch that is not the partition's.
    package static func fenced(_ batch: PartitionBatch, current: UInt64) -> StoreError {
        StoreError(
            .fenced,
            "Batch \(batch.sequence) of partition \(batch.partition) was written under epoch \(batch.epoch), but the "
                + "partition is owned under epoch \(current).",
            remedy: "Nothing to do: the newer owner continues; this one drops the partition.")
    }

    /// A batch that does not follow its partition's head.
    package static func gap(_ batch: PartitionBatch, head: UInt64) -> StoreError {
        StoreError(
            .misuse,
            "Batch \(batch.sequence) of partition \(batch.partition) does not follow its newest batch, \(head).",
            remedy: "This is a defect of Junction; report it.")
    }

    /// An inbox row that is not there.
    package static func consumedTwice(_ position: InboxPosition, by batch: PartitionBatch) -> StoreError {
        StoreError(
            .misuse,
            "Batch \(batch.sequence) of partition \(batch.partition) consumes batch \(position.sourceSequence) from "
                + "partition \(position.source), which its inbox does not hold.",
            remedy: "This is a defect of Junction; report it.")
    }

    /// A partition number beyond the store's.
    package static func noPartition(_ partition: Int, count: Int) -> StoreError {
        StoreError(
            .misuse, "There is no partition \(partition); the store has \(count).",
            remedy: "This is a defect of Junction; report it.")
    }

    /// A commit before `acquire`, or after an unknown outcome without one.
    package static func notAcquired(_ store: String) -> StoreError {
        StoreError(
            .fenced, "The partitions of \(store) are not acquired.",
            remedy: "Acquire them; after an unknown outcome this tells which batches were written.")
    }

    /// A trim of batches that are still needed.
    package static func trimTooFar(_ partition: Int, _ sequence: UInt64, checkpoint: UInt64) -> StoreError {
        StoreError(
            .misuse,
            "Partition \(partition) is asked to drop batches up to \(sequence), but is checkpointed up to "
                + "\(checkpoint) only.",
            remedy: "This is a defect of Junction; report it.")
    }

    /// A read of batches that are gone on purpose.
    package static func trimmed(_ partition: Int, after sequence: UInt64, base: UInt64) -> StoreError {
        StoreError(
            .trimmed,
            "Batch \(sequence + 1) of partition \(partition) was asked for, but the journal begins after batch "
                + "\(base).",
            remedy: "The records are older than the journal: restore both files from the same backup.")
    }

    /// A read beyond the end of the journal: somebody has seen batches that are no longer there.
    package static func beyondEnd(_ partition: Int, after sequence: UInt64, head: UInt64) -> StoreError {
        StoreError(
            .corrupt,
            "Batch \(sequence) of partition \(partition) is known to have existed, but the journal ends at batch "
                + "\(head).",
            remedy: "The journal lost its tail, by a damaged log or an older copy of the file: restore both files "
                + "from the same backup.")
    }

    /// A batch that does not continue the chain.
    package static func brokenChain(
        partition: Int, sequence: UInt64, _ what: String, in store: String
    ) -> StoreError {
        StoreError(
            .corrupt, "The journal \(store) is damaged at batch \(sequence) of partition \(partition): \(what).",
            remedy: "Stop the server, keep a copy of the directory, and restore the newest backup.")
    }
}
