import Foundation
import ProcessModel
import Testing
import Values

/// What `junction lint` tells.
@Suite struct ReportTests {
    private let model = document(
        """
        <documentation>d</documentation>
        <startEvent id="s" name="Begin"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>
        <serviceTask id="t"><extensionElements><zeebe:taskDefinition type="w"/><zeebe:properties/><tool:x/></extensionElements>
          <multiInstanceLoopCharacteristics><loopCardinality>=3 +</loopCardinality></multiInstanceLoopCharacteristics>
        </serviceTask><sequenceFlow id="g" sourceRef="t" targetRef="i"/>
        <inclusiveGateway id="i"/><event id="v"/><textAnnotation id="n"/><nonsense id="z"/>
        """,
        root: """
            <message id="m" name="n"/><signal id="sig"/>
            <process id="q" isExecutable="false"><task id="qt"/></process>
            """)

    @Test func everyElementIsExecutedKeptOrRefused() {
        let rows = BPMNImporter.report(model, file: nil).rows.map { row in
            [row.element, row.id, row.disposition.rawValue].compactMap { $0 }.joined(separator: " ")
        }
        #expect(
            rows == [
                "process p executed", "startEvent s executed", "sequenceFlow f executed", "serviceTask t executed",
                "zeebe:taskDefinition executed", "zeebe:properties kept", "x kept",
                "multiInstanceLoopCharacteristics refused", "sequenceFlow g executed", "inclusiveGateway i executed",
                "event v refused", "textAnnotation n kept", "nonsense z refused", "message m executed",
                "signal sig executed", "process q kept", "task qt kept",
            ])
    }

    @Test func theReportIsJSON() throws {
        let report = BPMNImporter.report(model, file: "m.bpmn")
        #expect(!report.isDeployable)
        let json = report.json
        #expect(json["deployable"] == false)
        let rows = try #require(json["elements"]?.asList)
        #expect(
            rows[1] == [
                "disposition": "executed", "element": "startEvent", "id": "s", "name": "Begin", "line": 4,
                "clause": "13.5.1", "rules": ["105"],
            ])
        #expect(rows[10]["codes"] == ["BP501"])
        let first = try #require(json["diagnostics"]?.asList?.first { $0["severity"] == "error" })
        #expect(first["code"] == "BP401")
        #expect(first["file"] == "m.bpmn")
        #expect(first["line"] == 6)
        #expect(first["elementId"] == "t")
        #expect(first["message"]?.asString?.isEmpty == false)
        #expect(first["remedy"]?.asString?.isEmpty == false)
        #expect(try JSON.parse(JSON.string(json)) == json)
    }

    @Test func aCleanModelIsDeployable() {
        let report = BPMNImporter.report(document(around("<task id=\"x\"/>")), file: nil)
        #expect(report.isDeployable)
        #expect(report.rows.allSatisfy { $0.disposition == .executed && $0.codes.isEmpty })
        #expect(report.json["diagnostics"] == [])
    }

    @Test func aFindingWithoutPlaceHasNoPlaceInJSON() {
        let report = BPMNImporter.report([UInt8](repeating: 32, count: 17 << 20), file: nil)
        #expect(report.rows.isEmpty)
        #expect(report.json["diagnostics"]?.asList?.first?["line"] == nil)
    }

    /// Every code a finding can have has a page, and every page a code.
    @Test func everyCodeHasAPage() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let pages = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs/errors").path)
            .filter { ($0.hasPrefix("BP") || $0.hasPrefix("BC")) && $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }
        #expect(Set(pages) == Set(BPMNImporter.diagnosticCodes))
        for page in pages {
            let text = try String(contentsOf: root.appending(path: "docs/errors/\(page).md"), encoding: .utf8)
            #expect(text.hasPrefix("# \(page): "), "\(page)")
        }
    }
}
