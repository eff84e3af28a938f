public import Storage

/// Figures of the moment, for status displays and metrics.
public struct RuntimeStatus: Sendable {
    /// Instances held in memory.
    public var residentInstances = 0
    /// Instances that have not ended.
    public var liveInstances = 0
    /// Jobs that have not ended.
    public var openJobs = 0
    /// Timers that have not fired.
    public var openTimers = 0
    /// Message subscriptions waiting.
    public var openSubscriptions = 0
    /// Commands waiting in the partitions' queues.
    public var queuedCommands = 0
    /// Instances started since this process began.
    public var startedInstances = 0
    /// Instances completed since this process began.
    public var completedInstances = 0
    /// Journal transactions since this process began.
    public var commits = 0
    /// Events written since this process began.
    public var events = 0
    /// Age of the oldest batch that is not projected; 0 when all is.
    public var projectorLagMilliseconds = 0.0
    /// Why the journal cannot be written at the moment; nil when it can.
    public var failure: StoreError?
    /// The failure that stopped the engine for good; start a new process to recover.
    public var stoppedBy: StoreError?
    /// Whether nothing can move without a person, a message or the clock: no queued command, no runnable job, and every
    /// batch durable and projected.
    public var isIdle = true

    /// Creates an empty status.
    public init() {}
}
