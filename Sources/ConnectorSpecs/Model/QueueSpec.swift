import ConnectorKit
import Values

/// How events are taken from a queue: a message that was taken is hidden from others until it is acknowledged, given
/// back, or its lock ends.
struct QueueSpec: Sendable {
    /// The service's own parameters of a source; those every queue has come on top.
    var parameters: SpecSchema
    /// Defaults of `parameters`.
    var defaults: ValueContext
    var receive: Receive
    /// `nil` for a service that hides nothing: what is out is then told apart by its id.
    var lock: Lock?
    var message: Message
    var acknowledge: Action
    var extend: Action?
    var release: Action?
    var setAside: Action?

    /// The operation that takes messages.
    struct Receive: Sendable {
        var operation: String
        var input: SpecTemplate
        /// The list of messages in the operation's output.
        var messages: SpecTemplate
        /// The most one call takes.
        var maximum: Int
        /// How long one call waits for the first message.
        var wait: Duration
        var waitMaximum: Duration
        /// A pause after a call that found nothing and did not wait for it either.
        var pause: Duration
    }

    /// How long a message stays hidden.
    struct Lock: Sendable {
        var standard: Duration
        /// The longest it can be held with all its extensions.
        var maximum: Duration
        /// Whether a source may choose; otherwise the service has set it.
        var isChosen: Bool
    }

    /// What a message says.
    struct Message: Sendable {
        enum Encoding: String, Sendable, CaseIterable {
            /// Texts as they are, anything else as JSON.
            case text
            case base64
        }

        var id: SpecTemplate
        /// What the operations on the message need to find it again.
        var handle: SpecTemplate
        /// A text whose JSON expressions see as `content`: an envelope, with the body somewhere in it.
        var envelope: SpecTemplate?
        var body: SpecTemplate
        var encoding: Encoding
        var contentType: SpecTemplate?
        var headers: SpecTemplate?
        var coordinates: SpecTemplate?
        var occurredAt: SpecTemplate?
        /// How often it was given out, this time included.
        var deliveries: SpecTemplate?
        /// Messages that share it come in order.
        var orderingKey: SpecTemplate?
    }

    /// An operation on messages that were taken.
    struct Action: Sendable {
        var operation: String
        var input: SpecTemplate
        /// Messages for which it does not hold are left out.
        var condition: SpecTemplate?
        /// How many messages one call is about.
        var batchMaximum: Int
        /// The messages the answer says it failed for: `[{ key, final, reason }]`.
        var failed: SpecTemplate?
        /// The longest delay a release can ask for; longer ones are waited for here.
        var delayMaximum: Duration
    }
}
