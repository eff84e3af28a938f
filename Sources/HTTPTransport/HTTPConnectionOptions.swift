internal import CCurlShim
public import ConnectorKit
internal import Values

/// Which version of HTTP a connection speaks.
public enum HTTPVersion: String, Sendable, CaseIterable {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    case auto
    /// HTTP/1.1.
    case http1 = "1.1"
    /// HTTP/2 at once, also without TLS: only for services known to speak it.
    case http2 = "2"
}

/// What a client shows to prove who it is in TLS: a certificate and its key, in PEM.
public struct HTTPClientIdentity: Sendable {
    /// Where one of them is kept.
    public enum Source: Sendable, Hashable {
        /// A file.
        case file(String)
        /// A secret.
        case secret(SecretReference)
    }

    /// The certificate, with those of the authorities between.
    public var certificate: Source
    /// The private key.
    public var key: Source
    /// The password of the key, if it has one.
    public var keyPassword: SecretReference?

    /// Creates an identity.
    public init(certificate: Source, key: Source, keyPassword: SecretReference? = nil) {
        self.certificate = certificate
        self.key = key
        self.keyPassword = keyPassword
    }

    init?(_ reader: FieldReader) {
        let certificate = Self.source("clientCertificate", reader)
        let key = Self.source("clientKey", reader)
        let password = reader.optionalSecret("clientKeyPassword")
        guard certificate != nil || key != nil else { return nil }
        guard let certificate, let key else {
            reader.add("parameters: expected both clientCertificate and clientKey, or neither.")
            return nil
        }
        self.init(certificate: certificate, key: key, keyPassword: password)
    }

    private static func source(_ key: String, _ reader: FieldReader) -> Source? {
        reader.optionalCredential(key).map { credential in
            switch credential {
            case .text(let path): .file(path)
            case .secret(let reference): .secret(reference)
            }
        }
    }
}

/// A proxy between the connection and its service.
///
/// The address check of a connection sees the proxy's address, so through a proxy it is the proxy that has to refuse
/// private addresses; only those written as such in a URL are refused here.
public struct HTTPProxy: Sendable {
    /// Its URL: `http`, `https`, `socks5` (names are resolved here) or `socks5h` (there); no credentials.
    public var url: String
    /// The user towards the proxy.
    public var user: HTTPCredential?
    /// The password towards the proxy.
    public var password: SecretReference?
    /// Hosts that are called directly: a name, `.domain` for everything below, `*` for all.
    public var exceptions: [String] = []

    /// Creates a proxy.
    public init(url: String) {
        self.url = url
    }

    init?(_ reader: FieldReader) {
        reader.require("url")
        let text = reader.string("url")
        let user = reader.optionalCredential("user")
        let password = reader.optionalSecret("password")
        let exceptions = (reader.strings("noProxy") ?? []).map { $0.lowercased() }
        reader.finish()
        guard let text else { return nil }
        guard let address = Self.parsed(text) else {
            reader.add("\(reader.path).url: expected an http, https, socks5 or socks5h URL.")
            return nil
        }
        if address.hasUser {
            reader.add("\(reader.path).url: a URL must not hold credentials.", "Use user and password.")
        }
        self.init(url: text)
        self.user = user
        self.password = password
        self.exceptions = exceptions
    }

    /// libcurl's parser knows only the schemes of its protocols.
    private static func parsed(_ text: String) -> HTTPAddress? {
        for scheme in ["socks5h", "socks5"] where text.lowercased().hasPrefix(scheme + "://") {
            return HTTPAddress("http" + text.dropFirst(scheme.utf8.count))
        }
        return HTTPAddress(text).flatMap { $0.isHTTP ? $0 : nil }
    }

    /// Whether requests to `host` go through the proxy.
    public func serves(_ host: String) -> Bool {
        !self.exceptions.contains { exception in
            exception == "*" || exception == host
                || (exception.hasPrefix(".") && (host.hasSuffix(exception) || host == exception.dropFirst()))
        }
    }
}

extension HTTPAddress {
    /// Whether the host is written as a private or reserved address, or is a name of this machine.
    var namesPrivateHost: Bool {
        if self.host == "localhost" || self.host.hasSuffix(".localhost") { return true }
        let isIPv6 = self.host.hasPrefix("[")
        // libcurl's parser writes every form of an IPv4 address as four decimal numbers.
        let isIPv4 = self.host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
        guard isIPv6 || isIPv4 else { return false }
        return jhc_address_is_denied(isIPv6 ? String(self.host.dropFirst().dropLast()) : self.host) != 0
    }
}
