import Decisions

/// A flow node while its process is being read: what is known so far, by index rather than by id.
final class DraftNode {
    let element: XMLElement
    let id: String
    let kind: FlowNodeKind
    /// Index of the scope around it; −1 for the process.
    let scope: Int
    /// An unsupported element that only stands in so that the rest can be checked.
    let isRefused: Bool

    var incoming: [Int] = []
    var outgoing: [Int] = []
    var defaultFlow: Int?
    var event: EventDefinition?
    var attachedTo: Int?
    var isInterrupting = true
    var boundaryEvents: [Int] = []
    var triggers: [Int] = []
    var triggerOf: Int?
    var eventSubProcesses: [Int] = []
    var compensationHandler: Int?
    var isForCompensation = false
    var activationCondition: Expression?
    var eventGatewayType = EventGatewayType.exclusive
    var isInstantiating = false
    var startQuantity = 1
    var completionQuantity = 1
    var start: Int?
    var implicitStarts: [Int] = []
    var dataObjects: [String] = []
    var job: JobDefinition?
    var userTask: UserTaskDefinition?
    var script: ScriptDefinition?
    var calledElement: CalledElement?
    var calledDecision: CalledDecision?
    var multiInstance: MultiInstanceDefinition?
    var standardLoop: StandardLoopDefinition?
    var adHoc: AdHocDefinition?
    var inputs: [VariableMapping] = []
    var outputs: [VariableMapping] = []
    /// The priority given here (`apg:priority`), which everything inside inherits.
    var priority: ExpressionOrLiteral?

    init(element: XMLElement, id: String, kind: FlowNodeKind, scope: Int, isRefused: Bool = false) {
        self.element = element
        self.id = id
        self.kind = kind
        self.scope = scope
        self.isRefused = isRefused
    }
}

/// A sequence flow while its process is being read.
struct DraftFlow {
    let element: XMLElement
    let id: String
    /// Index of the scope it stands in.
    let scope: Int
    /// Index of the node it leaves; nil while unknown.
    var source: Int?
    /// Index of the node it enters; nil while unknown.
    var target: Int?
    var condition: Expression?
    /// Whether a condition is written, compiled or not.
    var hasCondition = false
}
