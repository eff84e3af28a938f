import Foundation
import Testing

@testable import conformance

/// The open half of the DMN TCK, one folder a case.
@Suite struct DMNTCKTests {
    static let suite = Result { try DMNTCKSuite(root: Suites.path("dmn-tck")) }

    static let folders = (try? suite.get())?.folders ?? []

    @Test func theSuiteIsThere() throws {
        #expect(try Self.suite.get().folders.count == 67)
    }

    @Test(arguments: folders)
    func everyCasePasses(_ folder: String) throws {
        var report = SuiteReport()
        try Self.suite.get().run(folder, into: &report)
        #expect(report.total > 0)
        for failure in report.failures { Issue.record("\(failure.name): \(failure.reason)") }
    }
}

/// How results are compared, and what is said of suites that cannot be run.
@Suite struct DMNTCKSuiteTests {
    @Test func aFolderWithoutTestsIsAFailure() {
        #expect(throws: SuiteFailure.self) { try DMNTCKSuite(root: "/nonexistent") }
    }

    @Test func aWrongResultAndAnErrorThatIsNotReportedFail() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tck-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = """
            <definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" namespace="n" name="n">
            <decision id="d" name="d"><literalExpression><text>{a: 1, b: [0.33]}</text></literalExpression></decision>
            <decision id="e" name="e"><literalExpression><text>null</text></literalExpression></decision>
            </definitions>
            """
        func context(_ number: String) -> String {
            """
            <expected><component name="b"><list><item><value xsi:type="xsd:double">\(number)</value></item></list>
            </component><component name="a"><value xsi:type="xsd:decimal">1.0</value></component></expected>
            """
        }
        let tests = """
            <testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase"
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><modelName>m.dmn</modelName>
            <testCase id="1"><resultNode name="d" type="decision">\(context("0.330000000001"))</resultNode></testCase>
            <testCase id="2"><resultNode name="d" type="decision">\(context("0.34"))</resultNode></testCase>
            <testCase id="3"><resultNode name="e" errorResult="true"><expected><value xsi:nil="true"/></expected>
            </resultNode></testCase></testCases>
            """
        try Data(model.utf8).write(to: folder.appending(path: "m.dmn"))
        try Data(tests.utf8).write(to: folder.appending(path: "m-test-01.xml"))
        let report = try DMNTCKSuite(root: folder.path).run()
        #expect(report.passed == 1)
        #expect(report.failures.map { $0.name.split(separator: "#").last } == ["2", "3"])
        #expect(report.counts["passed when errors need not be reported"] == 2)
    }
}
