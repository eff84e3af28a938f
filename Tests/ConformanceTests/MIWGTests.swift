import Foundation
import ProcessModel
import Testing

@testable import conformance

/// The interchange suite: every file is a case.
@Suite struct MIWGTests {
    static let suite = Result {
        try MIWGSuite(root: Suites.path("bpmn-miwg"), inventory: Suites.path("bpmn-miwg/inventory.json"))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let item: MIWGSuite.Case
        var testDescription: String { item.file }
    }

    static let cases = ((try? suite.get())?.cases ?? []).map(Case.init)

    @Test func theSuiteIsThere() throws {
        #expect(try Self.suite.get().cases.count == 349)
    }

    @Test(arguments: cases)
    func theFileIsReadCountedAndWrittenWithoutLoss(_ row: Case) throws {
        if case .failed(let reason) = try Self.suite.get().outcome(of: row.item) { Issue.record("\(reason)") }
    }

    /// Drawings of whole models of others: nothing of theirs changes, and what they drew is not drawn again.
    @Test(arguments: cases.filter { $0.item.group == "reference" && $0.item.inventory != nil })
    func referenceModelsKeepTheirDiagrams(_ row: Case) throws {
        let document = try BPMNDocument(Self.suite.get().bytes(of: row.item))
        let drawn = Set(document.diagrams().flatMap(\.shapes).map(\.element))
        #expect(!drawn.isEmpty)
        let completed = document.withLayout()
        let kept = document.diagrams().flatMap(\.shapes)
        let shapes = Set(completed.diagrams().flatMap(\.shapes))
        #expect(kept.allSatisfy { shapes.contains($0) })
    }

    @Test func differencesAcrossToolsAreReported() throws {
        let lines = try Self.suite.get().differencesAcrossTools()
        #expect(lines.contains { $0.hasPrefix("files/Open-BPMN 1.2.8_2/A.1.0.bpmn") && $0.hasSuffix("the same") })
        #expect(lines.contains { $0.contains(" instead of ") })
    }

    @Test(arguments: [
        ("{}", "Expected \"files\""), ("{\"files\": [{}]}", "Expected \"file\""),
    ])
    func anInventoryOfAnotherShapeIsRefused(_ row: (json: String, message: String)) throws {
        let folder = try ModelFolder(["inventory.json": row.json])
        let failure = #expect(throws: SuiteFailure.self) {
            try MIWGSuite(root: folder.path, inventory: folder.path + "/inventory.json")
        }
        #expect(failure?.description.hasPrefix(row.message) == true)
    }

    @Test func everyKindOfFailureIsFound() throws {
        let model = "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL'><process/></definitions>"
        let folder = try ModelFolder([
            "good": model, "miscounted": model, "unexpected": model, "broken": "<definitions", "schema": "<schema/>",
            "inventory.json": """
            {"files": [
            {"file": "good", "wellFormed": true, "elements": {"definitions": 1, "process": 1}, "processes": 1,
             "executableProcesses": 0, "tool": "a"},
            {"file": "miscounted", "wellFormed": true, "elements": {"definitions": 2}, "processes": 1, "kind": "b"},
            {"file": "unexpected", "wellFormed": false}, {"file": "broken", "wellFormed": true},
            {"file": "broken", "wellFormed": false}, {"file": "schema"}, {"file": "missing"}]}
            """,
        ])
        let report = try MIWGSuite(root: folder.path, inventory: folder.path + "/inventory.json").run()
        #expect((report.passed, report.failed) == (3, 4))
        #expect(report.groups.map(\.name) == ["a", "b", "other"])
        #expect(report.failures.map(\.name) == ["miscounted", "unexpected", "broken", "missing"])
    }
}

/// A folder of files that goes away with the value.
final class ModelFolder {
    let path: String

    init(_ files: [String: String]) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "models-\(UUID().uuidString)")
        path = url.path(percentEncoded: false)
        for (name, text) in files {
            let file = url.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
