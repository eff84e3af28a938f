internal import ConnectorKit
internal import Values

/// What a service answers instead of a result.
struct SOAPFault {
    /// The outermost code: `Client`, `Server` and the like in 1.1, `Sender`, `Receiver` in 1.2.
    var code: String
    /// Finer codes: what follows a dot in 1.1, subcodes in 1.2.
    var subcodes: [String] = []
    var reason: String
    /// Who says so.
    var actor: String?
    var detail: XMLNode?

    /// Reads the element in the body of an answer; nil when it is none.
    init?(_ node: XMLNode) {
        switch node.name {
        case XMLName(Namespace.envelope11, "Fault"):
            func child(_ name: String) -> XMLNode? { node.child(name, in: "") ?? node.child(name, in: node.name.uri) }
            let code = child("faultcode")?.trimmedText ?? ""
            let parts = code.split(separator: ":").last.map(String.init)?.split(separator: ".").map(String.init) ?? []
            self.code = parts.first ?? ""
            self.subcodes = Array(parts.dropFirst().prefix(10))
            self.reason = child("faultstring")?.trimmedText ?? ""
            self.actor = child("faultactor")?.trimmedText
            self.detail = child("detail")
        case XMLName(Namespace.envelope12, "Fault"):
            let uri = node.name.uri
            var place = node.child("Code", in: uri)
            self.code = Self.local(place?.child("Value", in: uri))
            while let sub = place?.child("Subcode", in: uri), self.subcodes.count < 10 {
                self.subcodes.append(Self.local(sub.child("Value", in: uri)))
                place = sub
            }
            let texts = node.child("Reason", in: uri)?.children("Text", in: uri) ?? []
            let english = texts.first { $0.attribute("lang", in: Namespace.xml)?.hasPrefix("en") == true }
            self.reason = (english ?? texts.first)?.trimmedText ?? ""
            self.actor = (node.child("Role", in: uri) ?? node.child("Node", in: uri))?.trimmedText
            self.detail = node.child("Detail", in: uri)
        default: return nil
        }
    }

    private static func local(_ node: XMLNode?) -> String {
        node?.trimmedText.split(separator: ":").last.map(String.init) ?? ""
    }
}

extension SOAPFault {
    /// How much of a detail is kept.
    private static let detailBytesMax = 8_192

    /// Codes of WS-Security, and what frameworks call the same.
    private static let securityCodes: Set<String> = [
        "FailedAuthentication", "FailedCheck", "InvalidSecurity", "InvalidSecurityToken", "UnsupportedSecurityToken",
        "UnsupportedAlgorithm", "SecurityTokenUnavailable", "MessageExpired", "Authentication", "Authorization",
        "NotAuthenticated", "AuthenticationError", "InvalidCredentialsError", "Unauthorized",
    ]

    /// The error it stands for.
    ///
    /// The service's codes decide; the status of HTTP where it says more than that something failed.
    func error(
        _ operation: SOAPOperation, _ service: SOAPService, status: Int, retryAfter: Duration?
    ) -> ConnectorError {
        let codes = [self.code] + self.subcodes
        let codeText = codes.joined(separator: ".")
        let words = self.reason.xmlTokens.joined(separator: " ").prefix(300)
        var details: ValueContext = [
            "status": .number(Number(Int64(status))), "faultcode": .string(String(codeText.prefix(200))),
            "faultstring": .string(String(self.reason.prefix(1_000))),
        ]
        if let actor = self.actor { details["faultactor"] = .string(String(actor.prefix(200))) }
        let entry = self.detail?.children.first
        let declared = entry.flatMap { operation.faults[$0.name] }
        if let declared { details["fault"] = .string(declared) }
        if let detail = self.detail.flatMap({ Self.value(of: $0, service) }) { details["detail"] = detail }
        let what = "\(operation.name) answered with the fault \(codeText.isEmpty ? "(no code)" : codeText.prefix(120))"
        let message = words.isEmpty ? "\(what)." : "\(what): \(words)\(words.hasSuffix(".") ? "" : ".")"
        func error(
            _ kind: ConnectorError.Kind, _ code: String, _ remedy: String, mayHaveExecuted: Bool
        ) -> ConnectorError {
            ConnectorError(
                kind, code: code, message, remedy: remedy, mayHaveExecuted: mayHaveExecuted, retryAfter: retryAfter,
                details: details)
        }
        if codes.contains(where: Self.securityCodes.contains) || status == 401 {
            return error(
                .auth, SOAPErrors.Code.securityFault,
                "Check user and password of the connection, and that the clocks agree.", mayHaveExecuted: false)
        }
        if status == 403 {
            return error(
                .permission, SOAPErrors.Code.securityFault, "Give the user the right, or use another.",
                mayHaveExecuted: false)
        }
        if declared != nil {
            return error(
                .conflict, SOAPErrors.Code.declaredFault, "The service refused for a reason of its own; see detail.",
                mayHaveExecuted: true)
        }
        switch self.code {
        case "VersionMismatch", "MustUnderstand", "DataEncodingUnknown":
            return error(
                .unsupported, SOAPErrors.Code.versionFault,
                "Use another port of the service, or leave out the header it does not know.", mayHaveExecuted: false)
        case "Client", "Sender":
            let isMissing = self.subcodes.contains { $0.hasSuffix("NotFound") }
            let isThere = self.subcodes.contains { $0.hasSuffix("AlreadyExists") }
            return error(
                isMissing ? .notFound : isThere ? .conflict : .validation, SOAPErrors.Code.senderFault,
                "Correct the input as the fault says.", mayHaveExecuted: false)
        default:
            let kind: ConnectorError.Kind =
                switch status {
                case 429: .rateLimited
                case 503: .unavailable
                case 504: .timeout
                default: .transient
                }
            return error(
                kind, SOAPErrors.Code.receiverFault,
                "Usually passes; look at the service's log if it does not.", mayHaveExecuted: status != 429)
        }
    }

    /// The result that stands for the error of a declared fault.
    static func result(_ error: ConnectorError) -> Value {
        var fault = ValueContext()
        fault["name"] = error.details["fault"]
        fault["code"] = error.details["faultcode"]
        fault["reason"] = error.details["faultstring"]
        fault["detail"] = error.details["detail"]
        return .context([ValueKey.fault: .context(fault)])
    }

    /// The entries of a detail, read by the schema where it knows them; nil when there are none or too many.
    private static func value(of detail: XMLNode, _ service: SOAPService) -> Value? {
        let reader = ValueReader(set: service.schemas)
        var context = ValueContext()
        for entry in detail.children.prefix(20) {
            let declaration = service.schemas.elements[entry.name]
            let typed = declaration.flatMap { try? reader.value(entry, $0.type, path: entry.name.local) }
            context[entry.name.local] = typed ?? reader.generic(entry, depth: 0)
        }
        if context.isEmpty {
            let text = detail.trimmedText
            return text.isEmpty ? nil : .string(String(text.prefix(1_000)))
        }
        let value = Value.context(context)
        return value.description.utf8.count <= Self.detailBytesMax ? value : nil
    }
}
