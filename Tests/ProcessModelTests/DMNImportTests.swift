import Decisions
import Foundation
import ProcessModel
import Testing
import Values

/// Reading DMN documents of any version, and what is found in them.
@Suite struct DMNImportTests {
    @Test(arguments: [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/", "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/", "https://www.omg.org/spec/DMN/20240513/MODEL/",
    ])
    func everyVersionIsRead(_ namespace: String) throws {
        let content = input("a", type: "feel:number") + decision("d", requires: ["a"], literal("a + 1"))
        let result = DMNImporter.read(dmn(content, namespace: namespace), file: "a.dmn")
        #expect(result.diagnostics.isEmpty)
        #expect(!result.isRefused)
        #expect(result.model?.evaluate(decision: "d", inputs: ["a": 2]).value == 3)
        #expect(result.model?.decisions.map(\.name) == ["d"])
        #expect(result.model?.inputData.map(\.id) == ["a"])
    }

    @Test func prefixesDiagramsAndOtherToolsElementsAreNoMatter() throws {
        let text = """
            <x:definitions xmlns:x="https://www.omg.org/spec/DMN/20230324/MODEL/" xmlns:t="urn:tool" namespace="n">
            <x:extensionElements><t:any/></x:extensionElements>
            <x:decision id="d" name=" a
              b "><t:decision/><x:literalExpression><x:text>1</x:text></x:literalExpression></x:decision>
            <x:DMNDI/></x:definitions>
            """
        let result = DMNImporter.read(Array(text.utf8), file: nil)
        #expect(result.diagnostics.isEmpty)
        #expect(result.model?.evaluate(decision: "a b", inputs: [:]).value == 1)
    }

    struct Finding: Sendable, CustomTestStringConvertible {
        let code: String
        let line: Int?
        let content: String
        var hasModel = true
        var testDescription: String { code }
    }

