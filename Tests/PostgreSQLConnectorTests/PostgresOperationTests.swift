import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

@Suite struct PostgresOperationTests {
    @Test func namedParametersAreFoundOnlyWhereTheyAreParameters() async throws {
        let database = try await Database.open()
        let sql = """
            SELECT :a::int + :a AS sum, ':a' AS text, $tag$ :b $tag$ AS dollar, -- :c
                E'\\':d' AS escaped, /* :e /* :f */ :g */ (ARRAY[1,2,3])[1:2] AS slice, "t".":h" AS name
            FROM (SELECT 1 AS ":h") "t" WHERE :b = :b
            """
        let value = try await database.call(
            "query", ["sql": .string(sql), "parameters": ["a": 2, "b": "x"]])
        #expect(
            value["rows"] == [
                [
                    "sum": 4, "text": ":a", "dollar": " :b ", "escaped": "':d", "slice": [1, 2], "name": 1,
                ]
            ])
        await database.close()
    }

    @Test(
        arguments: [
            (["a": 1], "b is missing"), (["a": 1, "b": 2, "c": 3], "c is not in the statement"),
            (7, "a list of values"),
        ] as [(Value, String)])
    func wrongNamesAreReported(_ row: (parameters: Value, words: String)) async throws {
        let database = try await Database.open()
        let error = try await database.failure(
            "query", ["sql": "SELECT :a::int, :b::int", "parameters": row.parameters])
        #expect(error.kind == .validation)
        #expect(error.message.contains(row.words))
        await database.close()
    }

    @Test func columnsOfOneNameAreToldApart() async throws {
        let database = try await Database.open()
        #expect(try await database.rows("SELECT 1 AS a, 2 AS a, 3 AS a") == [["a": 1, "a_2": 2, "a_3": 3]])
        await database.close()
    }

    @Test func queryReturnsNoMoreRowsThanAsked() async throws {
        let database = try await Database.open()
        let value = try await database.call(
            "query", ["sql": "SELECT i FROM generate_series(1, 200000) i", "maxRows": 3])
        #expect(value["rows"] == [["i": 1], ["i": 2], ["i": 3]])
        #expect(value["isComplete"] == false)
        #expect(try await database.call("query", ["sql": "SELECT 1 AS i", "maxRows": 1])["isComplete"] == true)
        await database.close()
    }

    @Test func resultBeyondTheBoundIsStopped() async throws {
        let database = try await Database.open(["maxResult": "64KiB", "maxConnections": 1])
        let error = try await database.failure(
            "query", ["sql": "SELECT repeat('x', 1000) FROM generate_series(1, 10000000)", "maxRows": 1_000_000])
        #expect(error.code == "CON-5107")
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
    }

    @Test func rowsOfABatchShareOneBound() async throws {
        let database = try await Database.open(["maxResult": "10KiB"])
        try await database.run("CREATE TABLE t (id int)")
        let value = try await database.call(
            "batch",
            [
                "sql": "INSERT INTO t VALUES ($1) RETURNING repeat('x', 1000) AS x",
                "parameters": .list((0..<30).map { [.number(Number(Int64($0)))] }),
            ])
        let items = try #require(value["items"]?.asList)
        #expect(value["affected"] == 30)
        #expect(items.filter { $0["isComplete"] == true }.count == 10)
        #expect(items.last == ["affected": 1, "rows": [], "isComplete": false])
        await database.close()
    }

    @Test func queryChangesNothing() async throws {
        let database = try await Database.open()
        try await database.run("CREATE TABLE t (id int)")
        let error = try await database.failure("query", ["sql": "INSERT INTO t VALUES (1) RETURNING id"])
        #expect(error.kind == .permission)
        #expect(error.details["sqlstate"] == "25006")
        #expect(error.remedy.contains("execute"))
        let value = try await database.call("execute", ["sql": "INSERT INTO t VALUES (1) RETURNING id"])
        #expect(value == ["affected": 1, "rows": [["id": 1]], "isComplete": true])
        await database.close()
    }

    @Test(arguments: [
        "BEGIN", "/* x */ commit", "-- y\nROLLBACK", "SET TimeZone = 'CET'", "LISTEN a", "COPY t FROM STDIN",
        "DISCARD ALL", "", "PREPARE p AS SELECT 1", "SAVEPOINT a",
    ])
    func statementsThatChangeTheConnectionAreRefused(_ sql: String) async throws {
        let database = try await Database.open()
        let error = try await database.failure("execute", ["sql": .string(sql)])
        #expect(error.kind == .validation)
        await database.close()
    }

    @Test func severalStatementsInOneTextAreRefused() async throws {
        let database = try await Database.open()
        let error = try await database.failure("execute", ["sql": "SELECT 1; SELECT 2"])
        #expect(error.details["sqlstate"] == "42601")
        await database.close()
    }

    @Test func atomicBatchIsAllOrNothing() async throws {
        let database = try await Database.open()
        try await database.run("CREATE TABLE t (id int PRIMARY KEY, name text)")
        let sets = Value.list((0..<2_000).map { [.number(Number(Int64($0))), "n"] })
        let value = try await database.call(
            "batch", ["sql": "INSERT INTO t VALUES ($1, $2)", "parameters": sets])
        #expect(value["affected"] == 2_000)
        #expect(value["items"]?.asList?.count == 2_000)
        let error = try await database.failure(
            "batch",
            [
                "sql": "INSERT INTO t VALUES (:id, :name)",
                "parameters": [["id": 5_000, "name": "a"], ["id": 1, "name": "b"], ["id": 5_001, "name": "c"]],
            ])
        #expect(error.kind == .conflict)
        #expect(error.details["constraint"] == "t_pkey")
        #expect(!error.mayHaveExecuted)
        #expect(try await database.value("SELECT count(*) FROM t") == 2_000)
        await database.close()
    }

    @Test func eachItemOfABatchHasAnOutcomeOfItsOwn() async throws {
        let database = try await Database.open()
        try await database.run("CREATE TABLE t (id int PRIMARY KEY)")
        let value = try await database.call(
            "batch",
            ["sql": "INSERT INTO t VALUES ($1)", "mode": "perItem", "parameters": [[1], [1], ["x"], [2], [[1]]]])
        let items = try #require(value["items"]?.asList)
        #expect(value["affected"] == 2)
        #expect(value["failed"] == 3)
        #expect(items[0] == ["affected": 1])
        #expect(items[1]["error"]?["kind"] == "conflict")
        #expect(items[2]["error"]?["details"]?["sqlstate"] == "22P02")
        #expect(items[3] == ["affected": 1])
        #expect(items[4]["error"]?["code"] == "CON-5108")
        await database.close()
    }

    @Test func transactionSeesItsOwnTablesAndIsAllOrNothing() async throws {
        let database = try await Database.open()
        let value = try await database.call(
            "transaction",
            [
                "isolation": "serializable",
                "statements": [
                    ["sql": "CREATE TABLE t (id int PRIMARY KEY)"], ["sql": "SET LOCAL work_mem = '8MB'"],
                    ["sql": "INSERT INTO t SELECT i FROM generate_series(1, :n) i", "parameters": ["n": 3]],
                    ["sql": "SELECT sum(id) AS sum FROM t"],
                ],
            ])
        let results = try #require(value["results"]?.asList)
        #expect(results[2] == ["affected": 3])
        #expect(results[3]["rows"] == [["sum": 6]])
        for _ in 0..<2 {
            // The second time all is prepared, and goes in one trip.
            let error = try await database.failure(
                "transaction",
                [
                    "statements": [
                        ["sql": "DELETE FROM t"], ["sql": "INSERT INTO t VALUES ($1)", "parameters": [4]],
                        ["sql": "INSERT INTO t VALUES ($1)", "parameters": [4]],
                    ]
                ])
            #expect(error.kind == .conflict)
            #expect(!error.mayHaveExecuted)
            #expect(try await database.value("SELECT count(*) FROM t") == 3)
        }
        await database.close()
    }

    @Test func callThatWasNeverSentLeavesTheConnectionAsItWas() async throws {
        let database = try await Database.open(["maxConnections": 1, "idempotencyTable": "done"])
        try await database.run("CREATE TABLE t (id int, ids int[])")
        let insert = "INSERT INTO t VALUES ($1, $2)"
        try await database.run(insert, [1, [1]])
        for operation in ["batch", "transaction"] {
            _ = try await database.rows("SELECT 1")
            let input: Value =
                operation == "batch"
                ? ["sql": .string(insert), "parameters": [[2, 5]]]
                : ["statements": [["sql": .string(insert), "parameters": [2, 5]]]]
            #expect(try await database.failure(operation, input).code == "CON-5108")
            try await database.run(insert, [3, [3]])
        }
        #expect(try await database.value("SELECT count(*) FROM t") == 3)
        await database.close()
    }

    @Test func constraintCheckedAtCommitFailsTheCall() async throws {
        let database = try await Database.open()
        try await database.run("CREATE TABLE p (id int PRIMARY KEY)")
        try await database.run("CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
        let single = try await database.failure("execute", ["sql": "INSERT INTO c VALUES (1)"])
        #expect(single.details["sqlstate"] == "23503")
        #expect(!single.mayHaveExecuted)
        let many = try await database.failure(
            "batch", ["sql": "INSERT INTO c VALUES ($1)", "parameters": [[1], [2]]])
        #expect(many.details["sqlstate"] == "23503")
        let items = try await database.call(
            "batch",
            [
                "sql": "WITH a AS (SELECT $1::int AS i) INSERT INTO c SELECT i FROM a WHERE i > 0",
                "mode": "perItem", "parameters": [[0], [1], [0]],
            ])
        #expect(items["failed"] == 1)
        #expect(try await database.value("SELECT count(*) FROM c") == 0)
        await database.close()
    }

    @Test func callsOfABatchShareOneTrip() async throws {
        let database = try await Database.open(["maxConnections": 1])
        try await database.run("CREATE TABLE t (id int PRIMARY KEY)")
        var calls: [OperationCall] = []
        for id in 0..<300 {
            calls.append(
                OperationCall(
                    operation: "execute",
                    input: ["sql": "INSERT INTO t VALUES ($1)", "parameters": [.number(Number(Int64(id % 299)))]]))
        }
        calls.append(OperationCall(operation: "query", input: ["sql": "SELECT 1 AS one"]))
        calls.append(OperationCall(operation: "nothing", input: [:]))
        calls.append(OperationCall(operation: "query", input: ["sql": "SELECT 2 AS two"]))
        let outcomes = await database.connection.invokeBatch(calls)
        #expect(outcomes.count == 303)
        #expect(outcomes[0..<299].allSatisfy { $0.value == ["affected": 1] })
        #expect(outcomes[0].facts["pipelined"] == 300)
        #expect(outcomes[299].error?.kind == .conflict)
        #expect(outcomes[300].value?["rows"] == [["one": 1]])
        #expect(outcomes[301].error?.kind == .unsupported)
        #expect(outcomes[302].value?["rows"] == [["two": 2]])
        await database.close()
    }

    @Test func moreStatementsThanTheCacheHoldsWork() async throws {
        let database = try await Database.open(["statementCache": 4, "maxConnections": 1])
        let calls = (0..<20).map { index in
            OperationCall(operation: "query", input: ["sql": .string("SELECT \(index % 7) AS v")])
        }
        for _ in 0..<2 {
            let outcomes = await database.connection.invokeBatch(calls)
            for (index, outcome) in outcomes.enumerated() {
                #expect(outcome.value?["rows"] == [["v": .number(Number(Int64(index % 7)))]])
            }
        }
        let known = try await database.value("SELECT count(*) FROM pg_prepared_statements")
        #expect((known.asInt64 ?? 99) <= 5)
        await database.close()
    }

    @Test func statementWhoseTableChangedIsPreparedAgain() async throws {
        let database = try await Database.open(["maxConnections": 1])
        try await database.run("CREATE TABLE t (a int)")
        try await database.run("INSERT INTO t VALUES (1)")
        #expect(try await database.rows("SELECT * FROM t") == [["a": 1]])
        try await database.run("ALTER TABLE t ADD COLUMN b text DEFAULT 'x'")
        #expect(try await database.rows("SELECT * FROM t") == [["a": 1, "b": "x"]])
        let statements: Value = ["statements": [["sql": "DELETE FROM t WHERE a = 0"], ["sql": "TABLE t"]]]
        try await database.call("transaction", statements)
        try await database.run("ALTER TABLE t ADD COLUMN c int")
        let value = try await database.call("transaction", statements)
        #expect(value["results"]?.asList?.last?["rows"] == [["a": 1, "b": "x", "c": .null]])
        await database.close()
    }

    @Test func routinesAreCalledByPositionAndByName() async throws {
        let database = try await Database.open()
        try await database.run(
            "CREATE FUNCTION add(a int, b int DEFAULT 10) RETURNS int LANGUAGE sql AS 'SELECT a + b'")
        try await database.run(
            """
            CREATE PROCEDURE halve(IN a int, OUT half int, INOUT count int) LANGUAGE plpgsql AS
            $$ BEGIN half := a / 2; count := count + 1; END $$
            """)
        let sum = try await database.call("call", ["name": "add", "arguments": [1, 2]])
        #expect(sum["rows"] == [["add": 3]])
        let named = try await database.call("call", ["name": "add", "arguments": ["a": 5]])
        #expect(named["rows"] == [["add": 15]])
        let procedure = try await database.call(
            "call", ["name": "halve", "kind": "procedure", "arguments": [8, .null, 1]])
        #expect(procedure["rows"] == [["half": 4, "count": 2]])
        let error = try await database.failure("call", ["name": "missing"])
        #expect(error.kind == .notFound)
        await database.close()
    }

    // MARK: - COPY

    @Test func rowsAreCopiedInAndOut() async throws {
        let directory = try TemporaryDirectory()
        let database = try await Database.open(["fileRoot": .string(directory.path)])
        try await database.run("CREATE TABLE t (id int, name text, at timestamptz)")
        let rows: [Value] = (0..<5_000).map {
            ["id": .number(Number(Int64($0))), "name": .string("tab\t line\n back\\ \($0)")]
        }
        let copied = try await database.call("copyIn", ["table": "t", "rows": .list(rows)])
        #expect(copied["affected"] == 5_000)
        #expect(try await database.value("SELECT name FROM t WHERE id = 7") == "tab\t line\n back\\ 7")
        let out = try await database.call(
            "copyOut", ["sql": "SELECT id, 'a,b' AS t FROM t WHERE id < 2 ORDER BY id", "header": true])
        #expect(out == ["rows": 2, "bytes": 21, "content": "id,t\n0,\"a,b\"\n1,\"a,b\"\n"])
        let file = try await database.call("copyOut", ["table": "t", "columns": ["id"], "file": "out.csv"])
        #expect(file["rows"] == 5_000)
        #expect(directory.text("out.csv")?.split(separator: "\n").count == 5_000)
        let back = try await database.call("copyIn", ["table": "t", "columns": ["id"], "file": "out.csv"])
        #expect(back["affected"] == 5_000)
        #expect(try await database.value("SELECT count(*) FROM t") == 10_000)
        await database.close()
    }

    @Test func copyThatFailsChangesNothing() async throws {
        let directory = try TemporaryDirectory()
        try directory.put("bad.csv", "1,a\nx,b\n")
        let database = try await Database.open(["fileRoot": .string(directory.path), "maxConnections": 1])
        try await database.run("CREATE TABLE t (id int PRIMARY KEY, name text)")
        let bad = try await database.failure("copyIn", ["table": "t", "file": "bad.csv"])
        #expect(bad.details["sqlstate"] == "22P02")
        let twice = try await database.failure("copyIn", ["table": "t", "rows": [[1, "a"], [1, "b"]]])
        #expect(twice.kind == .conflict)
        let short = try await database.failure("copyIn", ["table": "t", "rows": [[1]]])
        #expect(short.code == "CON-5108")
        let wrong = try await database.failure("copyIn", ["table": "t", "columns": ["nothing"], "rows": [[1]]])
        #expect(wrong.kind == .notFound)
        #expect(try await database.value("SELECT count(*) FROM t") == 0)
        await database.close()
    }

    @Test(arguments: [
        ("../x.csv", ConnectorError.Kind.permission), ("/etc/passwd", .permission), ("link", .permission),
        ("missing.csv", .notFound), ("a/../../x", .permission),
    ])
    func copyNeverLeavesItsRoot(_ row: (path: String, kind: ConnectorError.Kind)) async throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/link", withDestinationPath: "/etc/passwd")
        let database = try await Database.open(["fileRoot": .string(directory.path)])
        try await database.run("CREATE TABLE t (line text)")
        let error = try await database.failure("copyIn", ["table": "t", "file": .string(row.path)])
        #expect(error.kind == row.kind)
        #expect(error.code == "CON-5110")
        await database.close()
    }

    @Test(arguments: [
        "SELECT 1) TO STDOUT; DROP TABLE t; --", "SELECT 1; SELECT 2", "SELECT (1", "SELECT ')", "SELECT 1 /*",
    ])
    func queryOfACopyCannotEscape(_ sql: String) async throws {
        let database = try await Database.open()
        let error = try await database.failure("copyOut", ["sql": .string(sql)])
        #expect(error.kind == .validation)
        #expect(error.code == "CON-0006")
        await database.close()
    }

    @Test func copyOutBeyondItsBoundIsStopped() async throws {
        let directory = try TemporaryDirectory()
        let database = try await Database.open(["fileRoot": .string(directory.path)])
        for input: Value in [
            ["sql": "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)", "maxBytes": "10KiB"],
            ["sql": "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)", "maxBytes": "10KiB", "file": "big"],
        ] {
            let error = try await database.failure("copyOut", input)
            #expect(error.code == "CON-5107")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
        await database.close()
    }
}
