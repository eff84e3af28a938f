/// Writes decision models, their decisions and evaluations.
final class DecisionWriter {
    private let requirements: SQLiteStatement
    private let definition: SQLiteStatement
    private let instance: SQLiteStatement

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.requirements = try connection.prepareUpsert("decision_requirements", columns: 8)
        self.definition = try connection.prepareUpsert("decision_definition", columns: 10)
        self.instance = try connection.prepareUpsert("decision_instance", columns: 11)
    }

    func write(_ record: DecisionRequirementsRecord) throws(StoreError) {
        let row = self.requirements
        row.bind(1, record.key)
        row.bind(2, record.requirementsID)
        row.bind(3, record.version)
        row.bind(4, record.name)
        row.bind(5, record.resourceName)
        row.bind(6, record.deploymentKey)
        row.bind(7, record.resource)
        row.bind(8, record.deployedAt)
        try row.run()
    }

    func write(_ record: DecisionDefinitionRecord) throws(StoreError) {
        let row = self.definition
        row.bind(1, record.key)
        row.bind(2, record.decisionID)
        row.bind(3, record.version)
        row.bind(4, record.name)
        row.bind(5, record.versionTag)
        row.bind(6, Int(record.type.rawValue))
        row.bind(7, record.requirementsKey)
        row.bind(8, record.requirementsID)
        row.bind(9, record.requirementsVersion)
        row.bind(10, record.requirementsName)
        try row.run()
    }

    func write(_ record: DecisionInstanceRecord) throws(StoreError) {
        let row = self.instance
        row.bind(1, record.key)
        row.bind(2, record.evaluationKey)
        row.bind(3, record.decisionKey)
        row.bind(4, record.rootDecisionKey)
        row.bind(5, record.instanceKey)
        row.bind(6, record.elementInstanceKey)
        row.bind(7, record.definitionKey)
        row.bind(8, record.evaluatedAt)
        row.bind(9, record.failure)
        row.bindText(10, record.output)
        row.bind(11, record.trace)
        try row.run()
    }
}
