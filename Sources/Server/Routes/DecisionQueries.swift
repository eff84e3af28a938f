import HTTPTypes
import Storage
import Values

/// Decision models, their decisions and evaluations, read from the records.
enum DecisionQueries {
    static let routes: [Route] = [
        Route(
            .post, "/v2/decision-definitions/search", "searchDecisionDefinitions", "Searches versions of decisions.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await definitions.answer($0, $1) },
        Route(
            .get, "/v2/decision-definitions/{decisionDefinitionKey}", "getDecisionDefinition",
            "One version of a decision."
        ) { request, services in
            var filter = DecisionDefinitionFilter()
            filter.key = [.equal(try request.key().rawValue)]
            return try await definitions.answer(filter, orNo: "decision definition", request, services)
        },
        Route(
            .get, "/v2/decision-definitions/{decisionDefinitionKey}/xml", "getDecisionDefinitionXML",
            "The document of a decision, as deployed."
        ) { request, services in
            let key = try request.key()
            var filter = DecisionDefinitionFilter()
            filter.key = [.equal(key.rawValue)]
            guard let definition = try await definitions.first(filter, services) else {
                throw ProblemDetails.notFound("decision definition", key)
            }
            return try await document(Key(rawValue: definition.requirementsKey), services)
        },
        Route(
            .post, "/v2/decision-requirements/search", "searchDecisionRequirements",
            "Searches versions of decision models.", body: .json(SearchRequest.fields, required: false)
        ) { try await requirements.answer($0, $1) },
        Route(
            .get, "/v2/decision-requirements/{decisionRequirementsKey}", "getDecisionRequirements",
            "One version of a decision model."
        ) { request, services in
            var filter = DecisionRequirementsFilter()
            filter.key = [.equal(try request.key().rawValue)]
            return try await requirements.answer(filter, orNo: "decision requirements", request, services)
        },
        Route(
            .get, "/v2/decision-requirements/{decisionRequirementsKey}/xml", "getDecisionRequirementsXML",
            "The document of a decision model, as deployed."
        ) { request, services in try await document(try request.key(), services) },
        Route(
            .post, "/v2/decision-instances/search", "searchDecisionInstances", "Searches evaluated decisions.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await DecisionInstanceQueries.search.answer($0, $1) },
        Route(
            .get, "/v2/decision-instances/{decisionEvaluationInstanceKey}", "getDecisionInstance",
            "One evaluated decision with its inputs and the rules that matched."
        ) { request, services in
            var filter = DecisionInstanceFilter()
            filter.key = [.equal(try request.key().rawValue)]
            return try await DecisionInstanceQueries.get.answer(filter, orNo: "decision instance", request, services)
        },
    ]

    static let definitions = SearchOperation<DecisionDefinitionFilter, DecisionDefinitionRecord>(
        filter: { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = DecisionDefinitionFilter()
            filter.key = try reader.keys("decisionDefinitionKey")
            filter.decisionID = try reader.strings("decisionDefinitionId")
            filter.name = try reader.strings("name")
            filter.version = try reader.integers("version")
            filter.requirementsKey = try reader.keys("decisionRequirementsKey")
            filter.requirementsID = try reader.strings("decisionRequirementsId")
            filter.requirementsName = try reader.strings("decisionRequirementsName")
            filter.requirementsVersion = try reader.integers("decisionRequirementsVersion")
            filter.isLatest = try reader.boolean("isLatestVersion")
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.decisionDefinitions(query) },
        write: { record, writer in
            writer.member("decisionDefinitionKey", Key(rawValue: record.key))
            writer.member("decisionDefinitionId", record.decisionID)
            writer.member("name", record.name)
            writer.member("version", record.version)
            writer.member("versionTag", nullable: record.versionTag)
            writer.member("decisionRequirementsKey", Key(rawValue: record.requirementsKey))
            writer.member("decisionRequirementsId", record.requirementsID)
            writer.member("decisionRequirementsName", record.requirementsName)
            writer.member("decisionRequirementsVersion", record.requirementsVersion)
            writer.member("tenantId", defaultTenant)
        })

    static let requirements = SearchOperation<DecisionRequirementsFilter, DecisionRequirementsRecord>(
        filter: { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = DecisionRequirementsFilter()
            filter.key = try reader.keys("decisionRequirementsKey")
            filter.requirementsID = try reader.strings("decisionRequirementsId")
            filter.name = try reader.strings("decisionRequirementsName")
            filter.version = try reader.integers("version")
            filter.resourceName = try reader.strings("resourceName")
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.decisionRequirements(query) },
        write: { record, writer in
            writer.member("decisionRequirementsKey", Key(rawValue: record.key))
            writer.member("decisionRequirementsId", record.requirementsID)
            writer.member("decisionRequirementsName", record.name)
            writer.member("version", record.version)
            writer.member("resourceName", record.resourceName)
            writer.member("tenantId", defaultTenant)
        })

    private static func document(_ key: Key, _ services: RouteServices) async throws -> APIResponse {
        let found = try await services.read { records throws(StoreError) in
            try records.decisionRequirements(key: key.rawValue)
        }
        guard let found else { throw ProblemDetails.notFound("decision requirements", key) }
        return APIResponse(status: .ok, contentType: "text/xml", body: found.resource)
    }
}
