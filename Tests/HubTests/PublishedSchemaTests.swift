import Foundation
import HubDocuments
import Resilience
import Testing
import Values

@testable import Hub

/// The schemas in `schema/`, which editors use, say what the readers do.
@Suite struct PublishedSchemaTests {
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    private static func schema(_ name: String) throws -> JSONSchema {
        let log = DiagnosticLog(file: name)
        let node = try #require(YAMLDocument.parse(try Self.text("schema/\(name).schema.json"), log: log))
        let schema = JSONSchema(node, path: "", log: log)
        #expect(log.diagnostics == [])
        return schema
    }

    private static func violations(_ schema: JSONSchema, _ document: String) throws -> [String] {
        let node = try #require(YAMLDocument.parse(document, log: DiagnosticLog(file: "document")))
        return schema.violations(of: node.value).map(\.description)
    }

    /// The trigger documents in the repository: whole ones in examples and guides.
    private static func documents() throws -> [(name: String, text: String)] {
        var documents: [(name: String, text: String)] = []
        for folder in ["examples", "docs"] {
            let paths = FileManager.default.enumerator(atPath: Self.root.appending(path: folder).path)
            for case let path as String in paths ?? FileManager.DirectoryEnumerator() {
                let name = "\(folder)/\(path)"
                if path.hasSuffix(".yaml") {
                    let text = try Self.text(name)
                    if text.contains("kind: Trigger\n") { documents.append((name, text)) }
                } else if path.hasSuffix(".md") {
                    let blocks = try Self.text(name).split(separator: "```", omittingEmptySubsequences: false)
                    for block in blocks where block.hasPrefix("yaml\n") && block.contains("\nkind: Trigger\n") {
                        documents.append((name, String(block.dropFirst(5))))
                    }
                }
            }
        }
        return documents
    }

