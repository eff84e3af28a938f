import ConnectorKit
import HTTPTransport
import Values

/// Finds the error an answer stands for.
struct ErrorMapper: Sendable {
    let spec: ConnectorSpec

    /// The error of an answer that is no success: the first rule that applies, else what the status says.
    func error(_ response: SpecResponse, _ operation: OperationSpec, _ scope: SpecScope) -> ConnectorError {
        let map = scope.map
        let rule = (operation.errors + self.spec.defaults.errors).first { rule in
            if let status = rule.status, !status.contains(response.status) { return false }
            return rule.condition?.holds(map) ?? true
        }
        let body = scope.variables["response"]?["body"] ?? .null
        let kind = rule?.kind ?? HTTPStatus.kind(of: response.status)
        var details: ValueContext = ["status": .number(Number(Int64(response.status)))]
        if let code = rule?.code?.text(map) { details["code"] = .string(Self.line(code)) }
        for (name, value) in operation.response.facts {
            let fact = value.value(map)
            if !fact.isNull { details[name] = fact }
        }
        if details["requestId"] == nil,
            let id = ["x-request-id", "request-id", "x-correlation-id"].lazy.compactMap({ response.header($0) }).first
        {
            details["requestId"] = .string(Self.line(id))
        }
        var message = "\(self.spec.metadata.title) answered \(operation.id) with \(response.status)"
        if let code = details["code"]?.asString { message += " (\(code))" }
        if let words = rule?.message?.text(map) ?? Self.message(in: body) {
            details["message"] = .string(Self.line(words))
            message += ": \(Self.line(words))"
        }
        return ConnectorError(
            kind, code: SpecErrorCode.failed, message.hasSuffix(".") ? message : message + ".",
            remedy: Self.remedy(kind), isRetryable: rule?.isRetryable,
            mayHaveExecuted: Self.mayHaveExecuted(kind, response.status, operation),
            retryAfter: rule?.retryAfter.flatMap { Self.duration($0.value(map)) } ?? response.retryAfter,
            details: details)
    }

    private static func mayHaveExecuted(
        _ kind: ConnectorError.Kind, _ status: Int, _ operation: OperationSpec
    ) -> Bool {
        guard operation.effect != .read, !HTTPStatus.refusedUnseen.contains(status) else { return false }
        switch kind {
        case .auth, .permission, .notFound, .validation, .rateLimited, .quotaExhausted, .unsupported: return false
        case .conflict, .transient, .timeout, .unavailable, .unknown: return true
        }
    }

    private static func remedy(_ kind: ConnectorError.Kind) -> String {
        switch kind {
        case .auth: "Check the credential of the connection; it may have expired."
        case .permission: "Give the credential the right, or use another."
        case .notFound: "Check the ids in the input."
        case .conflict: "Look at the state of the resource; another change may have come first."
        case .rateLimited, .quotaExhausted: "Call less often, or ask the service for a higher limit."
        case .timeout, .transient, .unavailable: "Usually passes; look at the service's status if it does not."
        case .unsupported: "The service cannot do this."
        case .validation, .unknown: "Correct the input as the answer says."
        }
    }

    /// A length of time: a number of seconds, text such as `2s`, or text with a number.
    static func duration(_ value: Value) -> Duration? {
        let maximum = Duration.seconds(31_536_000)
        switch value {
        case .number(let number):
            let seconds = number.double
            return seconds >= 0 ? min(maximum, .milliseconds(Int64(min(seconds, 31_536_000) * 1_000))) : nil
        case .string(let text):
            if let seconds = Double(text) {
                return seconds >= 0 ? min(maximum, .milliseconds(Int64(min(seconds, 31_536_000) * 1_000))) : nil
            }
            return Quantity.duration(text).map { min(maximum, $0) }
        default: return nil
        }
    }

    /// Finds the service's sentence in the usual shapes.
    private static func message(in body: Value, depth: Int = 0) -> String? {
        if depth > 3 { return nil }
        if let text = body.asString { return depth == 0 ? nil : text }
        if let first = body.asList?.first { return Self.message(in: first, depth: depth + 1) }
        for key in [
            "detail", "message", "error_description", "errorMessages", "title", "description", "error", "errors",
        ] {
            if let value = body[key], let text = Self.message(in: value, depth: depth + 1), !text.isEmpty {
                return text
            }
        }
        return nil
    }

    /// At most 300 characters of one line.
    static func line(_ text: String) -> String {
        String(text.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300))
    }
}
