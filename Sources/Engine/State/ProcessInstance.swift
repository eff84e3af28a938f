import ProcessModel
import Values

/// The state of one process instance.
///
/// Confined to its partition's thread; changed by event appliers only.
final class ProcessInstance {
    let key: UInt64
    let definition: DeployedProcess
    /// The instance whose call activity started this one; 0 when none did.
    let parent: UInt64
    /// The ordinal of that call activity in the parent.
    let parentOrdinal: UInt32
    /// How many call activities lie above.
    let depth: Int32
    let businessID: String?
    let startedAt: Int64
    /// Live element instances in ascending order of ordinal; the first is the process itself.
    var elements: [ElementInstance] = []
    /// The ordinal of the next element instance.
    var nextOrdinal: UInt32 = 0
    var variables: [ScopedVariable] = []
    var timers: [TimerState] = []
    var subscriptions: [SubscriptionState] = []
    var signals: [SignalState] = []
    var conditions: [ConditionState] = []
    var arrivals: [JoinArrival] = []

    /// Whether the state changed since the last checkpoint.
    ///
    /// Not stored.
    var isDirty = false
    /// Whether the instance has a row in the checkpoint.
    ///
    /// Not stored.
    var isCheckpointed = false
    /// The partition's command counter when the instance was last used, for eviction.
    ///
    /// Not stored.
    var lastUse: UInt64 = 0

    var process: ExecutableProcess { definition.process }

    init(
        key: UInt64, definition: DeployedProcess, parent: UInt64, parentOrdinal: UInt32, depth: Int32,
        businessID: String?, startedAt: Int64
    ) {
        self.key = key
        self.definition = definition
        self.parent = parent
        self.parentOrdinal = parentOrdinal
        self.depth = depth
        self.businessID = businessID
        self.startedAt = startedAt
    }

    /// The position of an element instance in `elements`; nil when it has ended.
    ///
    /// O(log n).
    func position(of ordinal: UInt32) -> Int? {
        var low = 0
        var high = elements.count
        // Most instances have a handful of elements, and the ordinals of the oldest equal their positions.
        if ordinal < high, elements[Int(ordinal)].ordinal == ordinal { return Int(ordinal) }
        while low < high {
            let middle = (low + high) >> 1
            let candidate = elements[middle].ordinal
            if candidate == ordinal { return middle }
            if candidate < ordinal { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The ordinal of the element instance with this public key; nil when it has ended.
    ///
    /// O(n).
    func ordinal(ofKey key: UInt64) -> UInt32? {
        elements.first { $0.key == key }?.ordinal
    }

    /// The position of a variable in `variables` by its exact scope; nil when the scope has none of that name.
    func variablePosition(scope: UInt32, name: String) -> Int? {
        variables.firstIndex { $0.scope == scope && $0.name == name }
    }

    /// The nearest scope, from `ordinal` outwards, that has a variable of this name.
    func nearestVariablePosition(from ordinal: UInt32, name: String) -> Int? {
        var scope = ordinal
        while true {
            if let position = position(of: scope), elements[position].hasLocals,
                let found = variablePosition(scope: scope, name: name)
            {
                return found
            }
            guard scope != 0, let position = position(of: scope) else { return nil }
            scope = elements[position].scope
        }
    }
}

/// A process variable and the scope that owns it.
struct ScopedVariable {
    /// The ordinal of the owning element instance.
    var scope: UInt32
    var name: String
    var value: VariableValue
    /// The parsed value, once somebody looked inside.
    ///
    /// Not stored.
    var parsed: Value?
}
