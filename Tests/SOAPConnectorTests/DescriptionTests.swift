import ConnectorKit
import Foundation
import SOAPConnector
import Testing
import Values

/// Descriptions as people and tools write them, good and bad.
@Suite struct DescriptionTests {
    private static let plain = Description.echo("<x:sequence><x:element name='n' type='x:int'/></x:sequence>")

    private func operations(
        _ files: [String: String], service: String? = nil, port: String? = nil
    ) async throws -> [OperationDescriptor] {
        try await withFolder(files) { folder in
            try await SOAPModule.operations(wsdl: folder + "/main.wsdl", service: service, port: port)
        }
    }

    @Test func importsAndIncludesBelowTheFolderAreFollowed() async throws {
        let main = """
            <w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
                xmlns:t="urn:t" targetNamespace="urn:main">
            <w:import namespace="urn:t" location="parts/abstract.wsdl"/>
            <w:binding name="B" type="t:P"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
            <w:operation name="Echo"><s:operation soapAction=""/><w:input><s:body use="literal"/></w:input>
            <w:output><s:body use="literal"/></w:output></w:operation></w:binding>
            <w:service name="S"><w:port name="Q" binding="m:B" xmlns:m="urn:main"><s:address location="http://localhost/"/>
            </w:port></w:service></w:definitions>
            """
        let abstract = """
            <w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:x="http://www.w3.org/2001/XMLSchema"
                xmlns:t="urn:t" targetNamespace="urn:t">
            <w:types><x:schema><x:import namespace="urn:t" schemaLocation="../types/t.xsd"/></x:schema></w:types>
            <w:message name="I"><w:part name="p" element="t:In"/></w:message>
            <w:portType name="P"><w:operation name="Echo"><w:input message="t:I"/></w:operation></w:portType>
            </w:definitions>
            """
        let schema = """
            <schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">
            <include schemaLocation="chameleon.xsd"/><import namespace="urn:o" schemaLocation="./o.xsd"/>
            <element name="In" type="t:Common"/></schema>
            """
        let chameleon = """
            <x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:o="urn:o">
            <x:import namespace="urn:o" schemaLocation="o.xsd"/>
            <x:complexType name="Common"><x:sequence><x:element name="one" type="Local"/><x:element ref="o:two"/>
            </x:sequence></x:complexType>
            <x:simpleType name="Local"><x:restriction base="x:string"/></x:simpleType></x:schema>
            """
        let other = """
            <schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o" xmlns:t="urn:t">
            <import namespace="urn:t" schemaLocation="t.xsd"/><element name="two" type="int"/></schema>
            """
        let files = [
            "main.wsdl": main, "parts/abstract.wsdl": abstract, "types/t.xsd": schema,
            "types/chameleon.xsd": chameleon, "types/o.xsd": other,
        ]
        let found = try await operations(files)
        #expect(found.map(\.id) == ["echo"])
        let properties = found.first?.input["properties"]
        #expect(properties?["one"] == ["type": "string"])
        #expect(properties?["two"]?["type"] == "integer")
        #expect(found.first?.output == ["type": "null"])
        // The validator takes the same documents.
        try await withFolder(files) { folder in
            try await Service.with(Service.configuration(wsdl: folder + "/main.wsdl")) { connection in
                let error = try await connection.error("echo", ["one": "x"])
                #expect(error.message == "input.two: it is missing.")
            }
        }
    }

    @Test func twoSchemasOfOneNamespaceAreOne() async throws {
        let text = Description.document(
            "<x:element name='In' type='t:A'/><x:element name='Out' type='t:A'/>",
            more: """
                <x:schema targetNamespace="urn:t"><x:complexType name="A"><x:sequence>
                <x:element name="a" type="x:int"/></x:sequence></x:complexType></x:schema>
                """)
        try await withFolder(["main.wsdl": text]) { folder in
            try await Service.with(Service.configuration(wsdl: folder + "/main.wsdl")) { connection in
                let error = try await connection.error("echo", ["b": 1])
                #expect(error.code == "CON-3105")
            }
        }
    }

