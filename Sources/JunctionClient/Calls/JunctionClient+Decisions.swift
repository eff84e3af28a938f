public import Values

/// Which decision to evaluate.
public enum DecisionReference: Sendable, Hashable {
    /// The newest version of a decision.
    case decision(id: String)
    /// The version with this key.
    case definition(Key)
}

extension JunctionClient {
    /// Evaluates a decision with everything it requires.
    ///
    /// - Parameters:
    ///   - decision: Which one.
    ///   - variables: A JSON object: what the decision sees.
    /// - Returns: The outcome as the API describes it: `output` (JSON text), `failureMessage`, `evaluatedDecisions`.
    public func evaluateDecision(_ decision: DecisionReference, variables: [UInt8]? = nil) async throws -> Value {
        var writer = JSONWriter(capacity: 128 + (variables?.count ?? 0))
        writer.beginObject()
        switch decision {
        case .decision(let id):
            writer.key("decisionDefinitionId")
            writer.value(id)
        case .definition(let key):
            writer.key("decisionDefinitionKey")
            writer.value(key)
        }
        if let variables {
            writer.key("variables")
            writer.raw(variables)
        }
        writer.endObject()
        return try await self.call("POST", "/v2/decision-definitions/evaluation", body: writer.bytes).value
    }
}
