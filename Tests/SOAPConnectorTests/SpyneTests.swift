import ConnectorKit
import SOAPConnector
import Testing
import Values

/// Against services of spyne, which also wrote their descriptions.
@Suite struct SpyneTests {
    private static let order: Value = [
        "order": [
            "customer": [
                "@number": 7, "name": "Ärger & Söhne <GmbH>",
                "address": ["street": "Weg 1", "city": "Köln", "country": "DE"],
            ],
            "lines": [
                "Line": [
                    ["article": "nail", "quantity": 100, "price": ["#text": decimal("0.015"), "@currency": "EUR"]],
                    ["article": "hammer", "quantity": 1, "price": ["#text": decimal("12.40"), "@currency": "EUR"]],
                ]
            ],
            "tag": ["new", "urgent"],
            "note": .null,
        ]
    ]

    @Test(arguments: ["/orders11", "/orders12"])
    func simpleTypesGoThereAndBack(path: String) async throws {
        try await Service.with(try Service.configuration(path)) { connection in
            let sum = try await connection.value("add", ["a": 40, "b": 2])
            #expect(sum == ["AddResult": 42])
            let record: Value = [
                "text": "a < b & \"c\"\u{1F600}", "whole": -5, "long": .number(Number(Int64.max)), "tiny": 255,
                "exact": decimal("1234567890.0123456789"), "real": decimal("2.5"), "flag": true,
                "day": "2026-02-28", "moment": "2026-02-28T23:59:59", "clock": "12:30:00", "span": "P1DT2H",
                "bytes": .string(Base64.encode([0, 255, 1, 254])), "link": "http://example.org/?a=b",
                "numbers": [1, 2, 3],
            ]
            let echoed = try await connection.value("echoEverything", ["record": record])
            #expect(echoed["EchoEverythingResult"] == record)
        }
    }

    @Test(arguments: ["/orders11", "/orders12"])
    func nestedTypesListsAttributesAndNullGoThereAndBack(path: String) async throws {
        try await Service.with(try Service.configuration(path)) { connection in
            let receipt = try await connection.value("placeOrder", Self.order)["PlaceOrderResult"]
            #expect(receipt?["total"] == decimal("13.9"))
            #expect(receipt?["count"] == 2)
            #expect(receipt?["accepted"] == "2026-01-31T12:00:00")
            let order = receipt?["order"]
            #expect(order?["customer"] == Self.order["order"]?["customer"])
            #expect(order?["lines"]?["Line"]?.asList?.count == 2)
            #expect(order?["lines"]?["Line"]?.asList?.first?["price"]?["@currency"] == "EUR")
            #expect(order?["tag"] == ["new", "urgent"])
        }
    }

    @Test func aRepeatedElementIsAListEvenWhenThereIsOneOrNone() async throws {
        try await Service.with(try Service.configuration("/orders11")) { connection in
            let one = try await connection.value("split", ["text": "one"])
            #expect(one["SplitResult"] == ["string": ["one"]])
            let none = try await connection.value("split", ["text": " "])
            #expect(none["SplitResult"] == ["string": []])
            let nothing = try await connection.value("forget", ["name": "x"])
            #expect(nothing == [:])
        }
    }

    @Test(arguments: ["/orders11", "/orders12"])
    func headersGoThereAndBack(path: String) async throws {
        try await Service.with(try Service.configuration(path)) { connection in
            let input: Value = ["greeting": "hello", "#headers": ["Session": ["token": "t-1", "hops": 3]]]
            let value = try await connection.value("whoAmI", input)
            #expect(value["WhoAmIResult"] == "hello t-1")
            #expect(value["#headers"]?["Session"] == ["token": "t-1", "hops": 4])
            let call = try await connection.value(
                "call",
                [
                    "operation": "WhoAmI", "input": ["greeting": "hi"],
                    "headers": ["{urn:example:orders}Session": ["token": "t-2"]],
                ])
            #expect(call["WhoAmIResult"] == "hi t-2")
        }
    }

    struct FaultRow: Sendable {
        var how: String
        var kind: ConnectorError.Kind
        var code: String
        var words: String
        var mayHaveExecuted: Bool
    }

    @Test(
        arguments: ["/orders11", "/orders12"],
        [
            FaultRow(
                how: "client", kind: .validation, code: "CON-3108", words: "that cannot be", mayHaveExecuted: false),
            FaultRow(how: "missing", kind: .notFound, code: "CON-3108", words: "order 7", mayHaveExecuted: false),
            FaultRow(how: "credentials", kind: .auth, code: "CON-3110", words: "who are you", mayHaveExecuted: false),
            FaultRow(
                how: "server", kind: .transient, code: "CON-3109", words: "come back later", mayHaveExecuted: true),
            FaultRow(how: "stock", kind: .conflict, code: "CON-3111", words: "nothing is left", mayHaveExecuted: true),
            FaultRow(how: "crash", kind: .transient, code: "CON-3109", words: "", mayHaveExecuted: true),
        ])
    func faultsBecomeErrorsOfTheTaxonomy(path: String, row: FaultRow) async throws {
        try await Service.with(try Service.configuration(path)) { connection in
            let error = try await connection.error("fail", ["how": .string(row.how)])
            #expect(error.kind == row.kind)
            #expect(error.code == row.code)
            #expect(error.message.contains(row.words))
            #expect(error.mayHaveExecuted == row.mayHaveExecuted)
            #expect(error.details["faultcode"]?.asString?.isEmpty == false)
            if row.how == "stock" {
                #expect(error.details["detail"]?["OutOfStock"] == ["article": "hammer"])
            }
        }
    }

