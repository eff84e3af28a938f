import Testing
import Values

@testable import HubDocuments

@Suite struct JSONSchemaTests {
    private static func compile(_ text: String) throws -> (schema: JSONSchema, log: DiagnosticLog) {
        let log = DiagnosticLog(file: "schema.json")
        let node = try #require(YAMLDocument.parse(text, log: log))
        return (JSONSchema(node, log: log), log)
    }

    @Test(arguments: [
        ("true accepts anything", "true", "[1]", ""),
        ("false accepts nothing", "false", "1", "Expected nothing here."),
        ("type", "{type: string}", "1", "Expected string but found number."),
        ("types", "{type: [string, 'null']}", "null", ""),
        ("types not met", "{type: [string, 'null']}", "true", "Expected null or string but found boolean."),
        ("integer", "{type: integer}", "3.0", ""),
        ("not an integer", "{type: integer}", "3.5", "Expected integer but found number."),
        ("object", "{type: object}", "{}", ""),
        ("array", "{type: array}", "[]", ""),
        ("required", "{required: [id, sum]}", "{\"id\":1}", "Expected the member \"sum\" but it is missing."),
        ("a null member is there", "{required: [id]}", "{\"id\":null}", ""),
        ("required says nothing about lists", "{required: [id]}", "[]", ""),
        (
            "properties", "{properties: {a: {type: string}}}", "{\"a\":1,\"b\":2}",
            "/a: Expected string but found number."
        ),
        (
            "additionalProperties false", "{properties: {a: true}, additionalProperties: false}", "{\"a\":1,\"b/~\":2}",
            "/b~1~0: Expected no member of this name."
        ),
        (
            "additionalProperties schema", "{additionalProperties: {type: number}}", "{\"a\":1,\"b\":\"x\"}",
            "/b: Expected number but found string."
        ),
        (
            "a member that was probably meant", "{properties: {pattern: true}, additionalProperties: false}",
            "{\"patern\":1}", "/patern: Expected no member of this name. Did you mean \"pattern\"?"
        ),
        ("extensions are comments", "{x-secret: true}", "1", ""),
        ("items", "{items: {minimum: 2}}", "[3,1]", "/1: Expected at least 2 but found 1."),
        ("minItems", "{minItems: 1}", "[]", "Expected at least 1 items but found 0."),
        ("maxItems", "{maxItems: 1}", "[1,2]", "Expected at most 1 items but found 2."),
        ("enum", "{enum: [EUR, 2, null]}", "2", ""),
        ("enum not met", "{enum: [EUR, USD]}", "\"GBP\"", "Expected one of \"EUR\", \"USD\"."),
        ("const", "{const: {a: [1]}}", "{\"a\":[1]}", ""),
        ("const null", "{const: null}", "1", "Expected one of null."),
        ("enum and const", "{enum: [1, 2], const: 2}", "1", "Expected one of 2."),
        ("minimum met exactly", "{minimum: 0.1}", "0.1", ""),
        ("maximum", "{maximum: 10}", "10.01", "Expected at most 10 but found 10.01."),
        ("exclusiveMinimum", "{exclusiveMinimum: 0}", "0", "Expected more than 0 but found 0."),
        ("exclusiveMaximum", "{exclusiveMaximum: 5}", "5", "Expected less than 5 but found 5."),
        ("limits say nothing about text", "{minimum: 5}", "\"1\"", ""),
        ("minLength", "{minLength: 2}", "\"é\"", "Expected at least 2 characters but found 1."),
        ("maxLength counts code points", "{maxLength: 1}", "\"😀\"", ""),
        ("maxLength", "{maxLength: 1}", "\"ab\"", "Expected at most 1 characters but found 2."),
        ("pattern is not anchored", "{pattern: '[0-9]'}", "\"a1b\"", ""),
        ("pattern", "{pattern: '^[A-Z]{3}$'}", "\"EUr\"", "Expected text that matches ^[A-Z]{3}$."),
        ("date", "{format: date}", "\"2026-02-28\"", ""),
        ("not a date", "{format: date}", "\"2026-02-30\"", "Expected a text of the format date."),
        ("date-time", "{format: date-time}", "\"2026-02-28T10:00:00.5+01:00\"", ""),
        ("not a date-time", "{format: date-time}", "\"2026-02-28\"", "Expected a text of the format date-time."),
        ("email", "{format: email}", "\"a.b+c@mail.example\"", ""),
        ("email without domain", "{format: email}", "\"a@example\"", "Expected a text of the format email."),
        ("email with two ats", "{format: email}", "\"a@b@c.example\"", "Expected a text of the format email."),
        ("email with empty atom", "{format: email}", "\"a..b@c.example\"", "Expected a text of the format email."),
        ("formats that are not checked are comments", "{format: ipv4}", "\"x\"", ""),
        ("multipleOf", "{multipleOf: 0.01}", "0.075", "Expected a multiple of 0.01 but found 0.075."),
        ("multipleOf met exactly", "{multipleOf: 0.1}", "0.3", ""),
        (
            "prefixItems", "{prefixItems: [true, {type: string}], items: false}", "[1,2]",
            "/1: Expected string but found number."
        ),
        ("items after prefixItems", "{prefixItems: [true], items: false}", "[1,2]", "/1: Expected nothing here."),
        (
            "contains", "{contains: {const: 1}, minContains: 2}", "[1,2]",
            "Expected at least 2 items as under \"contains\" but found 1."
        ),
        (
            "contains too often", "{contains: {const: 1}, maxContains: 1}", "[1,1]",
            "Expected at most 1 items as under \"contains\" but found 2."
        ),
        ("contains nothing", "{contains: true, minContains: 0}", "[]", ""),
        ("uniqueItems", "{uniqueItems: true}", "[1,1.0]", "Expected items that differ from each other."),
        ("uniqueItems tells types apart", "{uniqueItems: true}", "[1,true,\"1\",[1]]", ""),
        ("minProperties", "{minProperties: 1}", "{}", "Expected at least 1 members but found 0."),
        ("maxProperties", "{maxProperties: 0}", "{\"a\":1}", "Expected at most 0 members but found 1."),
        (
            "patternProperties", "{patternProperties: {'^n_': {type: number}}, additionalProperties: false}",
            "{\"n_a\":\"\",\"b\":1}", "/n_a: Expected number but found string.|/b: Expected no member of this name."
        ),
        (
            "propertyNames", "{propertyNames: {maxLength: 1}}", "{\"ab\":1}",
            "/ab: Expected a member name as under \"propertyNames\"."
        ),
        (
            "dependentRequired", "{dependentRequired: {card: [cvc]}}", "{\"card\":1}",
            "Expected the member \"cvc\", because there is \"card\", but it is missing."
        ),
        (
            "dependentSchemas", "{dependentSchemas: {a: {required: [b]}}}", "{\"a\":1}",
            "Expected the member \"b\" but it is missing."
        ),
        (
            "allOf", "{allOf: [{minimum: 1}, {maximum: 0}]}", "0.5",
            "Expected at least 1 but found 0.5.|Expected at most 0 but found 0.5."
        ),
        (
            "anyOf", "{anyOf: [{type: string}, {minimum: 2}]}", "1",
            "Expected a match of one of 2 alternatives but found none."
        ),
        (
            "the nearest alternative is named", "{anyOf: [{type: string}, {properties: {a: {type: string}}}]}",
            "{\"a\":1}", "/a: Expected string but found number."
        ),
        (
            "oneOf", "{oneOf: [{minimum: 1}, {minimum: 2}]}", "3",
            "Expected a match of exactly one of 2 alternatives but found 2."
        ),
        ("not", "{not: {type: string}}", "\"a\"", "Expected a value that the schema under \"not\" does not accept."),
        (
            "then", "{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}", "{\"a\":1}",
            "Expected the member \"b\" but it is missing."
        ),
        (
            "else", "{if: {required: [a]}, then: {required: [b]}, else: {required: [c]}}", "{}",
            "Expected the member \"c\" but it is missing."
        ),
        (
            "references that go round", "{properties: {next: {$ref: '#'}}, additionalProperties: false}",
            "{\"next\":{\"next\":{\"x\":1}}}", "/next/next/x: Expected no member of this name."
        ),
        (
            "references to definitions", "{$ref: '#/$defs/a~1b', $defs: {a/b: {type: string}}}", "1",
            "Expected string but found number."
        ),
        (
            "anchors", "{$ref: '#here', $defs: {x: {$anchor: here, type: string}}}", "1",
            "Expected string but found number."
        ),
        (
            "identifiers",
            "{$id: 'https://example.com/root', $ref: other, $defs: {x: {$id: other, $ref: '#/$defs/y', $defs: {y: {const: 1}}}}}",
            "2", "Expected one of 1."
        ),
        (
            "unevaluatedProperties", "{allOf: [{properties: {a: true}}], unevaluatedProperties: false}",
            "{\"a\":1,\"b\":2}", "/b: Expected nothing here."
        ),
        (
            "unevaluatedItems",
            "{anyOf: [{prefixItems: [{const: 1}]}, {prefixItems: [true, {const: 2}]}], unevaluatedItems: false}",
            "[1,2,3]", "/2: Expected nothing here."
        ),
        (
            "a schema that applies itself to the same value", "{$ref: '#'}", "1",
            "The schema cannot be applied: it refers to itself without end, or is too complex."
        ),
        (
            "dynamic references see the outermost anchor",
            "{$id: 'https://e.com/strict', $dynamicAnchor: node, $ref: tree, unevaluatedProperties: false, $defs: {t: {$id: tree, $dynamicAnchor: node, properties: {data: true, children: {items: {$dynamicRef: '#node'}}}}}}",
            "{\"children\":[{\"daat\":1}]}", "/children/0/daat: Expected nothing here."
        ),
        ("email with bad label", "{format: email}", "\"a@-c.example\"", "Expected a text of the format email."),
    ])
    func valuesAreChecked(_ row: (name: String, schema: String, value: String, violation: String)) throws {
        let (schema, log) = try Self.compile(row.schema)
        #expect(log.diagnostics == [], "\(row.name)")
        let violations = schema.violations(of: try JSON.parse(row.value))
        #expect(violations.map(\.description).joined(separator: "|") == row.violation, "\(row.name)")
    }

