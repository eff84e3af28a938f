import ProcessModel
import Values

/// How far an element instance has come; raw values are stored.
public enum ElementState: UInt8, Sendable {
    /// Created, its entry not done: only an incident keeps one here.
    case activating = 0
    /// Does its work or waits.
    case active = 1
    /// Its work is done, leaving it is not: only an incident keeps one here.
    case completing = 2
}

/// What part an element instance plays at its node; raw values are stored.
public enum ElementRole: UInt8, Sendable {
    /// Performs the node once.
    case single = 0
    /// The body of a multi-instance or looping activity, whose inner instances are its children (BPMN 2.0.2 clause 13.3.7).
    case multiInstanceBody = 1
    /// One of the inner instances.
    case multiInstanceInner = 2
    /// Compensates a completed activity, or runs the compensation a thrower does not wait for.
    case compensation = 3
}

/// One performance of a flow node or scope inside a process instance.
///
/// Identified by its `ordinal`, which counts the element instances of the process instance from 0 (the process itself)
/// and is never reused; `key` is its public name.
struct ElementInstance {
    /// Its number within the process instance.
    var ordinal: UInt32
    /// The node performed.
    var node: Int32
    /// The ordinal of the element instance that contains it; 0 for the process itself.
    var scope: UInt32
    /// Element instances directly inside, plus tokens that wait at joins.
    var children: Int32 = 0
    /// Tokens on the way between elements of this scope; always 0 between commands, so never stored.
    var inFlight: Int32 = 0
    /// Counts inner multi-instance instances from 1; 0 otherwise.
    var loopCounter: Int32 = 0
    var state: ElementState
    var role: ElementRole
    /// Whether variables of its own exist.
    var hasLocals = false
    /// Whether timers or subscriptions belong to it.
    var hasEvents = false
    /// The public key.
    var key: UInt64
    /// The job it waits for, when it has one.
    var job: JobState?
    /// Rarely needed state; shared by nobody else.
    var detail: ElementDetail?

    /// Whether commands name it by its own key, so that the partition must find its instance by that: an ad-hoc
    /// sub-process at work.
    func isAddressed(in process: ExecutableProcess) -> Bool {
        state != .activating && process.nodes[Int(node)].adHoc != nil
    }
}

/// What only some element instances carry.
///
/// Owned by exactly one `ElementInstance`.
final class ElementDetail {
    var incident: IncidentState?
    var userTask: UserTaskState?
    var loop: LoopState?
    /// The process instance a call activity waits for; 0 when none.
    var calledInstance: UInt64 = 0
    /// The evaluated job type, when the definition's is an expression.
    var jobType: String?
    /// The external worker that has the job.
    var worker: String?
    /// The last failure of the job.
    var jobError: String?
    /// For a complex gateway that fired: the flows it took tokens from.
    var firedFlows: [Int32]?
    /// For an ad-hoc sub-process: the activities still to start.
    var planned: [Int32] = []
    /// For a scope: what was completed inside and can be compensated, in order of completion.
    var compensable: [CompensationRecord] = []
    /// For an element that compensates: what is left to do, the last first; nil for all others.
    var compensating: [CompensationRecord]?
    /// Whether a transaction is being cancelled.
    var isCancelling = false

    var isEmpty: Bool {
        incident == nil && userTask == nil && loop == nil && calledInstance == 0 && jobType == nil && worker == nil
            && jobError == nil && !hasExtras
    }

    /// Whether anything but what every format of the checkpoint holds is set.
    var hasExtras: Bool {
        firedFlows != nil || !planned.isEmpty || !compensable.isEmpty || compensating != nil || isCancelling
    }
}

/// Where a job stands; raw values are stored.
enum JobPhase: UInt8 {
    /// May be taken.
    case activatable = 0
    /// An external worker has it until the deadline.
    case activated = 1
    /// Failed; may be taken again later.
    case backingOff = 2
    /// Waits for an incident to be resolved.
    case incident = 3
}

/// The job of an element instance.
struct JobState {
    var key: UInt64
    var retries: Int32
    var priority: Int32
    var phase: JobPhase
    /// How often a lock ran out: a worker that dies each time must end in an incident.
    var lockExpiries: UInt8 = 0
    /// The lock deadline or the end of the backoff in Unix milliseconds; 0 when neither applies.
    var until: Int64 = 0
}

/// What a retry of an incident has to repeat; raw values are stored.
public enum IncidentKind: UInt8, Sendable {
    /// The entry of the element: mappings, subscriptions, creating its work.
    case activation = 0
    /// The exit of the element: mappings, conditions of the flows that leave.
    case completion = 1
    /// The job, which has no attempt left.
    case job = 2
    /// A BPMN error nobody catches.
    case unhandledError = 3
}

/// An open incident.
struct IncidentState {
    var key: UInt64
    var kind: IncidentKind
    /// The error type of the Camunda API.
    var type: String
    var message: String
}

/// A task for a person.
struct UserTaskState {
    var key: UInt64
    var assignee: String?
}

/// The progress of a multi-instance body.
struct LoopState {
    /// The items of the collection; nil when a cardinality counts.
    var items: [Value]?
    /// How many inner instances there will be.
    var count: Int32
    /// How many were created.
    var created: Int32 = 0
    /// How many completed.
    var completed: Int32 = 0
    /// What the completed ones contributed, by position.
    var outputs: [Int32: Value] = [:]
}