    @Test(arguments: ["/orders11", "/orders12"])
    func aDeclaredFaultCanBeAResult(path: String) async throws {
        let configuration = try Service.configuration(path, ["declaredFaults": "result"])
        try await Service.with(configuration) { connection in
            let fault = try await connection.value("fail", ["how": "stock"])["#fault"]
            #expect(fault?["name"] == "OutOfStock")
            #expect(fault?["reason"] == "nothing is left")
            #expect(fault?["detail"]?["OutOfStock"] == ["article": "hammer"])
            let other = try await connection.error("fail", ["how": "server"])
            #expect(other.code == "CON-3109")
            let described = try await connection.value("describe", ["operation": "Fail"])
            let output = described["operations"]?.asList?.first?["output"]
            let names = output?["anyOf"]?.asList?.last?["properties"]?["#fault"]?["properties"]?["name"]
            #expect(names == ["enum": ["OutOfStock"]])
        }
    }

    struct InputRow: Sendable {
        var operation: String
        var input: Value
        var words: String
    }

    @Test(arguments: [
        InputRow(
            operation: "add", input: ["a": "1"], words: "input.a: expected a whole number (xs:int) but found \"1\""),
        InputRow(operation: "add", input: ["a": 2_147_483_648], words: "at most 2147483647"),
        InputRow(operation: "add", input: ["c": 1], words: "input.c: there is no such field"),
        InputRow(operation: "add", input: [1], words: "expected an object"),
        InputRow(
            operation: "placeOrder", input: ["order": ["customer": ["name": "n"]]],
            words: "input.order.customer.@number"),
        InputRow(operation: "placeOrder", input: ["order": [:]], words: "input.order.customer: it is missing"),
        InputRow(
            operation: "placeOrder",
            input: [
                "order": [
                    "customer": ["@number": 1, "name": "n", "address": ["street": "s", "city": "c", "country": "DD"]]
                ]
            ], words: "Did you mean DE?"),
        InputRow(
            operation: "placeOrder",
            input: [
                "order": [
                    "customer": ["@number": 1, "name": "n"], "lines": ["Line": [["article": "a", "quantity": 0]]],
                ]
            ],
            words: "quantity"),
        InputRow(
            operation: "echoEverything", input: ["record": ["day": "31.01.2026"]], words: "'xs:date'"),
        InputRow(operation: "echoEverything", input: ["record": ["bytes": "***"]], words: "expected base64"),
        InputRow(operation: "echoEverything", input: ["record": ["text": "\u{1}"]], words: "XML has no form"),
        InputRow(
            operation: "whoAmI", input: ["greeting": "x", "#headers": ["Sesion": [:]]], words: "Did you mean Session?"),
    ])
    func inputThatDoesNotFitIsRefusedBeforeItIsSent(row: InputRow) async throws {
        try await Service.with(try Service.configuration("/orders11")) { connection in
            let error = try await connection.error(row.operation, row.input)
            #expect(error.kind == .validation)
            #expect(error.code == "CON-3105")
            #expect(error.message.contains(row.words), "\(error.message)")
            #expect(!error.mayHaveExecuted)
        }
    }

    @Test func describeListsTheOperationsWithTheirSchemas() async throws {
        let configuration = try Service.configuration("/orders12", ["readOnly": ["Add"]])
        try await Service.with(configuration) { connection in
            let all = try await connection.value("describe", [:])
            #expect(all["soapVersion"] == "1.2")
            #expect(all["operations"]?.asList?.count == 7)
            let add = try await connection.value("describe", ["operation": "Add"])["operations"]?.asList?.first
            #expect(add?["id"] == "add")
            #expect(add?["summary"] == "Adds two numbers.")
            #expect(add?["effect"] == "read")
            #expect(add?["input"]?["properties"]?["a"]?["anyOf"]?.asList?.first?["maximum"] == 2_147_483_647)
            #expect(await connection.isRepeatable(OperationCall(operation: "add", input: [:])) == true)
            #expect(
                await connection.isRepeatable(OperationCall(operation: "call", input: ["operation": "Forget"])) == false
            )
            let order = try await connection.value("describe", ["operation": "PlaceOrder"])["operations"]?.asList?.first
            let definitions = order?["input"]?["$defs"]
            #expect(definitions?["Order"]?["properties"]?["tag"]?["type"] == "array")
            #expect(definitions?["Customer"]?["required"] == ["@number", "name"])
            #expect(definitions?["Address"]?["properties"]?["city"]?["maxLength"] == 40)
        }
    }

    @Test func aModuleMadeForOneDescriptionListsItsOperationsItself() async throws {
        let module = try await SOAPModule.load(
            id: "orders", wsdl: try Service.url("/orders11?wsdl"), allowPrivate: true)
        #expect(module.descriptor.operation("placeOrder")?.title == "PlaceOrder")
        let configuration = ConnectionConfiguration(id: "c", parameters: ["allowPrivate": true])
        let suite = ConnectorConformance(
            module: module, configuration: configuration,
            calls: [.init(OperationCall(operation: "add", input: ["a": 1, "b": 2]))])
        for finding in await suite.run() { Issue.record("\(finding)") }
    }

    @Test func anUnknownOperationIsRefusedWithTheNearestName() async throws {
        try await Service.with(try Service.configuration("/orders11")) { connection in
            let error = try await connection.error("call", ["operation": "PlaceOrdr"])
            #expect(error.kind == .unsupported)
            #expect(error.remedy.contains("placeOrder"))
        }
    }

    @Test func namesThatAreNoOperationsAreRefusedAtConnect() async throws {
        let configuration = try Service.configuration("/orders11", ["readOnly": ["Ad"]])
        let error = try await failure { _ = try await SOAPModule().connect(configuration) }
        #expect(error.kind == .validation)
        #expect(error.remedy == "Did you mean Add?")
    }
}
