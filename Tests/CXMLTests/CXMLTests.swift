import CXML
import Testing

/// The reader's limits and refusals, and the tree it builds.
@Suite struct CXMLTests {
    /// Parses and hands the document, or nil, to `body`.
    private func parse<Result>(
        _ bytes: [UInt8], limits: cxml_limits = cxml_default_limits(),
        _ body: (UnsafePointer<cxml_document>?, cxml_error) throws -> Result
    ) rethrows -> Result {
        var error = cxml_error()
        let document = cxml_parse(bytes, bytes.count, limits, &error)
        defer { cxml_free(document) }
        return try body(document.map { UnsafePointer($0) }, error)
    }

    private func status(_ text: String) -> cxml_status {
        parse(Array(text.utf8)) { _, error in error.status }
    }

    /// `name(attribute=value)[text]{children}` for each element.
    private func outline(_ document: UnsafePointer<cxml_document>, _ index: Int32 = 0) -> String {
        let tree = document.pointee
        func string(_ text: cxml_text) -> String {
            String(
                decoding: UnsafeBufferPointer(start: tree.bytes + Int(text.offset), count: Int(text.length)),
                as: UTF8.self)
        }
        func name(_ number: Int32) -> String {
            let name = tree.names[Int(number)]
            return name.uri.length == 0 ? string(name.local) : "{\(string(name.uri))}\(string(name.local))"
        }
        let element = tree.elements[Int(index)]
        var text = name(element.name)
        for position in 0..<element.attribute_count {
            let attribute = tree.attributes[Int(element.first_attribute + position)]
            text += "(\(name(attribute.name))=\(string(attribute.value)))"
        }
        var run = element.first_run
        while run != CXML_NONE {
            text += "[\(string(tree.runs[Int(run)].text))]"
            run = tree.runs[Int(run)].next
        }
        var child = element.first_child
        while child != CXML_NONE {
            text += "<\(outline(document, child))>"
            child = tree.elements[Int(child)].next_sibling
        }
        return text
    }

    private func outline(_ bytes: [UInt8]) -> String? {
        parse(bytes) { document, _ in document.map { outline($0) } }
    }

    @Test(arguments: [
        ("<a/>", "a"),
        ("<a b='1' c='x&amp;&lt;&#65;'/>", "a(b=1)(c=x&<A)"),
        ("<a><b/><c>t</c></a>", "a<b><c[t]>"),
        ("<a>x<b/>y<![CDATA[<z>&]]></a>", "a[x][y<z>&]<b>"),
        ("<p:a xmlns:p='u' p:b='1'><c xmlns='v'/></p:a>", "{u}a({u}b=1)<{v}c>"),
        ("<p:a xmlns:p='u'><q:a xmlns:q='u'/></p:a>", "{u}a<{u}a>"),
        ("<!DOCTYPE a><a><!-- c --><?pi x?></a>", "a"),
        ("\u{FEFF}<a>\u{1F600}</a>", "a[\u{1F600}]"),
        ("<a xmlns:x='not a uri'/>", "a"),
    ])
    func theTreeHoldsNamesAttributesAndText(_ row: (xml: String, outline: String)) {
        #expect(outline(Array(row.xml.utf8)) == row.outline)
    }

