import Engine
import Storage
import Values

/// Evaluated decisions, read from the records.
enum DecisionInstanceQueries {
    /// Items without inputs and rules, as lists want them.
    static let search = operation { write($0, into: &$1) }

    /// Items in full.
    static let get = operation { item, writer in
        write(item, into: &writer)
        let trace = (try? DecisionTrace(item.record.trace)) ?? DecisionTrace(inputs: [], rules: [])
        writer.trace(trace)
    }

    private static let states: [(String, [Bool])] = [("EVALUATED", [false]), ("FAILED", [true]), ("UNSPECIFIED", [])]

    private static let types: [(String, [UInt8])] = DecisionType.allCases.map { ($0.word, [$0.rawValue]) }

    private static func operation(
        _ write: @escaping @Sendable (WithDecision, inout JSONWriter) -> Void
    ) -> SearchOperation<DecisionInstanceFilter, WithDecision> {
        SearchOperation(
            filter: { (reader) throws(ProblemDetails) in
                try reader.tenant()
                var filter = DecisionInstanceFilter()
                filter.key = try reader.keys("decisionEvaluationInstanceKey")
                filter.evaluationKey = try reader.keys("decisionEvaluationKey")
                filter.decisionKey = try reader.keys("decisionDefinitionKey")
                filter.decisionID = try reader.strings("decisionDefinitionId")
                filter.decisionName = try reader.strings("decisionDefinitionName")
                filter.decisionVersion = try reader.integers("decisionDefinitionVersion")
                filter.decisionType = try reader.words("decisionDefinitionType", types)
                filter.rootDecisionKey = try reader.keys("rootDecisionDefinitionKey")
                filter.instanceKey = try reader.keys("processInstanceKey")
                filter.elementInstanceKey = try reader.keys("elementInstanceKey")
                filter.definition.key = try reader.keys("processDefinitionKey")
                filter.evaluatedAt = try reader.instants("evaluationDate")
                filter.failure = try reader.strings("evaluationFailure")
                let words = try reader.words("state", states)
                switch [false, true].filter({ isAllowed($0, by: words) }) {
                case [false]: filter.hasFailed = false
                case [true]: filter.hasFailed = true
                case []: filter.key.append(.oneOf([]))
                default: break
                }
                return filter
            },
            find: { (records, query) throws(StoreError) in try records.decisionInstances(query) },
            write: write)
    }

    private static func write(_ item: WithDecision, into writer: inout JSONWriter) {
        let record = item.record
        writer.member("decisionEvaluationInstanceKey", Key(rawValue: record.key))
        writer.member("decisionEvaluationKey", Key(rawValue: record.evaluationKey))
        writer.member("state", record.failure == nil ? "EVALUATED" : "FAILED")
        writer.member("evaluationDate", instant: record.evaluatedAt)
        writer.member("evaluationFailure", nullable: record.failure)
        writer.member("decisionDefinitionKey", Key(rawValue: record.decisionKey))
        writer.member("decisionDefinitionId", item.decision?.decisionID ?? "")
        writer.member("decisionDefinitionName", item.decision?.name ?? "")
        writer.member("decisionDefinitionVersion", item.decision?.version ?? 0)
        writer.member("decisionDefinitionType", (item.decision?.type ?? .other).word)
        writer.member("rootDecisionDefinitionKey", Key(rawValue: record.rootDecisionKey))
        writer.member("result", String(decoding: record.output, as: UTF8.self))
        writer.member("processDefinitionKey", nullable: record.definitionKey.map { Key(rawValue: $0) })
        writer.member("processInstanceKey", nullable: record.instanceKey.map { Key(rawValue: $0) })
        writer.member("elementInstanceKey", nullable: record.elementInstanceKey.map { Key(rawValue: $0) })
        writer.member("tenantId", defaultTenant)
    }
}

extension DecisionType {
    /// The word of the wire contract.
    var word: String {
        switch self {
        case .decisionTable: "DECISION_TABLE"
        case .literalExpression: "LITERAL_EXPRESSION"
        case .other: "UNKNOWN"
        }
    }
}

extension JSONWriter {
    /// The members that say what a decision saw and which of its rules matched.
    mutating func trace(_ trace: DecisionTrace) {
        self.key("evaluatedInputs")
        self.beginArray()
        for input in trace.inputs {
            self.beginObject()
            self.member("inputId", input.id)
            self.member("inputName", input.name)
            self.member("inputValue", JSON.string(input.value))
            self.endObject()
        }
        self.endArray()
        self.key("matchedRules")
        self.beginArray()
        for rule in trace.rules {
            self.beginObject()
            self.member("ruleId", rule.id)
            self.member("ruleIndex", rule.index)
            self.key("evaluatedOutputs")
            self.beginArray()
            for output in rule.outputs {
                self.beginObject()
                self.member("outputId", output.id)
                self.member("outputName", output.name)
                self.member("outputValue", JSON.string(output.value))
                self.member("ruleId", rule.id)
                self.member("ruleIndex", rule.index)
                self.endObject()
            }
            self.endArray()
            self.endObject()
        }
        self.endArray()
    }
}
