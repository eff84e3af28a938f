public import HubDocuments
import Values

/// Makes a connector specification out of an OpenAPI document, 3.0 or 3.1.
///
/// The result is a beginning, which reads without errors and whose tests pass: what an OpenAPI document does not say
/// (idempotency, pagination, what errors mean) is for its author to add.
public struct OpenAPIImporter {
    /// The text of the specification; `nil` when the document could not be read.
    public private(set) var text: String?

    /// The id of the connector.
    public var connectorID: String { self.id }

    let log: DiagnosticLog
    let document: Value
    let id: String
    var schemas: OpenAPISchemas
    var auth: [Value] = []
    var parameters = ValueContext()
    var usedIDs: Set<String> = []
    /// The path of the base address, and whether the whole of it is a parameter.
    var basePath = ""

    /// The most operations taken over.
    static let operationsMax = 500

    /// Imports a document.
    ///
    /// - Parameters:
    ///   - text: JSON or YAML.
    ///   - id: Name of the connector; made of the title unless given.
    ///   - log: Takes what was left out, as warnings, and why a document cannot be read.
    public init(_ text: String, id: String? = nil, log: DiagnosticLog) {
        self.log = log
        let isJSON = text.utf8.first { $0 > 0x20 } == UInt8(ascii: "{")
        let value: Value? =
            isJSON ? try? JSON.parse(text) : YAMLDocument.parse(text, log: log)?.value
        self.document = value ?? .null
        self.schemas = OpenAPISchemas(self.document)
        let title = self.document["info"]?["title"]?.asString ?? "api"
        self.id = id ?? Self.slug(title)
        guard let version = self.document["openapi"]?.asString, version.hasPrefix("3.0") || version.hasPrefix("3.1")
        else {
            if log.isAcceptable {
                log.error(
                    .invalidValue,
                    "Expected an OpenAPI document of version 3.0 or 3.1 but found "
                        + (self.document["openapi"]?.plainText.map { "version \($0)." } ?? "none."),
                    remedy: "Convert an older document, or put the parts of one into one file, first.")
            }
            return
        }
        self.text = self.specification(title)
    }

    // MARK: - The whole

    private mutating func specification(_ title: String) -> String {
        let baseURL = self.server()
        self.security()
        var operations = ValueContext()
        var tests: [Value] = []
        var test: String?
        for (path, item) in self.document["paths"]?.asContext ?? ValueContext() {
            let item = self.schemas.resolved(item)
            for method in ["get", "put", "post", "delete", "patch", "head", "options"] {
                guard let operation = item[method], operation.asContext != nil else { continue }
                guard operations.count < Self.operationsMax else {
                    self.leaveOut("Operations beyond the first \(Self.operationsMax) are left out.")
                    break
                }
                let made = self.operation(operation, item, path: path, method: method)
                operations[made.id] = made.value
                tests.append(made.test)
                let needsNothing = made.value["input"]?["required"] == nil
                if test == nil, method == "get", needsNothing { test = made.id }
            }
        }
        for note in self.schemas.notes { self.leaveOut(note) }
        var connection: ValueContext = ["parameters": self.parameterSchema]
        if !self.auth.isEmpty { connection["auth"] = .list(self.auth) }
        connection["baseUrl"] = .string(baseURL)
        if let test { connection["test"] = ["operation": .string(test)] }
        var specification: ValueContext = [
            "apiVersion": .string(ConnectorSpec.apiVersion), "kind": .string(ConnectorSpec.kind),
            "metadata": [
                "id": .string(self.id), "version": 1, "title": .string(Self.line(title, 80)),
                "summary": .string(
                    Self.line(self.document["info"]?["summary"]?.asString ?? "Calls \(title).", 200)),
                "support": "experimental",
            ],
            "connection": .context(connection),
        ]
        if !self.schemas.taken.isEmpty { specification["schemas"] = .context(self.schemas.taken) }
        specification["operations"] = .context(operations)
        specification["tests"] = .list(tests)
        return SpecText.write(.context(specification))
    }

    private var parameterSchema: Value {
        var schema: ValueContext = ["type": "object"]
        let required = self.parameters.compactMap { name, schema -> Value? in
            if schema["default"] != nil || (schema["x-credential"] != nil && !self.needsCredential) { return nil }
            return .string(name)
        }
        if !required.isEmpty { schema["required"] = .list(required) }
        schema["properties"] = .context(self.parameters)
        return .context(schema)
    }

    mutating func leaveOut(_ message: String) {
        guard !self.log.diagnostics.contains(where: { $0.message == message }) else { return }
        self.log.warning(.notImported, message, remedy: "Add it to the specification if it is needed.")
    }

    // MARK: - Servers

