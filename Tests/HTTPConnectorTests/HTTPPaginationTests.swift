import ConnectorKit
import Testing
import Values

struct HTTPPaginationTests {
    /// A list of 25 numbers, in the ways services hand out pages.
    private static func serve(_ request: StubRequest) -> StubReply {
        let parts = request.target.split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let sides = pair.split(separator: "=", maxSplits: 1)
            query[String(sides[0])] = sides.count > 1 ? String(sides[1]) : ""
        }
        func page(_ start: Int, _ size: Int) -> String {
            "[" + (start..<max(start, min(25, start + size))).map { "{\"id\": \($0)}" }.joined(separator: ", ") + "]"
        }
        switch parts[0] {
        case "/link":
            let start = Int(query["from"] ?? "0") ?? 0
            var headers: [String: String] = [:]
            if start + 10 < 25 {
                headers["Link"] =
                    "</link?from=0>; rel=\"first\"; title=\"a, b\", <link?from=\(start + 10)>; rel=\"last next\""
            }
            return .json(page(start, 10), headers: headers)
        case "/body-link":
            let start = Int(query["from"] ?? "0") ?? 0
            let next = start + 10 < 25 ? "\"/body-link?from=\(start + 10)\"" : "null"
            return .json("{\"data\": {\"rows\": \(page(start, 10))}, \"links\": {\"next\": \(next)}}")
        case "/cursor":
            let start = Int(query["after"] ?? "-1") ?? -1
            return .json("{\"data\": \(page(start + 1, 10)), \"has_more\": \(start + 11 < 25)}")
        case "/token":
            let start = Int(query["pageToken"] ?? "0") ?? 0
            let next = start + 10 < 25 ? ", \"nextPageToken\": \"\(start + 10)\"" : ""
            return .json("{\"items\": \(page(start, Int(query["pageSize"] ?? "10") ?? 10))\(next)}")
        case "/header":
            let start = Int(query["cursor"] ?? "0") ?? 0
            return .json(page(start, 10), headers: start + 10 < 25 ? ["X-Next": "\(start + 10)"] : [:])
        case "/page":
            let (number, size) = (Int(query["page"] ?? "1") ?? 1, Int(query["per_page"] ?? "10") ?? 10)
            return .json(page((number - 1) * size, size))
        case "/offset":
            return .json("{\"rows\": \(page(Int(query["offset"] ?? "0") ?? 0, Int(query["limit"] ?? "10") ?? 10))}")
        case "/search":
            let body = (try? JSON.parse(request.body)) ?? .null
            let start = Int(body["cursor"]?.asString ?? "0") ?? 0
            let next = start + 10 < 25 ? "\"\(start + 10)\"" : "\"\""
            return .json(
                "{\"hits\": \(page(start, 10)), \"cursor\": \(next), \"query\": \"\(body["q"]?.asString ?? "")\"}")
        case "/circle": return .json("{\"items\": [1], \"nextPageToken\": \"same\"}")
        case "/elsewhere": return .json("[1]", headers: ["Link": "<http://elsewhere.example/x>; rel=next"])
        case "/no-list": return .json("{\"items\": 7}")
        case "/no-cursor": return .json("{\"items\": [], \"nextPageToken\": {\"a\": 1}}")
        case "/fails":
            return query["page"] == "2" ? .json("{\"message\": \"too fast\"}", status: 429) : .json("[1, 2]")
        case "/text": return .status(200, "<html>", headers: ["Content-Type": "text/html"])
        default: return .status(404)
        }
    }

    private func call(_ path: String, _ paginate: Value) async throws -> (outcome: Outcome, requests: Int) {
        try await withStub(answering: Self.serve) { connection, server in
            let call = OperationCall(operation: "get", input: ["path": .string(path), "paginate": paginate])
            return (await connection.invoke(call), server.requests.count)
        }
    }

    typealias Row = (path: String, paginate: Value, pages: Int)

    @Test(
        arguments: [
            ("link", ["kind": "link"], 3),
            ("body-link", ["kind": "link", "items": "data.rows", "next": "links.next"], 3),
            (
                "cursor",
                ["kind": "cursor", "items": "data", "next": "data.-1.id", "more": "has_more", "parameter": "after"], 3
            ),
            ("token", ["kind": "token", "items": "items"], 3),
            ("header", ["kind": "cursor", "header": "X-Next"], 3),
            ("page", ["kind": "page"], 4), ("page", ["kind": "page", "size": 10], 3),
            ("offset", ["kind": "offset", "items": "rows", "size": 7], 4),
        ] as [Row])
    func allPagesAreRead(_ row: Row) async throws {
        let (outcome, requests) = try await self.call(row.path, row.paginate)
        #expect(outcome.error == nil, "\(String(describing: outcome.error))")
        #expect(outcome.value?["items"]?.asList?.compactMap { $0["id"]?.asInt64 } == Array(0..<25))
        #expect(outcome.value?["pages"]?.asInt64 == Int64(row.pages) && requests == row.pages)
        #expect(outcome.value?["isComplete"] == true && outcome.value?["next"] == nil)
    }

    @Test func aSearchGoesOnInItsBody() async throws {
        try await withStub(answering: Self.serve) { connection, server in
            let outcome = await connection.invoke(
                request([
                    "method": "POST", "path": "search", "body": ["q": "all"],
                    "paginate": ["kind": "cursor", "items": "hits", "next": "cursor", "in": "body"],
                ]))
            #expect(outcome.value?["items"]?.asList?.count == 25, "\(outcome)")
            #expect(
                server.requests.map(\.text) == [
                    "{\"q\":\"all\"}", "{\"q\":\"all\",\"cursor\":\"10\"}", "{\"q\":\"all\",\"cursor\":\"20\"}",
                ])
        }
    }

    @Test(
        arguments: [
            (["kind": "link", "maxPages": 2], 20), (["kind": "link", "maxItems": 7], 10),
            (["kind": "link", "maxItems": 10], 10), (["kind": "link", "maxItems": 11], 20),
        ] as [(Value, Int)])
    func boundsEndTheReadingAndSayWhereToGoOn(_ row: (paginate: Value, items: Int)) async throws {
        try await withStub(answering: Self.serve) { connection, server in
            let first = OperationCall(operation: "get", input: ["path": "link", "paginate": row.paginate])
            let outcome = await connection.invoke(first)
            #expect(outcome.value?["items"]?.asList?.count == row.items)
            #expect(outcome.value?["isComplete"] == false && server.requests.count == row.items / 10)
            let next = try #require(outcome.value?["next"])
            #expect(next == .string("\(server.url)/link?from=\(row.items)"))
            let rest = await connection.invoke(
                OperationCall(operation: "get", input: ["url": next, "paginate": ["kind": "link"]]))
            #expect(rest.value?["items"]?.asList?.first?["id"]?.asInt64 == Int64(row.items), "\(rest)")
            #expect(rest.value?["items"]?.asList?.count == 25 - row.items && rest.value?["isComplete"] == true)
        }
    }

    typealias BrokenRow = (path: String, paginate: Value, code: String)

    @Test(
        arguments: [
            ("circle", ["kind": "token", "items": "items"], "CON-1016"),
            ("elsewhere", ["kind": "link"], "CON-1016"),
            ("no-list", ["kind": "page", "items": "items"], "CON-1016"),
            ("no-cursor", ["kind": "token", "items": "items"], "CON-1016"),
            ("text", ["kind": "page"], "CON-1009"),
            ("fails", ["kind": "page"], "CON-1001"),
        ] as [BrokenRow])
    func pagesThatCannotBeFollowedAreNamed(_ row: BrokenRow) async throws {
        let (outcome, requests) = try await self.call(row.path, row.paginate)
        #expect(outcome.error?.code == row.code, "\(outcome)")
        #expect(requests <= 3)
    }

    @Test func allPagesTogetherStayWithinTheBound() async throws {
        try await withStub(
            ["maxResponse": "1KiB"],
            answering: { _ in
                .json("[\"\(String(repeating: "x", count: 400))\"]")
            }
        ) { connection, server in
            let outcome = await connection.invoke(request(["paginate": ["kind": "page"]]))
            #expect(outcome.error?.code == "CON-1007")
            #expect(server.requests.count == 3)
        }
    }

    @Test(
        arguments: [
            ([:], "kind"), (["kind": "pages"], "page"), (["kind": "cursor"], "next"),
            (["kind": "page", "maxPages": 0], "maxPages"), (["kind": "page", "in": "body"], "body"),
            (["kind": "page", "sise": 3], "size"),
        ] as [(Value, String)])
    func wrongPaginationIsNamed(_ row: (paginate: Value, word: String)) async throws {
        let (outcome, requests) = try await self.call("page", row.paginate)
        let error = try #require(outcome.error)
        #expect(error.kind == .validation && "\(error)".contains(row.word), "\(error)")
        #expect(requests == 0)
    }
}
