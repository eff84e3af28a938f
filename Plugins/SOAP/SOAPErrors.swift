internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum SOAPErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let unreadable = "CON-3101"
        static let invalidService = "CON-3102"
        static let port = "CON-3103"
        static let unsupported = "CON-3104"
        static let input = "CON-3105"
        static let malformedAnswer = "CON-3106"
        static let invalidAnswer = "CON-3107"
        static let senderFault = "CON-3108"
        static let receiverFault = "CON-3109"
        static let securityFault = "CON-3110"
        static let declaredFault = "CON-3111"
        static let attachment = "CON-3112"
        static let schema = "CON-3113"
        static let versionFault = "CON-3114"
    }

    /// A WSDL or schema document that cannot be had, or is no XML.
    static func unreadable(_ location: String, _ reason: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.unreadable, "Cannot read \(location.prefix(200)): \(reason).",
            remedy: "Correct wsdl of the connection, or the document.")
    }

    /// A description that contradicts itself or the specification.
    static func invalid(_ location: String, line: Int, _ reason: String) -> ConnectorError {
        let place = line > 0 ? "\(location.prefix(200)), line \(line)" : String(location.prefix(200))
        return ConnectorError(
            .validation, code: Code.invalidService, "\(place): \(reason)", remedy: "Correct the description.")
    }

    /// A description that asks for something this connector does not do.
    static func unsupported(_ what: String, _ remedy: String) -> ConnectorError {
        ConnectorError(.unsupported, code: Code.unsupported, what, remedy: remedy)
    }

    /// A port that is not there, or not clear.
    static func port(_ message: String, _ remedy: String) -> ConnectorError {
        ConnectorError(.validation, code: Code.port, message, remedy: remedy)
    }

    /// Input that the schema does not allow.
    static func input(_ message: String, _ remedy: String = "Correct the field named.") -> ConnectorError {
        ConnectorError(.validation, code: Code.input, message, remedy: remedy)
    }

    /// An answer that is no SOAP message.
    static func malformed(_ reason: String, details: ValueContext = ValueContext()) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformedAnswer, "The answer is no SOAP message: \(reason).",
            remedy: "Check that the address is that of the service; look at the service's log.", mayHaveExecuted: true,
            details: details)
    }

    /// An answer that does not keep to the schema.
    static func invalidAnswer(_ reason: String) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.invalidAnswer, "The answer does not keep to the schema: \(reason)",
            remedy: "Get the service's present WSDL; if it is right, set validate to request.", mayHaveExecuted: true)
    }

    /// An answer whose attachments do not fit together.
    static func attachment(_ reason: String) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.attachment, "The answer's attachments cannot be read: \(reason).",
            remedy: "Report it to the service's owner.", mayHaveExecuted: true)
    }
}
