import Decisions
import ProcessModel
import Values

/// Deployments: versions of processes and decision models, numbered in the deployment partition.
extension PartitionEngine {
    /// Adds what is new of a deployment.
    ///
    /// A deployment of nothing new leaves no trace, so it must not use up a key either.
    func deploy(_ processes: [NewProcess], _ decisions: [NewDecisions]) -> Reply {
        let isUnchanged =
            processes.allSatisfy { state.versions[$0.processID]?.checksum == $0.checksum }
            && unchangedModels(decisions) != nil
        let known =
            processes.first.flatMap { state.versions[$0.processID] }.flatMap { deployments[$0.key]?.deploymentKey }
            ?? decisions.first.flatMap { state.decisionModels[$0.model.id] }.flatMap {
                decisionDeployments[$0.key]?.deploymentKey
            }
        let deployment = isUnchanged ? known ?? 0 : newKey()
        var results: [(key: UInt64, processID: String, version: Int32)] = []
        var deployed: [ProcessDeployed] = []
        for process in processes {
            if let newest = state.versions[process.processID], newest.checksum == process.checksum {
                results.append((newest.key, process.processID, newest.version))
                continue
            }
            let version = (state.versions[process.processID]?.version ?? 0) + 1
            let event = ProcessDeployed(
                key: newKey(), deploymentKey: deployment, processID: process.processID, version: version,
                resourceName: process.resourceName, resource: process.resource, profile: process.profile)
            emit(.processDeployed(event))
            scheduleStarts(of: process, definition: event.key)
            deployed.append(event)
            results.append((event.key, process.processID, version))
        }
        let (models, newModels) = deploy(decisions, deployment)
        if !deployed.isEmpty || !newModels.isEmpty { effects.append(.deployed(deployed, decisions: newModels)) }
        return .deployed(deployment: deployment, results, decisions: models)
    }

    /// Replaces the timer start events of older versions by those of the new one.
    private func scheduleStarts(of process: NewProcess, definition: UInt64) {
        let older = state.startTimers.values.filter { timer in
            deployments[timer.definition]?.processID == process.processID
        }
        for timer in older.sorted(by: { $0.key < $1.key }) { emit(.startTimerEnded(key: timer.key)) }
        for index in process.process.timerStarts {
            let node = process.process.nodes[index]
            guard case .timer(let timer)? = node.event else { continue }
            // Start timers see no variables; a model whose timer needs some was refused by the importer.
            guard let (dueAt, repetitions, interval) = try? schedule(timer, node, { $0.constant ?? .null }) else {
                continue
            }
            emit(
                .startTimerScheduled(
                    key: newKey(), definition: definition, node: Int32(index), dueAt: dueAt, repetitions: repetitions,
                    interval: interval))
        }
    }
}
