public import Decisions

/// One process, compiled from any document format into an immutable graph with integer indexes.
///
/// Node 0 is the process itself (the root scope); `nodes[i].index == i` and `flows[i].index == i`. A scope's node index
/// is smaller than the indexes of everything inside it. Nothing here changes after deployment, so instances of every
/// partition share one copy. Ids (`FlowNode.id`) are those of the document (BPMN 2.0.2 clause 8.3.1).
public final class ExecutableProcess: Sendable {
    /// The id of the process in its document; versions of one process share it.
    public let id: String
    /// The process name, when the document has one.
    public let name: String?
    /// A label chosen by the author (`zeebe:versionTag`, `camunda:versionTag`), for bindings by tag.
    public let versionTag: String?
    /// Every flow node and scope; index 0 is the process.
    public let nodes: [FlowNode]
    /// Every sequence flow, in document order.
    public let flows: [SequenceFlow]
    /// The none start event of the process, when it has one.
    public let noneStart: Int?
    /// What a message can start the process with: message start events, trigger nodes of multiple start events,
    /// instantiating receive tasks, and the events behind instantiating event-based gateways.
    ///
    /// The other lists of starts hold the same kinds of nodes.
    public let messageStarts: [Int]
    /// The timer start events of the process.
    public let timerStarts: [Int]
    /// The signal start events of the process.
    public let signalStarts: [Int]
    /// The conditional start events of the process.
    public let conditionalStarts: [Int]
    /// The names under which the process reads and writes data stores.
    public let dataStores: [String]

    /// Whether a gateway joins by where the other tokens are: an inclusive or complex one with several flows in.
    public let hasInclusiveJoins: Bool

    private let indexesByID: [String: Int]

    /// Assembles a graph; the importers are the only callers and have checked every reference.
    public init(
        id: String, name: String?, versionTag: String?, nodes: [FlowNode], flows: [SequenceFlow], noneStart: Int?,
        messageStarts: [Int], timerStarts: [Int], signalStarts: [Int] = [], conditionalStarts: [Int] = [],
        dataStores: [String] = []
    ) {
        self.id = id
        self.name = name
        self.versionTag = versionTag
        self.nodes = nodes
        self.flows = flows
        self.noneStart = noneStart
        self.messageStarts = messageStarts
        self.timerStarts = timerStarts
        self.signalStarts = signalStarts
        self.conditionalStarts = conditionalStarts
        self.dataStores = dataStores
        self.hasInclusiveJoins = nodes.contains { node in
            node.incoming.count > 1 && (node.kind == .inclusiveGateway || node.kind == .complexGateway)
        }
        self.indexesByID = Dictionary(nodes.map { ($0.id, $0.index) }, uniquingKeysWith: { first, _ in first })
    }

    /// The node with this document id, or nil.
    public func node(id: String) -> FlowNode? {
        indexesByID[id].map { nodes[$0] }
    }
}

/// A directed connection between two flow nodes (BPMN 2.0.2 clause 8.3.13).
public struct SequenceFlow: Sendable {
    /// Its position in `ExecutableProcess.flows`.
    public let index: Int
    /// The id in the document.
    public let id: String
    /// The index of the node it leaves.
    public let source: Int
    /// The index of the node it enters.
    public let target: Int
    /// The condition that lets a token pass; nil passes always.
    public let condition: Expression?

    /// Creates a flow between two node indexes.
    public init(index: Int, id: String, source: Int, target: Int, condition: Expression?) {
        self.index = index
        self.id = id
        self.source = source
        self.target = target
        self.condition = condition
    }
}
