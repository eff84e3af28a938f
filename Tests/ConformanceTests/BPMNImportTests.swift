import Foundation
import Testing
import Values

@testable import conformance

/// Folders of models, read by the program built together with these tests.
@Suite struct BPMNImportTests {
    private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "conformance").path

    private static let model = """
        <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">
        <startEvent id="s"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/></process></definitions>
        """

    @Test func modelsAreDeployedOrRefusedWithAReason() throws {
        let folder = try ModelFolder([
            "a.bpmn": Self.model, "tool/b.bpmn20.xml": Self.model, "tool/c.XML": Self.model, "d.xml": "<other/>",
            "e.txt": Self.model, "tool/f.bpmn": "<definitions",
        ])
        let report = try BPMNImportSuite(root: folder.path, program: Self.program).run()
        #expect((report.passed, report.failed, report.total) == (4, 0, 4))
        #expect(report.counts == ["deployed": 3, "refused": 1])
        #expect(report.groups.map(\.name) == [".", "tool"])
        #expect(report.json["refused"] == 1)
    }

    /// Programs that stand in for a reader that crashes, hangs, or says nothing.
    @Test(arguments: [
        ("kill -SEGV $$", "crashed with 11"), ("exit 3", "crashed with 3"), ("exec sleep 100", "did not end within"),
        ("echo nothing", "ended without a verdict"),
        ("echo '{\"outcome\": \"unexplained\", \"reason\": \"no line\"}'", "no line"),
    ])
    func whatTheReaderDoesWrongIsAFailure(_ row: (script: String, reason: String)) throws {
        let folder = try ModelFolder(["a.bpmn": Self.model, "reader": "#!/bin/sh\nexec 2>/dev/null\n\(row.script)\n"])
        let program = folder.path + "/reader"
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let report = try BPMNImportSuite(root: folder.path, program: program, timeLimit: .seconds(1)).run()
        #expect(report.failed == 1)
        #expect(report.failures.first?.reason.hasPrefix(row.reason) == true, "\(report.failures)")
    }

    @Test func aFolderWithoutModelsIsRefused() throws {
        let folder = try ModelFolder(["a.txt": Self.model])
        for path in [folder.path, folder.path + "/nothing"] {
            #expect(throws: SuiteFailure.self) { try BPMNImportSuite(root: path, program: Self.program) }
        }
        let models = try ModelFolder(["a.bpmn": Self.model])
        let report = try BPMNImportSuite(root: models.path, program: "/nothing").run()
        #expect(report.failures.first?.reason.contains("cannot be started") == true)
    }
}
