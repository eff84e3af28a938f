import Foundation
import Testing

@testable import junction

/// `junction layout` on files and streams.
@Suite struct LayoutCommandTests {
    private static let model = """
        <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p"><task id="a" name="Check"/>
        </process></definitions>
        """

    @Test func aModelGetsADiagramOnStandardOutput() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.bpmn", Self.model)
        let run = await junction("layout", file)
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.output.contains("bpmnElement=\"a\""))
        #expect(run.output.contains("<task id=\"a\" name=\"Check\"/>"))
    }

    @Test func aPictureGoesToTheFileNamed() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.bpmn", Self.model)
        let picture = folder.path + "/pictures/a.svg"
        let run = await junction("layout", file, "--svg", "-o", picture)
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.output.isEmpty)
        let text = try String(contentsOfFile: picture, encoding: .utf8)
        #expect(text.hasPrefix("<svg "))
        #expect(text.contains(">Check</text>"))
    }

    @Test func whatIsNoModelIsRefusedWithItsPlace() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.bpmn", "<definitions")
        let run = await junction("layout", file)
        #expect(run.status == 1)
        #expect(run.output.isEmpty)
        #expect(run.notes.contains("BP101"))
    }
}