    @Test func documentsThatAreReadMatchTheirSchema() throws {
        let trigger = try Self.schema("trigger")
        #expect(try Self.violations(trigger, goodTrigger) == [])
        let connections = try Self.schema("connections")
        #expect(try Self.violations(connections, Self.text("examples/order-intake/connections.yaml")) == [])
        let documents = try Self.documents()
        #expect(
            documents.contains { $0.name.hasPrefix("examples/") } && documents.contains { $0.name.hasPrefix("docs/") })
        for document in documents {
            #expect(try Self.violations(trigger, document.text) == [], "\(document.name)")
            let (_, log) = readTrigger(document.text) { _ in "true" }
            #expect(log.diagnostics.filter { $0.severity == .error } == [], "\(document.name)")
        }
    }

    @Test(arguments: ["profiles", "connections"])
    func profilesHaveTheSameKeys(_ place: String) throws {
        let schema = try JSON.parse(try Self.text("schema/connections.schema.json"))
        let entry = schema["properties"]?[place]?["additionalProperties"]?["properties"]
        let properties = place == "profiles" ? entry : entry?["resilience"]?["properties"]
        let published = try #require(properties?.asContext).keys
        let read = try #require(ResilienceProfile.standard.document.asContext).keys
        #expect(Set(published) == Set(read + ["base"]))
    }

    /// Every key of a section is known to both, or to neither.
    @Test(arguments: [
        "metadata", "decode", "dedupe", "transform", "concurrency", "ack", "retry", "dlq", "rateLimit", "schema",
    ])
    func sectionsHaveTheSameKeys(_ section: String) throws {
        let schema = try JSON.parse(try Self.text("schema/trigger.schema.json"))
        let published = try #require(schema["properties"]?[section]?["properties"]?.asContext).keys
        for key in published + ["nothingLikeThat"] {
            let (_, log) = readTrigger("\(section): { \(key): 1 }")
            let isUnknown = log.diagnostics.contains {
                $0.message.hasPrefix("Unknown") && $0.message.contains(".\(key)")
            }
            #expect(isUnknown == (key == "nothingLikeThat"), "\(section).\(key)")
        }
        // The reader names the keys it knows when it finds one that is like none of them.
        let (_, log) = readTrigger("\(section): { xxxxxxxxxxxxxxxx: 1 }")
        let remedy = try #require(log.diagnostics.first { $0.message.contains("xxxxxxxxxxxxxxxx") }?.remedy)
        let later = ["after", "perKey"]
        let known = remedy.drop { $0 != ":" }.dropFirst(2).dropLast().split(separator: ", ").map(String.init)
        #expect(Set(known).subtracting(later).isSubset(of: published))
    }

    /// Parts of a good document in the place of others, which neither the schema nor the linter lets pass.
    @Test(arguments: [
        ("unknown section", "retry: {", "retyr: {"), ("unknown version", "hub/v1", "hub/v2"),
        ("another kind", "kind: Trigger", "kind: Tigger"), ("no id", "id: orders, ", ""),
        ("an id with blanks", "id: orders", "id: my orders"), ("an unknown source", "type: file", "type: fil"),
        ("a source without its block", "file: {", "kafka: {"), ("no connection", "connection: inbox", ""),
        (
            "a connection for a source without one",
            "type: file\n  connection: inbox\n  file: { dir: in, pattern: \"*.csv\" }",
            "type: cron\n  connection: inbox\n  cron: { schedule: \"0 6 * * *\" }"
        ),
        (
            "a plugin without its event", "type: file\n  connection: inbox\n  file: { dir: in, pattern: \"*.csv\" }",
            "type: plugin\n  connection: inbox\n  plugin: {}"
        ),
        ("an unknown format", "format: csv", "format: cvs"), ("protobuf", "format: csv", "format: protobuf"),
        ("a delimiter of two characters", "format: csv", "format: csv, delimiter: \"::\""),
        ("an unknown type of a column", "amount: number", "amount: decimal"),
        ("an unknown key of decode", "maxBytes", "maxByte"), ("no schema", "{ inline: {", "{ onError: dlq, inlined: {"),
        ("two schemas", "schema: {", "schema: { ref: a.json,"),
        ("a filter without condition", "{ expr: \"=data.amount > 0\" }", "{ onError: drop }"),
        ("a filter that is no expression", "\"=data.amount > 0\"", "data.amount"),
        ("an attribute without a text", "{ expr: \"=data.amount > 0\" }", "{ type: {} }"),
        ("an unknown dialect", "{ expr: \"=data.amount > 0\" }", "{ type: { infix: a } }"),
        ("an empty list of conditions", "{ expr: \"=data.amount > 0\" }", "{ any: [] }"),
        ("a key that is no expression", "key: \"=data.orderId\"", "key: orderId"),
        ("no dedupe key", "dedupe:", "xdedupe:"), ("an unknown scope", "ttl: 7d", "scope: world"),
        ("no target", "target:", "xtarget:"), ("no mode", "mode: start, ", ""),
        ("an unknown mode", "mode: start", "mode: stat"), ("a start without process", "workflow: order-intake,", ""),
        ("a start with a message", "mode: start", "mode: start, message: m"),
        (
            "a message without key",
            "mode: start, workflow: order-intake, version: latest, businessKey: \"=data.orderId\"",
            "mode: correlate, message: m"
        ),
        (
            "a signal without name",
            "mode: start, workflow: order-intake, version: latest, businessKey: \"=data.orderId\"", "mode: signal"
        ),
        (
            "a call without operation",
            "mode: start, workflow: order-intake, version: latest, businessKey: \"=data.orderId\"",
            "mode: capability, connection: c"
        ),
        ("a version that is none", "version: latest", "version: newest"),
        ("no places", "max: 20", "max: 0"), ("too many places", "max: 20", "max: 100000"),
        ("an unknown overflow", "whenFull: pause", "whenFull: queue"),
        ("an unknown acknowledgement", "at: accepted", "at: done"),
        ("completed without its hold", "at: accepted", "at: completed"), ("too many attempts", "max: 5", "max: 5000"),
        ("another place for dead letters", "to: default", "to: elsewhere"),
        ("too many redrives", "maxCount: 3", "maxCount: 3000"),
        ("an ordering without key", "ack: {", "ordering: { onFailure: skip }\nack: {"),
        ("an unknown ordering", "ack: {", "ordering: strict\nack: {"),
        ("an inbox without its time", "ack: {", "inbox: {}\nack: {"),
        ("a rate without limit", "ack: {", "rateLimit: { per: 1s }\nack: {"),
        ("a test without event", "ack: {", "tests: [{ name: a, expect: { start: true } }]\nack: {"),
        (
            "a test with two contents", "ack: {",
            "tests: [{ name: a, event: { json: 1, payload: b }, expect: { start: true } }]\nack: {"
        ),
        ("a test that expects nothing", "ack: {", "tests: [{ name: a, event: { json: 1 }, expect: {} }]\nack: {"),
        (
            "a test that expects two effects", "ack: {",
            "tests: [{ name: a, event: { json: 1 }, expect: { start: true, filtered: true } }]\nack: {"
        ),
        (
            "a test with an unknown effect", "ack: {",
            "tests: [{ name: a, event: { json: 1 }, expect: { begin: true } }]\nack: {"
        ),
    ])
    func documentsThatAreRefusedDoNotMatch(_ row: (name: String, part: String, replacement: String)) throws {
        try #require(goodTrigger.contains(row.part), "\(row.name)")
        let text = goodTrigger.split(separator: row.part, maxSplits: 1, omittingEmptySubsequences: false)
            .joined(separator: row.replacement)
        let log = DiagnosticLog(file: "trigger.yaml")
        #expect(readTrigger(text).trigger == nil, "\(row.name)")
        _ = try #require(YAMLDocument.parse(text, log: log), "\(row.name): \(log.diagnostics)")
        #expect(try Self.violations(try Self.schema("trigger"), text) != [], "\(row.name)")
    }

    @Test func aDocumentSaysWhereItDoesNotMatch() throws {
        let schema = try Self.schema("trigger")
        let text = goodTrigger.replacing("retry: {", with: "retyr: {").replacing("key: \"=", with: "key: \"")
        let violations = try Self.violations(schema, text)
        #expect(violations.contains("/retyr: Expected no member of this name. Did you mean \"retry\"?"))
        #expect(violations.contains("/dedupe/key: Expected text that matches ^=."))
    }
}
