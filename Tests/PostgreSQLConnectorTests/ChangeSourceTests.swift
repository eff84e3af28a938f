import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

@Suite struct ChangeSourceTests {
    @Test func rowsComeFirstAndThenEachChangeInItsOrder() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE orders (id int PRIMARY KEY, item text, amount numeric(10, 2))")
        try await database.run("INSERT INTO orders VALUES (1, 'first', 1.50), (2, NULL, 2)")
        let source = try await fixture.source(["orders"])
        try await source.connect()
        // Committed after the snapshot and before it was read: no row of it, and a change.
        try await database.run("INSERT INTO orders VALUES (3, 'third', 3)")
        let rows = try await source.take(3)
        #expect(rows.map(\.operation) == ["read", "read", "insert"])
        #expect(rows.map { $0.value["after"]?["id"] } == [1, 2, 3])
        #expect(rows[0].value["after"] == ["id": 1, "item": "first", "amount": .number(try #require(Number("1.5")))])
        #expect(rows[1].value["after"]?["item"] == .null)
        #expect(rows[2].value["key"] == ["id": 3])
        #expect(rows[2].coordinates["key"] == .string("\(fixture.schema).orders/3"))
        try await database.call(
            "transaction",
            [
                "statements": [
                    ["sql": "UPDATE orders SET item = 'second' WHERE id = 2"],
                    ["sql": "UPDATE orders SET id = 4 WHERE id = 3"], ["sql": "DELETE FROM orders WHERE id = 1"],
                    ["sql": "TRUNCATE orders"],
                ]
            ])
        let changes = try await source.take(4)
        #expect(changes.map(\.operation) == ["update", "update", "delete", "truncate"])
        #expect(changes[0].value["before"] == .null)
        #expect(changes[1].value["before"] == ["id": 3])
        #expect(changes[1].value["after"]?["id"] == 4)
        #expect(changes[2].value["before"] == ["id": 1])
        #expect(changes[2].value["after"] == .null)
        #expect(changes.map { $0.value["index"] } == [0, 1, 2, 3])
        #expect(Set(changes.map { $0.value["lsn"] }).count == 1)
        #expect(changes[0].value["committedAt"]?.asString != nil)
        #expect(changes.allSatisfy { (try? JSON.parse($0.payload)) == $0.value })
        await source.close()
        try await fixture.close()
    }
}
