/// A name as a namespace defines it.
struct XMLName: Hashable, Sendable, CustomStringConvertible {
    /// The namespace; empty when there is none.
    var uri: String
    var local: String

    init(_ uri: String, _ local: String) {
        self.uri = uri
        self.local = local
    }

    /// `{uri}local`, or `local` without a namespace.
    var description: String { self.uri.isEmpty ? self.local : "{\(self.uri)}\(self.local)" }

    /// Reads what `description` writes.
    init(expanded text: String) {
        guard text.hasPrefix("{"), let end = text.firstIndex(of: "}") else {
            self.init("", text)
            return
        }
        self.init(String(text[text.index(after: text.startIndex)..<end]), String(text[text.index(after: end)...]))
    }

    /// Whether `text` can be the local part of a name; stricter than XML where it does not matter, never looser.
    static func isLocal(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first == "_" || first.properties.isXIDStart else { return false }
        return text.unicodeScalars.allSatisfy { $0 == "-" || $0 == "." || $0.properties.isXIDContinue }
    }
}

/// Namespaces this connector speaks.
enum Namespace {
    static let xml = "http://www.w3.org/XML/1998/namespace"
    static let schema = "http://www.w3.org/2001/XMLSchema"
    static let instance = "http://www.w3.org/2001/XMLSchema-instance"
    static let wsdl = "http://schemas.xmlsoap.org/wsdl/"
    static let wsdlSOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/"
    static let wsdlSOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
    static let wsdlMIME = "http://schemas.xmlsoap.org/wsdl/mime/"
    static let envelope11 = "http://schemas.xmlsoap.org/soap/envelope/"
    static let envelope12 = "http://www.w3.org/2003/05/soap-envelope"
    static let encoding11 = "http://schemas.xmlsoap.org/soap/encoding/"
    static let encoding12 = "http://www.w3.org/2003/05/soap-encoding"
    static let xop = "http://www.w3.org/2004/08/xop/include"
    static let security =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    static let securityUtility =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
}
