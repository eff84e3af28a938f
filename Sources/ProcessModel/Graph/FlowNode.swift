/// What a node of the graph is; the raw value is stable, since it stands in stored records.
public enum FlowNodeKind: UInt8, Sendable, CaseIterable {
    case process = 0
    case subProcess = 1
    case callActivity = 2
    /// An activity without behaviour of its own (BPMN "abstract" task): passes at once.
    case task = 3
    case manualTask = 4
    case serviceTask = 5
    case sendTask = 6
    case receiveTask = 7
    case userTask = 8
    case scriptTask = 9
    case businessRuleTask = 10
    case exclusiveGateway = 11
    case parallelGateway = 12
    case startEvent = 13
    case endEvent = 14
    case intermediateCatchEvent = 15
    case boundaryEvent = 16
}

/// One flow node or scope of an executable process, with everything its behaviour needs compiled.
///
/// Which of the optional parts are present follows from `kind`: for instance `job` on service, send and job-based
/// business rule and script tasks, `event` on events and receive tasks.
public final class FlowNode: Sendable {
    /// Its position in `ExecutableProcess.nodes`.
    public let index: Int
    /// The id in the document.
    public let id: String
    /// The label in the document.
    public let name: String?
    /// What it is.
    public let kind: FlowNodeKind
    /// The index of the scope that contains it; −1 for the process itself.
    public let scope: Int
    /// The line of the element in its document, 1-based; 0 when unknown.
    public let line: Int
    /// Indexes of the flows that enter, in document order.
    public let incoming: [Int]
    /// Indexes of the flows that leave, in document order.
    public let outgoing: [Int]
    /// The index of the flow taken when no condition holds.
    public let defaultFlow: Int?
    /// What is waited for or thrown, for events and receive tasks.
    public let event: EventDefinition?
    /// For a boundary event: the index of the activity it is attached to.
    public let attachedTo: Int?
    /// For a boundary event: whether the activity ends when it fires.
    public let isInterrupting: Bool
    /// For an activity: indexes of its boundary events.
    public let boundaryEvents: [Int]
    /// For a scope: index of its none start event.
    public let start: Int?
    /// The work to hand to a worker or connector.
    public let job: JobDefinition?
    /// The work to hand to a person.
    public let userTask: UserTaskDefinition?
    /// The expression to evaluate.
    public let script: ScriptDefinition?
    /// The process to call.
    public let calledElement: CalledElement?
    /// How often an activity is performed.
    public let multiInstance: MultiInstanceDefinition?
    /// Variables created in the local scope on entry.
    public let inputs: [VariableMapping]
    /// Variables written to the enclosing scope on completion; empty means by the default of the kind.
    public let outputs: [VariableMapping]

    /// Assembles a node; the importers are the only callers.
    public init(
        index: Int, id: String, name: String?, kind: FlowNodeKind, scope: Int, line: Int, incoming: [Int] = [],
        outgoing: [Int] = [], defaultFlow: Int? = nil, event: EventDefinition? = nil, attachedTo: Int? = nil,
        isInterrupting: Bool = true, boundaryEvents: [Int] = [], start: Int? = nil, job: JobDefinition? = nil,
        userTask: UserTaskDefinition? = nil, script: ScriptDefinition? = nil, calledElement: CalledElement? = nil,
        multiInstance: MultiInstanceDefinition? = nil, inputs: [VariableMapping] = [], outputs: [VariableMapping] = []
    ) {
        self.index = index
        self.id = id
        self.name = name
        self.kind = kind
        self.scope = scope
        self.line = line
        self.incoming = incoming
        self.outgoing = outgoing
        self.defaultFlow = defaultFlow
        self.event = event
        self.attachedTo = attachedTo
        self.isInterrupting = isInterrupting
        self.boundaryEvents = boundaryEvents
        self.start = start
        self.job = job
        self.userTask = userTask
        self.script = script
        self.calledElement = calledElement
        self.multiInstance = multiInstance
        self.inputs = inputs
        self.outputs = outputs
    }
}
