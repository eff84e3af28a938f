internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// The parameters of a connection, checked.
struct GraphQLSettings: Sendable {
    /// What becomes of an answer with data and errors.
    enum Partial: String, CaseIterable, Sendable {
        /// It is a failure.
        case reject
        /// It is a success; the result holds the errors.
        case `return`
    }

    /// Whether documents are sent by their digest first.
    enum Persisted: String, CaseIterable, Sendable {
        case none, automatic
    }

    var http: HTTPSettings
    /// Where the service is, below the base address.
    var path = ""
    var partial = Partial.reject
    var persisted = Persisted.none
    /// The field of a request that names a document the service knows.
    var documentIDField = "documentId"
    var documents: [String: DeclaredDocument] = [:]
    /// Kinds of error codes that are the service's own.
    var errorCodes: [String: ConnectorError.Kind] = [:]
    var documentBytesMax = 256 << 10

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        self.http = HTTPSettings(reader)
        reader.require("baseUrl")
        self.path = reader.string("path") ?? ""
        self.partial = reader.word("partial", of: Partial.self) ?? self.partial
        self.persisted = reader.word("persisted", of: Persisted.self) ?? self.persisted
        self.documentIDField = reader.string("documentIdField") ?? self.documentIDField
        self.documentBytesMax = reader.bytes("maxDocument") ?? self.documentBytesMax
        if let codes = reader.object("errorCodes") {
            for code in codes.keys() {
                self.errorCodes[GraphQLErrorCodes.normalized(code)] = codes.word(code, of: ConnectorError.Kind.self)
            }
        }
        if let documents = reader.object("documents") {
            for name in documents.keys() {
                guard let fields = documents.object(name) else { continue }
                if !Self.isOperationName(name) || ["query", "mutate"].contains(name) {
                    documents.add(
                        "\(fields.path): expected the name of an operation that is not query or mutate: a lower case "
                            + "letter, then letters, digits, - and _.")
                }
                self.documents[name] = DeclaredDocument(name, fields, bytesMax: self.documentBytesMax)
            }
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private static func isOperationName(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, ("a"..."z").contains(first) else { return false }
        return name.unicodeScalars.allSatisfy {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
                || "-_".contains(Character($0))
        }
    }
}

/// A document that the connection declares: an operation of its own.
struct DeclaredDocument: Sendable {
    let name: String
    /// The document; nil when the service knows it by `id` and it was not given.
    var document: GraphQLDocument?
    var operationName: String?
    /// What the service calls it, if it knows it already.
    var id: String?
    var description: String
    var effect: Effect
    var idempotency: OperationIdempotency
    var partial: GraphQLSettings.Partial?
    var pagination: GraphQLPagination?

    private enum Idempotency: String, CaseIterable {
        case none, natural, key
    }

    init(_ name: String, _ reader: FieldReader, bytesMax: Int) {
        self.name = name
        self.description = reader.string("description") ?? ""
        self.id = reader.string("id")
        self.operationName = reader.string("operationName")
        self.partial = reader.word("partial", of: GraphQLSettings.Partial.self)
        self.pagination = reader.object("paginate").map { GraphQLPagination($0) }
        if self.id == nil { reader.require("document") }
        if let text = reader.string("document") {
            if text.utf8.count > bytesMax { reader.add("\(reader.path).document: more than \(bytesMax) bytes.") }
            do {
                self.document = try GraphQLDocument(text)
            } catch {
                reader.add("\(reader.path).document: \(error).")
            }
        }
        let operation = self.document?.operation(self.operationName)
        if self.document != nil, operation == nil {
            reader.add("\(reader.path).operationName: expected the name of one of the document's operations.")
        }
        if operation?.kind == .subscription { reader.add("\(reader.path): a subscription cannot be called.") }
        let declared = reader.word("effect", of: Effect.self)
        if operation?.kind == .mutation, declared == .read {
            reader.add("\(reader.path).effect: a mutation is no read.")
        }
        if let pagination, let operation {
            if let problem = pagination.problem(with: operation) { reader.add("\(reader.path).paginate: \(problem)") }
        }
        let isQuery = operation.map { $0.kind == .query } ?? (declared == .read)
        self.effect = isQuery ? .read : declared ?? .other
        let word = reader.word("idempotency", of: Idempotency.self)
        self.idempotency =
            switch word {
            case _ where isQuery: .natural
            case .natural: .natural
            case .key: .key(window: nil)
            case .some(.none), nil: .none
            }
        reader.finish()
    }

    /// The operation it is.
    var operation: GraphQLDocument.Operation? { self.document?.operation(self.operationName) }

    /// The operation of the connection that sends it.
    var descriptor: OperationDescriptor {
        let variables = self.operation.map { GraphQLVariables.schema($0.variables) } ?? ["type": "object"]
        return OperationDescriptor(
            id: self.name, title: self.name,
            summary: self.description.isEmpty ? "Sends the declared document \(self.name)." : self.description,
            effect: self.effect, idempotency: self.idempotency, input: variables, output: GraphQLModule.output)
    }
}
