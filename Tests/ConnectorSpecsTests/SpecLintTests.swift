import HubDocuments
import Testing
import Values

@testable import ConnectorSpecs

@Suite struct SpecLintTests {
    /// A small specification that is right.
    static let good = """
        apiVersion: hub/v1
        kind: Connector
        metadata: { id: good, version: 1, title: Good }
        connection:
          parameters: { type: object, properties: { credential: { x-credential: [good.key] } } }
          auth: [{ id: good.key, type: bearer, token: "=credential.key" }]
          baseUrl: https://api.example.com
          egress: { allowHosts: [api.example.com] }
          test: { operation: items.list }
        schemas:
          Item: { type: object, required: [id] }
        operations:
          items.list:
            effect: read
            request: { method: GET, path: /items, query: { after: "=page.cursor" } }
            pagination: { kind: cursor, cursor: "=response.body.next" }
            response: { records: "=response.body.items", output: { schema: Item } }
          items.create:
            effect: create
            idempotency: { header: Idempotency-Key }
            input: { type: object, properties: { name: { type: string } } }
            request: { method: POST, path: /items, body: { value: "=input" } }
            dynamicOptions: { name: { operation: items.list, value: "=record.id" } }
        events:
          item:
            webhook:
              verify: { scheme: hmac-sha256, header: X-Sig, secret: { value: "=kept.secret" } }
            poll: { operation: items.list, cursor: { field: created } }
        tests:
          - { name: a, operation: items.list, respond: { json: { items: [] } }, expect: { recordIds: [] } }
          - { name: b, operation: items.create, respond: { json: {} }, expect: { attempts: 1 } }
          - { name: c, event: item, webhook: {}, expect: { status: 401 } }

        """

    @Test func aRightSpecificationHasNoFindings() throws {
        _ = try specification(Self.good)
    }