    private mutating func server() -> String {
        let server = self.document["servers"]?.asList?.first ?? .null
        var url = server["url"]?.asString ?? ""
        while url.hasSuffix("/") { url.removeLast() }
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
            // A relative address says only where below its host the interface is.
            self.parameters["baseUrl"] = [
                "type": "string", "description": "Address of the server, up to the paths of the operations.",
                "examples": [.string("https://api.example.com" + (url.hasPrefix("/") ? url : ""))],
            ]
            self.basePath = url.hasPrefix("/") ? url : ""
            return "{connection.baseUrl}"
        }
        var sample = url
        let variables = server["variables"] ?? .null
        for name in Self.names(inBraces: url) {
            let variable = variables[name] ?? .null
            let parameter = Self.identifier(name)
            var schema: ValueContext = ["type": "string"]
            let standard = variable["default"]?.plainText
            schema[standard == nil ? "examples" : "default"] = standard.map { .string($0) } ?? ["x"]
            if let words = variable["enum"]?.asList, !words.isEmpty { schema["enum"] = .list(words) }
            if let text = variable["description"]?.asString { schema["description"] = .string(Self.line(text, 200)) }
            self.parameters[parameter] = .context(schema)
            url = url.replacing("{\(name)}", with: "{connection.\(parameter)}")
            sample = sample.replacing("{\(name)}", with: standard ?? "x")
        }
        if let scheme = sample.firstRange(of: "://") {
            self.basePath = String(sample[scheme.upperBound...].drop { $0 != "/" })
        }
        return url
    }

    /// The names in braces in a text.
    static func names(inBraces text: String) -> [String] {
        text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }

    // MARK: - Security

    private mutating func security() {
        let schemes = self.document["components"]?["securitySchemes"]?.asContext ?? ValueContext()
        for (name, scheme) in schemes {
            let scheme = self.schemas.resolved(scheme)
            if let auth = self.scheme(name, scheme) {
                self.auth.append(.context(auth))
            } else {
                self.leaveOut("The security scheme \(name) is left out.")
            }
        }
        guard !self.auth.isEmpty else { return }
        let credential: ValueContext = ["x-credential": .list(self.auth.map { $0["id"] ?? .null })]
        self.parameters["credential"] = .context(credential)
    }

    /// Whether every operation asks for a credential unless it says otherwise.
    private var needsCredential: Bool {
        let requirements = self.document["security"]?.asList ?? []
        return !self.auth.isEmpty && !requirements.isEmpty && !requirements.contains([:])
    }

    private func scheme(_ name: String, _ scheme: Value) -> ValueContext? {
        var auth: ValueContext = ["id": .string("\(self.id).\(Self.identifier(name))")]
        switch (scheme["type"]?.asString, scheme["scheme"]?.asString?.lowercased()) {
        case ("http", "basic"):
            auth["type"] = "basic"
            auth["username"] = "=credential.username"
            auth["password"] = "=credential.password"
        case ("http", "bearer"), ("openIdConnect", _):
            auth["type"] = "bearer"
            auth["token"] = "=credential.token"
        case ("apiKey", _):
            guard let key = scheme["name"]?.asString, let place = scheme["in"], place == "header" || place == "query"
            else { return nil }
            auth["type"] = "apiKey"
            auth["in"] = place
            auth["name"] = .string(key)
            auth["value"] = "=credential.key"
        case ("oauth2", _):
            let flows = scheme["flows"] ?? .null
            let isMachine = flows["clientCredentials"] != nil
            guard let flow = flows["clientCredentials"] ?? flows["authorizationCode"],
                let url = flow["tokenUrl"]?.asString, url.hasPrefix("https://") || url.hasPrefix("http://")
            else {
                // Tokens that were had elsewhere.
                auth["type"] = "bearer"
                auth["token"] = "=credential.token"
                return auth
            }
            auth["type"] = "oauth2"
            auth["grant"] = isMachine ? "client_credentials" : "refresh"
            auth["tokenUrl"] = .string(url)
            auth["clientId"] = "=credential.clientId"
            auth["clientSecret"] = "=credential.clientSecret"
            if !isMachine { auth["refreshToken"] = "=credential.refreshToken" }
            let scopes = flow["scopes"]?.asContext?.keys ?? []
            if isMachine, !scopes.isEmpty { auth["scopes"] = .list(scopes.map { .string($0) }) }
        case ("mutualTLS", _):
            auth["type"] = "mtls"
            auth["certificate"] = "=credential.certificate"
            auth["key"] = "=credential.key"
        default: return nil
        }
        return auth
    }

    // MARK: - Names

    /// A name of lower case letters, digits and dashes.
    static func slug(_ text: String) -> String {
        var slug = ""
        for character in text.lowercased() where slug.utf8.count < 60 {
            if character.isASCII, character.isLetter || character.isNumber {
                slug.append(character)
            } else if !slug.isEmpty, slug.last != "-" {
                slug.append("-")
            }
        }
        while slug.last == "-" { slug.removeLast() }
        guard let first = slug.first, first.isLetter else { return slug.isEmpty ? "api" : "api-" + slug }
        return slug
    }

    /// A name in camel case that expressions can use.
    static func identifier(_ text: String) -> String {
        var name = ""
        var isStart = false
        for character in text {
            if character.isASCII, character.isLetter || character.isNumber {
                name += isStart && !name.isEmpty ? character.uppercased() : String(character)
                isStart = false
            } else {
                isStart = true
            }
        }
        if let first = name.first, first.isUppercase { name = first.lowercased() + name.dropFirst() }
        guard let first = name.first else { return "value" }
        // Words of FEEL name nothing.
        let words: Set<String> = [
            "if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "and", "or", "not", "between",
            "null", "true", "false", "instance", "of", "function", "external",
        ]
        return first.isLetter && !words.contains(name) ? name : "x" + name
    }

    /// At most `count` characters of one line.
    static func line(_ text: String, _ count: Int) -> String {
        String(text.split(whereSeparator: \.isNewline).joined(separator: " ").trimmed.prefix(count))
    }
}
