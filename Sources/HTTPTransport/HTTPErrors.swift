internal import CCurlShim
public import ConnectorKit
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Codes of what can go wrong between a connector and an HTTP service, each with a page in `docs/errors`.
public enum HTTPErrorCode {
    /// The service answered with a status that means failure.
    public static let status = "CON-1001"
    /// The service cannot be reached.
    public static let unreachable = "CON-1002"
    /// No answer in time.
    public static let timeout = "CON-1003"
    /// The connection broke.
    public static let interrupted = "CON-1004"
    /// No secure connection.
    public static let untrusted = "CON-1005"
    /// The resolved address is not allowed.
    public static let addressDenied = "CON-1006"
    /// The answer is larger than allowed.
    public static let tooLarge = "CON-1007"
    /// No URL.
    public static let malformedURL = "CON-1008"
    /// The answer is not what it says it is.
    public static let malformedResponse = "CON-1009"
    /// A redirect that is not followed.
    public static let redirect = "CON-1010"
    /// libcurl or the thread cannot be set up.
    public static let setup = "CON-1011"
    /// The authorisation server gave no token.
    public static let tokenRefused = "CON-1012"
    /// What the authorisation server answered is no token.
    public static let tokenMalformed = "CON-1013"
    /// A key or a client certificate cannot be used.
    public static let unusableKey = "CON-1014"
    /// A file cannot be read or written.
    public static let file = "CON-1015"
}

/// Errors of the transport, in the taxonomy.
enum HTTPErrors {
    private typealias Code = HTTPErrorCode

    static func invalid(_ problem: HTTPRequest.Problem) -> ConnectorError {
        ConnectorError(
            .validation, code: ConnectorError.Code.invalidParameters, "\(problem.field): \(problem.message)",
            remedy: problem.remedy ?? "Correct the part of the request that is named.")
    }

    static func timeout(_ message: HTTPMessage, after timeout: Duration, requestBytes: Int64 = 0) -> ConnectorError {
        ConnectorError(
            .timeout, code: Code.timeout, "\(message.target) gave no answer within \(Quantity.text(timeout)).",
            remedy: "Allow more time if the service is known to be slow.", mayHaveExecuted: requestBytes > 0,
            details: ["requestBytes": .number(Number(requestBytes))])
    }

    static func addressDenied(_ message: HTTPMessage) -> ConnectorError {
        ConnectorError(
            .permission, code: Code.addressDenied,
            "\(message.address.host) resolves to a private or reserved address, which the connection does not allow.",
            remedy: "If the service is meant to be inside, set allowPrivateHosts (or allowPrivate) of the connection.")
    }

    static func unusableIdentity(_ path: String, _ reason: String) -> ConnectorError {
        ConnectorError(
            .auth, code: Code.unusableKey, "Cannot read \(path): \(reason).",
            remedy: "Correct clientCertificate or clientKey of the connection.")
    }

    static func unusableKey(_ connection: String, _ what: String) -> ConnectorError {
        ConnectorError(
            .auth, code: Code.unusableKey, "The secret of the connection \(connection) is no usable \(what).",
            remedy:
                "Store the key as the algorithm needs it: a private key in PEM, or a shared secret as keyEncoding says."
        )
    }

    /// The error of a file that cannot be read or written.
    static func file(_ error: HTTPFileError) -> ConnectorError {
        HTTPFileFailure.error(error)
    }

    static func tokenRefused(_ response: HTTPResponse, _ body: Value?, now: Int64) -> ConnectorError {
        var error = Self.status(response, method: "POST", now: now)
        let reason = body?["error"]?.asString.map { String($0.prefix(100)) }
        // 400 is how a refused grant is told (RFC 6749, 5.2).
        if response.status < 500, response.status != 429, response.status != 408 { error.kind = .auth }
        error.isRetryable = error.kind.isRetryable
        error.code = Code.tokenRefused
        if let reason { error.details["error"] = .string(reason) }
        error.message = "The authorisation server gave no token: \(reason.map { $0 + "; " } ?? "")\(error.message)"
        error.remedy = "Check client, secret and scope of auth; a refresh token may have been revoked."
        return error
    }

