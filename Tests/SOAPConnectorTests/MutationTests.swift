import ConnectorKit
import Testing
import Values

@testable import SOAPConnector

/// Messages and descriptions with random damage: whatever comes out, nothing crashes, and errors are of the taxonomy.
@Suite struct MutationTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.state ^ (self.state >> 29)
        }
    }

    private static let description = Description.document(
        Description.echo(
            """
            <x:sequence><x:element name='n' type='x:int' maxOccurs='9'/><x:choice minOccurs='0'><x:element name='b'
            type='x:base64Binary'/><x:element name='r' type='t:R'/></x:choice><x:any minOccurs='0' processContents='lax'/>
            </x:sequence><x:attribute name='k' type='x:date'/>
            """,
            types: """
                <x:complexType name='R'><x:sequence><x:element name='r' type='t:R' minOccurs='0'/><x:element name='d'
                type='x:decimal' nillable='true'/></x:sequence></x:complexType>
                """))
    private static let message = """
        <e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>
        <e:Header><h xmlns='urn:h' e:mustUnderstand='1'>x</h></e:Header><e:Body><Out xmlns='urn:t' k='2026-01-31'><n>1</n>
        <n> 2 </n><r><r><d i:nil='true'/></r><d>1.50</d></r><z>&lt;&#65;<![CDATA[>]]></z></Out></e:Body></e:Envelope>
        """

    /// `bytes` with a few bytes changed, left out, doubled, or with a piece from elsewhere.
    private static func damaged(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where bytes.count > 8 {
            let at = Int.random(in: 0..<bytes.count - 4, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.removeSubrange(at..<at + Int.random(in: 1...4, using: &random))
            case 2: bytes.insert(contentsOf: Array("<>&;'\"/=".utf8).shuffled(using: &random).prefix(2), at: at)
            case 3: bytes.removeLast(Int.random(in: 1...8, using: &random))
            default:
                let from = Int.random(in: 0..<bytes.count, using: &random)
                bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + 40)], at: at)
            }
        }
        return bytes
    }

    private static func service(_ bytes: [UInt8]) throws -> SOAPService {
        let root = try XMLParser.parse(bytes, bytesMax: 1 << 20)
        var documents = ServiceDocuments()
        documents.definitions = [("test", root)]
        for types in root.children("types", in: Namespace.wsdl) {
            for schema in types.children("schema", in: Namespace.schema) {
                documents.schemas.append(
                    SchemaDocument(location: "test", namespace: schema.attribute("targetNamespace") ?? "", root: schema)
                )
            }
        }
        return try WSDLReader.read(documents)
    }

    @Test func damagedAnswersAreReadOrRefused() throws {
        let service = try Self.service(Array(Self.description.utf8))
        let operation = try #require(service.operation("Echo"))
        let validating = AnswerReader(service: service, validator: try SchemaValidator(service))
        let trusting = AnswerReader(service: service, validator: nil)
        let message = Array(Self.message.utf8)
        let multipart =
            Array("--b\r\nContent-ID: <r>\r\n\r\n".utf8) + message
            + Array("\r\n--b\r\nContent-ID: <a>\r\n\r\nAAAA\r\n--b--\r\n".utf8)
        var random = Random(state: 42)
        var read = 0
        for round in 0..<5_000 {
            let isMultipart = round % 3 == 0
            let answer = SOAPAnswer(
                status: 200, contentType: isMultipart ? "multipart/related; boundary=b; start=\"<r>\"" : "text/xml",
                bytes: round == 0 ? multipart : Self.damaged(isMultipart ? multipart : message, &random))
            for reader in [validating, trusting] {
                do throws(ConnectorError) {
                    _ = try reader.read(answer, operation)
                    read += 1
                } catch {
                    #expect(error.code.hasPrefix("CON-31"))
                }
            }
        }
        #expect(read > 100 && read < 8_000, "\(read)")
    }

    @Test func damagedDescriptionsAreReadOrRefused() throws {
        let description = Array(Self.description.utf8)
        var random = Random(state: 7)
        var read = 0
        for round in 0..<2_000 {
            let bytes = round == 0 ? description : Self.damaged(description, &random)
            do {
                let service = try Self.service(bytes)
                _ = OperationDescriber(service).operations
                _ = try SchemaValidator(service)
                read += 1
            } catch {
                #expect(error is ConnectorError || error is XMLFailure)
            }
        }
        #expect(read > 20 && read < 1_900, "\(read)")
    }
}
