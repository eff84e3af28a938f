internal import CCurlShim
internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum HTTPErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let status = "CON-1001"
        static let unreachable = "CON-1002"
        static let timeout = "CON-1003"
        static let interrupted = "CON-1004"
        static let untrusted = "CON-1005"
        static let addressDenied = "CON-1006"
        static let tooLarge = "CON-1007"
        static let malformedURL = "CON-1008"
        static let malformedResponse = "CON-1009"
        static let redirect = "CON-1010"
        static let setup = "CON-1011"
    }

    static func malformedURL(_ text: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.malformedURL, "\"\(text.prefix(80))\" is no http or https URL.",
            remedy: "Correct baseUrl, path or url.")
    }

    static func setup(_ failure: CurlSetupFailure) -> ConnectorError {
        ConnectorError(
            .unavailable, code: Code.setup, "Cannot set up \(failure.what) (\(failure.code)).",
            remedy: "Check the limits on threads and memory of this process.")
    }

    /// The error of a transfer that did not end with a response.
    static func transport(_ result: CurlResult, _ call: HTTPPreparedCall, timeout: Duration) -> ConnectorError {
        let target = "\(call.method.rawValue) \(call.address.scheme)://\(call.address.host)"
        let executed = result.requestBytes > 0
        var details: ValueContext = ["requestBytes": .number(Number(result.requestBytes))]
        if !result.address.isEmpty { details["address"] = .string(result.address) }
        func error(
            _ kind: ConnectorError.Kind, _ code: String, _ message: String, _ remedy: String, retryable: Bool? = nil
        ) -> ConnectorError {
            ConnectorError(
                kind, code: code, message, remedy: remedy, isRetryable: retryable, mayHaveExecuted: executed,
                details: details)
        }
        if result.isCancelled {
            return error(
                .timeout, ConnectorError.Code.cancelled, "\(target) was cancelled before it ended.",
                "Nothing, if you cancelled it; otherwise allow more time.")
        }
        if result.isAddressDenied {
            return error(
                .permission, Code.addressDenied,
                "\(call.address.host) resolves to a private or reserved address, which the connection does not allow.",
                "If the service is meant to be inside, set allowPrivateHosts (or allowPrivate) of the connection.")
        }
        if result.isBodyTooLarge || result.areHeadersTooLarge || result.failure == JHC_TOO_LARGE {
            let what = result.areHeadersTooLarge ? "headers of" : "a body of"
            let limit = result.areHeadersTooLarge ? call.request.headerBytesMaximum : call.request.responseBytesMaximum
            return error(
                .validation, Code.tooLarge, "\(target) answered with \(what) more than \(limit) bytes.",
                "Ask for less, or raise maxResponse of the connection.")
        }
        switch result.failure {
        case JHC_MALFORMED_URL:
            return Self.malformedURL(call.address.text)
        case JHC_UNRESOLVED, JHC_UNREACHABLE:
            return error(
                .unavailable, Code.unreachable, "\(target) cannot be reached: \(result.message).",
                "Check that the service runs and that name and port are right.")
        case JHC_TIMEOUT:
            return error(
                .timeout, Code.timeout, "\(target) gave no answer within \(Quantity.text(timeout)).",
                "Allow more time if the service is known to be slow.")
        case JHC_UNTRUSTED, JHC_TLS:
            return error(
                .unavailable, Code.untrusted, "\(target): no secure connection: \(result.message).",
                "Check the service's certificate; set caFile for an authority of your own.",
                retryable: result.failure == JHC_TLS)
        case JHC_INTERRUPTED:
            return error(
                .transient, Code.interrupted, "\(target): the connection broke: \(result.message).",
                "Usually passes; look at the service's log if it does not.")
        case JHC_REFUSED_RESPONSE:
            return error(
                .unknown, Code.malformedResponse, "\(target) answered with no valid HTTP: \(result.message).",
                "Check that the port speaks HTTP.")
        default:
            return error(
                .unknown, Code.interrupted, "\(target) failed: \(result.message) (\(result.code)).",
                "Look up the number among libcurl's error codes.")
        }
    }

    /// The error of a response whose status says failure.
    static func status(_ response: HTTPResponse, _ call: HTTPPreparedCall, now: Int64) -> ConnectorError {
        let status = response.status
        var details: ValueContext = ["status": .number(Number(Int64(status)))]
        for name in ["x-request-id", "request-id", "x-correlation-id"] {
            if let value = response.header(name) { details["requestId"] = .string(String(value.prefix(200))) }
        }
        var message = "\(call.method.rawValue) \(call.address.host)\(call.address.path) answered \(status)"
        if let words = response.remoteMessage {
            details["message"] = .string(words)
            message += ": \(words)"
        }
        if (300..<400).contains(status) {
            let target = response.header("location").map { " to \($0.prefix(200))" } ?? ""
            return ConnectorError(
                .validation, code: Code.redirect, "\(message), a redirect\(target) that is not followed.",
                remedy: "Call the new address, or allow redirects in the connection.", mayHaveExecuted: true,
                details: details)
        }
        let kind = Self.kind(of: status)
        return ConnectorError(
            kind, code: Code.status, message.hasSuffix(".") ? message : message + ".", remedy: Self.remedy(kind),
            mayHaveExecuted: !Self.refusedUnseen.contains(status),
            retryAfter: response.header("retry-after").flatMap { Self.retryAfter($0, now: now) }, details: details)
    }

    /// Statuses by which a service says that it did not look at the request.
    private static let refusedUnseen: Set<Int> = [401, 403, 404, 405, 408, 413, 414, 415, 421, 425, 429, 431, 503]

    static func kind(of status: Int) -> ConnectorError.Kind {
        switch status {
        case 401, 407: .auth
        case 402: .quotaExhausted
        case 403: .permission
        case 404, 410: .notFound
        case 408, 504: .timeout
        case 409, 412, 423, 428: .conflict
        case 425: .transient
        case 429: .rateLimited
        case 501, 505: .unsupported
        case 503: .unavailable
        case 400..<500: .validation
        case 500..<600: .transient
        default: .unknown
        }
    }

    private static func remedy(_ kind: ConnectorError.Kind) -> String {
        switch kind {
        case .auth: "Check the credential of the connection; it may have expired."
        case .permission: "Give the credential the right, or use another."
        case .notFound: "Check the path."
        case .conflict: "Look at the state of the resource; another change may have come first."
        case .rateLimited, .quotaExhausted: "Call less often, or ask the service for a higher limit."
        case .timeout, .transient, .unavailable: "Usually passes; look at the service's log if it does not."
        case .unsupported: "The service cannot do this; check the method."
        case .validation, .unknown: "Correct the request as the answer says."
        }
    }

    /// Reads `Retry-After`: seconds, or a date.
    ///
    /// `nil` when it is neither; never negative.
    static func retryAfter(_ text: String, now: Int64) -> Duration? {
        if let seconds = Int64(text) {
            return seconds < 0 ? nil : .seconds(min(seconds, 31_536_000))
        }
        guard !text.utf8.allSatisfy({ ("0"..."9").contains(Character(UnicodeScalar($0))) }) else {
            return .seconds(31_536_000)
        }
        let date = jhc_parse_date(text)
        guard date >= 0 else { return nil }
        return .milliseconds(max(0, min(date * 1_000 - now, 31_536_000_000)))
    }
}