    @Test func otherEncodingsAreRead() {
        let units = Array("\u{FEFF}<?xml version='1.0' encoding='UTF-16'?><a b='é'>é</a>".utf16)
        let utf16 = units.flatMap { unit -> [UInt8] in
            [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)]
        }
        #expect(outline(utf16) == "a(b=é)[é]")
        let latin = "<?xml version='1.0' encoding='ISO-8859-1'?><a b='é'>é</a>".unicodeScalars.map { UInt8($0.value) }
        #expect(outline(latin) == "a(b=é)[é]")
    }

    @Test func linesAreThoseOfTheStartTags() {
        let lines = parse(Array("<a>\n<b\n c='1'\n d='2'/>\n\n<e>\n</e></a>".utf8)) { document, _ in
            document.map { document in
                (0..<Int(document.pointee.element_count)).map { document.pointee.elements[$0].line }
            }
        }
        #expect(lines == [1, 2, 6])
    }

    @Test func equalNamesHaveEqualNumbersHoweverMany() {
        let names = (0..<2_000).map { "n\($0)" }
        let text = "<r>" + names.map { "<\($0)/>" }.joined() + names.map { "<\($0)/>" }.joined() + "</r>"
        parse(Array(text.utf8)) { document, _ in
            guard let tree = document?.pointee else { return #expect(Bool(false), "not parsed") }
            #expect(tree.name_count == 2_001)
            #expect((1...2_000).allSatisfy { tree.elements[$0].name == tree.elements[$0 + 2_000].name })
        }
    }

    @Test(arguments: [
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/hostname'> %p;]><a/>",
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
        "<!DOCTYPE a PUBLIC 'x' 'http://127.0.0.1:9/a.dtd'><a/>",
        "<!DOCTYPE a [<!ATTLIST a b CDATA 'default'>]><a/>",
        "<!DOCTYPE a [<!ATTLIST a b (x|y) 'x'>]><a/>",
        "<!DOCTYPE a [<!ELEMENT a (b,(c|d)*)>]><a/>",
        "<!DOCTYPE a [<!NOTATION n SYSTEM 'x'>]><a/>",
        "<!DOCTYPE a [<!NOTATION n SYSTEM 'x'><!ENTITY e SYSTEM 'x' NDATA n>]><a/>",
    ])
    func aDoctypeThatDeclaresAnythingIsRefused(xml: String) {
        #expect(status(xml) == CXML_DOCTYPE)
    }

    @Test(arguments: [
        ("", "there is no root element"), ("<", "there is no root element"),
        ("<a>", "the document ends before its root element does"), ("<a><b></a>", "mismatch"),
        ("<a/><b/>", "Extra content"), ("<x:a/>", "prefix x"), ("<a b='1' b='2'/>", "redefined"),
        ("<a>&nope;</a>", "not defined"), ("<a b='", "'"), ("plain text", "no root element"),
        ("<a>]]></a>", "not allowed"),
    ])
    func malformedDocumentsAreRefusedWithAReason(_ row: (xml: String, reason: String)) {
        parse(Array(row.xml.utf8)) { document, error in
            #expect(document == nil)
            #expect(error.status == CXML_SYNTAX)
            #expect(message(error).contains(row.reason), "\(message(error))")
            #expect(error.line >= 1)
        }
    }

    @Test func badBytesAreRefusedWithTheirPlace() {
        parse(Array("<a>\n  ".utf8) + [0xC3, 0x28] + Array("</a>".utf8)) { _, error in
            #expect(error.status == CXML_ENCODING)
            #expect(error.line == 2)
            #expect(error.column == 3)
        }
        #expect(status("<?xml version='1.0' encoding='NO-SUCH'?><a/>") == CXML_ENCODING)
        #expect(status("<a>\u{0}</a>") == CXML_ENCODING)
        // 0x81 is no character of Windows-1252; an unpaired surrogate is none of UTF-16.
        let windows = Array("<?xml version='1.0' encoding='WINDOWS-1252'?><a>".utf8) + [0x81, 0x41, 0x42, 0x43]
        parse(windows) { _, error in
            #expect(error.status == CXML_ENCODING)
            #expect(error.line == 1)
        }
        let units: [UInt16] = Array("\u{FEFF}<a>".utf16) + [0xDC00, 0x41, 0x42, 0x43]
        parse(units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }) { _, error in
            #expect(error.status == CXML_ENCODING)
        }
    }

    @Test func limitsAreInclusive() {
        func status(_ text: String, _ change: (inout cxml_limits) -> Void) -> cxml_status {
            var limits = cxml_default_limits()
            change(&limits)
            return parse(Array(text.utf8), limits: limits) { _, error in error.status }
        }
        #expect(status("<a/>") { $0.bytes = 4 } == CXML_OK)
        #expect(status("<a/>") { $0.bytes = 3 } == CXML_TOO_LARGE)
        #expect(status("<a><b/></a>") { $0.depth = 2 } == CXML_OK)
        #expect(status("<a><b/></a>") { $0.depth = 1 } == CXML_TOO_DEEP)
        #expect(status("<a><b/></a>") { $0.elements = 2 } == CXML_OK)
        #expect(status("<a><b/></a>") { $0.elements = 1 } == CXML_TOO_MANY_NODES)
        #expect(status("<a b='1' c='2'/>") { $0.attributes = 2 } == CXML_OK)
        #expect(status("<a b='1' c='2'/>") { $0.attributes = 1 } == CXML_TOO_MANY_NODES)
        #expect(status("<a b='1'/>") { $0.names = 2 } == CXML_OK)
        #expect(status("<a b='1'/>") { $0.names = 1 } == CXML_TOO_MANY_NODES)
        // A depth beyond what the reader keeps track of is cut down to that.
        let deep = String(repeating: "<a>", count: 257) + String(repeating: "</a>", count: 257)
        #expect(status(deep) { $0.depth = 10_000 } == CXML_TOO_DEEP)
        #expect(self.status(deep.replacing("<a></a>", with: "")) == CXML_OK)
    }

    @Test(arguments: [
        "<a b='" + String(repeating: "x", count: 1 << 20) + "'/>",
        "<a>" + "<!--" + String(repeating: "x", count: 1 << 20) + "--></a>",
        "<a " + (0..<200_000).map { "a\($0)=''" }.joined(separator: " ") + "/>",
    ])
    func anEndlessConstructIsRefusedBeforeItIsRead(xml: String) {
        parse(Array(xml.utf8)) { _, error in
            #expect(error.status == CXML_CONSTRUCT_TOO_LONG)
        }
    }

    @Test func longTextIsNoConstructButALongSectionIs() {
        let text = String(repeating: "x", count: 1 << 20)
        #expect(status("<a>\(text)</a>") == CXML_OK)
        #expect(status("<a><![CDATA[\(text)]]></a>") == CXML_CONSTRUCT_TOO_LONG)
        #expect(status("<a><![CDATA[\(text.prefix(200_000))]]></a>") == CXML_OK)
    }

    private func message(_ error: cxml_error) -> String {
        withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// What is kept on request besides the tree.
@Suite struct CompleteTreeTests {
    /// The pieces of a document as text: `<prefix:name{declarations}[attribute prefixes]`, `>`, texts, comments.
    private func pieces(_ text: String, limits: cxml_limits = cxml_default_limits()) -> [String]? {
        var error = cxml_error()
        let bytes = Array(text.utf8)
        guard let document = cxml_parse_all(bytes, bytes.count, limits, &error) else { return nil }
        defer { cxml_free(document) }
        let tree = document.pointee
        func string(_ text: cxml_text) -> String {
            guard text.length > 0 else { return "" }
            let start = tree.bytes + Int(text.offset)
            return String(decoding: UnsafeBufferPointer(start: start, count: Int(text.length)), as: UTF8.self)
        }
        return (0..<Int(tree.piece_count)).map { number in
            let piece = tree.pieces[number]
            switch piece.kind {
            case CXML_START:
                let (element, spelling) = (tree.elements[Int(piece.element)], tree.spellings[Int(piece.element)])
                let declared = (0..<spelling.declaration_count).map { index in
                    let declaration = tree.declarations[Int(spelling.first_declaration + index)]
                    return string(declaration.prefix) + "=" + string(declaration.uri)
                }
                let prefixes = (0..<element.attribute_count).map { index in
                    string(tree.attribute_prefixes[Int(element.first_attribute + index)])
                }
                return
                    "<\(string(spelling.prefix)):\(string(tree.names[Int(element.name)].local))\(declared)\(prefixes)"
            case CXML_END: return ">\(piece.element)"
            case CXML_CHARACTERS: return "\"\(string(piece.text))"
            case CXML_CDATA: return "[\(string(piece.text))"
            case CXML_COMMENT: return "!\(piece.element)\(string(piece.text))"
            default: return "?\(string(piece.target)) \(string(piece.text))"
            }
        }
    }

    @Test(arguments: [
        ("<a/>", ["<:a[][]", ">0"]),
        (
            "<p:a xmlns:p='u' xmlns='v' p:b='1' c='2'><d xmlns=''/></p:a>",
            [
                "<p:a[\"p=u\", \"=v\"][\"p\", \"\"]", "<:d[\"=\"][]", ">1", ">0",
            ]
        ),
        ("<a>x&amp;y<b/>z<![CDATA[<]]> w</a>", ["<:a[][]", "\"x&y", "<:b[][]", ">1", "\"z", "[<", "\" w", ">0"]),
        ("<!--1--><?t d?><a><!--2--><?u?></a><!--3-->", ["!-11", "?t d", "<:a[][]", "!02", "?u ", ">0", "!-13"]),
        ("<!DOCTYPE a [<!-- no --><?no?>]><a/>", ["<:a[][]", ">0"]),
    ])
    func everythingStandsInItsOrder(_ row: (xml: String, pieces: [String])) {
        #expect(pieces(row.xml) == row.pieces)
    }

    @Test func textInSeveralCallsIsOnePiece() {
        let long = String(repeating: "text & more ", count: 20_000)
        #expect(pieces("<a>\(long.replacing("&", with: "&amp;"))</a>") == ["<:a[][]", "\"" + long, ">0"])
        #expect(pieces("<a><![CDATA[\(long.prefix(100_000))]]></a>")?.count == 3)
    }

    @Test func piecesAreLimited() {
        var limits = cxml_default_limits()
        limits.pieces = 4
        #expect(pieces("<a><!--b--><!--c--></a>", limits: limits) == ["<:a[][]", "!0b", "!0c", ">0"])
        for text in ["<a><!--b--><!--c-->d</a>", "<a><!--b--><!--c--><?d?></a>", "<a><b/><c/></a>"] {
            #expect(pieces(text, limits: limits) == nil)
        }
    }

    @Test func aLongNamespaceOfManyNamesIsKeptOnce() {
        let uri = "urn:" + String(repeating: "x", count: 200_000)
        let text = "<a xmlns='\(uri)'>" + (0..<19_000).map { "<n\($0)/>" }.joined() + "</a>"
        #expect(pieces(text)?.count == 38_002)
    }

    @Test(arguments: [
        ("<?xml version='1.0' standalone='yes'?><a/>", 1), ("<?xml version='1.0' standalone='no'?><a/>", 0),
        ("<?xml version='1.0'?><a/>", -2),
    ])
    func standaloneIsKept(_ row: (xml: String, standalone: Int32)) {
        var error = cxml_error()
        let document = cxml_parse_all(Array(row.xml.utf8), row.xml.utf8.count, cxml_default_limits(), &error)
        defer { cxml_free(document) }
        #expect(document?.pointee.standalone == row.standalone)
    }
}
