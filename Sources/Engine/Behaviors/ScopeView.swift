import Decisions
import ProcessModel
import Values

/// The variables visible to an element instance, for expressions: its own, then those of each enclosing scope.
///
/// One per partition, pointed at the element under evaluation; a looked-up JSON variable is parsed once.
final class ScopeView: VariableScope {
    /// The engine whose large values the view reads; set once.
    weak var engine: PartitionEngine?
    private var instance: ProcessInstance?
    private var ordinal: UInt32 = 0
    private var extras: [(name: String, value: Value)] = []
    private var milliseconds: Int64 = 0

    var now: DateTime { DateTime(epochMilliseconds: milliseconds) ?? .feelEpoch }

    /// Points the view; `extras` come before every scope.
    func point(
        at ordinal: UInt32, of instance: ProcessInstance, now: Int64, extras: [(name: String, value: Value)] = []
    ) {
        self.instance = instance
        self.ordinal = ordinal
        self.milliseconds = now
        self.extras = extras
    }

    func variable(_ name: String) -> Value? {
        for extra in extras where extra.name == name { return extra.value }
        guard let instance else { return nil }
        if let position = instance.nearestVariablePosition(from: ordinal, name: name) {
            if let parsed = instance.variables[position].parsed { return parsed }
            let kept = instance.variables[position].value
            let value = kept.reference == nil ? kept.value : engine?.resolved(kept).value ?? .null
            instance.variables[position].parsed = value
            return value
        }
        if let counter = loopVariable(name, instance) { return counter }
        guard instance.process.dataStores.contains(name) else { return nil }
        return engine?.dataStore(name)
    }

    /// The counters of the multi-instance activity around the element (BPMN 2.0.2 clause 10.3.8, Camunda's names).
    private func loopVariable(_ name: String, _ instance: ProcessInstance) -> Value? {
        switch name {
        case "loopCounter", "numberOfInstances", "numberOfActiveInstances", "numberOfCompletedInstances",
            "numberOfTerminatedInstances":
            break
        default: return nil
        }
        var current = ordinal
        while let position = instance.position(of: current) {
            let element = instance.elements[position]
            if name == "loopCounter", element.loopCounter > 0 { return .number(Number(Int64(element.loopCounter))) }
            if let loop = element.detail?.loop, element.role == .multiInstanceBody {
                switch name {
                case "numberOfInstances": return .number(Number(Int64(loop.count)))
                case "numberOfActiveInstances": return .number(Number(Int64(element.children)))
                case "numberOfCompletedInstances": return .number(Number(Int64(loop.completed)))
                case "numberOfTerminatedInstances":
                    return .number(Number(Int64(loop.created - loop.completed - element.children)))
                default: break
                }
            }
            if current == 0 { return nil }
            current = element.scope
        }
        return nil
    }
}
