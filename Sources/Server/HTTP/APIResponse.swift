import HTTPTypes
import NIOCore
import Values

/// What a route answers, before it becomes an HTTP response.
struct APIResponse: Sendable {
    var status: HTTPResponse.Status
    var contentType: String?
    var headers: [(HTTPField.Name, String)] = []
    var body: [UInt8]

    /// `204 No Content`.
    static let noContent = APIResponse(status: .noContent, contentType: nil, body: [])

    /// A JSON document.
    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> APIResponse {
        APIResponse(status: status, contentType: "application/json", body: bytes)
    }

    /// A JSON object, written member by member.
    static func object(capacity: Int = 256, _ write: (inout JSONWriter) -> Void) -> APIResponse {
        var writer = JSONWriter(capacity: capacity)
        writer.beginObject()
        write(&writer)
        writer.endObject()
        return .json(writer.bytes)
    }
}
