import ProcessModel
import Values

/// The appliers of signals, conditions and waits that end before their element.
extension PartitionEngine {
    func applyWaitEvent(_ event: Event, to instance: ProcessInstance) {
        switch event {
        case .signalSubscribed(let ordinal, let key, let node, let name):
            noteKey(key)
            instance.signals.append(SignalState(key: key, ordinal: ordinal, node: node, name: name))
            if let position = instance.position(of: ordinal) { instance.elements[position].hasEvents = true }
            state.signals[name, default: [:]][key] = instance.key
        case .signalCaught(let key, let stays):
            if !stays { closeWait(key, of: instance) }
        case .conditionArmed(let ordinal, let key, let node, let holds):
            noteKey(key)
            instance.conditions.append(ConditionState(key: key, ordinal: ordinal, node: node, holds: holds))
            if let position = instance.position(of: ordinal) { instance.elements[position].hasEvents = true }
        case .conditionEvaluated(let key, let holds):
            if let position = instance.conditions.firstIndex(where: { $0.key == key }) {
                instance.conditions[position].holds = holds
            }
        case .waitClosed(let key):
            closeWait(key, of: instance)
        default:
            break
        }
    }

    private func closeWait(_ key: UInt64, of instance: ProcessInstance) {
        if let position = instance.timers.firstIndex(where: { $0.key == key }) {
            instance.timers.remove(at: position)
            if state.owners.removeValue(forKey: key) != nil { state.openTimers -= 1 }
        } else if let position = instance.subscriptions.firstIndex(where: { $0.key == key }) {
            instance.subscriptions.remove(at: position)
        } else if let position = instance.signals.firstIndex(where: { $0.key == key }) {
            forgetSignal(instance.signals.remove(at: position))
        } else if let position = instance.conditions.firstIndex(where: { $0.key == key }) {
            instance.conditions.remove(at: position)
        }
    }

    /// Takes a signal subscription out of the partition's table.
    func forgetSignal(_ signal: SignalState) {
        state.signals[signal.name]?[signal.key] = nil
        if state.signals[signal.name]?.isEmpty == true { state.signals[signal.name] = nil }
    }
}
