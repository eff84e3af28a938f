public import Decisions

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
    case inclusiveGateway = 17
    case complexGateway = 18
    case eventBasedGateway = 19
    case intermediateThrowEvent = 20
    case eventSubProcess = 21
    case transaction = 22
    case adHocSubProcess = 23
    /// One definition of an event that has several; never performed itself.
    case eventTrigger = 24

    /// Whether the node contains others.
    public var isScope: Bool {
        switch self {
        case .process, .subProcess, .eventSubProcess, .transaction, .adHocSubProcess: true
        default: false
        }
    }
}

/// How an event-based gateway begins a process (BPMN 2.0.2 clause 10.6.6).
public enum EventGatewayType: Sendable, Hashable {
    /// Stands inside a process: the first event decides.
    case exclusive
    /// Begins a process with the first of its events.
    case instantiatingExclusive
    /// Begins a process with the first of its events; the instance then waits for all the others.
    case instantiatingParallel
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
    /// For a boundary event or the start event of an event sub-process: whether it ends what it interrupts.
    public let isInterrupting: Bool
    /// For an activity: indexes of its boundary events.
    public let boundaryEvents: [Int]
    /// For an event with several definitions: indexes of its trigger nodes.
    public let triggers: [Int]
    /// For a trigger node: the index of its event.
    public let triggerOf: Int?
    /// For a scope: indexes of the event sub-processes directly inside; each has its event at its `start`.
    public let eventSubProcesses: [Int]
    /// For an activity with a compensation boundary event: the index of its handler.
    public let compensationHandler: Int?
    /// Whether an activity is performed only to compensate another.
    public let isForCompensation: Bool
    /// For a complex gateway: when it fires (BPMN 2.0.2 clause 13.4.5); may read `activationCount`.
    public let activationCondition: Expression?
    /// For an event-based gateway.
    public let eventGatewayType: EventGatewayType
    /// Whether a receive task begins a process.
    public let isInstantiating: Bool
    /// How many tokens must arrive before an activity begins, from 1.
    public let startQuantity: Int
    /// How many tokens leave on each flow when an activity ends, from 1.
    public let completionQuantity: Int
    /// For a scope: index of its none start event; for an event sub-process, of its only start event.
    public let start: Int?
    /// For a scope without start events: indexes of the nodes without incoming flow, where tokens begin.
    ///
    /// BPMN 2.0.2 clause 13.2.
    public let implicitStarts: [Int]
    /// For a scope: data objects and properties, variables that are its own from its beginning, null at first.
    public let dataObjects: [String]
    /// The work to hand to a worker or connector.
    public let job: JobDefinition?
    /// The work to hand to a person.
    public let userTask: UserTaskDefinition?
    /// The expression to evaluate.
    public let script: ScriptDefinition?
    /// The process to call.
    public let calledElement: CalledElement?
    /// The decision to evaluate.
    public let calledDecision: CalledDecision?
    /// How often an activity is performed.
    public let multiInstance: MultiInstanceDefinition?
    /// While what an activity is performed again.
    public let standardLoop: StandardLoopDefinition?
    /// What an ad-hoc sub-process does.
    public let adHoc: AdHocDefinition?
    /// Variables created in the local scope on entry.
    public let inputs: [VariableMapping]
    /// Variables written to the enclosing scope on completion; empty means by the default of the kind.
    public let outputs: [VariableMapping]

    /// Assembles a node; the importers are the only callers.
    public init(
        index: Int, id: String, name: String?, kind: FlowNodeKind, scope: Int, line: Int, incoming: [Int] = [],
        outgoing: [Int] = [], defaultFlow: Int? = nil, event: EventDefinition? = nil, attachedTo: Int? = nil,
        isInterrupting: Bool = true, boundaryEvents: [Int] = [], triggers: [Int] = [], triggerOf: Int? = nil,
        eventSubProcesses: [Int] = [], compensationHandler: Int? = nil, isForCompensation: Bool = false,
        activationCondition: Expression? = nil, eventGatewayType: EventGatewayType = .exclusive,
        isInstantiating: Bool = false, startQuantity: Int = 1, completionQuantity: Int = 1, start: Int? = nil,
        implicitStarts: [Int] = [], dataObjects: [String] = [], job: JobDefinition? = nil,
        userTask: UserTaskDefinition? = nil, script: ScriptDefinition? = nil, calledElement: CalledElement? = nil,
        calledDecision: CalledDecision? = nil, multiInstance: MultiInstanceDefinition? = nil,
        standardLoop: StandardLoopDefinition? = nil, adHoc: AdHocDefinition? = nil, inputs: [VariableMapping] = [],
        outputs: [VariableMapping] = []
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
        self.triggers = triggers
        self.triggerOf = triggerOf
        self.eventSubProcesses = eventSubProcesses
        self.compensationHandler = compensationHandler
        self.isForCompensation = isForCompensation
        self.activationCondition = activationCondition
        self.eventGatewayType = eventGatewayType
        self.isInstantiating = isInstantiating
        self.startQuantity = startQuantity
        self.completionQuantity = completionQuantity
        self.start = start
        self.implicitStarts = implicitStarts
        self.dataObjects = dataObjects
        self.job = job
        self.userTask = userTask
        self.script = script
        self.calledElement = calledElement
        self.calledDecision = calledDecision
        self.multiInstance = multiInstance
        self.standardLoop = standardLoop
        self.adHoc = adHoc
        self.inputs = inputs
        self.outputs = outputs
    }
}