    @Test func aConnectionWithAFileKnowsItsOperationsBeforeItIsOpen() async throws {
        try await withFolder(["main.wsdl": Self.good]) { folder in
            let parameters: Value = ["wsdl": .string(folder + "/main.wsdl"), "idempotent": ["Echo"]]
            let descriptor = SOAPModule().descriptor(for: parameters)
            #expect(descriptor.operations.map(\.id) == ["call", "describe", "echo"])
            #expect(descriptor.operation("echo")?.idempotency == .natural)
            #expect(descriptor.operation("echo")?.input["properties"]?["n"]?["type"] == "integer")
        }
        for wsdl in ["/nowhere.wsdl", "http://127.0.0.1:9/?wsdl"] {
            #expect(SOAPModule().descriptor(for: ["wsdl": .string(wsdl)]) == SOAPModule().descriptor)
        }
    }

    struct BadRow: Sendable, CustomTestStringConvertible {
        var name: String
        var files: [String: String]
        var kind: ConnectorError.Kind = .validation
        var code: String
        var words: String
        var testDescription: String { self.name }
    }

    private static func main(_ text: String) -> [String: String] { ["main.wsdl": text] }
    private static let good = Description.document(Self.plain)

    static let bad: [BadRow] = [
        BadRow(name: "no file", files: [:], code: "CON-3101", words: "No such file"),
        BadRow(name: "empty", files: main(""), code: "CON-3101", words: "no XML"),
        BadRow(name: "truncated", files: main(String(good.dropLast(30))), code: "CON-3101", words: "no XML"),
        BadRow(name: "a web page", files: main("<html/>"), code: "CON-3101", words: "expected wsdl:definitions"),
        BadRow(
            name: "WSDL 2.0", files: main("<description xmlns='http://www.w3.org/ns/wsdl'/>"), code: "CON-3101",
            words: "WSDL 2.0"),
        BadRow(
            name: "an entity bomb",
            files: main("<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>" + good), code: "CON-3101",
            words: "DOCTYPE"),
        BadRow(
            name: "a DOCTYPE that points outside", files: main("<!DOCTYPE d SYSTEM 'file:///etc/passwd'>" + good),
            code: "CON-3101", words: "DOCTYPE"),
        BadRow(
            name: "too deep", files: main(String(repeating: "<a>", count: 3_000)), code: "CON-3101", words: "too deeply"
        ),
        BadRow(
            name: "a schema above the folder",
            files: main(
                Description.document(
                    "<x:import namespace='urn:o' schemaLocation='../../o.xsd'/>" + plain)), code: "CON-3102",
            words: "not below the description's folder"),
        BadRow(
            name: "a schema on the network",
            files: main(
                Description.document(
                    "<x:import namespace='urn:o' schemaLocation='http://127.0.0.1:9/o.xsd'/>" + plain)),
            code: "CON-3102", words: "http://127.0.0.1:9/o.xsd"),
        BadRow(
            name: "a schema of the machine",
            files: main(
                Description.document("<x:import namespace='urn:o' schemaLocation='/etc/passwd'/>" + plain)),
            code: "CON-3102", words: "/etc/passwd"),
        BadRow(
            name: "a schema that is missing",
            files: main(Description.document("<x:import namespace='urn:o' schemaLocation='o.xsd'/>" + plain)),
            code: "CON-3101", words: "o.xsd"),
        BadRow(
            name: "an element that is not declared",
            files: main(Description.document("<x:element name='In' type='x:int'/>")), code: "CON-3102",
            words: "t:Out is not declared"),
        BadRow(
            name: "a message that is not declared",
            files: main(good.replacing("message name=\"O\"", with: "message name=\"Z\"")),
            code: "CON-3102", words: "{urn:t}O is not declared"),
        BadRow(
            name: "a binding of no interface", files: main(good.replacing("type=\"t:P\"", with: "type=\"t:R\"")),
            code: "CON-3102", words: "portType {urn:t}R"),
        BadRow(
            name: "a port of no binding", files: main(good.replacing("binding=\"t:B\"", with: "binding=\"t:X\"")),
            code: "CON-3103", words: "no port"),
        BadRow(
            name: "an operation of no interface",
            files: main(good.replacing("<w:operation name=\"Echo\"><s:", with: "<w:operation name=\"Ecco\"><s:")),
            code: "CON-3102", words: "no operation Ecco"),
        BadRow(
            name: "a prefix nobody declared",
            files: main(Description.document("<x:element name='In' type='q:int'/>" + plain)), code: "CON-3102",
            words: "prefix"),
        BadRow(
            name: "a redefinition",
            files: main(Description.document("<x:redefine schemaLocation='o.xsd'/>" + plain)), kind: .unsupported,
            code: "CON-3104", words: "redefine"),
        BadRow(
            name: "an encoded document", files: main(good.replacing("use=\"literal\"", with: "use=\"encoded\"")),
            kind: .unsupported, code: "CON-3104", words: "Document style with SOAP encoding"),
        BadRow(
            name: "an encoding over SOAP 1.2",
            files: main(
                Description.document(plain, version: "12").replacing("use=\"literal\"", with: "use=\"encoded\"")),
            kind: .unsupported, code: "CON-3104", words: "SOAP encoding over SOAP 1.2"),
        BadRow(
            name: "a body of two parts",
            files: main(
                good.replacing(
                    "<w:part name=\"p\" element=\"t:In\"/>",
                    with: "<w:part name=\"p\" element=\"t:In\"/><w:part name=\"q\" element=\"t:In\"/>")),
            kind: .unsupported, code: "CON-3104", words: "2 parts"),
        BadRow(
            name: "groups that multiply",
            files: main(
                Description.document(
                    (1...40).map { number in
                        "<x:group name='g\(number)'><x:sequence><x:group ref='t:g\(number - 1)'/>"
                            + "<x:group ref='t:g\(number - 1)'/></x:sequence></x:group>"
                    }.joined()
                        + "<x:group name='g0'><x:sequence><x:element name='e' type='x:int'/></x:sequence></x:group>"
                        + Description.echo("<x:group ref='t:g40'/>"))), kind: .unsupported, code: "CON-3104",
            words: "more than 5000"),
        BadRow(
            name: "an unknown service", files: main(good), code: "CON-3103", words: "no such service"),
    ]

