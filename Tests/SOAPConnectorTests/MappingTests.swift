import ConnectorKit
import Testing
import Values

@testable import SOAPConnector

/// How values become XML and XML becomes values, by the schema.
@Suite struct MappingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var content: String
        var types = ""
        var form = "qualified"
        var value: Value
        /// What stands in the body's element, with `t` for the namespace.
        var xml: String
        /// What comes back, where it differs.
        var read: Value?
        var testDescription: String { self.name }
    }

    private static func sequence(_ text: String) -> String { "<x:sequence>\(text)</x:sequence>" }

    static let rows: [Row] = [
        Row(
            name: "unqualified", content: sequence("<x:element name='a' type='x:string'/>"), form: "unqualified",
            value: ["a": "1"], xml: "<a>1</a>"),
        Row(
            name: "qualified", content: sequence("<x:element name='a' type='x:string'/>"), value: ["a": "1"],
            xml: "<t:a>1</t:a>"),
        Row(
            name: "form of one element", content: sequence("<x:element form='unqualified' name='a' type='x:string'/>"),
            value: ["a": "1"], xml: "<a>1</a>"),
        Row(
            name: "attribute", content: "<x:attribute name='a' type='x:int'/>", value: ["@a": 1], xml: "@a=1"),
        Row(
            name: "fixed attribute",
            content: "<x:attribute name='a' type='x:string' fixed='f' use='required'/>", value: [:], xml: "@a=f",
            read: ["@a": "f"]),
        Row(
            name: "simple content with attribute",
            content:
                "<x:simpleContent><x:extension base='x:decimal'><x:attribute name='u'/></x:extension></x:simpleContent>",
            value: ["#text": decimal("1.5"), "@u": "kg"], xml: "@u=kg|1.5"),
        Row(
            name: "list", content: sequence("<x:element name='a' type='x:int' maxOccurs='3'/>"),
            value: ["a": [1, 2]], xml: "<t:a>1</t:a><t:a>2</t:a>"),
        Row(
            name: "empty list", content: sequence("<x:element name='a' type='x:int' minOccurs='0' maxOccurs='3'/>"),
            value: [:], xml: "", read: ["a": []]),
        Row(
            name: "order of the schema, not of the value",
            content: sequence("<x:element name='a' type='x:int'/><x:element name='b' type='x:int'/>"),
            value: ["b": 2, "a": 1], xml: "<t:a>1</t:a><t:b>2</t:b>"),
        Row(
            name: "repeated sequence",
            content:
                "<x:sequence maxOccurs='unbounded'><x:element name='a' type='x:int'/><x:element name='b' type='x:int'/></x:sequence>",
            value: ["a": [1, 3], "b": [2, 4]], xml: "<t:a>1</t:a><t:b>2</t:b><t:a>3</t:a><t:b>4</t:b>"),
        Row(
            name: "choice",
            content: "<x:choice><x:element name='a' type='x:int'/><x:element name='b' type='x:int'/></x:choice>",
            value: ["b": 2], xml: "<t:b>2</t:b>"),
        Row(
            name: "choice of sequences that begin alike",
            content: """
                <x:sequence><x:element name='k' type='x:int'/><x:choice>
                <x:sequence><x:element name='a' type='x:int'/></x:sequence>
                <x:sequence><x:element name='b' type='x:int'/><x:element name='c' type='x:int'/></x:sequence>
                </x:choice></x:sequence>
                """, value: ["k": 0, "c": 2, "b": 1], xml: "<t:k>0</t:k><t:b>1</t:b><t:c>2</t:c>"),
        Row(
            name: "all",
            content:
                "<x:all><x:element name='a' type='x:int'/><x:element name='b' type='x:int' minOccurs='0'/></x:all>",
            value: ["a": 1], xml: "<t:a>1</t:a>"),
        Row(
            name: "group and attribute group",
            content: sequence("<x:group ref='t:g'/>") + "<x:attributeGroup ref='t:h'/>",
            types: """
                <x:group name='g'><x:sequence><x:element name='a' type='x:int'/></x:sequence></x:group>
                <x:attributeGroup name='h'><x:attribute name='b' type='x:boolean'/></x:attributeGroup>
                """, value: ["@b": true, "a": 1], xml: "@b=true|<t:a>1</t:a>"),
        Row(
            name: "null", content: sequence("<x:element name='a' type='x:int' nillable='true'/>"), value: ["a": .null],
            xml: "<t:a xsi:nil=\"true\"/>"),
        Row(
            name: "null leaves an optional element out",
            content: sequence("<x:element name='a' type='x:int' minOccurs='0'/>"), value: ["a": .null], xml: "",
            read: [:]),
        Row(
            name: "extension",
            content: "<x:complexContent><x:extension base='t:B'>" + sequence("<x:element name='b' type='x:int'/>")
                + "</x:extension></x:complexContent>",
            types: "<x:complexType name='B'>" + sequence("<x:element name='a' type='x:int'/>") + "</x:complexType>",
            value: ["a": 1, "b": 2], xml: "<t:a>1</t:a><t:b>2</t:b>"),
        Row(
            name: "derived type", content: sequence("<x:element name='a' type='t:B'/>"),
            types: """
                <x:complexType name='B' abstract='true'><x:sequence><x:element name='c' type='x:int'/></x:sequence>
                </x:complexType><x:complexType name='D'><x:complexContent><x:extension base='t:B'><x:sequence>
                <x:element name='d' type='x:int'/></x:sequence></x:extension></x:complexContent></x:complexType>
                """, value: ["a": ["@xsi:type": "D", "c": 1, "d": 2]],
            xml: "<t:a xsi:type=\"t:D\"><t:c>1</t:c><t:d>2</t:d></t:a>"),
        Row(
            name: "substitution", content: sequence("<x:element ref='t:head' maxOccurs='2'/>"),
            types: """
                <x:element name='head' type='x:string' abstract='true'/>
                <x:element name='one' substitutionGroup='t:head'/>
                <x:element name='two' substitutionGroup='t:one'/>
                """, value: ["two": ["2"]], xml: "<t:two>2</t:two>", read: ["one": [], "two": ["2"]]),
        Row(
            name: "enumeration, list type and union",
            content: sequence(
                "<x:element name='e' type='t:E'/><x:element name='l' type='t:L'/><x:element name='u' type='t:U' maxOccurs='2'/>"
            ),
            types: """
                <x:simpleType name='E'><x:restriction base='x:token'><x:enumeration value='x'/></x:restriction></x:simpleType>
                <x:simpleType name='L'><x:list itemType='x:int'/></x:simpleType>
                <x:simpleType name='U'><x:union memberTypes='x:int t:E'/></x:simpleType>
                """, value: ["e": "x", "l": [1, 2, 3], "u": [7, "x"]],
            xml: "<t:e>x</t:e><t:l>1 2 3</t:l><t:u>7</t:u><t:u>x</t:u>"),
        Row(
            name: "any element", content: sequence("<x:element name='a' type='x:int'/><x:any processContents='lax'/>"),
            types: "<x:element name='known' type='x:int'/>",
            value: ["a": 1, "#any": [["name": "{urn:t}known", "value": 5]]], xml: "<t:a>1</t:a><t:known>5</t:known>"),
        Row(
            name: "any element of another namespace",
            content: sequence("<x:any namespace='##other' processContents='skip'/>"),
            value: ["#any": [["name": "{urn:o}free", "value": ["@k": "v", "#text": "x"]]]],
            xml: "<o:free k=\"v\">x</o:free>"),
        Row(
            name: "any attribute", content: "<x:anyAttribute processContents='skip'/>", value: ["@z": "1"], xml: "@z=1"),
        Row(
            name: "a type that contains itself", content: sequence("<x:element name='n' type='t:N'/>"),
            types:
                "<x:complexType name='N'>"
                + sequence("<x:element name='v' type='x:int'/><x:element name='n' type='t:N' minOccurs='0'/>")
                + "</x:complexType>", value: ["n": ["v": 1, "n": ["v": 2]]],
            xml: "<t:n><t:v>1</t:v><t:n><t:v>2</t:v></t:n></t:n>"),
        Row(
            name: "default of an empty element",
            content: sequence("<x:element name='a' type='x:int' default='5'/>"), value: ["a": 5], xml: "<t:a>5</t:a>"),
        Row(
            name: "text that needs escapes", content: sequence("<x:element name='a' type='x:string'/>"),
            value: ["a": "<&>\"'\r\n\t]]>\u{1F600}"], xml: "<t:a>&lt;&amp;&gt;\"'&#13;\n\t]]&gt;\u{1F600}</t:a>"),
        Row(
            name: "numbers",
            content: sequence(
                "<x:element name='d' type='x:decimal'/><x:element name='f' type='x:double' maxOccurs='3'/><x:element name='u' type='x:unsignedLong'/>"
            ),
            value: [
                "d": decimal("-0.10"), "f": [decimal("1e-7"), "INF", "NaN"], "u": decimal("18446744073709551615"),
            ],
            xml: "<t:d>-0.1</t:d><t:f>0.0000001</t:f><t:f>INF</t:f><t:f>NaN</t:f><t:u>18446744073709551615</t:u>"),
        Row(
            name: "an attribute of the XML namespace",
            content: sequence("<x:element name='a' type='x:string'/>") + "<x:attribute ref='xml:lang'/>",
            value: ["@lang": "de", "a": "x"], xml: "@xml:lang=de|<t:a>x</t:a>"),
    ]

    private func service(_ row: Row) throws -> SOAPService {
        let text = Description.document(Description.echo(row.content, types: row.types), form: row.form)
        return try read(text)
    }

    private func read(_ text: String) throws -> SOAPService {
        let root = try XMLParser.parse(Array(text.utf8), bytesMax: 1 << 20)
        var documents = ServiceDocuments()
        documents.definitions = [("test", root)]
        for types in root.children("types", in: Namespace.wsdl) {
            for schema in types.children("schema", in: Namespace.schema) {
                documents.schemas.append(
                    SchemaDocument(
                        location: "test", namespace: schema.attribute("targetNamespace") ?? "", root: schema))
            }
        }
        return try WSDLReader.read(documents)
    }

    /// The body element `name` with this content, in an envelope.
    private func message(_ name: String, _ xml: String) -> String {
        var attributes = ""
        var content = xml
        if xml.hasPrefix("@") {
            let parts = xml.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
            let pair = parts[0].dropFirst().split(separator: "=", maxSplits: 1)
            attributes = " \(pair[0])=\"\(pair[1])\""
            content = parts.count > 1 ? String(parts[1]) : ""
        }
        return """
            <e:Envelope xmlns:e="\(Namespace.envelope11)" xmlns:xsi="\(Namespace.instance)" xmlns:o="urn:o"><e:Body>\
            <t:\(name) xmlns:t="urn:t"\(attributes)>\(content)</t:\(name)></e:Body></e:Envelope>
            """
    }

    @Test(arguments: rows)
    func valuesAreWrittenAsTheSchemaSays(row: Row) throws {
        let service = try self.service(row)
        let operation = try #require(service.operation("Echo"))
        var sink: MTOMSink?
        let written = try EnvelopeWriter(service: service).write(operation, row.value, sink: &sink)
        let mine = try XMLParser.parse(written.bytes, bytesMax: 1 << 20).child("Body", in: Namespace.envelope11)
        let expected = try XMLParser.parse(Array(message("In", row.xml).utf8), bytesMax: 1 << 20)
            .child("Body", in: Namespace.envelope11)
        #expect(canonical(mine) == canonical(expected))
        let findings = try SchemaValidator(service).findings(written.bytes, element: written.bodyElement ?? 0)
        #expect(findings.isEmpty)
    }

    @Test(arguments: rows)
    func xmlIsReadAsTheSchemaSays(row: Row) throws {
        let service = try self.service(row)
        let operation = try #require(service.operation("Echo"))
        let reader = AnswerReader(service: service, validator: try SchemaValidator(service))
        let answer = SOAPAnswer(status: 200, contentType: "text/xml", bytes: Array(message("Out", row.xml).utf8))
        let value = try reader.read(answer, operation)
        #expect(value == row.read ?? row.value)
    }

    /// Names, attributes and text, without prefixes.
    private func canonical(_ node: XMLNode?) -> String {
        guard let node else { return "nothing" }
        let attributes = node.attributes.map { name, value in
            let isName = name == XMLName(Namespace.instance, "type")
            return "\(name)=\(isName ? node.resolve(value)?.description ?? "?" : value)"
        }
        let content = node.children.isEmpty ? node.text : node.children.map { canonical($0) }.joined()
        return "<\(node.name) \(attributes.sorted().joined(separator: " "))>\(content)</>"
    }

    struct Refusal: Sendable {
        var content: String
        var value: Value
        var words: String
    }

    @Test(arguments: [
        Refusal(
            content: "<x:choice><x:element name='a' type='x:int'/><x:element name='b' type='x:int'/></x:choice>",
            value: ["a": 1, "b": 2], words: "it is not allowed beside the other fields"),
        Refusal(
            content: "<x:choice><x:element name='a' type='x:int'/><x:element name='b' type='x:int'/></x:choice>",
            value: [:], words: "expected one of a, b"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:int' maxOccurs='2'/></x:sequence>",
            value: ["a": [1, 2, 3]], words: "the schema allows 2 here"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:int' maxOccurs='2'/></x:sequence>", value: ["a": 1],
            words: "expected a list"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:int'/></x:sequence>", value: ["a": .null],
            words: "null is not allowed"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:boolean'/></x:sequence>", value: ["a": "true"],
            words: "expected true or false"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:unsignedByte'/></x:sequence>", value: ["a": -1],
            words: "at least 0"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:int'/></x:sequence>", value: ["a": decimal("1.5")],
            words: "a whole number"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:decimal'/></x:sequence>", value: ["a": decimal("1e60")],
            words: "too large or too small"),
        Refusal(
            content: "<x:sequence><x:any/></x:sequence>", value: ["#any": [["name": "a b"]]],
            words: "no name of an element"),
        Refusal(
            content: "<x:sequence><x:element name='a' type='x:string'/></x:sequence>", value: ["a": ["x": 1]],
            words: "expected a text"),
    ])
    func valuesThatDoNotFitAreRefusedByName(row: Refusal) throws {
        let service = try self.read(Description.document(Description.echo(row.content)))
        let operation = try #require(service.operation("Echo"))
        var sink: MTOMSink?
        let error = #expect(throws: ConnectorError.self) {
            _ = try EnvelopeWriter(service: service).write(operation, row.value, sink: &sink)
        }
        #expect(error?.kind == .validation)
        #expect(error?.message.contains(row.words) == true, "\(error?.message ?? "")")
    }

    @Test func digestsAreThoseOfTheProfile() {
        // SHA-1 of the bytes 0...15, the time and the password, computed with Python's hashlib.
        let digest = UsernameToken.digest(
            nonce: Array(0...15), created: "2026-01-31T12:00:00Z", password: "open sesame")
        #expect(digest == "LcRUvSmAECKbGpBEr3JzZXeagjI=")
        #expect(UsernameToken.text(1_769_860_800_000) == "2026-01-31T12:00:00Z")
    }
}
