import Foundation
import Testing
import Values

@testable import junction

/// `junction connector` on the files of a project.
@Suite struct ConnectorCommandTests {
    private static let openAPI = """
        {"openapi": "3.1.0", "info": {"title": "Pet Shop", "version": "1"}, "servers": [{"url": "https://pets.example"}],
        "paths": {"/pets/{id}": {"get": {"operationId": "getPet", "responses": {"200": {"description": "ok"}},
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
        {"name": "c", "in": "cookie", "schema": {"type": "string"}}]}}}}
        """

    @Test func aNewSpecificationIsRightAndItsTestsPass() async throws {
        let folder = try TemporaryFolder()
        let new = await junction("connector", "new", "acme", "--title", "Acme: \"the\" shop", "--project", folder.path)
        #expect(new.status == 0, "\(new.notes)")
        let file = folder.path + "/connector-specs/acme.yaml"
        #expect(new.lines == [file])
        let lint = await junction("connector", "lint", file)
        #expect(lint.status == 0, "\(lint.output)")
        #expect(lint.output.isEmpty)
        let test = await junction("connector", "test", file, "--json")
        #expect(test.status == 0, "\(test.notes)")
        #expect(test.values.count == 2)
        #expect(test.values.allSatisfy { $0["passed"] == true && $0["connectorId"] == "acme" })
        let again = await junction("connector", "new", "acme", "--project", folder.path)
        #expect(again.status == 1)
        #expect(again.notes.contains("exists already"))
    }

    @Test(arguments: ["Acme", "1a", "a b", "-a"])
    func anIDThatIsNoneIsWrongUsage(_ id: String) async throws {
        let run = await junction("connector", "new", "--output", "-", "--", id)
        #expect(run.status == 64)
        #expect(run.output.isEmpty)
    }

    @Test func aTestThatFailsEndsWithOne() async throws {
        let folder = try TemporaryFolder()
        let text = await junction("connector", "new", "acme", "--output", "-").output
        let file = try folder.write("acme.yaml", text.replacing("kind: notFound", with: "kind: conflict"))
        let run = await junction("connector", "test", file)
        #expect(run.status == 1)
        #expect(run.lines.count == 3)
        #expect(run.lines.last?.contains("failed") == true)
        #expect(run.notes.contains("Expected the error's kind \"conflict\" but found \"notFound\"."))
    }

    @Test func mistakesAreShownWithTheirPlace() async throws {
        let folder = try TemporaryFolder()
        let text = await junction("connector", "new", "acme", "--output", "-").output
        let file = try folder.write("acme.yaml", text.replacing("title: Get item", with: "tittle: Get item"))
        for command in [["connector", "lint"], ["lint"]] {
            let run = await junction(command + [file, "--json"])
            #expect(run.status == 1)
            #expect(run.values.map { $0["code"] } == ["HB105"], "\(command)")
            #expect(run.values.allSatisfy { $0["line"]?.asInt64 != nil })
        }
        let test = await junction("connector", "test", file)
        #expect(test.status == 1)
        #expect(test.notes.contains("HB105"))
    }

    @Test func anOpenAPIDocumentBecomesAConnector() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("openapi.json", Self.openAPI)
        let run = await junction("connector", "import-openapi", file, "--project", folder.path, "--json")
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.values.first?["connectorId"] == "pet-shop")
        #expect(run.notes.contains("The cookie parameter c is left out."))
        let made = folder.path + "/connector-specs/pet-shop.yaml"
        #expect(await junction("connector", "lint", made).status == 0)
        #expect(await junction("connector", "test", made).status == 0)
        let list = await junction("connector", "list", "--project", folder.path, "--json")
        #expect(list.values.contains { $0["connectorId"] == "pet-shop" && $0["operations"] == ["getPet"] })
        let show = await junction("connector", "show", "pet-shop", "--project", folder.path)
        #expect(show.output.contains("getPet"))
        let docs = folder.path + "/docs"
        let pages = await junction("connector", "docs", docs, "--project", folder.path, "--json")
        #expect(pages.status == 0, "\(pages.notes)")
        #expect(pages.values.contains { $0["file"] == .string(docs + "/pet-shop.md") })
        let page = try String(contentsOfFile: docs + "/pet-shop.md", encoding: .utf8)
        #expect(page.contains("### getPet\n"))
        #expect(!page.contains("Guide:"), "There are no guides here.")
        let wrong = await junction("connector", "show", "petshop", "--project", folder.path)
        #expect(wrong.status == 1)
        #expect(wrong.notes.contains("Did you mean pet-shop?"))
    }

    @Test func aDocumentThatIsNoneIsRefused() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("openapi.json", #"{"swagger": "2.0"}"#)
        let run = await junction("connector", "import-openapi", file, "--output", "-")
        #expect(run.status == 1)
        #expect(run.output.isEmpty)
        #expect(run.notes.contains("HB107"))
    }
}
