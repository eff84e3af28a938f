import ConnectorKit
import Foundation
import SOAPConnector
import Testing
import Values

/// The services of `Fixtures/soap_server.py`.
enum Service {
    struct Missing: Error, CustomStringConvertible {
        var description: String {
            "JUNCTION_SERVICE_SOAP is not set. Run the tests with `make test`, or `Scripts/services start soap`."
        }
    }

    static func url(_ path: String) throws -> String {
        guard let base = ProcessInfo.processInfo.environment["JUNCTION_SERVICE_SOAP"] else { throw Missing() }
        return base + path
    }

    static let password = SecretReference(store: "env", name: "SOAP_PASSWORD")
    /// A secret nothing may show.
    static let canary = "canary-7c1f0e"
    static let secrets = FixedSecrets([
        Service.password: Secret("open sesame"), SecretReference(store: "env", name: "WRONG"): Secret(Service.canary),
    ])

    static func configuration(_ path: String, _ more: ValueContext = [:]) throws -> ConnectionConfiguration {
        Self.configuration(wsdl: try Self.url(path) + "?wsdl", more)
    }

    static func configuration(wsdl: String, _ more: ValueContext = [:]) -> ConnectionConfiguration {
        var parameters: ValueContext = ["wsdl": .string(wsdl), "allowPrivate": true]
        parameters.merge(more)
        return ConnectionConfiguration(id: "test", parameters: .context(parameters), secrets: Self.secrets)
    }

    /// Connects, hands the connection to `body` and closes it.
    static func with<Result>(
        _ configuration: ConnectionConfiguration, _ body: (any Connection) async throws -> Result
    ) async throws -> Result {
        let connection = try await SOAPModule().connect(configuration)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension Connection {
    /// The result of a call; throws its error.
    func value(_ operation: String, _ input: Value, timeout: Duration = .seconds(20)) async throws -> Value {
        let outcome = await self.invoke(OperationCall(operation: operation, input: input, timeout: timeout))
        if let error = outcome.error { throw error }
        return try #require(outcome.value)
    }

    /// The error of a call that has to fail.
    func error(_ operation: String, _ input: Value) async throws -> ConnectorError {
        let outcome = await self.invoke(OperationCall(operation: operation, input: input, timeout: .seconds(20)))
        return try #require(outcome.error, "\(operation) succeeded")
    }
}

/// A folder that is gone afterwards.
func withFolder<Result>(_ files: [String: String], _ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soap-\(UUID().uuidString)")
    for (name, text) in files {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}

/// Runs what has to fail, and gives the error.
func failure(_ body: () async throws -> Void) async throws -> ConnectorError {
    do { try await body() } catch { return ConnectorError(wrapping: error) }
    Issue.record("it succeeded")
    throw CancellationError()
}

/// Descriptions for tests.
enum Description {
    /// One with a document-style operation `Echo`, whose schema is `schema` in the namespace `urn:t` (prefix `t`);
    /// it declares the elements `In` and `Out`.
    static func document(
        _ schema: String, form: String = "qualified", address: String = "http://localhost/", more: String = "",
        version: String = "", action: String = "urn:echo"
    ) -> String {
        """
        <w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:x="http://www.w3.org/2001/XMLSchema"
            xmlns:s="http://schemas.xmlsoap.org/wsdl/soap\(version)/" xmlns:t="urn:t" xmlns:o="urn:o"
            targetNamespace="urn:t">
        <w:types><x:schema targetNamespace="urn:t" elementFormDefault="\(form)">\(schema)</x:schema>\(more)</w:types>
        <w:message name="I"><w:part name="p" element="t:In"/></w:message>
        <w:message name="O"><w:part name="p" element="t:Out"/></w:message>
        <w:portType name="P"><w:operation name="Echo"><w:input message="t:I"/><w:output message="t:O"/></w:operation>
        </w:portType>
        <w:binding name="B" type="t:P"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
        <w:operation name="Echo"><s:operation soapAction="\(action)"/>
        <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation></w:binding>
        <w:service name="S"><w:port name="Q" binding="t:B"><s:address location="\(address)"/></w:port></w:service>
        </w:definitions>
        """
    }

    /// Elements `In` and `Out` of the same content.
    static func echo(_ content: String, types: String = "") -> String {
        ["In", "Out"].map { "<x:element name='\($0)'><x:complexType>\(content)</x:complexType></x:element>" }.joined()
            + types
    }
}

/// A number as it is written.
func decimal(_ text: String) -> Value {
    Number(text).map { .number($0) } ?? .null
}
