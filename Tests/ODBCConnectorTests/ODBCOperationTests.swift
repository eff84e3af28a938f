import ConnectorKit
import Foundation
import ODBCConnector
import Testing
import Values

@Suite struct ODBCOperationTests {
    @Test(arguments: Target.allCases)
    func namedParametersAreFoundOnlyWhereTheyAreParameters(_ target: Target) async throws {
        let database = try await Database.open(target)
        try await database.run("CREATE TABLE \(database.table) (id integer, name varchar(40))")
        let insert: Value = [
            "sql": .string("INSERT INTO \(database.table) VALUES (:id, ':id -- :x') /* :y */ -- :z"),
            "parameters": ["id": 7],
        ]
        #expect(try await database.call("execute", insert)["affected"] == 1)
        let rows = try await database.call(
            "query",
            [
                "sql": .string("SELECT id, name FROM \(database.table) WHERE id = :id OR id = :id + 0 * :other"),
                "parameters": ["id": 7, "other": 1],
            ])["rows"]
        #expect(rows == [["id": 7, "name": ":id -- :x"]])
        for (parameters, word) in [(["other": 1] as Value, ":id"), (["id": 1, "other": 1, "more": 1], ":more")] {
            let error = try await database.failure(
                "query",
                [
                    "sql": .string("SELECT id FROM \(database.table) WHERE id = :id AND id = :other"),
                    "parameters": parameters,
                ])
            #expect(error.kind == .validation, "\(parameters)")
            #expect(error.message.contains(word))
        }
        await database.close()
    }

    @Test(arguments: Target.allCases)
    func queryReturnsNoMoreRowsThanAsked(_ target: Target) async throws {
        let database = try await Database.open(target, ["maxResult": "10KiB"])
        try await database.run("CREATE TABLE \(database.table) (id integer, v varchar(200))")
        let sets = Value.list((0..<700).map { [.number(Number(Int64($0))), "value"] })
        let batch = try await database.call(
            "batch", ["sql": .string("INSERT INTO \(database.table) VALUES (?, ?)"), "parameters": sets])
        #expect(batch["affected"] == 700)
        let sql = Value.string("SELECT id AS i FROM \(database.table) ORDER BY id")
        let value = try await database.call("query", ["sql": sql, "maxRows": 2])
        #expect(value == ["rows": [["i": 0], ["i": 1]], "count": 2, "isComplete": false])
        let error = try await database.failure(
            "query", ["sql": .string("SELECT v, v AS w FROM \(database.table)"), "maxRows": 1_000_000])
        #expect(error.code == "CON-5206" || error.code == "CON-5201", "\(error)")
        #expect(error.kind == .validation)
        #expect(try await database.value("SELECT count(*) FROM \(database.table)") == 700)
        await database.close()
    }

    @Test(arguments: Target.allCases)
    func queryChangesNothing(_ target: Target) async throws {
        let database = try await Database.open(target, ["maxConnections": 1])
        try await database.run("CREATE TABLE \(database.table) (id integer)")
        let insert = "INSERT INTO \(database.table) VALUES (1)"
        let error = try await database.failure("query", ["sql": .string(insert)])
        #expect(error.code == "CON-5209")
        if target != .sqlite {
            _ = await database.connection.call("query", ["sql": .string(insert + " RETURNING id")])
        }
        #expect(try await database.value("SELECT count(*) FROM \(database.table)") == 0)
        await database.close()
    }

    @Test(arguments: Target.allCases)
    func columnsOfOneNameAreToldApart(_ target: Target) async throws {
        let database = try await Database.open(target)
        #expect(try await database.rows("SELECT 1 AS a, 2 AS a") == [["a": 1, "a_2": 2]])
        await database.close()
    }

    @Test(arguments: Target.allCases, [1, 3, 500])
    func atomicBatchIsAllOrNothing(_ target: Target, arrayRows: Int64) async throws {
        let database = try await Database.open(target, ["arrayRows": .number(Number(arrayRows))])
        try await database.run("CREATE TABLE \(database.table) (id integer PRIMARY KEY, name varchar(40))")
        let insert = Value.string("INSERT INTO \(database.table) VALUES (:id, :name)")
        let good = try await database.call(
            "batch",
            [
                "sql": insert,
                "parameters": .list((0..<10).map { ["id": .number(Number(Int64($0))), "name": "ä"] }),
            ])
        #expect(good["affected"] == 10)
        #expect(good["items"]?.asList == Array(repeating: ["affected": 1], count: 10))
        let error = try await database.failure(
            "batch",
            [
                "sql": insert,
                "parameters": [
                    ["id": 100, "name": "a"], ["id": 101, "name": .null], ["id": 5, "name": "b"],
                    ["id": 102, "name": "c"],
                ],
            ])
        #expect(error.kind == .conflict, "\(error)")
        #expect(!error.mayHaveExecuted)
        #expect(try await database.value("SELECT count(*) FROM \(database.table)") == 10)
        await database.close()
    }

