public import ProcessModel
public import Values

/// A job as its worker sees it.
public struct ActivatedJob: Sendable {
    /// The job.
    public var key: Key
    /// The job type.
    public var type: String
    /// The process instance.
    public var instanceKey: Key
    /// The element instance.
    public var elementInstanceKey: Key
    /// The process version.
    public var definition: DeployedProcess
    /// The element, with its static headers in `element.job`.
    public var element: FlowNode
    /// Attempts left, this one included.
    public var retries: Int
    /// The worker that locked it; empty for in-process workers.
    public var worker: String
    /// Unix milliseconds when the lock ends; 0 for in-process workers.
    public var deadline: Int64
    /// The visible variables, or the input of a connector call: a JSON object document.
    public var variables: [UInt8]
    /// Stable over retries, crashes and fail-over of one logical attempt (resilience.md 2.7).
    ///
    /// An element that is tried again after an error was its answer gets a new job, and with it a new key: the called
    /// side must not answer with the old result.
    public var idempotencyKey: String { "\(instanceKey)-\(elementInstanceKey)-\(key)" }
    /// Higher runs first.
    public var priority: Int

    /// Creates an activated job.
    public init(
        key: Key, type: String, instanceKey: Key, elementInstanceKey: Key, definition: DeployedProcess,
        element: FlowNode, retries: Int, worker: String, deadline: Int64, variables: [UInt8],
        priority: Int
    ) {
        self.key = key
        self.type = type
        self.instanceKey = instanceKey
        self.elementInstanceKey = elementInstanceKey
        self.definition = definition
        self.element = element
        self.retries = retries
        self.worker = worker
        self.deadline = deadline
        self.variables = variables
        self.priority = priority
    }
}
