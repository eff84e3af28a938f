import Decisions
package import Engine
import Logging
package import Storage
import Values

/// Decision models and evaluations.
extension Projection {
    func add(_ deployed: DecisionsDeployed) {
        batch.decisionRequirements.append(
            DecisionRequirementsRecord(
                key: deployed.key, requirementsID: deployed.requirementsID, version: Int(deployed.version),
                name: deployed.name, resourceName: deployed.resourceName, deploymentKey: deployed.deploymentKey,
                resource: deployed.resource, deployedAt: now))
        for version in deployed.decisions {
            let decision = definitions.decisions.decision(key: Key(rawValue: version.key))
            batch.decisionDefinitions.append(
                DecisionDefinitionRecord(
                    key: version.key, decisionID: version.id, version: Int(version.version),
                    name: decision?.name ?? version.id, versionTag: decision?.versionTag,
                    type: decision?.type ?? .other, requirementsKey: deployed.key,
                    requirementsID: deployed.requirementsID, requirementsVersion: Int(deployed.version),
                    requirementsName: deployed.name))
        }
        audit("deploy", "\(deployed.key)", deployed.requirementsID)
        logger.info(
            "A decision model was deployed",
            metadata: [
                "decision.requirements.key": "\(deployed.key)",
                "decision.requirements.id": "\(deployed.requirementsID)",
                "decision.requirements.version": "\(deployed.version)",
            ])
    }

    /// One row for each decision of an evaluation; the instance is the one that asked.
    func add(_ evaluated: DecisionEvaluated, of instance: InstanceProjection?, elementKey: UInt64?) {
        for decision in evaluated.decisions {
            batch.decisionInstances.append(
                DecisionInstanceRecord(
                    key: decision.key, evaluationKey: evaluated.key, decisionKey: decision.decisionKey,
                    rootDecisionKey: evaluated.decisionKey, instanceKey: instance?.record.key,
                    elementInstanceKey: elementKey, definitionKey: instance?.record.definitionKey,
                    evaluatedAt: now, failure: decision.failure, output: decision.output.json, trace: decision.trace))
        }
    }
}

extension DeployedDecision {
    /// What it is, in the records' terms.
    package var type: DecisionType {
        switch element?.logic {
        case .table: .decisionTable
        case .literalExpression: .literalExpression
        default: .other
        }
    }
}
