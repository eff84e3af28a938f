import CXML
import Foundation
import Testing

/// Compiling schemas and validating by them, without reading anything but what is given.
@Suite struct CXMLSchemaTests {
    private struct Report {
        var isCompiled = false
        var status = CXML_OK
        var findings: [String] = []
        var lines: [Int32] = []
        var total: Int32 = 0
    }

    private func withSchema<Result>(
        _ sources: [(String, String)], limits: cxml_limits = cxml_default_limits(),
        _ body: (OpaquePointer?, Report) throws -> Result
    ) rethrows -> Result {
        var strings: [UnsafeMutablePointer<CChar>] = []
        defer { strings.forEach { free($0) } }
        let items = sources.compactMap { location, text -> cxml_schema_source? in
            guard let place = strdup(location), let content = strdup(text) else { return nil }
            strings += [place, content]
            return content.withMemoryRebound(to: UInt8.self, capacity: text.utf8.count) { bytes in
                cxml_schema_source(location: place, bytes: bytes, count: text.utf8.count)
            }
        }
        var error = cxml_error()
        let (schema, report) = collect { findings in
            cxml_schema_compile(items, items.count, limits, &findings, &error)
        }
        defer { cxml_schema_free(schema) }
        var result = report
        result.isCompiled = schema != nil
        result.status = error.status
        return try body(schema, result)
    }

