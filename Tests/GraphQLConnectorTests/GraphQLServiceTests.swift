import ConnectorKit
import GraphQLConnector
import Testing
import Values

@Suite("Against a GraphQL service")
struct GraphQLServiceTests {
    private static let documents: ValueContext = [
        "documents": [
            "greet": ["document": "query Greet($name: String!) { hello(name: $name) }"],
            "add": [
                "document": "mutation Add($name: String!) { addUser(name: $name) { id name } }", "effect": "create",
            ],
            "everybody": [
                "document": """
                query All($after: String) {
                  users(first: 10, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
                }
                """,
                "paginate": ["connection": "users"],
            ],
            "known": ["id": "hello-1", "effect": "read"],
            "forgotten": ["id": "hello-2", "effect": "read"],
        ]
    ]

    @Test func aQueryTakesVariablesAndGivesData() async throws {
        try await Service.with(try Service.url()) { connection in
            let outcome = await connection.invoke(
                Service.call(
                    "query",
                    [
                        "document": """
                        query One($name: String!) { hello(name: $name) }
                        query Two($value: Input!) { echo(value: $value) }
                        """,
                        "operationName": "Two", "variables": ["value": ["text": "ä\"{", "list": [1, 2]]],
                    ]))
            #expect(outcome.error == nil)
            #expect(
                outcome.value?["data"]?["echo"]?.asString.flatMap { try? JSON.parse($0) }
                    == ["text": "ä\"{", "list": [1, 2]])
            #expect(outcome.facts["requestedCost"] == 252)
            #expect(outcome.facts["rateRemaining"] == 40)
            #expect(outcome.facts["status"] == 200)
        }
    }

    @Test func declaredDocumentsAreOperations() async throws {
        let configuration = Service.configuration(try Service.url(), Self.documents)
        let descriptor = GraphQLModule().descriptor(for: configuration.parameters)
        let greet = try #require(descriptor.operation("greet"))
        #expect(greet.effect == .read && greet.idempotency == .natural)
        #expect(greet.input["required"] == ["name"])
        #expect(greet.input["properties"]?["name"] == ["type": "string"])
        #expect(descriptor.operation("add")?.effect == .create)
        try await Service.with(try Service.url(), Self.documents) { connection in
            let greeted = await connection.invoke(Service.call("greet", ["name": "you"]))
            #expect(greeted.value?["data"]?["hello"] == "Hello you")
            let misspelt = await connection.invoke(Service.call("greet", ["nmae": "you"]))
            #expect(misspelt.error?.kind == .validation)
            #expect(misspelt.error?.message.contains("Did you mean name?") == true)
            let added = await connection.invoke(Service.call("add", ["name": "x"], key: "key-7"))
            #expect(added.value?["data"]?["addUser"] == ["id": "key-7", "name": "x"])
            let unknown = await connection.invoke(Service.call("gret", ["name": "x"]))
            #expect(unknown.error?.remedy == "Did you mean greet?")
        }
    }

    @Test func documentsTheServiceKnowsAreSentById() async throws {
        try await Service.with(try Service.url(), Self.documents) { connection in
            let known = await connection.invoke(Service.call("known", ["name": "you"]))
            #expect(known.value?["data"]?["hello"] == "Hello you")
            let forgotten = await connection.invoke(Service.call("forgotten", ["name": "you"]))
            #expect(forgotten.error?.code == "CON-3205")
            #expect(forgotten.error?.kind == .notFound)
        }
    }

    @Test(arguments: ["graphql", "no-digests", "closed"])
    func digestsAreTriedFirst(path: String) async throws {
        try await Service.with(
            try Service.url(), ["persisted": path == "closed" ? "none" : "automatic", "path": .string(path)]
        ) { connection in
            for name in ["one", "two"] {
                let outcome = await connection.invoke(
                    Service.call(
                        "query",
                        [
                            "document": "query Digest($name: String!) { hello(name: $name) }",
                            "variables": ["name": .string(name)],
                        ]))
                #expect(outcome.value?["data"]?["hello"] == .string("Hello \(name)"), "\(outcome)")
            }
        }
    }

    @Test func pagesAreJoined() async throws {
        try await Service.with(try Service.url(), Self.documents) { connection in
            let all = await connection.invoke(Service.call("everybody", [:]))
            let nodes = try #require(all.value?["data"]?["users"]?["nodes"]?.asList, "\(all)")
            #expect(nodes.compactMap { $0["id"]?.asString } == (1...25).map(String.init))
            #expect(all.value?["pages"] == 3)
            #expect(all.value?["isComplete"] == true)
            #expect(all.value?["data"]?["users"]?["pageInfo"]?["hasNextPage"] == false)
        }
    }

    @Test func readingPagesIsBounded() async throws {
        let document: Value = """
            query All($after: String) {
              users(first: 10, after: $after) { edges { cursor } pageInfo { hasNextPage endCursor } }
            }
            """
        try await Service.with(try Service.url()) { connection in
            for bound: ValueContext in [["maxPages": 2], ["maxItems": 15]] {
                var paginate: ValueContext = ["connection": "users"]
                paginate.merge(bound)
                let some = await connection.invoke(
                    Service.call("query", ["document": document, "paginate": .context(paginate)]))
                #expect(some.value?["data"]?["users"]?["edges"]?.asList?.count == 20)
                #expect(some.value?["isComplete"] == false)
            }
        }
    }

    private static let brokenPages: [(document: Value, connection: Value, reason: String)] = [
        (
            "query E($after: String) { endless(after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }",
            "endless", "no new cursor"
        ),
        ("query E($after: String) { users(first: 2, after: $after) { nodes { id } } }", "users", "pageInfo"),
        ("query E($after: String) { endless(after: $after) { totalCount } }", "endless.totalCount", "no connection"),
        ("{ users(first: 2) { nodes { id } } }", "users", "no variable after"),
    ]

    @Test(arguments: Self.brokenPages)
    func pagesThatCannotBeReadAreNamed(_ row: (document: Value, connection: Value, reason: String)) async throws {
        try await Service.with(try Service.url()) { connection in
            let outcome = await connection.invoke(
                Service.call(
                    "query", ["document": row.document, "paginate": ["connection": row.connection]]))
            #expect(outcome.error?.code == "CON-3206", "\(outcome)")
            #expect(outcome.error?.message.contains(row.reason) == true, "\(outcome)")
        }
    }

    @Test(arguments: [
        (code: "UNAUTHENTICATED", kind: ConnectorError.Kind.auth), ("FORBIDDEN", .permission), ("NOT_FOUND", .notFound),
        ("BAD_USER_INPUT", .validation), ("THROTTLED", .rateLimited), ("RATE_LIMITED", .rateLimited),
        ("INTERNAL_SERVER_ERROR", .transient), ("service-unavailable", .unavailable), ("OUR_OWN", .conflict),
        ("NEVER_HEARD", .unknown),
    ])
    func codesOfErrorsHaveTheirPlace(_ row: (code: String, kind: ConnectorError.Kind)) async throws {
        try await Service.with(try Service.url(), ["errorCodes": ["our-own": "conflict"]]) { connection in
            let outcome = await connection.invoke(
                Service.call("query", ["document": .string("{ fail(code: \"\(row.code)\", message: \"sorry\") }")]))
            let error = try #require(outcome.error)
            #expect(error.kind == row.kind)
            #expect(error.code == "CON-3201")
            #expect(error.message == "The service answered at fail: sorry")
            #expect(error.details["code"] == .string(row.code))
            #expect(error.details["path"] == "fail")
            // (252 − 40) / 50 seconds until the bucket holds what the call costs.
            #expect((error.retryAfter != nil) == (row.kind == .rateLimited))
            if let after = error.retryAfter { #expect(after > .seconds(4) && after < .seconds(5)) }
        }
    }

    @Test func aPartialAnswerIsAFailureUnlessWanted() async throws {
        let document: Value = "{ maybe(code: \"INTERNAL_SERVER_ERROR\") { good bad } }"
        try await Service.with(try Service.url()) { connection in
            let failed = await connection.invoke(Service.call("query", ["document": document]))
            #expect(failed.error?.details["partial"] == true)
            #expect(failed.error?.details["path"] == "maybe.bad")
            let partial = await connection.invoke(
                Service.call("query", ["document": document, "partial": "return"]))
            #expect(partial.value?["data"]?["maybe"] == ["good": "yes", "bad": .null])
            #expect(partial.value?["errors"]?.asList?.first?["message"] == "half of it failed")
        }
    }

    @Test func whatIsSentSaysWhatItDoes() async throws {
        try await Service.with(try Service.url()) { connection in
            let rows: [(operation: String, document: Value, kind: ConnectorError.Kind)] = [
                ("query", "mutation { addUser(name: \"x\") { id } }", .validation),
                ("mutate", "{ hello(name: \"x\") }", .validation),
                ("query", "subscription { nothing }", .unsupported),
            ]
            for row in rows {
                let outcome = await connection.invoke(Service.call(row.operation, ["document": row.document]))
                #expect(outcome.error?.code == "CON-3204")
                #expect(outcome.error?.kind == row.kind)
                #expect(outcome.error?.mayHaveExecuted == false)
            }
        }
    }

    @Test func failuresOfMutationsSayWhetherTheyMayHaveHappened() async throws {
        try await Service.with(try Service.url()) { connection in
            let after = await connection.invoke(Service.call("mutate", ["document": "mutation { failAfter }"]))
            #expect(after.error?.kind == .transient)
            #expect(after.error?.mayHaveExecuted == true)
            let before = await connection.invoke(Service.call("mutate", ["document": "mutation { noSuchField }"]))
            #expect(before.error?.kind == .validation)
            #expect(before.error?.mayHaveExecuted == false)
        }
    }

    @Test func mutationsAreRepeatableWithAKeyTheServiceHonours() async throws {
        let mutation = Service.call("mutate", ["document": "mutation { failAfter }"], key: "k")
        try await Service.with(try Service.url()) { #expect(await $0.isRepeatable(mutation) == false) }
        try await Service.with(try Service.url(), ["honoursIdempotencyKey": true]) {
            #expect(await $0.isRepeatable(mutation) == true)
        }
    }

    @Test func theTestIntrospectsAndChecksDeclaredDocuments() async throws {
        let url = try Service.url()
        try await Service.with(url, Self.documents) { try await $0.test() }
        try await Service.with(url, ["path": "closed"]) { try await $0.test() }
        let outdated: ValueContext = ["documents": ["old": ["document": "{ hello(name: \"x\") goodbye }"]]]
        try await Service.with(url, outdated) { connection in
            let error = await #expect(throws: ConnectorError.self) { try await connection.test() }
            #expect(error?.code == "CON-3207")
            #expect(error?.message.contains("goodbye") == true)
        }
        try await Service.with(url, ["path": "elsewhere"]) { connection in
            let error = await #expect(throws: ConnectorError.self) { try await connection.test() }
            #expect(error?.kind == .notFound)
        }
    }

    @Test func aWrongTokenParksAndIsNeverShown() async throws {
        let reference = SecretReference(store: "env", name: "TOKEN")
        let auth: ValueContext = [
            "path": "secure", "auth": ["type": "bearer", "token": ["secret": "env:TOKEN"]],
        ]
        let right = FixedSecrets([reference: Secret("service-canary-token")])
        try await Service.with(try Service.url(), auth, secrets: right) { try await $0.test() }
        let wrong = FixedSecrets([reference: Secret("wrong-canary-token")])
        try await Service.with(try Service.url(), auth, secrets: wrong) { connection in
            let outcome = await connection.invoke(Service.call("query", ["document": "{ __typename }"]))
            guard case .park(let error) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(error.kind == .auth)
            #expect(error.message == "The service answered: who are you")
            #expect(!"\(error) \(error.details)".contains("canary"))
        }
    }
}