    @Test(arguments: Target.allCases, [1, 500])
    func eachItemOfABatchHasAnOutcomeOfItsOwn(_ target: Target, arrayRows: Int64) async throws {
        let database = try await Database.open(target, ["arrayRows": .number(Number(arrayRows))])
        try await database.run("CREATE TABLE \(database.table) (id integer PRIMARY KEY)")
        let value = try await database.call(
            "batch",
            [
                "sql": .string("INSERT INTO \(database.table) VALUES (?)"), "mode": "perItem",
                "parameters": [[1], [1], [2], [[3]], [3], [1]],
            ])
        let items = try #require(value["items"]?.asList)
        #expect(value["affected"] == 3)
        #expect(value["failed"] == 3)
        #expect(items.map { $0["affected"] } == [1, nil, 1, nil, 1, nil])
        #expect(items[1]["error"]?["kind"] == "conflict")
        #expect(items[3]["error"]?["code"] == "CON-5207")
        #expect(try await database.value("SELECT count(*) FROM \(database.table)") == 3)
        await database.close()
    }

    @Test(arguments: Target.allCases)
    func valuesOfAColumnMayDiffer(_ target: Target) async throws {
        let database = try await Database.open(target)
        try await database.run("CREATE TABLE \(database.table) (id integer, v varchar(40), n numeric(20, 5))")
        let half = Value.number(Number("0.5") ?? .zero)
        try await database.call(
            "batch",
            [
                "sql": .string("INSERT INTO \(database.table) VALUES (?, ?, ?)"),
                "parameters": [[1, "text", 1], [2, 5, half], [3, .null, .null], [.null, true, 12_345_678]],
            ])
        let rows = try await database.rows("SELECT v, n FROM \(database.table) ORDER BY COALESCE(id, 9)")
        #expect(rows.map { $0["v"] } == ["text", "5", .null, "1"])
        #expect(rows.map { $0["n"] } == [1, half, .null, 12_345_678])
        await database.close()
    }

    @Test(arguments: Target.allCases)
    func transactionIsAllOrNothing(_ target: Target) async throws {
        let database = try await Database.open(target, ["maxConnections": 1])
        try await database.run("CREATE TABLE \(database.table) (id integer PRIMARY KEY)")
        let insert = Value.string("INSERT INTO \(database.table) VALUES (?)")
        let good = try await database.call(
            "transaction",
            [
                "statements": [
                    ["sql": insert, "parameters": [1]], ["sql": insert, "parameters": [2]],
                    ["sql": .string("SELECT id FROM \(database.table) ORDER BY id")],
                ]
            ])
        let results = try #require(good["results"]?.asList)
        #expect(results[0]["affected"] == 1)
        #expect(results[2]["rows"] == [["id": 1], ["id": 2]])
        let error = try await database.failure(
            "transaction",
            ["statements": [["sql": insert, "parameters": [3]], ["sql": insert, "parameters": [1]]]])
        #expect(error.kind == .conflict)
        #expect(!error.mayHaveExecuted)
        #expect(try await database.value("SELECT count(*) FROM \(database.table)") == 2)
        await database.close()
    }

    @Test func proceduresGiveBackTheirParameters() async throws {
        let database = try await Database.open(.mariaDB)
        let name = "p_" + database.table
        try await database.run(
            "CREATE PROCEDURE \(name) (IN a INT, OUT half INT, INOUT t VARCHAR(40)) "
                + "BEGIN SET half = a / 2; SET t = CONCAT(t, '🎉'); END")
        let value = try await database.call(
            "call",
            [
                "name": .string(name),
                "arguments": [
                    8, ["direction": "out", "type": "integer"],
                    ["direction": "inout", "type": "text", "value": "grüße"],
                ],
            ])
        #expect(value["outputs"] == [4, "grüße🎉"])
        try await database.run("DROP PROCEDURE \(name)")
        await database.close()
    }

    @Test func functionsGiveBackTheirResult() async throws {
        let database = try await Database.open(.postgreSQL)
        let name = "f_" + database.table
        try await database.run("CREATE FUNCTION \(name)(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b'")
        let value = try await database.call(
            "call", ["name": .string(name), "returns": "integer", "arguments": [1, 2]])
        #expect(value["outputs"] == [3])
        let error = try await database.failure("call", ["name": "x; DROP TABLE t"])
        #expect(error.kind == .validation)
        try await database.run("DROP FUNCTION \(name)(int, int)")
        await database.close()
    }

    @Test(arguments: Target.allCases)
    func factsNameDatabaseAndDriver(_ target: Target) async throws {
        let database = try await Database.open(target)
        let outcome = await database.connection.call("query", ["sql": "SELECT 1"])
        let product = outcome.facts["database"]?.asString?.lowercased() ?? ""
        #expect(product.contains(target.rawValue.lowercased()), "\(product)")
        #expect(outcome.facts["driver"]?.asString?.isEmpty == false)
        await database.close()
    }
}
