public import Values

/// What a connector says about itself: enough to list, document, validate and lint it without connecting.
public struct ConnectorDescriptor: Sendable, Hashable {
    /// Unique name, lower case: letters, digits, `-` and `.`.
    public var id: String
    /// Version of its contract, from 1; grows when an operation changes its meaning.
    public var version: Int
    /// Name for people.
    public var title: String
    /// One sentence.
    public var summary: String
    /// JSON Schema of a connection's parameters.
    public var parameters: Value
    /// Secrets a connection may need.
    public var secrets: [SecretDescriptor]
    /// What it can be asked to do.
    public var operations: [OperationDescriptor]
    /// What it can tell of its own accord.
    public var events: [EventDescriptor]

    /// Creates a description.
    public init(
        id: String, version: Int, title: String, summary: String, parameters: Value,
        secrets: [SecretDescriptor] = [], operations: [OperationDescriptor] = [], events: [EventDescriptor] = []
    ) {
        self.id = id
        self.version = version
        self.title = title
        self.summary = summary
        self.parameters = parameters
        self.secrets = secrets
        self.operations = operations
        self.events = events
    }

    /// The operation called `id`.
    public func operation(_ id: String) -> OperationDescriptor? { self.operations.first { $0.id == id } }

    /// The event called `id`.
    public func event(_ id: String) -> EventDescriptor? { self.events.first { $0.id == id } }
}

/// What an operation does to the remote.
public enum Effect: String, Sendable, Hashable, CaseIterable {
    /// Nothing.
    case read
    /// Makes something new each time.
    case create
    /// Changes something that exists.
    case update
    /// Removes something.
    case delete
    /// Something else; treated like `create`.
    case other
}

/// What happens when an operation is carried out twice.
public enum OperationIdempotency: Sendable, Hashable {
    /// The effect happens twice.
    case none
    /// The second time changes nothing more, by the nature of the operation.
    case natural
    /// The remote recognises the idempotency key, for `window` (`nil`: for ever).
    case key(window: Duration?)
}

/// One operation of a connector.
public struct OperationDescriptor: Sendable, Hashable {
    /// Unique within the connector: letters, digits, `-`, `_` and `.`.
    public var id: String
    /// Name for people.
    public var title: String
    /// One sentence.
    public var summary: String
    /// What it does to the remote.
    public var effect: Effect
    /// What doing it twice means.
    public var idempotency: OperationIdempotency
    /// JSON Schema of the input.
    public var input: Value
    /// JSON Schema of the result.
    public var output: Value
    /// The most calls that profit from being made together (`Connection.invokeBatch`); 1: none.
    public var batchMaximum: Int

    /// Creates a description.
    public init(
        id: String, title: String, summary: String, effect: Effect, idempotency: OperationIdempotency,
        input: Value, output: Value, batchMaximum: Int = 1
    ) {
        self.id = id
        self.title = title
        self.summary = summary
        self.effect = effect
        self.idempotency = idempotency
        self.input = input
        self.output = output
        self.batchMaximum = batchMaximum
    }

    /// Whether it may be sent again although the remote may have seen it.
    public var isRepeatable: Bool { self.effect == .read || self.idempotency != .none }
}

/// How often an event arrives.
public enum DeliveryGuarantee: String, Sendable, Hashable, CaseIterable {
    /// Once or, after a failure, never.
    case atMostOnce
    /// Once or, after a failure, several times: needs a dedupe key.
    case atLeastOnce
}

/// One kind of event a connector can emit.
public struct EventDescriptor: Sendable, Hashable {
    /// Unique within the connector.
    public var id: String
    /// Name for people.
    public var title: String
    /// One sentence.
    public var summary: String
    /// JSON Schema of the parameters of a source.
    public var parameters: Value
    /// JSON Schema of the payload, `true` when anything can come.
    public var payload: Value
    /// How often it arrives.
    public var delivery: DeliveryGuarantee
    /// Whether events come in the order they happened, per source.
    public var isOrdered: Bool
    /// How long an event may stay unacknowledged before the remote gives it to somebody else; `nil`: as long as it takes.
    public var holdMaximum: Duration?

    /// Creates a description.
    public init(
        id: String, title: String, summary: String, parameters: Value, payload: Value,
        delivery: DeliveryGuarantee, isOrdered: Bool, holdMaximum: Duration? = nil
    ) {
        self.id = id
        self.title = title
        self.summary = summary
        self.parameters = parameters
        self.payload = payload
        self.delivery = delivery
        self.isOrdered = isOrdered
        self.holdMaximum = holdMaximum
    }
}

/// One secret a connection may need.
public struct SecretDescriptor: Sendable, Hashable {
    /// Name of the connection parameter that holds the reference.
    public var parameter: String
    /// Name for people.
    public var title: String
    /// Whether the connection works without it.
    public var isRequired: Bool

    /// Creates a description.
    public init(parameter: String, title: String, isRequired: Bool) {
        self.parameter = parameter
        self.title = title
        self.isRequired = isRequired
    }
}
