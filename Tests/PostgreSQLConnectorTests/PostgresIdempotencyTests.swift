import ConnectorKit
import Testing
import Values

@Suite struct PostgresIdempotencyTests {
    private static let table =
        "CREATE TABLE done (key text PRIMARY KEY, result jsonb, created_at timestamptz NOT NULL DEFAULT now())"

    private func call(_ operation: String, _ input: Value, key: String?) -> OperationCall {
        OperationCall(operation: operation, input: input, idempotencyKey: key, timeout: .seconds(20))
    }

    @Test(
        arguments: [
            ("execute", ["sql": "INSERT INTO t VALUES (1) RETURNING id"], 1),
            ("batch", ["sql": "INSERT INTO t VALUES ($1)", "parameters": [[1], [2]]], 2),
            (
                "transaction",
                ["statements": [["sql": "INSERT INTO t VALUES (1)"], ["sql": "INSERT INTO t VALUES (2)"]]], 2
            ),
            ("copyIn", ["table": "t", "rows": [[1], [2], [3]]], 3),
            ("call", ["name": "add"], 1),
        ] as [(String, Value, Int64)])
    func effectHappensOnceUnderOneKey(_ row: (operation: String, input: Value, rows: Int64)) async throws {
        let database = try await Database.open(["idempotencyTable": "done"])
        try await database.run(Self.table)
        try await database.run("CREATE TABLE t (id int)")
        try await database.run(
            "CREATE FUNCTION add() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING 7'")
        let call = self.call(row.operation, row.input, key: "order-1")
        #expect(await database.connection.isRepeatable(call) == true)
        let outcomes = await withTaskGroup(of: Outcome.self) { group in
            for _ in 0..<6 { group.addTask { await database.connection.invoke(call) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var first = 0
        var values: Set<Value> = []
        for outcome in outcomes {
            switch outcome {
            case .done(let value, _):
                first += 1
                values.insert(value)
            case .alreadyDone(let value, _): values.insert(value)
            default: Issue.record("\(outcome)")
            }
        }
        #expect(first == 1)
        #expect(values.count == 1, "\(values)")
        #expect(try await database.value("SELECT count(*) FROM t") == .number(Number(row.rows)))
        await database.close()
    }

    @Test func effectThatFailedLeavesNoKey() async throws {
        let database = try await Database.open(["idempotencyTable": "done"])
        try await database.run(Self.table)
        try await database.run("CREATE TABLE t (id int CHECK (id > 0))")
        let bad = await database.connection.invoke(
            self.call("execute", ["sql": "INSERT INTO t VALUES ($1)", "parameters": [0]], key: "k"))
        #expect(bad.error?.details["sqlstate"] == "23514")
        let good = await database.connection.invoke(
            self.call("execute", ["sql": "INSERT INTO t VALUES ($1)", "parameters": [1]], key: "k"))
        #expect(good.value == ["affected": 1])
        await database.close()
    }

    @Test func tableThatIsMissingIsNamedWithItsDefinition() async throws {
        let database = try await Database.open(["idempotencyTable": "done"])
        let outcome = await database.connection.invoke(
            self.call("execute", ["sql": "SELECT 1"], key: "k"))
        #expect(outcome.error?.kind == .notFound)
        #expect(outcome.error?.remedy.contains("CREATE TABLE \"done\"") == true)
        await database.close()
    }

    @Test func onlyWhatIsDeclaredOrRecordedIsRepeatable() async throws {
        let database = try await Database.open()
        let insert: Value = ["sql": "INSERT INTO t VALUES (1)"]
        let declared: Value = ["sql": "DELETE FROM t", "idempotent": true]
        #expect(await database.connection.isRepeatable(self.call("execute", insert, key: "k")) == nil)
        #expect(await database.connection.isRepeatable(self.call("execute", declared, key: nil)) == true)
        #expect(await database.connection.isRepeatable(self.call("query", ["sql": "SELECT 1"], key: nil)) == true)
        await database.close()
        let keyed = try await Database.open(["idempotencyTable": "done"])
        #expect(await keyed.connection.isRepeatable(self.call("execute", insert, key: nil)) == nil)
        let procedure: Value = ["name": "p", "kind": "procedure"]
        #expect(await keyed.connection.isRepeatable(self.call("call", procedure, key: "k")) == nil)
        let items: Value = ["sql": "INSERT INTO t VALUES ($1)", "parameters": [[1]], "mode": "perItem"]
        #expect(await keyed.connection.isRepeatable(self.call("batch", items, key: "k")) == nil)
        await keyed.close()
    }
}
