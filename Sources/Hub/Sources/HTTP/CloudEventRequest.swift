import ConnectorKit
import Crypto
import HTTPTransport
import HubDocuments
import Values

/// The CloudEvents of a request, in any of the three modes of the HTTP binding.
enum CloudEventRequest {
    /// An event, or what was to be one.
    enum Item: Sendable {
        case event(CloudEvent)
        case malformed([UInt8], contentType: String, CloudEvent.Problem)

        var sourceEvent: SourceEvent {
            switch self {
            case .event(let event):
                return event.sourceEvent
            case .malformed(let payload, let contentType, let problem):
                return SourceEvent(
                    id: "sha256:" + Hex.encode(SHA256.hash(data: payload)), payload: payload, contentType: contentType,
                    body: .undecodable(.init(line: 1, reason: problem.reason)))
            }
        }
    }

    /// Why nothing can be read.
    struct Refusal: Error {
        var reply: IngressReply
    }

    static func items(of request: IngressRequest) throws(Refusal) -> [Item] {
        let contentType = request.header("content-type")
        switch CloudEvent.Mode(contentType: contentType) {
        case .structured:
            return [
                Self.item(request.body, CloudEvent.mediaType) { () throws(CloudEvent.Problem) in
                    try CloudEvent.structured(request.body)
                }
            ]
        case .batch:
            do {
                return try CloudEvent.batch(request.body).map { range, event in
                    Self.item(Array(request.body[range]), CloudEvent.mediaType) { () throws(CloudEvent.Problem) in
                        try event.get()
                    }
                }
            } catch {
                throw Refusal(
                    reply: IngressReply(
                        400, .invalidContent, error.reason, remedy: "Send a JSON array of events, as CloudEvents says.")
                )
            }
        case .binary:
            let attributes = Self.attributes(of: request)
            guard !attributes.isEmpty else {
                throw Refusal(
                    reply: IngressReply(
                        400, .invalidContent, "The request carries no CloudEvent.",
                        remedy: "Send the ce-… header fields, or the type \(CloudEvent.mediaType)."))
            }
            return [
                Self.item(request.body, contentType ?? "application/octet-stream") { () throws(CloudEvent.Problem) in
                    try CloudEvent.binary(attributes: attributes, contentType: contentType, content: request.body)
                }
            ]
        case .unsupported(let type):
            throw Refusal(
                reply: IngressReply(
                    415, .unsupportedContent, "CloudEvents of type \(type.shortened(to: 80)) are not read.",
                    remedy: "Send \(CloudEvent.mediaType) or \(CloudEvent.batchMediaType), or binary mode."))
        }
    }

    private static func item(
        _ payload: [UInt8], _ contentType: String, _ read: () throws(CloudEvent.Problem) -> CloudEvent
    ) -> Item {
        do throws(CloudEvent.Problem) {
            return .event(try read())
        } catch {
            return .malformed(payload, contentType: contentType, error)
        }
    }

    /// The attributes in header fields, whose values are percent-encoded (HTTP binding, clause 3.1.3.2).
    private static func attributes(of request: IngressRequest) -> ValueContext {
        var attributes = ValueContext()
        for (name, value) in request.headers where name.hasPrefix("ce-") {
            let decoded = PathText.unescaped(value.utf8, isForm: false).flatMap {
                String(validating: $0, as: UTF8.self)
            }
            attributes[String(name.dropFirst(3))] = .string(decoded ?? value)
        }
        return attributes
    }
}
