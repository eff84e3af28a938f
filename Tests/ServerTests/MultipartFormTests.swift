import Testing

@testable import Server

@Suite struct MultipartFormTests {
    private static let type = "multipart/form-data; boundary=B"

    private static func part(_ headers: String, _ content: String) -> String {
        "--B\r\n\(headers)\r\n\r\n\(content)\r\n"
    }

    private static let file = #"Content-Disposition: form-data; name="resources"; filename="a.bpmn""#

    static let readable: [(name: String, type: String, body: String, parts: [MultipartForm.Part])] = [
        (
            "one file", type, part(file, "<x/>") + "--B--\r\n",
            [.init(name: "resources", fileName: "a.bpmn", bytes: Array("<x/>".utf8))]
        ),
        (
            "a field and a file", type,
            part("Content-Disposition: form-data; name=tenantId", "t")
                + part(file + "\r\nContent-Type: text/xml", "1") + "--B--",
            [
                .init(name: "tenantId", bytes: Array("t".utf8)),
                .init(name: "resources", fileName: "a.bpmn", contentType: "text/xml", bytes: Array("1".utf8)),
            ]
        ),
        (
            "line ends and dashes inside a file", type, part(file, "a\r\n--\r\n-B\n") + "--B--\r\n",
            [.init(name: "resources", fileName: "a.bpmn", bytes: Array("a\r\n--\r\n-B\n".utf8))]
        ),
        (
            "an empty file", type, part(file, "") + "--B--\r\n",
            [.init(name: "resources", fileName: "a.bpmn", bytes: [])]
        ),
        (
            "a quoted boundary and an escaped name", #"Multipart/Form-Data;charset=utf-8; boundary="B""#,
            part(#"content-disposition: form-data; NAME="r"; filename="a\"b;c.bpmn" "#, "1") + "--B--",
            [.init(name: "r", fileName: #"a"b;c.bpmn"#, bytes: Array("1".utf8))]
        ),
        ("no parts", type, "--B--", []),
    ]

    @Test(arguments: readable)
    func partsAreReadAsTheyWereSent(
        _ row: (name: String, type: String, body: String, parts: [MultipartForm.Part])
    ) throws {
        let form = try MultipartForm(Array(row.body.utf8), contentType: row.type)
        #expect(form.parts == row.parts)
    }

    static let broken: [(type: String, body: String, says: String)] = [
        ("multipart/form-data", "--B--", "no boundary"),
        ("multipart/form-data; boundary=\(String(repeating: "x", count: 71))", "", "no boundary"),
        ("multipart/form-data; boundary=\"B", "--B--", "does not end"),
        ("multipart/form-data; boundary", "--B--", "no value"),
        (type, "preamble\r\n--B--", "does not begin"),
        (type, "--Bx", "not followed by a line end"),
        (type, "--B\r\nContent-Disposition: form-data", "do not end"),
        (type, "--B\r\n\(file)\r\n\r\nabc", "does not end with the boundary"),
        (type, "--B\r\n\(String(repeating: "x: y\r\n", count: 2_000))\r\n1\r\n--B--", "do not end"),
        (type, part("nocolon", "1") + "--B--", "without a colon"),
        (type, part("Content-Type: text/xml", "1") + "--B--", "has no name"),
        (type, part("Content-Disposition: attachment; name=x", "1") + "--B--", "is not form-data"),
        (type, String(repeating: part(file, ""), count: 1_001) + "--B--", "more than 1000 parts"),
    ]

    @Test(arguments: broken)
    func malformedBodiesAreRefusedWhole(_ row: (type: String, body: String, says: String)) {
        let problem = #expect(throws: ProblemDetails.self) {
            _ = try MultipartForm(Array(row.body.utf8), contentType: row.type)
        }
        #expect(problem?.code == "AP416")
        #expect(problem?.detail.contains(row.says) == true, "\(problem?.detail ?? "")")
    }

    @Test func anotherMediaTypeIsNamed() {
        let problem = #expect(throws: ProblemDetails.self) { _ = try MultipartForm([], contentType: "text/plain") }
        #expect(problem?.status == 415)
    }
}
