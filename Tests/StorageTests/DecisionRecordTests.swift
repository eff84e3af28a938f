import Storage
import Testing

/// Decision models, decisions and evaluations in the records.
@Suite struct DecisionRecordTests {
    static func world() throws -> RecordFixture {
        let fixture = try RecordFixture()
        var batch = RecordBatch()
        batch.definitions = [.sample(key: 100, "orders", version: 1, name: "Orders")]
        for version: UInt64 in 1...2 {
            batch.decisionRequirements.append(
                DecisionRequirementsRecord(
                    key: 200 + version, requirementsID: "fees", version: Int(version), name: "Fees",
                    resourceName: "fees.dmn", deploymentKey: 9, resource: [UInt8(version)], deployedAt: 5))
            for (place, id) in ["fee", "total"].enumerated() {
                batch.decisionDefinitions.append(
                    DecisionDefinitionRecord(
                        key: 300 + version * 10 + UInt64(place), decisionID: id, version: Int(version),
                        name: id == "fee" ? "Fee" : "Total", versionTag: nil,
                        type: id == "fee" ? .decisionTable : .literalExpression, requirementsKey: 200 + version,
                        requirementsID: "fees", requirementsVersion: Int(version), requirementsName: "Fees"))
            }
        }
        for key: UInt64 in 1...4 {
            batch.decisionInstances.append(
                DecisionInstanceRecord(
                    key: key, evaluationKey: key > 2 ? 33 : 11, decisionKey: key % 2 == 0 ? 321 : 320,
                    rootDecisionKey: 321, instanceKey: key > 2 ? nil : 7, elementInstanceKey: key > 2 ? nil : 8,
                    definitionKey: key > 2 ? nil : 100, evaluatedAt: 1_000 - Int64(key),
                    failure: key == 4 ? "no" : nil, output: Array("5".utf8), trace: [UInt8(key)]))
        }
        try fixture.store.apply(batch)
        return fixture
    }

    @Test(arguments: [
        Search<DecisionInstanceFilter>("everything", finds: [1, 2, 3, 4]),
        Search("by decision id", finds: [1, 3]) { $0.decisionID = [.equal("fee")] },
        Search("by decision name and version", finds: [2, 4]) {
            $0.decisionName = [.like("To*")]
            $0.decisionVersion = [.equal(2)]
        }, Search("by type", finds: [1, 3]) { $0.decisionType = [.equal(1)] },
        Search("by version of a decision", finds: []) { $0.decisionKey = [.equal(310)] },
        Search("by what was asked for", finds: [1, 2, 3, 4]) { $0.rootDecisionKey = [.equal(321)] },
        Search("by evaluation", finds: [3, 4]) { $0.evaluationKey = [.equal(33)] },
        Search("by instance", finds: [1, 2]) { $0.instanceKey = [.equal(7)] },
        Search("by element", finds: [1, 2]) { $0.elementInstanceKey = [.equal(8)] },
        Search("by process", finds: [1, 2]) { $0.definition.processID = [.equal("orders")] },
        Search("without a process", finds: [3, 4]) { $0.instanceKey = [.exists(false)] },
        Search("failed", finds: [4]) { $0.hasFailed = true },
        Search("not failed", finds: [1, 2, 3]) { $0.hasFailed = false },
        Search("by failure", finds: [4]) { $0.failure = [.equal("no")] },
        Search("by time", finds: [1, 2]) { $0.evaluatedAt = [.greaterOrEqual(998)] },
        Search("by time, oldest first", sort: [.init(.evaluationDate)], finds: [4, 3, 2, 1]),
        Search(
            "by decision, newest first", sort: [.init(.decisionDefinitionId, isDescending: true)], finds: [4, 2, 3, 1]),
    ])
    func evaluations(_ search: Search<DecisionInstanceFilter>) throws {
        let fixture = try Self.world()
        let page = try fixture.reader.decisionInstances(search.query)
        search.check(page) { $0.record.key }
    }

    @Test(arguments: DecisionInstanceFilter.SortField.allCases)
    func everyOrderOfEvaluationsHasAllOfThemPageByPage(_ field: DecisionInstanceFilter.SortField) throws {
        let fixture = try Self.world()
        var found: [UInt64] = []
        var query = Query<DecisionInstanceFilter>(sort: [.init(field, isDescending: true)], page: PageRequest(limit: 1))
        while true {
            let page = try fixture.reader.decisionInstances(query)
            guard let item = page.items.first, let cursor = page.endCursor else { break }
            found.append(item.record.key)
            #expect(item.decision?.requirementsKey == 202)
            query.page.position = .after(cursor)
        }
        #expect(found.sorted() == [1, 2, 3, 4])
    }

    @Test(arguments: [
        Search<DecisionDefinitionFilter>("the newest versions", finds: [320, 321]) { $0.isLatest = true },
        Search("older versions", finds: [310, 311]) { $0.isLatest = false },
        Search("by id", finds: [310, 320]) { $0.decisionID = [.equal("fee")] },
        Search("by name", finds: [311, 321]) { $0.name = [.equal("Total")] },
        Search("by model", finds: [310, 311]) { $0.requirementsKey = [.equal(201)] },
        Search("by name and version of the model", finds: [320, 321]) {
            $0.requirementsID = [.equal("fees")]
            $0.requirementsName = [.equal("Fees")]
            $0.requirementsVersion = [.equal(2)]
        },
        Search(
            "by version, then id", sort: [.init(.version, isDescending: true), .init(.decisionDefinitionId)],
            finds: [320, 321, 310, 311]),
    ])
    func definitions(_ search: Search<DecisionDefinitionFilter>) throws {
        let fixture = try Self.world()
        let page = try fixture.reader.decisionDefinitions(search.query)
        search.check(page) { $0.key }
    }

    @Test func modelsAreFoundAndReadWithTheirDocument() throws {
        let fixture = try Self.world()
        let reader = fixture.reader
        var query = Query<DecisionRequirementsFilter>(sort: [.init(.version, isDescending: true)])
        #expect(try reader.decisionRequirements(query).items.map(\.key) == [202, 201])
        query.filter.version = [.equal(1)]
        query.filter.resourceName = [.equal("fees.dmn")]
        let found = try reader.decisionRequirements(query).items
        #expect(found.map(\.key) == [201] && found[0].resource == [])
        #expect(try reader.decisionRequirements(key: 202)?.resource == [2])
        #expect(try reader.decisionRequirements(key: 1) == nil)
        for field in DecisionRequirementsFilter.SortField.allCases {
            #expect(try reader.decisionRequirements(Query(sort: [.init(field)])).total == 2)
        }
        for field in DecisionDefinitionFilter.SortField.allCases {
            #expect(try reader.decisionDefinitions(Query(sort: [.init(field)])).total == 4)
        }
        withExtendedLifetime(fixture) {}
    }
}
