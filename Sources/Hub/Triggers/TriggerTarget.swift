public import Decisions
public import HubDocuments

/// What an event does.
public struct TriggerTarget: Sendable {
    /// The kinds of effect there are.
    public enum Mode: String, Sendable, CaseIterable {
        /// Starts a process.
        case start
        /// Is a message to an instance that waits for it.
        case correlate
        /// Is a message to an instance that waits for it, or else starts a process.
        case startOrCorrelate
        /// Is a signal to everything that waits for it.
        case signal
        /// Calls an operation of a connection.
        case capability
    }

    /// What happens to a message nobody waits for.
    public enum NoMatch: Sendable, Hashable {
        /// It starts the process.
        case start
        /// It waits for somebody so long.
        case buffer(Duration)
        /// It becomes a dead letter.
        case dlq
        /// It is acknowledged and counted.
        case ack
    }

    /// What happens to a message several instances wait for.
    public enum ManyMatches: String, Sendable, CaseIterable {
        /// It becomes a dead letter.
        case error
        /// Each of them gets it.
        case all
        /// The one that has waited longest gets it.
        case first
    }

    /// The operation an event calls.
    public struct Call: Sendable {
        /// The connection.
        public var connection: String
        /// The operation.
        public var operation: String
        /// Its input; nil takes the transformed record.
        public var input: ValueTemplate?
    }

    /// The kind of effect.
    public var mode: Mode
    /// The process that is started; nil when none is.
    public var workflow: String?
    /// The version; nil is the newest.
    public var version: Int?
    /// Names the instance in the business.
    public var businessKey: Expression?
    /// The name of the message or signal.
    public var event: String?
    /// Which instance a message is for.
    public var correlationKey: Expression?
    /// What happens to a message nobody waits for.
    public var noMatch: NoMatch
    /// What happens to a message several instances wait for.
    public var manyMatches: ManyMatches
    /// The operation that is called.
    public var call: Call?

    /// What is shown as the target.
    public var name: String {
        self.workflow ?? self.event ?? self.call.map { "\($0.connection).\($0.operation)" } ?? ""
    }

    /// How long a message nobody waits for is kept unless the declaration says otherwise.
    static let bufferStandard = Duration.seconds(3_600)
}