    private func collect<Result>(_ body: (inout cxml_findings) -> Result) -> (Result, Report) {
        var items = [cxml_finding](repeating: cxml_finding(), count: 3)
        var report = Report()
        let result = items.withUnsafeMutableBufferPointer { buffer in
            var findings = cxml_findings(items: buffer.baseAddress, capacity: Int32(buffer.count), total: 0)
            let result = body(&findings)
            report.total = findings.total
            return result
        }
        for item in items.prefix(Int(report.total)) {
            report.lines.append(item.line)
            report.findings.append(
                withUnsafeBytes(of: item.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return (result, report)
    }

    private func validate(
        _ schema: OpaquePointer?, _ text: String, element: Int32 = 0, limits: cxml_limits = cxml_default_limits()
    ) throws -> Report {
        let schema = try #require(schema)
        var error = cxml_error()
        let bytes = Array(text.utf8)
        let (status, report) = collect { findings in
            cxml_schema_validate(schema, bytes, bytes.count, element, limits, &findings, &error)
        }
        var result = report
        result.status = status
        return result
    }

    private static let schema = """
        <x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t" xmlns:t="urn:t"
            elementFormDefault="qualified">
        <x:element name="a"><x:complexType><x:sequence><x:element name="n" type="x:int" maxOccurs="10"/></x:sequence>
        </x:complexType></x:element></x:schema>
        """

    @Test func findingsHaveLinesAndAreAllCounted() throws {
        try withSchema([("main", Self.schema)]) { schema, report in
            #expect(report.isCompiled)
            let good = try validate(schema, "<a xmlns='urn:t'><n>1</n></a>")
            #expect(good.status == CXML_OK)
            #expect(good.total == 0)
            let bad = try validate(
                schema, "<a xmlns='urn:t'>\n<n>x</n>\n<n>1</n>\n<n>y</n><n>z</n><n>!</n></a>")
            #expect(bad.status == CXML_OK)
            #expect(bad.total == 4)
            #expect(bad.lines == [2, 4, 4])
            #expect(bad.findings.first?.contains("'x' is not a valid value of the atomic type 'xs:int'") == true)
        }
    }

    @Test(arguments: [(" 7 ", true), ("\n7", true), ("7 7", false), (" ", false)])
    func whiteSpaceAroundAValueDoesNotCount(_ row: (text: String, isValid: Bool)) throws {
        try withSchema([("main", Self.schema)]) { schema, _ in
            let found = try validate(schema, "<a xmlns='urn:t'>\n<n>\(row.text)</n>\n</a>")
            #expect((found.total == 0) == row.isValid, "\(found.findings)")
        }
    }

    @Test func anElementInsideTheDocumentIsValidatedByItself() throws {
        try withSchema([("main", Self.schema)]) { schema, _ in
            let text = "<e><h><i/></h>\n<b><a xmlns='urn:t'><n>no</n></a></b></e>"
            let whole = try validate(schema, text)
            #expect(whole.total == 1)
            #expect(whole.findings.first?.contains("'e'") == true)
            let inner = try validate(schema, text, element: 4)
            #expect(inner.lines == [2])
            #expect(inner.findings.first?.contains("xs:int") == true)
            let status1 = try validate(schema, text, element: 99).status
            #expect(status1 != CXML_OK)
            let status2 = try validate(schema, text, element: -1).status
            #expect(status2 != CXML_OK)
        }
    }

    @Test func importsAreServedFromTheSourcesOnly() throws {
        let main = """
            <x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:m" xmlns:t="urn:t">
            <x:import namespace="urn:t" schemaLocation="%"/><x:element name="m"><x:complexType><x:sequence>
            <x:element ref="t:a"/></x:sequence></x:complexType></x:element></x:schema>
            """
        try withSchema([("main", main.replacing("%", with: "urn:x:1")), ("urn:x:1", Self.schema)]) { schema, report in
            #expect(report.isCompiled)
            let found = try validate(schema, "<m xmlns='urn:m'><a xmlns='urn:t'><n>1</n></a></m>")
            #expect(found.total == 0)
        }
        // A file that exists, with the very schema: it must not be looked at.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("cxml-\(UUID().uuidString).xsd")
        try Data(Self.schema.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        for location in [file.path, file.absoluteString, "http://127.0.0.1:9/a.xsd"] {
            withSchema([("main", main.replacing("%", with: location))]) { _, report in
                #expect(!report.isCompiled)
                #expect(report.findings.first?.contains("import") == true)
            }
        }
    }

    @Test(arguments: [
        ("<!DOCTYPE s [<!ENTITY e 'x'>]>", CXML_DOCTYPE), ("<!DOCTYPE s SYSTEM 'file:///etc/passwd'>", CXML_DOCTYPE),
        ("<broken>", CXML_SYNTAX),
    ])
    func documentsTheReaderRefusesAreRefusedHereToo(_ row: (start: String, status: cxml_status)) throws {
        withSchema([("main", row.start + Self.schema)]) { _, report in
            #expect(!report.isCompiled)
            #expect(report.status == row.status)
        }
        try withSchema([("main", Self.schema)]) { schema, _ in
            let status3 = try validate(schema, row.start + "<a xmlns='urn:t'/>").status
            #expect(status3 == row.status)
        }
    }

    @Test func limitsHoldForSchemasAndDocuments() throws {
        var limits = cxml_default_limits()
        limits.depth = 4
        withSchema([("main", Self.schema)], limits: limits) { _, report in
            #expect(report.status == CXML_TOO_DEEP)
        }
        limits.depth = 1
        try withSchema([("main", Self.schema)]) { schema, _ in
            let status4 = try validate(schema, "<a xmlns='urn:t'><n>1</n></a>", limits: limits).status
            #expect(status4 == CXML_TOO_DEEP)
        }
    }

    @Test func aTextLongerThanTheLibrarysOwnLimitIsValidated() throws {
        let schema =
            "<x:schema xmlns:x='http://www.w3.org/2001/XMLSchema'><x:element name='b' type='x:base64Binary'/></x:schema>"
        var limits = cxml_default_limits()
        limits.bytes = 32 << 20
        try withSchema([("main", schema)]) { schema, _ in
            let text = "<b>" + String(repeating: "AAAA", count: 3 << 20) + "</b>"
            let found = try validate(schema, text, limits: limits)
            #expect(found.status == CXML_OK)
            #expect(found.total == 0)
        }
    }

    @Test func nothingGivenIsNothingCompiled() {
        withSchema([]) { _, report in #expect(!report.isCompiled) }
        withSchema([("main", "<notaschema/>")]) { _, report in
            #expect(!report.isCompiled)
            #expect(report.total > 0)
        }
    }
}