    @Test(arguments: bad)
    func aBadDescriptionIsRefusedWithItsReason(row: BadRow) async throws {
        let service = row.name == "an unknown service" ? "Nobody" : nil
        let error = try await failure { _ = try await operations(row.files, service: service) }
        #expect(error.kind == row.kind)
        #expect(error.code == row.code)
        #expect(error.message.contains(row.words), "\(error.message)")
    }

    @Test func aLinkThatLeadsOutOfTheFolderIsRefused() async throws {
        let text = Description.document("<x:import namespace='urn:o' schemaLocation='o.xsd'/>" + Self.plain)
        try await withFolder(["main.wsdl": text]) { folder in
            try FileManager.default.createSymbolicLink(atPath: folder + "/o.xsd", withDestinationPath: "/etc/passwd")
            let error = try await failure { _ = try await SOAPModule.operations(wsdl: folder + "/main.wsdl") }
            #expect(error.code == "CON-3101")
            #expect(error.message.contains("out of the description's folder"))
        }
    }

    @Test func aPipeIsNotWaitedFor() async throws {
        try await withFolder(["x": ""]) { folder in
            #expect(mkfifo(folder + "/main.wsdl", 0o600) == 0)
            let error = try await failure { _ = try await SOAPModule.operations(wsdl: folder + "/main.wsdl") }
            #expect(error.message.contains("no regular file"))
        }
    }

    @Test func portsOfOneInterfaceAreOneChoiceAndOthersHaveToBeNamed() async throws {
        let second =
            "<w:port name=\"R\" binding=\"t:B\"><s:address location=\"http://localhost/\"/></w:port></w:service>"
        let same = Self.good.replacing("</w:service>", with: second)
        let alike = try await operations(["main.wsdl": same])
        #expect(alike.count == 1)
        let other = same.replacing(
            "binding=\"t:B\"><s:address location=\"http://localhost/\"/></w:port></w:service>",
            with: """
                binding="t:C"><s:address location="http://localhost/"/></w:port></w:service>
                <w:portType name="P2"><w:operation name="Ask"><w:input message="t:I"/></w:operation></w:portType>
                <w:binding name="C" type="t:P2"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
                <w:operation name="Ask"><w:input><s:body use="literal"/></w:input></w:operation></w:binding>
                """)
        let error = try await failure { _ = try await operations(["main.wsdl": other]) }
        #expect(error.code == "CON-3103")
        #expect(error.message.contains("S/Q, S/R"))
        let named = try await operations(["main.wsdl": other], port: "R")
        #expect(named.map(\.id) == ["ask"])
    }

