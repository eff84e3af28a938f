internal import ConnectorKit
internal import SQLSupport
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The parameters of a connection, checked.
struct PostgresSettings: Sendable {
    enum Security: String, CaseIterable {
        case disable, prefer, require
        case verifyAuthority = "verify-ca"
        case verifyFull = "verify-full"
    }

    enum Target: String, CaseIterable {
        case any
        case readWrite = "read-write"
        case readOnly = "read-only"
        case primary, standby
        case preferStandby = "prefer-standby"
    }

    var hosts: [String] = []
    var port = 5_432
    var database = ""
    var user = ""
    var password: SecretReference?
    var security: Security = .verifyFull
    var caFile: String?
    var clientCertificate: String?
    var clientKey: String?
    var target: Target = .readWrite
    var searchPath: [String] = []
    var applicationName = "junction"
    var connectionsMaximum = 8
    var connectTimeout = Duration.seconds(10)
    var idleTimeout = Duration.seconds(300)
    var lifetime = Duration.seconds(1_800)
    var statementsMaximum = 100
    var resultBytesMaximum = 8 << 20
    var idempotencyTable: String?
    var fileRoot: String?

    /// Reads the parameters.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        for key in ["host", "database", "user"] { reader.require(key) }
        self.hosts = reader.strings("host") ?? []
        self.port = reader.integer("port", in: 1...65_535) ?? self.port
        self.database = reader.string("database") ?? ""
        self.user = reader.string("user") ?? ""
        if let value = reader.value("password") {
            self.password = SecretReference(value)
            if self.password == nil {
                reader.add(
                    "parameters.password: expected a secret reference.",
                    "Write { secret: \"env:NAME\" }, never the secret.")
            }
        }
        let isLocal = self.hosts.allSatisfy(Self.isLoopback)
        self.security = reader.word("sslmode", of: Security.self) ?? (isLocal ? .prefer : .verifyFull)
        self.caFile = reader.string("caFile")
        self.clientCertificate = reader.string("clientCertificate")
        self.clientKey = reader.string("clientKey")
        if (self.clientCertificate == nil) != (self.clientKey == nil) {
            reader.add("parameters: clientCertificate and clientKey go together.", "Give both, or none.")
        }
        self.target = reader.word("targetSession", of: Target.self) ?? self.target
        self.searchPath = reader.strings("searchPath") ?? []
        self.applicationName = reader.string("applicationName") ?? self.applicationName
        self.connectionsMaximum = reader.integer("maxConnections", in: 1...200) ?? self.connectionsMaximum
        self.connectTimeout = reader.duration("connectTimeout") ?? self.connectTimeout
        self.idleTimeout = reader.duration("idleTimeout") ?? self.idleTimeout
        self.lifetime = reader.duration("maxLifetime") ?? self.lifetime
        self.statementsMaximum = reader.integer("statementCache", in: 4...10_000) ?? self.statementsMaximum
        self.resultBytesMaximum = reader.bytes("maxResult") ?? self.resultBytesMaximum
        self.idempotencyTable = reader.string("idempotencyTable")
        self.fileRoot = reader.string("fileRoot")
        if let root = self.fileRoot, !root.hasPrefix("/") {
            reader.add("parameters.fileRoot: expected an absolute path but found \"\(root.prefix(80))\".")
        }
        for text in self.texts where text.utf8.contains(0) {
            reader.add("parameters: a text holds a zero character.")
        }
        if self.hosts.contains(where: { $0.isEmpty || $0.contains(",") }) {
            reader.add("parameters.host: expected names or addresses.", "Give several as a list.")
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private var texts: [String] {
        self.hosts + self.searchPath + [self.database, self.user, self.applicationName]
            + [self.caFile, self.clientCertificate, self.clientKey, self.idempotencyTable].compactMap { $0 }
    }

    /// Whether nobody can listen on the way to this host: the machine itself, or a local socket.
    static func isLoopback(_ host: String) -> Bool {
        host.hasPrefix("/") || host.lowercased() == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) })
    }

    /// The keywords of a libpq connection string.
    func connectionParameters(password: String?) -> [(keyword: String, value: String)] {
        var list: [(keyword: String, value: String)] = [
            ("host", self.hosts.joined(separator: ",")), ("port", String(self.port)), ("dbname", self.database),
            ("user", self.user), ("sslmode", self.security.rawValue), ("target_session_attrs", self.target.rawValue),
            ("application_name", self.applicationName), ("client_encoding", "UTF8"), ("gssencmode", "disable"),
            // Nothing is taken from files of whoever runs the program.
            ("passfile", "/dev/null/none"), ("keepalives", "1"), ("keepalives_idle", "30"),
            ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
        ]
        if let password { list.append(("password", password)) }
        // Without a file, libpq verifies nothing in the weaker modes; with one, it does even in those.
        let verifies = self.security == .verifyAuthority || self.security == .verifyFull
        if let file = self.caFile ?? (verifies ? Self.systemAuthorities : nil) { list.append(("sslrootcert", file)) }
        if let file = self.clientCertificate { list.append(("sslcert", file)) }
        if let file = self.clientKey { list.append(("sslkey", file)) }
        return list
    }

    /// The authorities the system trusts: libpq before 16 cannot find them itself.
    private static let systemAuthorities: String? = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ].first { access($0, R_OK) == 0 }
}
