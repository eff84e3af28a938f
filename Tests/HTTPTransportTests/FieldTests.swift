import Testing

@testable import HTTPTransport

struct FieldTests {
    @Test func fieldsAreReadAsTheyCome() {
        let text =
            "Content-TYPE:  text/plain; a=b:c \t\r\nX-Empty:\r\n: no name\r\nno colon\r\nVia: a\nvia:b\r\n\r\nX-Last: \u{E4}"
        let fields = HTTPFields.parse(Array(text.utf8))
        #expect(fields.map(\.name) == ["content-type", "x-empty", "via", "via", "x-last"])
        #expect(fields.map(\.value) == ["text/plain; a=b:c", "", "a", "b", "\u{E4}"])
        #expect(HTTPFields.parse([]).isEmpty)
        #expect(HTTPFields.parse([0xFF, 0x3A, 0xFE]).map(\.value) == ["\u{FFFD}"])
    }

    @Test(arguments: [
        ("X-A", "1", true), ("X-A", "", true), ("", "1", false), ("X A", "1", false), ("X:A", "1", false),
        ("X-Ä", "1", false), ("X-A", "1\r\n", false), ("X-A", "\u{0}", false), ("X-A", "a\tb", true),
        ("X-A", "ä", true),
        ("hOsT", "x", false), ("Content-Length", "0", false), ("Proxy-Authorization", "x", false),
        ("Transfer-Encoding", "chunked", false),
    ])
    func whatWouldBreakAMessageIsRefused(_ row: (name: String, value: String, isFine: Bool)) {
        #expect((HTTPFields.problem(name: row.name, value: row.value) == nil) == row.isFine)
    }
}
