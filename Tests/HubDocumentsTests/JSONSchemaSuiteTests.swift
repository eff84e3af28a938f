import Foundation
import Testing
import Values

@testable import HubDocuments

/// The test suite of the JSON Schema authors, draft 2020-12, as `Scripts/bootstrap` fetches it.
@Suite("JSON Schema's own test suite") struct JSONSchemaSuiteTests {
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "var/json-schema")
    private static let suite = root.appending(path: "json/tests/draft2020-12")

    /// What is not done as the suite has it, with the reason; by file and description.
    private static let refused: [String: String] = [
        "vocabulary.json: schema that uses custom metaschema with with no validation vocabulary":
            "A metaschema never switches keywords off: no constraint is silently ignored.",
        "optional/ecmascript-regex.json: ECMA 262 \\s matches whitespace":
            "Vertical tabs, form feeds and byte order marks are no white space.",
        "optional/ecmascript-regex.json: ECMA 262 \\S matches everything but whitespace":
            "Vertical tabs, form feeds and byte order marks are no white space.",
        "optional/cross-draft.json": "Schemas of other drafts are not read.",
        "optional/bignum.json": "Numbers have at most 34 digits.",
        "optional/float-overflow.json": "Numbers have at most 34 digits.",
        "optional/refOfUnknownKeyword.json": "Only places of schemas are looked for identifiers.",
        "optional/unknownKeyword.json": "Only places of schemas are looked for identifiers.",
        "optional/dependencies-compatibility.json": "A keyword of older drafts.",
        "optional/format-assertion.json": "A metaschema never decides whether formats are checked.",
    ]

    private struct Outcome {
        var cases = 0
        var failures: [String] = []
    }

    private static func json(_ url: URL) throws -> Value {
        try JSON.parse([UInt8](try Data(contentsOf: url)))
    }

    private static func files(_ folder: URL) throws -> [URL] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try #require(names, "The suite is missing: run Scripts/bootstrap.").filter { $0.hasSuffix(".json") }
            .sorted().map { folder.appending(path: $0) }
    }

    /// The documents that references of the suite lead to, by their URI.
    private static func documents() throws -> [String: DocumentNode] {
        var documents: [String: DocumentNode] = [:]
        let start = DocumentPosition(line: 1, column: 1)
        let remotes = Self.root.appending(path: "json/remotes")
        let paths = try #require(
            FileManager.default.enumerator(atPath: remotes.path), "The suite is missing: run Scripts/bootstrap.")
        for case let path as String in paths where path.hasSuffix(".json") {
            // Those of other drafts have keywords of their own.
            guard path.hasPrefix("draft2020-12/") || !path.hasPrefix("draft") else { continue }
            let value = try Self.json(remotes.appending(path: path))
            documents["http://localhost:1234/\(path)"] = DocumentNode(value: value, at: start)
        }
        let schemas = Self.root.appending(path: "jsonschema_specifications/schemas/draft202012")
        for url in [schemas.appending(path: "metaschema.json")]
            + (try FileManager.default.contentsOfDirectory(atPath: schemas.appending(path: "vocabularies").path)
                .map { schemas.appending(path: "vocabularies/\($0)") })
        {
            let value = try Self.json(url)
            guard let id = value["$id"]?.asString else { continue }
            documents[id] = DocumentNode(value: value, at: start)
        }
        return documents
    }

    private static func run(_ url: URL, name: String, _ documents: [String: DocumentNode], formats: JSONSchema.Formats)
        throws -> Outcome
    {
        var outcome = Outcome()
        guard Self.refused[name] == nil else { return outcome }
        for group in try Self.json(url).asList ?? [] {
            let description = group["description"]?.asString ?? ""
            guard Self.refused["\(name): \(description)"] == nil else { continue }
            let log = DiagnosticLog(file: name)
            let node = DocumentNode(value: group["schema"] ?? true, at: DocumentPosition(line: 1, column: 1))
            let text = JSON.string(group["schema"] ?? true)
            let needsOthers = text.contains("localhost:1234") || text.contains("\"$ref\":\"https://json-schema.org")
            let schema = JSONSchema(
                node, log: log, unknownKeywords: .ignore, formats: formats,
                documents: needsOthers ? documents : [:])
            if let first = log.diagnostics.first {
                outcome.failures.append("\(name): \(description): \(first.message)")
                continue
            }
            for test in group["tests"]?.asList ?? [] {
                outcome.cases += 1
                let accepts = schema.accepts(test["data"] ?? .null)
                guard accepts != (test["valid"] == true) else { continue }
                outcome.failures.append(
                    "\(name): \(description): \(test["description"]?.asString ?? ""): \(accepts ? "accepted" : "refused")"
                )
            }
        }
        return outcome
    }

    @Test func everyRequiredCaseIsDecidedAsTheAuthorsSay() throws {
        let documents = try Self.documents()
        var cases = 0
        for url in try Self.files(Self.suite) {
            let outcome = try Self.run(url, name: url.lastPathComponent, documents, formats: .ignore)
            cases += outcome.cases
            for failure in outcome.failures { Issue.record("\(failure)") }
        }
        #expect(cases > 1_200, "the suite has \(cases) cases")
    }

    @Test func everyOptionalCaseIsDecidedAsTheAuthorsSay() throws {
        let documents = try Self.documents()
        for url in try Self.files(Self.suite.appending(path: "optional")) {
            let outcome = try Self.run(url, name: "optional/\(url.lastPathComponent)", documents, formats: .ignore)
            for failure in outcome.failures { Issue.record("\(failure)") }
        }
    }

    /// Formats that are read are read as the authors say; the others accept everything.
    @Test func everyCaseOfACheckedFormatIsDecidedAsTheAuthorsSay() throws {
        let documents = try Self.documents()
        let folder = Self.suite.appending(path: "optional/format")
        let checked = Set(JSONSchema.formats)
        var seen: Set<String> = []
        for url in try Self.files(folder) {
            let format = url.deletingPathExtension().lastPathComponent
            let outcome = try Self.run(url, name: "format/\(url.lastPathComponent)", documents, formats: .check)
            if checked.contains(format) {
                seen.insert(format)
                for failure in outcome.failures { Issue.record("\(failure)") }
            }
        }
        #expect(seen == checked)
    }
}
