import ConnectorKit
import HubDocuments
import Testing
import Values

@testable import ConnectorSpecs

@Suite struct OpenAPIImporterTests {
    private static func imported(_ text: String) throws -> (text: String, spec: ConnectorSpec, notes: [String]) {
        let log = DiagnosticLog(file: "openapi.json")
        let importer = OpenAPIImporter(text, log: log)
        let text = try #require(importer.text)
        return (text, try specification(text), log.diagnostics.map(\.message))
    }

    private static func check(_ spec: ConnectorSpec) async {
        for result in await SpecTestRunner(spec).run() {
            #expect(result.failures == [], "\(result.target): \(result.name)")
        }
    }

    @Test func aDocumentBecomesASpecification() async throws {
        let (_, spec, notes) = try Self.imported(try Files.fixture("openapi.yaml"))
        await Self.check(spec)
        #expect(spec.metadata.id == "pet-shop")
        #expect(
            spec.operationIDs == [
                "pets.list", "createPet", "getPetsPetId", "putPetsPetId", "deletePet", "uploadPhoto", "search",
            ])
        #expect(spec.operation("createPet")?.effect == .create)
        #expect(spec.operation("putPetsPetId")?.operationIdempotency == .natural)
        #expect(spec.operation("createPet")?.isRepeatable == false)
        #expect(spec.connection.auth.map(\.kind) == [.apiKey, .oauth2])
        #expect(spec.connection.test?.operation == "pets.list")
        #expect(
            notes == [
                "The security scheme cookieKey is left out.", "The cookie parameter session is left out.",
                "The reference https://example.com/elsewhere.json leads out of the document; anything is accepted there.",
            ])
    }

    @Test func requestsAreBuiltAsTheDocumentSays() async throws {
        let (text, _, _) = try Self.imported(try Files.fixture("openapi.yaml"))
        let tests = """
              - name: everything of a list
                operation: pets.list
                connection: { stage: test }
                input: { tags: [a, b], sizes: [1, 2], xTrace: t }
                expectRequest: { method: GET, path: /v2/pets, url: "https://test.pets.example/v2/pets?tags=a%2Cb&sizes=1&sizes=2&api_key=test-key", headers: { X-Trace: t } }
                respond: { json: [] }
              - name: a null that is allowed
                operation: createPet
                input: { body: { name: n, owner: null } }
                expectRequest: { json: { name: n, owner: null } }
                respond: { status: 201, json: { id: 1, name: n } }
              - name: a limit that is exclusive
                operation: createPet
                input: { body: { name: n, weight: 0 } }
                expect: { error: { kind: validation }, requests: 0 }

            """
        await Self.check(try specification(text + tests))
    }

    @Test(arguments: [
        ("not a document", "[]"), ("another version", "{\"swagger\": \"2.0\"}"), ("no JSON", "{"), ("no YAML", "a: ["),
    ])
    func otherDocumentsAreRefused(_ row: (name: String, text: String)) {
        let log = DiagnosticLog(file: "openapi.json")
        #expect(OpenAPIImporter(row.text, log: log).text == nil, "\(row.name)")
        #expect(!log.isAcceptable, "\(row.name)")
    }

    @Test(
        arguments: [
            (["type": "string", "pattern": "^-?[0-9]+$"], "1"), (["type": "string", "pattern": "^[A-Z]{3}$"], "ABC"),
            (["type": "string", "pattern": "^[0-9]+$", "minLength": 4], "1234"),
            (["type": "string", "pattern": "^impossible$"], "text"), (["type": ["null", "integer"], "minimum": 7], 7),
            (
                [
                    "allOf": [
                        ["type": "object", "required": ["a"]], ["required": ["b"], "properties": ["b": ["const": 1]]],
                    ]
                ],
                ["a": "text", "b": 1]
            ),
            (["type": "array", "minItems": 2, "items": ["enum": ["x"]]], ["x", "x"]),
        ] as [(Value, Value)])
    func examplesAreMadeUp(_ row: (schema: Value, sample: Value)) {
        #expect(SchemaSample(named: [:]).value(row.schema) == row.sample)
    }

    /// Whatever a document has in it, what comes out reads without errors and its tests pass.
    @Test(arguments: 0..<60)
    func everyDocumentBecomesARightSpecification(_ seed: UInt64) async throws {
        var random = RandomDocument(seed: seed)
        let text = JSON.string(random.document())
        let (_, spec, _) = try Self.imported(text)
        await Self.check(spec)
    }
}

