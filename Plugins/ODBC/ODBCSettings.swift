internal import ConnectorKit
internal import SQLSupport
internal import Values

/// The parameters of a connection, checked.
struct ODBCSettings: Sendable {
    /// Attributes that hold a secret, and where drivers look for them.
    private static let secretNames: Set<String> = [
        "pwd", "password", "token", "accesstoken", "secret", "sslkeypassword",
    ]

    var dsn: String?
    var driver: String?
    var attributes: [(name: String, value: String)] = []
    var secretAttributes: [(name: String, reference: SecretReference)] = []
    var user: String?
    var password: SecretReference?
    var onConnect: [String] = []
    var connectionsMaximum = 8
    var connectTimeout = Duration.seconds(15)
    var idleTimeout = Duration.seconds(300)
    var validateAfter = Duration.seconds(30)
    var lifetime = Duration.seconds(1_800)
    var resultBytesMaximum = 8 << 20
    var arrayRows = 500

    /// Reads the parameters.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        self.dsn = reader.string("dsn")
        self.driver = reader.string("driver")
        if (self.dsn == nil) == (self.driver == nil) {
            reader.add("parameters: expected dsn or driver.", "Give one of them.")
        }
        if let attributes = reader.object("attributes") {
            for name in attributes.keys() {
                self.checkName(name, attributes)
                if Self.secretNames.contains(name.lowercased()) {
                    attributes.add(
                        "\(attributes.path).\(name) is a secret.", "Use password, or secretAttributes with a reference."
                    )
                }
                guard let value = attributes.value(name).flatMap(Self.text) else {
                    attributes.add("\(attributes.path).\(name): expected a text, a number, true or false.")
                    continue
                }
                self.attributes.append((name, value))
            }
        }
        if let secrets = reader.object("secretAttributes") {
            for name in secrets.keys() {
                self.checkName(name, secrets)
                if let reference = Self.reference(name, secrets) { self.secretAttributes.append((name, reference)) }
            }
        }
        self.user = reader.string("user")
        if reader.has("password") { self.password = Self.reference("password", reader) }
        self.onConnect = reader.strings("onConnect") ?? []
        self.connectionsMaximum = reader.integer("maxConnections", in: 1...200) ?? self.connectionsMaximum
        self.connectTimeout = reader.duration("connectTimeout") ?? self.connectTimeout
        self.idleTimeout = reader.duration("idleTimeout") ?? self.idleTimeout
        self.validateAfter = reader.duration("validateAfter") ?? self.validateAfter
        self.lifetime = reader.duration("maxLifetime") ?? self.lifetime
        self.resultBytesMaximum = reader.bytes("maxResult") ?? self.resultBytesMaximum
        self.arrayRows = reader.integer("arrayRows", in: 1...10_000) ?? self.arrayRows
        for text in [self.dsn, self.driver, self.user].compactMap({ $0 }) + self.attributes.map(\.value)
        where text.utf8.contains(0) {
            reader.add("parameters: a text holds a zero character.")
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private func checkName(_ name: String, _ reader: FieldReader) {
        let isName =
            !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x3B && $0 != 0x3D && $0 != 0x7B && $0 != 0x7D }
        if !isName { reader.add("\(reader.path): \"\(name.prefix(40))\" is no name of an attribute.") }
        if ["dsn", "driver", "uid", "user"].contains(name.lowercased()) {
            reader.add("\(reader.path).\(name) has a field of its own.", "Use dsn, driver or user.")
        }
    }

    private static func text(_ value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.description
        case .boolean(let flag): flag ? "1" : "0"
        default: nil
        }
    }

    private static func reference(_ key: String, _ reader: FieldReader) -> SecretReference? {
        if let reference = reader.value(key).flatMap({ SecretReference($0) }) { return reference }
        reader.add(
            "\(reader.path).\(key): expected a secret reference.", "Write { secret: \"env:NAME\" }, never the secret.")
        return nil
    }

    /// What connections share that may not be made at the same time.
    var gate: String { self.driver ?? "dsn " + (self.dsn ?? "") }

    /// What the connection leads to, for messages.
    var place: String { self.dsn.map { "The data source \($0)" } ?? "The driver \(self.driver ?? "")" }

    /// The connection string, with the secrets in it.
    func connectionString(_ secrets: [(name: String, value: String)]) -> String {
        var parts: [(String, String)] = []
        if let dsn { parts.append(("DSN", dsn)) }
        if let driver { parts.append(("Driver", driver)) }
        parts += self.attributes.map { ($0.name, $0.value) }
        if let user { parts.append(("UID", user)) }
        parts += secrets.map { ($0.name, $0.value) }
        return parts.map { "\($0.0)=\(Self.quoted($0.1));" }.joined()
    }

    /// In braces where it has to be: a closing one inside is doubled.
    static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            byte >= 0x80 || (byte > 0x20 && !"[]{}(),;?*=!@".utf8.contains(byte))
        }
        guard !isPlain || value.isEmpty else { return value }
        return "{" + value.split(separator: "}", omittingEmptySubsequences: false).joined(separator: "}}") + "}"
    }
}
