import Storage
import StorageTestSupport
import Testing
import Values

@Suite struct RecordPagingTests {
    /// Every sort of every kind, read in pages forwards and backwards, gives the rows of one big page.
    @Test func pagesCoverEverySortOnce() throws {
        let fixture = try RecordFixture.world()
        let reader = fixture.reader
        try self.check(ProcessInstanceFilter.self) { try reader.processInstances($0).map { $0.record.key } }
        try self.check(JobFilter.self) { try reader.jobs($0).map { $0.record.key } }
        try self.check(UserTaskFilter.self) { try reader.userTasks($0).map { $0.record.key } }
        try self.check(IncidentFilter.self) { try reader.incidents($0).map { $0.record.key } }
        try self.check(TimerFilter.self) { try reader.timers($0).map { $0.record.key } }
        try self.check(MessageFilter.self) { try reader.messages($0).map(\.key) }
        try self.check(DeadLetterFilter.self) { try reader.deadLetters($0).map(\.key) }
        try self.check(AuditFilter.self) { try reader.audit($0).map(\.key) }
        try self.check(ProcessDefinitionFilter.self) { try reader.processDefinitions($0).map(\.key) }
    }

    private func check<Filter: RecordFilter>(
        _ filter: Filter.Type, _ read: (Query<Filter>) throws -> ResultPage<UInt64>
    ) throws {
        let fields = Array(Filter.SortField.allCases)
        for (index, field) in fields.enumerated() {
            for isDescending in [false, true] {
                let second = fields[(index + 1) % fields.count]
                let sort = [
                    SortCriterion(field, isDescending: isDescending), SortCriterion(second, isDescending: true),
                ]
                let context = "\(Filter.self) by \(field)\(isDescending ? " descending" : "")"
                let all = try read(Query(sort: sort)).items
                #expect(Set(all).count == all.count && !all.isEmpty, "\(context)")

                var forwards: [UInt64] = []
                var page = try read(Query(sort: sort, page: PageRequest(limit: 2)))
                while let cursor = page.endCursor {
                    forwards += page.items
                    page = try read(Query(sort: sort, page: PageRequest(.after(cursor), limit: 2)))
                }
                #expect(forwards == all, "\(context)")

                var backwards: [UInt64] = []
                page = try read(Query(sort: sort, page: PageRequest(.from(all.count - 1), limit: 5)))
                #expect(page.items == all.suffix(1), "\(context)")
                while let cursor = page.startCursor {
                    backwards = page.items + backwards
                    page = try read(Query(sort: sort, page: PageRequest(.before(cursor), limit: 2)))
                }
                #expect(backwards == all, "\(context)")
            }
        }
    }

    @Test(arguments: ["", "x", "????", "e30=", "WzFd", "W1tdLDFd", "WzEsMiwzLDRd"])
    func aCursorThatIsNoneIsRefused(_ cursor: String) throws {
        let fixture = try RecordFixture.world()
        let query = Query<ProcessInstanceFilter>(
            sort: [SortCriterion(.startDate)], page: PageRequest(.after(cursor)))
        #expect(try storeError { _ = try fixture.reader.processInstances(query) }?.code == .misuse)
        // The reader goes on.
        #expect(try fixture.reader.processInstances(Query()).total == 12)
    }

    @Test(arguments: [0, -1, 10_001])
    func pageSizesAreBounded(_ limit: Int) throws {
        let fixture = try RecordFixture.world()
        let query = Query<JobFilter>(page: PageRequest(limit: limit))
        #expect(try storeError { _ = try fixture.reader.jobs(query) }?.code == .misuse)
    }

    /// Base64 test vectors of RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64(_ row: (text: String, encoded: String)) {
        #expect(Base64.encode(Array(row.text.utf8)) == row.encoded)
        #expect(Base64.decode(row.encoded) == Array(row.text.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zg==Zg==", "Z===", "Z!8="])
    func brokenBase64IsRefused(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func countingStopsButTotalsAreExact() throws {
        let fixture = try RecordFixture()
        var batch = RecordBatch()
        batch.instances = (1...25_000).map { key in
            var record = ProcessInstanceRecord.sample(
                key: UInt64(key), definitionKey: UInt64(key % 2), state: .completed)
            record.startedAt = Int64(key)
            return record
        }
        batch.instances[24_000].state = .active
        try fixture.store.apply(batch)
        let all = try fixture.reader.processInstances(Query(page: PageRequest(limit: 1)))
        #expect(all.total == 25_000 && !all.hasMoreThanTotal)
        var filter = ProcessInstanceFilter()
        filter.startedAt = [.greater(100)]
        let counted = try fixture.reader.processInstances(Query(filter: filter, page: PageRequest(limit: 1)))
        #expect(counted.total == 10_000 && counted.hasMoreThanTotal)
        #expect(counted.items[0].record.key == 101)
        filter.startedAt = []
        filter.state = [.equal(.active)]
        let active = try fixture.reader.processInstances(Query(filter: filter))
        #expect(active.items.map(\.record.key) == [24_001] && active.total == 1)
        filter.state = [.equal(.completed)]
        for sort in [[], [SortCriterion(ProcessInstanceFilter.SortField.startDate)]] {
            let page = try fixture.reader.processInstances(
                Query(filter: filter, sort: sort, page: PageRequest(.from(24_000), limit: 1)))
            #expect(page.items.map(\.record.key) == [24_002] && page.total == 24_999)
        }
        let last = try fixture.reader.processInstances(
            Query(filter: filter, sort: [SortCriterion(.endDate, isDescending: true)], page: PageRequest(limit: 1)))
        #expect(last.items.map(\.record.key) == [25_000])
    }
}
