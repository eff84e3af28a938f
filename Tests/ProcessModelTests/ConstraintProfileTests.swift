import Foundation
import Testing
import Values

@testable import ProcessModel

/// What each profile makes of a breach, and how findings reach the user.
@Suite struct ConstraintProfileTests {
    private static let rows: [ConstraintRow] =
        ConstraintFlowTests.flows + ConstraintFlowTests.gateways + ConstraintFlowTests.eventGateways
        + ConstraintEventTests.starts + ConstraintEventTests.eventSubProcessStarts + ConstraintEventTests.endEvents
        + ConstraintEventTests.boundaries + ConstraintEventTests.intermediates + ConstraintEventTests.definitions
        + ConstraintEventTests.linkRows + ConstraintEventTests.compensations + ConstraintActivityTests.general
        + ConstraintActivityTests.messages + ConstraintActivityTests.subProcesses + ConstraintActivityTests.calls
        + ConstraintActivityTests.loops + ConstraintDataTests.objects + ConstraintDataTests.setRows
        + ConstraintDataTests.associations + ConstraintDataTests.events + ConstraintCollaborationTests.collaborations
        + ConstraintCollaborationTests.forms

    @Test func everyRuleHasAFactSheetAndATest() {
        #expect(ConstraintRule.all.map(\.constraint.rawValue).sorted() == Constraint.allCases.map(\.rawValue).sorted())
        let tested = Set(Self.rows.map(\.constraint)).union([.reference])
        #expect(Set(Constraint.allCases).subtracting(tested) == [])
        for rule in ConstraintRule.all {
            #expect(rule.clause.first?.isNumber == true && !rule.title.isEmpty && !rule.remedy.isEmpty)
            #expect(rule.constraint.rule.title == rule.title)
        }
    }

    @Test(arguments: [
        (content: amid("<task id=\"x\"/>") + executable("<task id=\"x\"/>"), code: "BC002", "error", "error"),
        (amid("<eventBasedGateway id=\"x\"/>"), "BC136", "error", "warning"),
        (
            executable("<task id=\"x\" ><performer id=\"r\"><resourceParameterBinding/></performer></task>"), "BC040",
            "warning", "info"
        ),
        (amid("<scriptTask id=\"x\"><script>a</script></scriptTask>"), "BC053", "info", "none"),
    ])
    func severityDependsOnTheProfile(_ row: (content: String, code: String, standard: String, lenient: String)) throws {
        func severity(_ profile: ImportProfile) throws -> String {
            try constraintFindings(row.content, profile: profile).first { $0.code == row.code }?.severity.rawValue
                ?? "none"
        }
        #expect(try severity(.strict) == "error")
        #expect(try severity(.standard) == row.standard)
        #expect(try severity(.lenient) == row.lenient)
    }

    @Test func whatIsNotExecutedIsNoErrorOutsideTheStrictProfile() throws {
        let content =
            amid("<task id=\"x\"/>") + "<process id=\"q\" isExecutable=\"false\"><startEvent id=\"s\"/>"
            + flow("t", "s") + "<task id=\"t\"/></process>"
        for (profile, severity) in [
            (ImportProfile.strict, Diagnostic.Severity.error), (.standard, .warning), (.lenient, .info),
        ] {
            let finding = try #require(constraintFindings(content, profile: profile).first { $0.code == "BC096" })
            #expect(finding.severity == severity)
            #expect(finding.elementID == "s")
            #expect(finding.line == 2)
            #expect(finding.file == "model.bpmn")
        }
    }

    @Test func whatDoesNoHarmIsToldOnce() throws {
        let tasks = executable(
            (1...3).map { "<scriptTask id=\"t\($0)\"><script>a</script></scriptTask>" }.joined())
        let found = try constraintFindings(tasks, profile: .standard).filter { $0.code == "BC053" }
        #expect(found.count == 1)
        #expect(found.first?.message.hasSuffix("This rule is broken 3 times here.") == true)
        #expect(try constraintFindings(tasks).filter { $0.code == "BC053" }.count == 3)
    }

    @Test func errorsKeepADocumentFromBeingExecuted() {
        func read(_ profile: ImportProfile, checksConstraints: Bool = true) -> ImportResult {
            BPMNImporter.read(
                constraintDocument(amid("<task id=\"x\"/>\(flow("x", "f"))<endEvent id=\"f\"/><endEvent id=\"g\"/>")),
                file: nil, profile: profile, checksConstraints: checksConstraints)
        }
        #expect(read(.standard).diagnostics.filter { $0.severity == .error }.map(\.code) == ["BC107"])
        #expect(read(.standard).processes.isEmpty)
        #expect(read(.standard, checksConstraints: false).processes.count == 1)
        #expect(read(.lenient).processes.count == 1)
        #expect(read(.strict).isRefused)
        #expect(!read(.strict, checksConstraints: false).diagnostics.contains { $0.code.hasPrefix("BC") })
    }

    @Test func whatTheImporterSaysIsNotSaidAgain() {
        let document = constraintDocument(
            amid("<task id=\"x\"/>") + "<process id=\"q\" isExecutable=\"true\"><task id=\"x\"/></process>")
        func codes(_ profile: ImportProfile) -> [String] {
            BPMNImporter.read(document, file: nil, profile: profile).diagnostics.map(\.code)
        }
        #expect(codes(.standard).contains("BP201") && !codes(.standard).contains("BC002"))
        #expect(codes(.strict).contains("BP201") && codes(.strict).contains("BC002"))
    }

    @Test func theReportNamesRuleAndClause() throws {
        let report = BPMNImporter.report(
            constraintDocument(amid("<scriptTask id=\"x\"><script>1</script></scriptTask>")), file: "m.bpmn",
            profile: .strict)
        let finding = try #require(report.json["diagnostics"]?.asList?.first { $0["code"] == "BC053" })
        #expect(finding["rule"] == "053")
        #expect(finding["clause"] == "10.3.3")
        #expect(finding["elementId"] == "x")
        let row = try #require(report.json["elements"]?.asList?.first { $0["id"] == "x" })
        #expect(row["disposition"] == "refused")
        #expect(row["codes"]?.asList?.contains("BC053") == true)
    }

    @Test func thereAreAtMostAThousandFindings() throws {
        let many = executable((0..<2_000).map { "<startEvent id=\"s\($0)\"/>" }.joined() + "<task id=\"t\"/>")
        #expect(try constraintFindings(many).count == 1_000)
    }

    /// Linear in the document: ten times the nodes, not a hundred times the findings' work.
    @Test func aLargeModelIsChecked() throws {
        let count = 20_000
        let chain = (0..<count).map { "<task id=\"t\($0)\"/>" + flow("t\($0)", "t\($0 + 1)") }.joined()
        let document = constraintDocument(
            executable(
                "<startEvent id=\"s\"/>\(flow("s", "t0"))" + chain + "<task id=\"t\(count)\"/>"
                    + "\(flow("t\(count)", "e"))<endEvent id=\"e\"/>"))
        let parsed = try XMLDocument(document)
        let found = withExtendedLifetime(parsed) { BPMNConstraints.check(parsed, profile: .standard, file: nil) }
        #expect(found == [])
    }

    @Test(arguments: ImportProfile.allCases) func documentsThatAreNoBPMNBreakNoRule(profile: ImportProfile) throws {
        let parsed = try XMLDocument(Array("<a id=\"x\"><task id=\"x\"/><sequenceFlow/></a>".utf8))
        let found = withExtendedLifetime(parsed) { BPMNConstraints.check(parsed, profile: profile, file: nil) }
        #expect(found == [])
    }
}
