public import HubDocuments
import Values

/// One entry of `tests`: a call or a webhook request, what the remote answers, and what is expected.
public struct SpecTest: Sendable {
    /// What it shows.
    public var name: String
    /// Where it stands.
    public var position: DocumentPosition
    /// The operation it calls, if it calls one.
    public var operation: String?
    /// The event it is about, if it is about one.
    public var event: String?

    var connection: ValueContext
    var input: Value
    var call: ValueContext
    var kept: ValueContext
    var webhook: ValueContext?
    var poll: ValueContext?
    var queue: ValueContext?
    var expectedRequests: [ValueContext]
    var responses: [ValueContext]
    var expected: Value
}