    static let findings: [Finding] = [
        Finding(
            code: "DM003", line: 2,
            content: #"<decision id="d"><literalExpression><text>1</text></literalExpression></decision>"#
        ),
        Finding(
            code: "DM003", line: 2,
            content: decision("d", #"<decisionTable hitPolicy="BEST"><output/></decisionTable>"#)),
        Finding(
            code: "DM003", line: 2,
            content: decision("d", #"<decisionTable hitPolicy="COLLECT" aggregation="AVG"><output/></decisionTable>"#)),
        Finding(code: "DM003", line: 2, content: decision("d", #"<functionDefinition kind="R"/>"#)),
        Finding(
            code: "DM003", line: 2,
            content: #"<decisionService id="s" name="s"><outputDecision/></decisionService>"#),
        Finding(code: "DM006", line: 3, content: "\n<decisions/>"),
        Finding(code: "DM010", line: 3, content: input("a") + "\n" + input("a")),
        Finding(code: "DM011", line: 2, content: decision("d", requires: ["b"], literal("1"))),
        Finding(
            code: "DM012", line: 2,
            content: decision("d", decisions: ["e"], literal("e"))
                + decision("e", decisions: ["d"], literal("d")), hasModel: false),
        Finding(
            code: "DM012", line: 2, content: decision("d", decisions: ["d"], literal("d")), hasModel: false),
        Finding(
            code: "DM012", line: 2,
            content: knowledge("f", [], literal("1"))
                .replacing(
                    "</businessKnowledgeModel>",
                    with: ##"""
                        <knowledgeRequirement><requiredKnowledge href="#g"/></knowledgeRequirement></businessKnowledgeModel>
                        """##)
                + knowledge("g", [], literal("1"))
                .replacing(
                    "</businessKnowledgeModel>",
                    with: ##"""
                        <knowledgeRequirement><requiredKnowledge href="#f"/></knowledgeRequirement></businessKnowledgeModel>
                        """##), hasModel: false),
        Finding(code: "DM013", line: 2, content: input("a", type: "tNone")),
        Finding(code: "DM013", line: 2, content: decision("d", literal("1", type: "tNone"))),
        Finding(
            code: "DM014", line: 2,
            content: """
                <itemDefinition name="a"><typeRef>b</typeRef></itemDefinition>\
                <itemDefinition name="b"><typeRef>a</typeRef></itemDefinition>
                """, hasModel: false),
        Finding(
            code: "DM015", line: 2,
            content: #"<import name="m" namespace="urn:m" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>"#,
            hasModel: false),
        Finding(
            code: "DM016", line: 2,
            content: #"<import name="m" namespace="urn:m" importType="http://www.w3.org/2001/XMLSchema"/>"#,
            hasModel: false),
        Finding(
            code: "DM018", line: 3, content: #"<itemDefinition name="a"/>"# + "\n" + #"<itemDefinition name="a"/>"#),
        Finding(code: "DM020", line: 2, content: decision("d", literal("1 +"))),
        Finding(code: "DM020", line: 2, content: decision("d", literal("unknown(1)"))),
        Finding(
            code: "DM020", line: 2,
            content: """
                <itemDefinition name="a"><typeRef>string</typeRef>\
                <allowedValues><text>"a</text></allowedValues></itemDefinition>
                """),
        Finding(
            code: "DM021", line: 2,
            content: decision(
                "d", #"<literalExpression expressionLanguage="urn:js"><text>1</text></literalExpression>"#)),
        Finding(code: "DM022", line: 2, content: decision("d", #"<functionDefinition kind="Java"/>"#)),
        Finding(code: "DM022", line: 2, content: decision("d", #"<functionDefinition kind="PMML"/>"#)),
        Finding(
            code: "DM023", line: 2,
            content: decision("d", "<decisionTable><output/><rule><inputEntry/></rule></decisionTable>")),
        Finding(code: "DM023", line: 2, content: decision("d", "<decisionTable/>")),
        Finding(
            code: "DM023", line: 2,
            content: decision(
                "d", #"<decisionTable hitPolicy="COLLECT" aggregation="SUM"><output/><output/></decisionTable>"#)),
        Finding(code: "DM024", line: 2, content: decision("d", "")),
        Finding(code: "DM024", line: 2, content: #"<businessKnowledgeModel id="f" name="f"/>"#),
    ]

    @Test(arguments: findings)
    func aMistakeHasACodeAndALine(_ row: Finding) {
        let result = DMNImporter.read(dmn(row.content), file: "a.dmn")
        let finding = result.diagnostics.first { $0.code == row.code }
        #expect(finding?.line == row.line, "\(result.diagnostics)")
        #expect(finding?.file == "a.dmn")
        #expect(finding?.remedy?.isEmpty == false)
        #expect((result.model != nil) == row.hasModel)
        #expect(result.isRefused == result.diagnostics.contains { $0.severity == .error })
    }

    @Test(arguments: [
        ("DM001", "<definitions"), ("DM001", ""), ("DM002", "<a/>"),
        ("DM002", #"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>"#),
    ])
    func whatIsNoDMNIsRefused(_ row: (code: String, text: String)) {
        let result = DMNImporter.read(Array(row.text.utf8), file: "a.dmn")
        #expect(result.diagnostics.map(\.code) == [row.code])
        #expect(result.isRefused)
        #expect(DMNImporter.importedNamespaces(Array(row.text.utf8)).isEmpty)
    }

    @Test(arguments: ["Java", "PMML"])
    func anExternalFunctionIsNullWithAReason(_ kind: String) throws {
        let content =
            knowledge("f", [], literal("1")).replacing(
                "<encapsulatedLogic>", with: #"<encapsulatedLogic kind="\#(kind)">"#)
            + decision("d", knows: ["f"], literal("f()"))
        let outcome = DMNImporter.read(dmn(content), file: nil).model?.evaluate(decision: "d", inputs: [:])
        #expect(outcome?.isError == true)
        #expect(outcome?.warnings.first?.message.contains("\(kind) functions are not executed") == true)
    }

    // MARK: Imports

    static func importing(_ name: String, _ namespace: String) -> String {
        """
        <import name="\(name)" namespace="\(namespace)" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>
        """
    }

    static let base = dmn(
        #"<itemDefinition name="tAge"><typeRef>number</typeRef><allowedValues><text>&gt;= 0</text></allowedValues>"#
            + "</itemDefinition>" + input("age", type: "tAge")
            + decision("next age", requires: ["age"], literal("age + 1"))
            + knowledge("say hello", [("a", "tAge")], literal("\"hello \" + string(a)")), name: "urn:base")

    /// A decision `d` that requires elements of the base model.
    static func user(_ name: String, _ logic: String, namespace: String = "urn:user") -> [UInt8] {
        let requirements = """
            <informationRequirement><requiredDecision href="urn:base#next age"/></informationRequirement>
            <knowledgeRequirement><requiredKnowledge href="urn:base#say hello"/></knowledgeRequirement>
            """
        return dmn(
            importing(name, "urn:base")
                + decision("d", literal(logic)).replacing(
                    "<literalExpression>", with: requirements + "<literalExpression>"),
            name: namespace)
    }

    static let importRows: [(name: String, logic: String, expected: Value)] = [
        ("my base", "my base.say hello(my base.next age)", "hello 5"),
        ("", "say hello(next age)", "hello 5"),
        ("b", "b.say hello(a: 7)", "hello 7"),
        ("b", "[5 instance of b.tAge, -5 instance of b.tAge]", [true, false]),
        ("b", "count(get entries(b))", 2),
        ("b", "for b in [{c: 3}] return b.c", [3]),
    ]

    @Test(arguments: importRows)
    func importedElementsHaveThePrefixOfTheImport(_ row: (name: String, logic: String, expected: Value)) throws {
        let results = DMNImporter.read(all: [(Self.user(row.name, row.logic), "user.dmn"), (Self.base, "base.dmn")])
        #expect(results.flatMap(\.diagnostics).isEmpty)
        let model = try #require(results[0].model)
        #expect(model.evaluate(decision: "d", inputs: ["age": 4]).value == row.expected)
        #expect(!model.has(decision: "next age"))
    }

    @Test func modelsImportedByImportedModelsAreFound() throws {
        let base = try #require(DMNImporter.read(Self.base, file: nil).model)
        let user = try #require(
            DMNImporter.read(Self.user("b", "b.next age"), file: nil, imports: ["urn:base": base]).model)
        let top = dmn(
            Self.importing("u", "urn:user")
                + decision("d", literal("u.d * 2")).replacing(
                    "<literalExpression>",
                    with: """
                        <informationRequirement><requiredDecision href="urn:user#d"/></informationRequirement>\
                        <literalExpression>
                        """))
        let model = try #require(DMNImporter.read(top, file: nil, imports: ["urn:user": user]).model)
        let outcome = model.evaluate(decision: "d", inputs: ["age": 4])
        #expect(outcome.value == 10)
        #expect(outcome.evaluated.map(\.namespace) == ["urn:base", "urn:user", "urn:test"])
        #expect(DMNImporter.importedNamespaces(top) == ["urn:user"])
    }

    @Test func importsInACycleAreRefused() {
        let documents = ["a", "b", "c"].map { name in
            let other = name == "a" ? "b" : "a"
            return (bytes: dmn(Self.importing("x", "urn:\(other)"), name: "urn:\(name)"), file: Optional("\(name).dmn"))
        }
        let results = DMNImporter.read(all: documents)
        #expect(results.allSatisfy { $0.isRefused })
        #expect(results.contains { $0.diagnostics.contains { $0.code == "DM017" } })
    }

    // MARK: Documentation

    @Test func everyCodeHasAPage() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let pages = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs/errors").path)
            .filter { $0.hasPrefix("DM") && $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }
        #expect(Set(pages) == Set(DMNImporter.diagnosticCodes))
    }
}