    @Test(arguments: [
        ("unknown keyword", "{oneof: [true]}", "HB105 1:2"),
        ("no alternatives", "{oneOf: []}", "HB107 1:9"),
        ("a reference to nowhere", "{$ref: '#/$defs/a'}", "HB107 1:8"),
        ("a reference to another document", "{$ref: 'https://example.com/a'}", "HB107 1:8"),
        ("a divisor of nothing", "{multipleOf: 0}", "HB107 1:14"),
        ("unknown type", "{type: text}", "HB107 1:8"),
        ("unknown type in a list", "{type: [string, text]}", "HB107 1:8"),
        ("a schema that nobody refers to", "{$defs: {a: {minlength: 1}}}", "HB105 1:14"),
        ("limit that is no number", "{minimum: x}", "HB107 1:11"),
        ("not a pattern", "{pattern: '('}", "HB107 1:11"),
        ("not a schema", "3", "HB107 1:1"),
        ("nested", "{properties: {a: {items: {minlength: 1}}}}", "HB105 1:27"),
    ])
    func wrongSchemasAreRefused(_ row: (name: String, schema: String, place: String)) throws {
        #expect(places(try Self.compile(row.schema).log.diagnostics) == [row.place], "\(row.name)")
    }

    @Test func annotationsAreComments() throws {
        let (_, log) = try Self.compile(
            "{$schema: x, $id: y, $comment: z, title: t, description: d, default: 1, examples: [1], deprecated: true}")
        #expect(log.diagnostics == [])
    }

    @Test func schemasTooDeepAreRefused() throws {
        let text = String(repeating: "{items: ", count: 40) + "true" + String(repeating: "}", count: 40)
        #expect(try Self.compile(text).log.diagnostics.map(\.code) == ["HB102"])
    }

    @Test func violationsAreBounded() throws {
        let (schema, _) = try Self.compile("{items: {type: string}}")
        #expect(schema.violations(of: .list(Array(repeating: 1, count: 1_000))).count == JSONSchema.violationsMax)
    }
}