    @Test(
        arguments: [
            ("not YAML", "kind: Connector", "kind: [", "HB101", nil),
            ("another version", "hub/v1", "hub/v2", "HB107", 1),
            ("another kind", "kind: Connector", "kind: Trigger", "HB107", 2),
            ("unknown section", "schemas:", "shemas:", "HB105", 10),
            ("unknown key", "effect: create", "effect: create\n    sumary: x", "HB105", 20),
            ("no metadata", "metadata: { id: good, version: 1, title: Good }", "", "HB106", 1),
            ("an id with capitals", "id: good,", "id: Good,", "HB107", 3),
            ("a version below 1", "version: 1", "version: 0", "HB107", 3),
            ("an operation id that is no name", "items.create:", "Items.create:", "HB107", 18),
            ("no effect", "effect: create\n", "title: x\n", "HB106", 19),
            ("an unknown effect", "effect: create\n", "effect: make\n", "HB107", 19),
            (
                "an unknown taxonomy word", "schemas:",
                "defaults: { errors: [{ status: 500, as: transiet }] }\nschemas:", "HB107", 10
            ),
            (
                "an error rule that always applies", "schemas:", "defaults: { errors: [{ as: auth }] }\nschemas:",
                "HB106", 10
            ),
            (
                "a status that is none", "schemas:", "defaults: { errors: [{ status: 6xx, as: auth }] }\nschemas:",
                "HB107", 10
            ),
            (
                "a setting no profile has", "schemas:", "defaults: { resilience: { retyr: {} } }\nschemas:", "RES-0001",
                10
            ),
            ("an expression that is none", "\"=response.body.next\"", "\"=response.\"", "HB108", 16),
            ("an expression that is literal text", "\"=response.body.next\"", "response.body.next", "HB107", 16),
            ("an unknown variable", "\"=response.body.next\"", "\"=respons.body.next\"", "HB504", 16),
            ("a variable of another place", "after: \"=page.cursor\"", "after: \"=response.body\"", "HB504", 15),
            ("a brace that is not closed", "path: /items,", "path: \"/items/{input.id\",", "HB108", 15),
            ("a query in the path", "path: /items,", "path: \"/items?x=1\",", "HB107", 15),
            ("a method that is none", "method: POST", "method: SEND", "HB107", 22),
            ("a credential in a request", "\"=input\"", "\"=credential.key\"", "HB502", 22),
            ("a secret reference in a request", "\"=input\"", "{ key: { secret: \"env:KEY\" } }", "HB502", 22),
            ("a secret in the file", "\"=credential.key\"", "sk_live_1", "HB502", 6),
            (
                "a kind of credential that is not declared", "x-credential: [good.key]", "x-credential: [good.kye]",
                "HB501", 5
            ),
            ("a kind of authorisation that is none", "type: bearer", "type: beaer", "HB107", 6),
            ("a host that is not allowed", "allowHosts: [api.example.com]", "allowHosts: [example.com]", "HB505", 7),
            ("an undeclared schema", "schema: Item }", "schema: Itme }", "HB501", 17),
            ("a reference to an undeclared schema", "required: [id] }", "$ref: \"#/schemas/Nothing\" }", "HB501", 11),
            ("a schema keyword that is none", "required: [id] }", "reqired: [id] }", "HB105", 11),
            ("an open input", "properties: { name", "additionalProperties: true, properties: { name", "HB107", 21),
            ("an input that is no object", "input: { type: object", "input: { type: array", "HB107", 21),
            ("pages without records", "records: \"=response.body.items\", ", "", "HB106", 13),
            ("pages of a write", "effect: read", "effect: update", "HB110", 13),
            ("a key in two places", "header: Idempotency-Key", "header: a, query: b", "HB110", 20),
            (
                "an operation nobody tests", "operation: items.create, respond", "operation: items.list, respond",
                "HB503", 18
            ),
            (
                "an event nobody tests", "- { name: c, event: item, webhook: {}, expect: { status: 401 } }", "",
                "HB503", 25
            ),
            ("a test of nothing", "expect: { attempts: 1 }", "call: {}", "HB506", 31),
            ("two tests of one name", "name: b", "name: a", "HB506", 31),
            ("a test without an answer", "respond: { json: {} }, ", "", "HB506", 31),
            (
                "a test of an unknown operation", "operation: items.create, respond", "operation: items.creat, respond",
                "HB501", 31
            ),
            ("an expectation that is none", "expect: { attempts: 1 }", "expect: { atempts: 1 }", "HB105", 31),
            (
                "a connection test that is not declared", "test: { operation: items.list }",
                "test: { operation: items.lst }", "HB501", 9
            ),
            (
                "a connection test that writes", "test: { operation: items.list }", "test: { operation: items.create }",
                "HB110", 9
            ),
            ("options of an unknown member", "dynamicOptions: { name:", "dynamicOptions: { nmae:", "HB501", 23),
            (
                "options of an unknown operation", "name: { operation: items.list,", "name: { operation: items,",
                "HB501", 23
            ),
            ("a signature without a header", "header: X-Sig, ", "", "HB106", 27),
            ("a signature without a secret", ", secret: { value: \"=kept.secret\" }", "", "HB106", 27),
            (
                "a webhook without verification",
                "verify: { scheme: hmac-sha256, header: X-Sig, secret: { value: \"=kept.secret\" } }", "ack: {}",
                "HB106", 27
            ),
            (
                "a poll of an operation without records", "poll: { operation: items.list",
                "poll: { operation: items.create", "HB110", 28
            ),
            ("a poll without a cursor", ", cursor: { field: created } }", " }", "HB106", 28),
        ] as [(String, String, String, String, Int?)])
    func mistakesAreFoundAtTheirPlace(
        _ row: (name: String, part: String, replacement: String, code: String, line: Int?)
    ) throws {
        let range = try #require(Self.good.firstRange(of: row.part), "\(row.name)")
        let (_, places, messages) = findings(
            Self.good[..<range.lowerBound] + row.replacement + Self.good[range.upperBound...])
        let found = places.contains { $0.hasPrefix(row.line.map { "\(row.code) \($0):" } ?? row.code) }
        #expect(found, "\(row.name): \(zip(places, messages).map { "\($0) \($1)" })")
    }

    @Test func anUnknownWordHasASuggestion() throws {
        let log = DiagnosticLog(file: "spec.yaml")
        _ = ConnectorSpec.read(Self.good.replacing("=page.cursor", with: "=pgae.cursor"), log: log)
        #expect(log.diagnostics.map(\.remedy) == ["Did you mean \"page\"?"])
    }

    @Test(arguments: [
        ("response.body.a", "response.body.a"),
        ("'a' + 'b'", "\"a\" + \"b\""),
        (#"'it\'s "x"'"#, #""it's \"x\"""#),
        ("headers['x-id'] = 'a'", "get value(headers, \"x-id\") = \"a\""),
        ("f(a['b'], [1, 'c'])[1]['d'].e", "get value(f(get value(a, \"b\"), [1, \"c\"])[1], \"d\").e"),
        ("a['b']['c']", "get value(get value(a, \"b\"), \"c\")"),
        ("\"don't\" + x['y']", "\"don't\" + get value(x, \"y\")"),
        ("['a', 'b']", "[\"a\", \"b\"]"),
        ("'open", "'open"),
    ])
    func expressionsMayUseSingleQuotes(_ row: (source: String, rewritten: String)) {
        #expect(SpecExpression.rewritten(row.source) == row.rewritten)
    }
}