/// OpenAPI documents at random.
private struct RandomDocument {
    private var state: UInt64
    private let names = ["id", "user-name", "if", "X-Request", "filter[name]", "größe", "a.b", "page"]

    init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    private mutating func next(_ count: Int) -> Int {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return Int(self.state % UInt64(count))
    }

    private mutating func flip() -> Bool { self.next(2) == 0 }

    mutating func document() -> Value {
        var schemas = ValueContext()
        for index in 0..<3 { schemas["S\(index)"] = self.schema(0) }
        var paths = ValueContext()
        for index in 0...self.next(4) {
            let parameters = (0..<self.next(4)).map { number -> String in
                self.names[(number + index) % self.names.count]
            }
            let inPath = parameters.filter { $0.allSatisfy { $0.isLetter || $0 == "-" } }.prefix(2)
            let path = "/p\(index)" + inPath.map { "/{\($0)}" }.joined()
            paths[path] = [
                ["get", "post", "put", "patch", "delete"][self.next(5)]: self.operation(parameters, Set(inPath))
            ]
        }
        return [
            "openapi": .string(self.flip() ? "3.0.3" : "3.1.0"), "info": ["title": "Random Ä 1", "version": "1"],
            "servers": .list(self.flip() ? [["url": "/base/v1/"]] : [["url": "https://{host}.example.com/x"]]),
            "security": [["k": []]],
            "paths": .context(paths),
            "components": [
                "schemas": .context(schemas),
                "securitySchemes": ["k": ["type": "http", "scheme": .string(self.flip() ? "basic" : "bearer")]],
            ],
        ]
    }

    private mutating func operation(_ parameters: [String], _ inPath: Set<String>) -> Value {
        var operation = ValueContext()
        if self.flip() { operation["operationId"] = .string(["Get Thing", "x", "über.all", "list_all"][self.next(4)]) }
        operation["parameters"] = .list(
            parameters.map { name in
                let place = inPath.contains(name) ? "path" : (self.flip() ? "query" : "header")
                return [
                    "name": .string(name), "in": .string(place), "required": .boolean(self.flip() || place == "path"),
                    "schema": self.schema(2),
                ]
            })
        if self.flip() {
            let type = ["application/json", "application/x-www-form-urlencoded", "text/plain", "image/png"][
                self.next(4)]
            operation["requestBody"] = [
                "required": .boolean(self.flip()), "content": [type: ["schema": self.schema(0)]],
            ]
        }
        let status = ["200", "201", "204", "default", "2XX"][self.next(5)]
        operation["responses"] = [
            status: ["description": "", "content": ["application/json": ["schema": self.schema(0)]]]
        ]
        return .context(operation)
    }

    private mutating func schema(_ depth: Int) -> Value {
        switch self.next(depth > 2 ? 5 : 9) {
        case 0: return ["type": "string", "minLength": 1, "maxLength": 12]
        case 1: return ["type": "integer", "minimum": 3, "exclusiveMinimum": true, "nullable": true]
        case 2: return ["type": "boolean"]
        case 3: return ["type": "string", "enum": ["a", "b"], "example": "b"]
        case 4: return ["type": "string", "pattern": "^(?!x)[a-z]+$", "format": "date-time"]
        case 5: return ["$ref": .string("#/components/schemas/S\(self.next(4))")]
        case 6: return ["type": "array", "items": self.schema(depth + 1), "minItems": .number(Number(self.next(2)))]
        case 7:
            return ["oneOf": [self.schema(depth + 1), self.schema(depth + 1)], "discriminator": ["propertyName": "t"]]
        default:
            return [
                "type": "object", "required": ["a", "b"],
                "properties": ["a": self.schema(depth + 1), "b": self.schema(depth + 1), "c": self.schema(depth + 1)],
            ]
        }
    }
}