    static func tokenMalformed(_ response: HTTPResponse, _ body: Value?) -> ConnectorError {
        let what = body == nil ? "no JSON" : "JSON without a usable access_token"
        return ConnectorError(
            .auth, code: Code.tokenMalformed,
            "The authorisation server \(response.address.host)\(response.address.path) answered \(response.status) "
                + "with \(what).",
            remedy: "Check tokenUrl of auth.")
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
    static func transport(
        _ result: CurlResult, _ transfer: CurlRequest, _ message: HTTPMessage, timeout: Duration
    ) -> ConnectorError {
        let target = message.target
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
            var denied = Self.addressDenied(message)
            denied.mayHaveExecuted = executed
            denied.details = details
            return denied
        }
        if result.isSinkRefused {
            return error(
                .unavailable, Code.file, "The body of \(target) could not be written.",
                "Check the space on the disk of blobDirectory.")
        }
        if result.isBomb {
            return error(
                .validation, Code.tooLarge,
                "\(target) answered with a body that grows beyond reason.",
                "Ask the service for the body without compression: header Accept-Encoding: identity.")
        }
        if result.isBodyTooLarge || result.areHeadersTooLarge || result.failure == JHC_TOO_LARGE {
            let what = result.areHeadersTooLarge ? "headers of" : "a body of"
            let bodyLimit = transfer.sink.map(\.bytesMaximum) ?? Int64(transfer.responseBytesMaximum)
            let limit = result.areHeadersTooLarge ? Int64(transfer.headerBytesMaximum) : bodyLimit
            return error(
                .validation, Code.tooLarge, "\(target) answered with \(what) more than \(limit) bytes.",
                "Ask for less, or raise maxResponse of the connection.")
        }
        switch result.failure {
        case JHC_MALFORMED_URL:
            return Self.malformedURL(message.target)
        case JHC_UNRESOLVED, JHC_UNREACHABLE:
            return error(
                .unavailable, Code.unreachable, "\(target) cannot be reached: \(result.message).",
                "Check that the service runs and that name and port are right.")
        case JHC_TIMEOUT:
            return Self.timeout(message, after: timeout, requestBytes: result.requestBytes)
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
    static func status(_ response: HTTPResponse, method: String, now: Int64) -> ConnectorError {
        let status = response.status
        var details: ValueContext = ["status": .number(Number(Int64(status)))]
        for name in ["x-request-id", "request-id", "x-correlation-id"] {
            if let value = response.header(name) { details["requestId"] = .string(String(value.prefix(200))) }
        }
        var message = "\(method) \(response.address.host)\(response.address.path) answered \(status)"
        if let words = response.remoteMessage {
            details["message"] = .string(words)
            message += ": \(words)"
        }
        if (300..<400).contains(status) {
            // Services repeat queries there, and with them keys.
            let location = response.header("location")?.prefix { $0 != "?" && $0 != "#" }
            let target = location.map { " to \($0.prefix(200))" } ?? ""
            return ConnectorError(
                .validation, code: Code.redirect, "\(message), a redirect\(target) that is not followed.",
                remedy: "Call the new address, or allow redirects in the connection.", mayHaveExecuted: true,
                details: details)
        }
        let limit = RateLimitFields(response)
        // GitHub and others answer 403 when a limit is used up.
        let kind = status == 403 && limit.isUsedUp ? .rateLimited : HTTPStatus.kind(of: status)
        if let remaining = limit.remaining { details["rateLimitRemaining"] = .string(remaining) }
        var wait = response.header("retry-after").flatMap { Self.retryAfter($0, now: now) }
        if kind == .rateLimited, wait == nil { wait = limit.untilReset(now: now) }
        return ConnectorError(
            kind, code: Code.status, message.hasSuffix(".") ? message : message + ".", remedy: Self.remedy(kind),
            mayHaveExecuted: !HTTPStatus.refusedUnseen.contains(status), retryAfter: wait, details: details)
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

/// Errors about files, for connectors that send and receive them.
public enum HTTPFileFailure {
    /// `notFound` for a file that is not there, `permission`, else `validation` or `unavailable`.
    public static func error(_ error: HTTPFileError) -> ConnectorError {
        let kind: ConnectorError.Kind =
            switch error.number {
            case ENOENT: .notFound
            case EACCES, EPERM, ELOOP: .permission
            case EINVAL, EFBIG, ENOTDIR, EISDIR: .validation
            default: .unavailable
            }
        return ConnectorError(
            kind, code: HTTPErrorCode.file,
            "Cannot \(error.action) the file \(error.name.filter { !$0.isNewline }.prefix(80)): \(error.reason).",
            remedy: "Use the plain name of a file in blobDirectory; check its rights and the space on the disk.")
    }
}

extension HTTPMessage {
    /// Method and server, for messages: a path or a query may hold what is not meant for logs.
    var target: String { "\(self.method) \(self.address.scheme)://\(self.address.host)" }
}