    @Test func anOperationThatCannotBeCalledDoesNotSpoilTheOthers() async throws {
        let text = Self.good.replacing(
            "</w:portType>",
            with: "<w:operation name=\"Two\"><w:input message=\"t:J\"/></w:operation></w:portType>"
        ).replacing(
            "<w:message name=\"I\">",
            with: "<w:message name=\"J\"><w:part name=\"a\" element=\"t:In\"/><w:part name=\"b\" element=\"t:In\"/>"
                + "</w:message><w:message name=\"I\">"
        ).replacing(
            "</w:binding>",
            with: "<w:operation name=\"Two\"><w:input><s:body use=\"literal\"/></w:input></w:operation></w:binding>")
        try await withFolder(["main.wsdl": text]) { folder in
            try await Service.with(Service.configuration(wsdl: folder + "/main.wsdl")) { connection in
                let described = try await connection.value("describe", [:])
                #expect(described["operations"]?.asList?.count == 1)
                #expect(described["refused"]?["Two"]?.asString?.contains("2 parts") == true)
                let error = try await connection.error("call", ["operation": "Two"])
                #expect(error.kind == .unsupported)
                #expect(error.message.contains("2 parts"))
            }
        }
    }

    @Test func aSchemaTheValidatorRefusesIsReportedAndCanBeDoneWithout() async throws {
        let text = Description.document(
            Self.plain
                + "<x:complexType name='Bad'><x:sequence><x:element name='a' type='t:Missing'/></x:sequence></x:complexType>"
        )
        try await withFolder(["main.wsdl": text]) { folder in
            let error = try await failure {
                _ = try await SOAPModule().connect(Service.configuration(wsdl: folder + "/main.wsdl"))
            }
            #expect(error.code == "CON-3113")
            #expect(error.message.contains("Missing"))
            try await Service.with(Service.configuration(wsdl: folder + "/main.wsdl", ["validate": "none"])) { _ in }
        }
    }

    @Test func aDescriptionFromTheNetworkMayNotLeadElsewhere() async throws {
        let text = Description.document(Self.plain, address: "http://example.org/")
        let server = try FakeServer(body: Array(text.utf8))
        defer { server.stop() }
        let error = try await failure { _ = try await SOAPModule().connect(Service.configuration(wsdl: server.url)) }
        #expect(error.code == "CON-3103")
        #expect(error.message.contains("http://example.org:80"))
        let allowed = Service.configuration(wsdl: server.url, ["allowHosts": ["example.org"]])
        try await Service.with(allowed) { _ in }
        let named = Service.configuration(wsdl: server.url, ["baseUrl": "http://127.0.0.1:9/soap"])
        try await Service.with(named) { connection in
            let described = try await connection.value("describe", [:])
            #expect(described["address"] == "http://127.0.0.1:9/soap")
        }
    }

    @Test func referencesThatMultiplyOrGoInACircleAreRefused() async throws {
        let description = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures/encoded.wsdl"), encoding: .utf8)
        func answer(_ items: String) -> String {
            """
            <e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
            xmlns:c="http://schemas.xmlsoap.org/soap/encoding/" xmlns:x="http://www.w3.org/2001/XMLSchema"><e:Body>
            <FindResponse><return href="#l0"/></FindResponse>\(items)</e:Body></e:Envelope>
            """
        }
        func array(_ id: Int, _ targets: [Int]) -> String {
            "<c:m c:root='0' id='l\(id)' xsi:type='c:Array' c:arrayType='x:anyType[\(targets.count)]'>"
                + targets.map { "<i href='#l\($0)'/>" }.joined() + "</c:m>"
        }
        let circle = answer(array(0, [1]) + array(1, [0]))
        let many = answer((0..<60).map { array($0, Array(repeating: $0 + 1, count: 10)) }.joined() + array(60, []))
        let nowhere = answer(array(0, [9]))
        let planes = answer(array(0, []).replacing("anyType[0]", with: "anyType[2,3]"))
        let sparse = answer(array(0, [1]).replacing("<i ", with: "<i c:position='[5]' ") + array(1, []))
        try await withFolder(["main.wsdl": description]) { folder in
            for (body, words) in [
                (circle, "too deeply"), (many, "too many"), (nowhere, "not there"), (planes, "several dimensions"),
                (sparse, "sparse"),
            ] {
                let server = try FakeServer(body: Array(body.utf8))
                defer { server.stop() }
                let configuration = Service.configuration(
                    wsdl: folder + "/main.wsdl", ["baseUrl": .string(server.url)])
                try await Service.with(configuration) { connection in
                    let error = try await connection.error("find", ["names": ["a"], "limit": 1])
                    #expect(error.code == "CON-3107")
                    #expect(error.message.contains(words), "\(error.message)")
                }
            }
        }
    }
}
