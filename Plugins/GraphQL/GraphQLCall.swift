internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// A call, checked: what is sent, and how the answer is read.
struct GraphQLCall: Sendable {
    var document: GraphQLDocument?
    /// What the service calls the document; instead of it.
    var documentID: String?
    var operationName: String?
    var variables = ValueContext()
    var partial: GraphQLSettings.Partial
    var pagination: GraphQLPagination?
    /// Whether sending it twice changes nothing more.
    var isRepeatable: Bool
    /// Whether it only reads.
    var isRead: Bool

    /// Reads the input of one of the two operations of every connection.
    static func adHoc(_ call: OperationCall, _ settings: GraphQLSettings) throws -> GraphQLCall {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        reader.require("document")
        let text = reader.string("document") ?? ""
        let name = reader.string("operationName")
        let variables = reader.object("variables")
        let partial = reader.word("partial", of: GraphQLSettings.Partial.self) ?? settings.partial
        let isQuery = call.operation == "query"
        let pagination = isQuery ? reader.object("paginate").map { GraphQLPagination($0) } : nil
        if text.utf8.count > settings.documentBytesMax {
            reader.add("input.document: more than \(settings.documentBytesMax) bytes.")
        }
        var values = ValueContext()
        for key in variables?.keys() ?? [] { values[key] = call.input["variables"]?[key] }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }

        let document: GraphQLDocument
        do throws(GraphQLSyntaxError) {
            document = try GraphQLDocument(text)
        } catch {
            throw GraphQLErrors.document("\(error)")
        }
        guard let operation = document.operation(name) else { throw GraphQLErrors.unclearOperation(name, document) }
        guard operation.kind == (isQuery ? .query : .mutation) else {
            throw GraphQLErrors.wrongKind(operation.kind, operation: call.operation)
        }
        if let problem = pagination?.problem(with: operation) { throw GraphQLErrors.pages(problem, details: [:]) }
        try Self.check(values, operation)
        return GraphQLCall(
            document: document, operationName: operation.name, variables: values, partial: partial,
            pagination: pagination, isRepeatable: isQuery || Self.isKeyed(call, settings), isRead: isQuery)
    }

    /// Reads the input of a declared document.
    static func declared(
        _ declared: DeclaredDocument, _ call: OperationCall, _ settings: GraphQLSettings
    ) throws -> GraphQLCall {
        guard let values = call.input.asContext ?? (call.input.isNull ? ValueContext() : nil) else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "input: expected an object but found a \(call.input.typeName).", remedy: "Give the variables by name.")
        }
        if let operation = declared.operation { try Self.check(values, operation) }
        let isRead = declared.effect == .read
        return GraphQLCall(
            document: declared.id == nil ? declared.document : nil, documentID: declared.id,
            operationName: declared.operation?.name ?? declared.operationName, variables: values,
            partial: declared.partial ?? settings.partial, pagination: declared.pagination,
            isRepeatable: isRead || declared.idempotency == .natural || Self.isKeyed(call, settings)
                || (declared.idempotency != .none && call.idempotencyKey != nil),
            isRead: isRead)
    }

    private static func isKeyed(_ call: OperationCall, _ settings: GraphQLSettings) -> Bool {
        settings.http.honoursIdempotencyKey && call.idempotencyKey != nil
    }

    private static func check(_ values: ValueContext, _ operation: GraphQLDocument.Operation) throws {
        let problems = GraphQLVariables.problems(values, operation.variables)
        guard problems.isEmpty else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters, problems.joined(separator: " "),
                remedy: "Give the variables as the document declares them.")
        }
    }

    /// The body of a request.
    func body(document: GraphQLDocument?, digest: String?, idField: String) -> [UInt8] {
        var fields = ValueContext()
        if let documentID = self.documentID {
            fields[idField] = .string(documentID)
        } else if let document {
            fields["query"] = .string(document.text)
        }
        if let name = self.operationName { fields["operationName"] = .string(name) }
        if !self.variables.isEmpty { fields["variables"] = .context(self.variables) }
        if let digest {
            fields["extensions"] = ["persistedQuery": ["version": 1, "sha256Hash": .string(digest)]]
        }
        var bytes: [UInt8] = []
        JSON.write(.context(fields), into: &bytes)
        return bytes
    }
}
