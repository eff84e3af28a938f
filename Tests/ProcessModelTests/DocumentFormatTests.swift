import ProcessModel
import Testing

/// What a document is, by its root element.
@Suite struct DocumentFormatTests {
    static let rows: [(text: String, format: DocumentFormat)] = [
        (
            "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\" namespace='urn:a'/>",
            .dmn(namespace: "urn:a")
        ),
        (
            "<?xml version=\"1.0\"?><!DOCTYPE x>\n<!-- <d:definitions> -->\n<d:definitions id = \"x>\" "
                + "xmlns:d='http://www.omg.org/spec/DMN/20180521/MODEL/'>", .dmn(namespace: "")
        ), ("<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>", .bpmn),
        ("<d:definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\"/>", .bpmn), ("", .bpmn), ("<", .bpmn),
        ("no markup", .bpmn), ("<!-- never closed", .bpmn), ("<a b", .bpmn), ("<a b=c>", .bpmn), ("<?xml", .bpmn),
        ("<!DOCTYPE", .bpmn), ("<a b='c>", .bpmn),
    ]

    @Test(arguments: rows)
    func theRootElementTells(_ row: (text: String, format: DocumentFormat)) {
        #expect(DocumentFormat(of: Array(row.text.utf8)) == row.format)
        var wide: [UInt8] = [0xFF, 0xFE]
        for unit in row.text.utf16 { wide += [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)] }
        #expect(DocumentFormat(of: wide) == row.format)
    }
}
