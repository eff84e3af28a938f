/// How a runtime works.
///
/// The defaults suit a machine of two cores.
public struct RuntimeConfiguration: Sendable {
    /// Threads that process partitions; 0 means cores − 1, at least 1.
    public var processingThreads = 0
    /// Instances kept in memory over all partitions; the least recently used unchanged ones make room.
    public var residentInstancesMax = 100_000
    /// Commands waiting over all partitions before starts are refused.
    public var queuedCommandsMax = 50_000
    /// How far the records may fall behind before starts are held back, up to a quarter of a second each.
    public var pacedLagMilliseconds: Int64 = 80
    /// How long a commit may take before starts are held back while commits are under way.
    public var pacedCommitMilliseconds: Int64 = 250
    /// Batches waiting for the projector before starts are refused, by age.
    public var projectorLagMillisecondsMax = 5_000.0
    /// Changed entities of a partition that cause a checkpoint.
    public var checkpointEntities = 2_000
    /// Journal bytes of a partition that cause a checkpoint.
    public var checkpointBytes = 1 << 20
    /// How long a changed partition may go without a checkpoint.
    public var checkpointIntervalMilliseconds: Int64 = 10_000
    /// Journal bytes kept in memory for the projector; what is more it reads back from the journal.
    public var projectorQueueBytesMax = 64 << 20
    /// The shortest time between two projector transactions under load.
    public var projectionIntervalMilliseconds: Int64 = 40

    /// Creates the default configuration.
    public init() {}
}
