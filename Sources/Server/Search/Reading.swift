import NIOPosix
import Runtime
import Storage
import Values

extension RouteServices {
    /// Reads the records once they show everything committed before, on a thread that may block.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (any RecordReader) throws(StoreError) -> Result
    ) async throws -> Result {
        try await self.workflow.waitForRecords()
        let records = self.records
        return try await NIOThreadPool.singleton.runIfActive { try body(records) }
    }
}

extension APIResponse {
    /// A page of items, as the wire contract wants it.
    static func page<Row>(
        _ page: ResultPage<Row>, _ write: (Row, inout JSONWriter) -> Void
    ) -> APIResponse {
        .object(capacity: 256 + page.items.count * 512) { writer in
            writer.key("items")
            writer.beginArray()
            for item in page.items {
                writer.beginObject()
                write(item, &writer)
                writer.endObject()
            }
            writer.endArray()
            writer.key("page")
            writer.beginObject()
            writer.member("totalItems", page.total)
            writer.member("hasMoreTotalItems", page.hasMoreThanTotal)
            if let cursor = page.startCursor { writer.member("startCursor", cursor) }
            if let cursor = page.endCursor { writer.member("endCursor", cursor) }
            writer.endObject()
        }
    }
}

extension FilterReader {
    /// The conditions on the definition that processes, jobs, tasks and incidents share.
    func definition() throws(ProblemDetails) -> ProcessDefinitionCondition {
        var condition = ProcessDefinitionCondition()
        condition.key = try self.keys("processDefinitionKey")
        condition.processID = try self.strings("processDefinitionId")
        return condition
    }
}

extension JSONWriter {
    /// The members that say which definition an item belongs to.
    mutating func definition(_ reference: ProcessDefinitionReference?, key: UInt64) {
        self.member("processDefinitionKey", Key(rawValue: key))
        self.member("processDefinitionId", reference?.processID ?? "")
        self.member("processDefinitionVersion", reference?.version ?? 0)
    }
}
