/// One rule of the standard that a document can break.
struct ConstraintRule: Sendable {
    /// How much a breach matters, which decides its severity in each profile.
    enum Weight: Sendable {
        /// Changes what the process does, or makes it impossible to tell.
        case execution
        /// Executable, but probably not as meant.
        case doubtful
        /// Executable exactly as meant; only the standard's form is missed.
        case formal
    }

    /// The rule.
    let constraint: Constraint
    /// The clause of BPMN 2.0.2 that states it.
    let clause: String
    /// How much a breach matters.
    let weight: Weight
    /// What is wrong, as a heading.
    let title: String
    /// What the author can do.
    let remedy: String

    init(_ constraint: Constraint, _ clause: String, _ weight: Weight, _ title: String, _ remedy: String) {
        self.constraint = constraint
        self.clause = clause
        self.weight = weight
        self.title = title
        self.remedy = remedy
    }

    /// The rule with this diagnostic code, such as `BC023`.
    static func rule(code: String) -> ConstraintRule? { byCode[code] }

    private static let byCode = Dictionary(uniqueKeysWithValues: all.map { ($0.constraint.rawValue, $0) })

    /// All rules, in the order of their numbers.
    static let all: [ConstraintRule] =
        identityRules + flowRules + collaborationRules + activityRules + dataRules
        + eventRules + gatewayRules + [
            ConstraintRule(
                .reference, "8.3.1", .execution, "A reference points to nothing, or to an element of the wrong kind",
                "correct the reference, or add the element it names")
        ]
}

extension Constraint {
    /// The rule of this constraint.
    var rule: ConstraintRule {
        guard let rule = ConstraintRule.rule(code: rawValue) else { fatalError("Constraint \(rawValue) has no rule.") }
        return rule
    }

    /// The number of the rule, as in the catalogue of BPMN constraints: `023`, or `REF`.
    var number: String { String(rawValue.dropFirst(2)) }

    /// Whether a breach leaves it open what the process would do, so that no profile accepts it.
    var isBlocking: Bool {
        switch self {
        case .duplicateID, .flowToArtifact, .flowFromArtifact, .flowSource, .flowTarget, .foreignDefaultFlow,
            .flowAcrossPools, .flowAcrossLevels, .eventSubProcessWithFlow, .startEventWithIncoming,
            .endEventWithOutgoing, .boundaryEventWithIncoming, .severalTimerValues:
            true
        default: false
        }
    }
}
