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

    @Test func documentsThatAreReadMatchTheirSchema() throws {
        let trigger = try Self.schema("trigger")
        #expect(try Self.violations(trigger, goodTrigger) == [])
        #expect(try Self.violations(trigger, Self.text("examples/order-intake/triggers/orders.yaml")) == [])
        let connections = try Self.schema("connections")
        #expect(try Self.violations(connections, Self.text("examples/order-intake/connections.yaml")) == [])
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

    @Test(arguments: [
        ("unknown section", "retry: {", "retyr: {", "/retyr: Expected no member of this name. Did you mean \"retry\"?"),
        ("source for later", "type: file", "type: amqp", "/source/type: Expected one of \"file\", \"kafka\"."),
        (
            "a key that is no expression", "key: \"=data.orderId\"", "key: orderId",
            "/dedupe/key: Expected text that matches ^=."
        ),
        ("no target", "target:", "xtarget:", "Expected the member \"target\" but it is missing."),
    ])
    func documentsThatAreRefusedDoNotMatch(
        _ row: (name: String, part: String, replacement: String, violation: String)
    ) throws {
        let text = goodTrigger.split(separator: row.part, maxSplits: 1, omittingEmptySubsequences: false)
            .joined(separator: row.replacement)
        #expect(readTrigger(text).trigger == nil, "\(row.name)")
        #expect(try Self.violations(try Self.schema("trigger"), text).contains(row.violation), "\(row.name)")
    }
}
