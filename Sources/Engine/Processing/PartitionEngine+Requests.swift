import Decisions
import ProcessModel
import Values

/// Requests of clients that start something besides none start events.
extension PartitionEngine {
    /// Starts processes whose conditional start event holds for the variables, one instance an event.
    func startByConditions(_ definitions: [DeployedProcess], _ variables: VariableDocument) -> Reply {
        let scope = DocumentScope(variables, now: state.now)
        var started: [(key: UInt64, definition: UInt64)] = []
        for definition in definitions {
            for start in definition.process.conditionalStarts {
                guard case .conditional(let condition)? = definition.process.nodes[start].event,
                    condition.evaluateCondition(scope) == true
                else { continue }
                let key = newKey()
                startInstance(
                    InstanceCreated(
                        key: key, definitionKey: definition.key.rawValue, parent: 0, parentOrdinal: 0,
                        parentElementKey: 0, depth: 0, businessID: nil),
                    start: start, variables: variables)
                started.append((key, definition.key.rawValue))
            }
        }
        return .started(started)
    }

    /// Starts activities of an ad-hoc sub-process, one after the other when it is sequential (BPMN 2.0.2 clause 13.3.5).
    func activateAdHoc(_ key: UInt64, _ activities: [AdHocActivation], _ cancelsRunning: Bool) -> Reply {
        guard let (instance, ordinal) = find(scope: key), ordinal != 0,
            let position = instance.position(of: ordinal),
            let adHoc = instance.process.nodes[Int(instance.elements[position].node)].adHoc,
            instance.elements[position].role != .multiInstanceBody
        else { return .rejected(notFound("ad-hoc sub-process", key)) }
        let node = instance.process.nodes[Int(instance.elements[position].node)]
        guard instance.elements[position].state == .active, instance.elements[position].detail?.incident == nil else {
            return .rejected(
                CommandRejection(
                    .invalidState, "The ad-hoc sub-process \(node.id) (\(key)) does not run",
                    remedy: "Resolve its incident first, or leave it: it may be ending."))
        }
        var chosen: [Int32] = []
        for activity in activities {
            guard let index = adHoc.activities.first(where: { instance.process.nodes[$0].id == activity.elementID })
            else {
                let known = adHoc.activities.map { instance.process.nodes[$0].id }.joined(separator: ", ")
                return .rejected(
                    CommandRejection(
                        .invalidArgument,
                        "\(node.id) has no activity `\(activity.elementID)` that can be started",
                        remedy: "Name one of: \(known)."))
            }
            chosen.append(Int32(index))
        }
        if cancelsRunning { terminateContents(of: ordinal, in: instance) }
        for activity in activities {
            for member in activity.variables.members {
                emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
            }
        }
        var planned = instance.position(of: ordinal).flatMap { instance.elements[$0].detail?.planned } ?? []
        planned += chosen
        emit(.adHocPlanned(ordinal: ordinal, nodes: planned), on: instance)
        let isBusy = instance.position(of: ordinal).map { instance.elements[$0].children > 0 } ?? true
        if !adHoc.isSequential || !isBusy { startPlanned(ordinal, of: instance) }
        return .done
    }
}
