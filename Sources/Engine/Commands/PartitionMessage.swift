import Values

/// What partitions tell each other: carried by the inbox of the receiver, or handled at once when both are one.
enum PartitionMessage {
    /// An instance waits for a message.
    case openSubscription(MessageSubscriptionCreated, name: String, correlationKey: String)
    /// An instance no longer waits.
    case closeSubscription(hash: UInt64, key: UInt64)
    /// A message for an instance.
    case correlate(Correlation)
    /// The instance took the message; the subscription stays open or ends.
    case correlated(hash: UInt64, key: UInt64, message: UInt64, stays: Bool)
    /// The instance did not take the message.
    case rejected(hash: UInt64, key: UInt64, message: UInt64)
    /// A process threw a message.
    case publish(NewMessage)
    /// A signal for everybody who waits for it.
    case signal(name: String, variables: VariableDocument)
    /// A data store has a new value.
    case dataStore(name: String, value: VariableValue)

    struct Correlation {
        var instance: UInt64
        var subscription: UInt64
        var hash: UInt64
        var message: UInt64
        var name: String
        var correlationKey: String
        var variables: VariableDocument
    }

    func write(into writer: inout ByteWriter) {
        switch self {
        case .openSubscription(let subscription, let name, let correlationKey):
            writer.u8(1)
            writer.fixed64LE(subscription.key)
            writer.fixed64LE(subscription.hash)
            writer.fixed64LE(subscription.instance)
            writer.fixed64LE(subscription.process)
            writer.string(name)
            writer.string(correlationKey)
        case .closeSubscription(let hash, let key):
            writer.u8(2)
            writer.fixed64LE(hash)
            writer.fixed64LE(key)
        case .correlate(let correlation):
            writer.u8(3)
            writer.fixed64LE(correlation.instance)
            writer.fixed64LE(correlation.subscription)
            writer.fixed64LE(correlation.hash)
            writer.fixed64LE(correlation.message)
            writer.string(correlation.name)
            writer.string(correlation.correlationKey)
            correlation.variables.write(into: &writer)
        case .correlated(let hash, let key, let message, let stays):
            writer.correlation(4, hash, key, message)
            writer.bool(stays)
        case .rejected(let hash, let key, let message):
            writer.correlation(5, hash, key, message)
        case .publish(let message):
            writer.u8(6)
            writer.string(message.name)
            writer.string(message.correlationKey)
            writer.zigzag(message.timeToLiveMilliseconds)
            writer.optional(message.messageID)
            message.variables.write(into: &writer)
        case .signal(let name, let variables):
            writer.u8(7)
            writer.string(name)
            variables.write(into: &writer)
        case .dataStore(let name, let value):
            writer.u8(8)
            writer.string(name)
            value.write(into: &writer)
        }
    }

    static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> PartitionMessage {
        let type = try reader.u8()
        switch type {
        case 1:
            let subscription = MessageSubscriptionCreated(
                key: try reader.fixed64LE(), hash: try reader.fixed64LE(), instance: try reader.fixed64LE(),
                process: try reader.fixed64LE())
            return .openSubscription(subscription, name: try reader.string(), correlationKey: try reader.string())
        case 2: return .closeSubscription(hash: try reader.fixed64LE(), key: try reader.fixed64LE())
        case 3:
            return .correlate(
                Correlation(
                    instance: try reader.fixed64LE(), subscription: try reader.fixed64LE(),
                    hash: try reader.fixed64LE(), message: try reader.fixed64LE(), name: try reader.string(),
                    correlationKey: try reader.string(), variables: try VariableDocument.read(&reader)))
        case 4:
            return .correlated(
                hash: try reader.fixed64LE(), key: try reader.fixed64LE(), message: try reader.fixed64LE(),
                stays: try reader.bool())
        case 5:
            return .rejected(
                hash: try reader.fixed64LE(), key: try reader.fixed64LE(), message: try reader.fixed64LE())
        case 6:
            let name = try reader.string()
            let correlationKey = try reader.string()
            let timeToLive = try reader.zigzag()
            return .publish(
                NewMessage(
                    name: name, correlationKey: correlationKey, timeToLiveMilliseconds: timeToLive,
                    messageID: try reader.optionalString(), variables: try VariableDocument.read(&reader)))
        case 7: return .signal(name: try reader.string(), variables: try VariableDocument.read(&reader))
        case 8: return .dataStore(name: try reader.string(), value: try VariableValue.read(&reader))
        default: throw reader.failure(.unknownTag(type))
        }
    }
}
