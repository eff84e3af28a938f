import ConnectorKit
import Foundation
import HTTPTransport
import Testing
import Values

@testable import ConnectorSpecs

/// The specifications of AWS services against moto, an independent implementation of them.
@Suite(.serialized) struct AWSTests {
    private static let secrets = FixedSecrets([
        SecretReference(store: "test", name: "id"): Secret("AKIDEXAMPLE"),
        SecretReference(store: "test", name: "key"): Secret("canary/secret+key"),
    ])

    private static func configuration(_ more: ValueContext = [:]) throws -> ConnectionConfiguration {
        var parameters: ValueContext = [
            "region": "eu-central-1", "endpoint": .string(try Service.url("MOTO")), "allowPrivate": true,
            "credential": ["accessKeyId": ["secret": "test:id"], "secretAccessKey": ["secret": "test:key"]],
        ]
        parameters.merge(more)
        return ConnectionConfiguration(id: "aws", parameters: .context(parameters), secrets: Self.secrets)
    }

    private static func connector(_ name: String) throws -> DeclaredConnector {
        DeclaredConnector(try specification(try Files.repository("connector-specs/\(name).yaml")))
    }

    private static func value(
        _ connection: any Connection, _ operation: String, _ input: Value,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Value {
        let outcome = await connection.invoke(OperationCall(operation: operation, input: input))
        #expect(outcome.error == nil, "\(operation)", sourceLocation: sourceLocation)
        return try #require(outcome.value, sourceLocation: sourceLocation)
    }

    // MARK: - SQS

    @Test func messagesAreSentReceivedAndDeleted() async throws {
        let connection = try await Self.connector("aws-sqs").connect(try Self.configuration())
        let name = "q-\(UUID().uuidString)"
        let queue = try await Self.value(connection, "queues.create", ["name": .string(name)])
        let url = try #require(queue["url"])
        let sent = try await Self.value(
            connection, "messages.send",
            [
                "queueUrl": url, "body": "grüße & \"quotes\"",
                "attributes": ["kind": ["DataType": "String", "StringValue": "x"]],
            ])
        let received = try await Self.value(connection, "messages.receive", ["queueUrl": url])
        let message = try #require(received.asList?.first)
        #expect(message["MessageId"] == sent["messageId"])
        #expect(message["Body"] == "grüße & \"quotes\"")
        #expect(message["MessageAttributes"]?["kind"]?["StringValue"] == "x")
        let handle = try #require(message["ReceiptHandle"])
        _ = try await Self.value(connection, "messages.delete", ["queueUrl": url, "receiptHandle": handle])
        #expect(try await Self.value(connection, "messages.receive", ["queueUrl": url]) == [])
        let queues = try await Self.value(connection, "queues.list", ["prefix": .string(name)])
        #expect(queues["records"] == [["url": url]])
        await connection.close()
    }

    @Test func aRepeatedSendIsOneMessageInAFIFOQueue() async throws {
        let connection = try await Self.connector("aws-sqs").connect(try Self.configuration())
        let name = "q-\(UUID().uuidString).fifo"
        let queue = try await Self.value(
            connection, "queues.create", ["name": .string(name), "attributes": ["FifoQueue": "true"]])
        let url = try #require(queue["url"])
        for _ in 0..<2 {
            let outcome = await connection.invoke(
                OperationCall(
                    operation: "messages.sendFifo", input: ["queueUrl": url, "body": "once", "group": "g"],
                    idempotencyKey: "k-1"))
            #expect(outcome.error == nil)
        }
        let received = try await Self.value(connection, "messages.receive", ["queueUrl": url])
        #expect(received.asList?.count == 1)
        await connection.close()
    }

    @Test func aQueueThatDoesNotExistIsNotFound() async throws {
        let connection = try await Self.connector("aws-sqs").connect(try Self.configuration())
        let outcome = await connection.invoke(
            OperationCall(
                operation: "messages.send",
                input: ["queueUrl": .string("\(try Service.url("MOTO"))/123456789012/nothing"), "body": "x"]))
        let error = try #require(outcome.error)
        #expect(error.kind == .notFound)
        #expect(!"\(error) \(error.details)".contains("canary"))
        await connection.close()
    }

    @Test func theConformanceSuitePassesForSQS() async throws {
        let suite = ConnectorConformance(
            module: try Self.connector("aws-sqs"), configuration: try Self.configuration(),
            calls: [.init(OperationCall(operation: "queues.list", input: ["prefix": "conformance-none"]))])
        #expect(await suite.run().map(\.description) == [])
    }

    // MARK: - Lambda

    /// Makes a function; moto then answers a call with what it was given.
    private static func makeFunction(_ name: String) async throws {
        var settings = HTTPSettings()
        settings.allowsPrivate = true
        settings.auth = .awsSignature(
            AWSSignatureSettings(
                region: "eu-central-1", service: "lambda", accessKeyID: .text("AKIDEXAMPLE"),
                secretAccessKey: SecretReference(store: "test", name: "key")))
        let client = try HTTPClient(id: "setup", settings: settings, secrets: Self.secrets, userAgent: "test")
        func post(_ path: String, _ body: String, type: String) async throws -> HTTPResponse {
            let address = try #require(HTTPAddress(try Service.url("MOTO") + path))
            return try await client.send(
                HTTPRequest(
                    method: "POST", target: .url(address), body: .bytes(Array(body.utf8), contentType: type)))
        }
        _ = try await post("/moto-api/config", #"{"lambda":{"use_docker":false}}"#, type: "application/json")
        let form = "Action=CreateRole&Version=2010-05-08&RoleName=\(name)&AssumeRolePolicyDocument=%7B%7D"
        var iam = settings
        iam.auth = .awsSignature(
            AWSSignatureSettings(
                region: "us-east-1", service: "iam", accessKeyID: .text("AKIDEXAMPLE"),
                secretAccessKey: SecretReference(store: "test", name: "key")))
        let roles = try HTTPClient(id: "setup", settings: iam, secrets: Self.secrets, userAgent: "test")
        let address = try #require(HTTPAddress(try Service.url("MOTO")))
        let role = try await roles.send(
            HTTPRequest(
                method: "POST", target: .url(address),
                body: .bytes(Array(form.utf8), contentType: "application/x-www-form-urlencoded")))
        #expect(role.status == 200)
        // A zip archive with l.py: def h(e,c): return e
        let code =
            "UEsDBBQAAAAAAAAAIQCMV+4yFAAAABQAAAAEAAAAbC5weWRlZiBoKGUsYyk6IHJldHVybiBlUEsBAhQDFAAAAAAAAAAhAIxX7jIUAAAAFAAA"
            + "AAQAAAAAAAAAAAAAAIABAAAAAGwucHlQSwUGAAAAAAEAAQAyAAAANgAAAAAA"
        let made = try await post(
            "/2015-03-31/functions",
            """
            {"FunctionName":"\(name)","Runtime":"python3.12","Role":"arn:aws:iam::123456789012:role/\(name)",
            "Handler":"l.h","Code":{"ZipFile":"\(code)"}}
            """, type: "application/json")
        #expect(made.status == 201)
        await client.close()
        await roles.close()
    }

    @Test func functionsAreInvoked() async throws {
        let name = "f-\(UUID().uuidString)"
        try await Self.makeFunction(name)
        let connection = try await Self.connector("aws-lambda").connect(try Self.configuration())
        try await connection.test()
        let payload: Value = ["order": 7, "note": .null, "text": "é"]
        let answer = try await Self.value(
            connection, "functions.invoke", ["function": .string(name), "payload": payload])
        #expect(answer == payload)
        let queued = try await Self.value(
            connection, "functions.invokeAsync", ["function": .string(name), "payload": payload])
        #expect(queued == ["accepted": true])
        let known = try await Self.value(connection, "functions.get", ["function": .string(name)])
        #expect(known["FunctionName"] == .string(name))
        let missing = await connection.invoke(
            OperationCall(operation: "functions.get", input: ["function": "nothing"]))
        #expect(missing.error?.kind == .notFound)
        await connection.close()
    }
}
