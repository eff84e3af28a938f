internal import CRDKafka
internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum KafkaErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let unreachable = "CON-4101"
        static let credential = "CON-4102"
        static let notAllowed = "CON-4103"
        static let notFound = "CON-4104"
        static let refused = "CON-4105"
        static let notDelivered = "CON-4106"
        static let broker = "CON-4107"
        static let queueFull = "CON-4108"
        static let aborted = "CON-4109"
        static let fenced = "CON-4110"
        static let setup = "CON-4111"
        static let encoding = "CON-4112"
        static let schema = "CON-4113"
        static let noTransactions = "CON-4114"
        static let noOffset = "CON-4115"
        static let unnamed = "CON-4116"
        static let throttled = "CON-4117"
        static let untrusted = "CON-4118"
    }

    /// An error number of the library or of a broker, its name and its words.
    struct Fault: Error, Sendable {
        let number: rd_kafka_resp_err_t
        /// The words that came with it, or the standard ones.
        let words: String

        init(_ number: rd_kafka_resp_err_t, _ words: String? = nil) {
            self.number = number
            self.words =
                words.flatMap { $0.isEmpty ? nil : String($0.prefix(500)) } ?? String(cString: rd_kafka_err2str(number))
        }

        /// Such as `TOPIC_AUTHORIZATION_FAILED`; names of the library's own begin with `_`.
        var name: String { String(cString: rd_kafka_err2name(self.number)) }
    }

    /// The taxonomy's error for `fault`, which happened to `what`.
    static func error(
        _ fault: Fault, _ what: String, mayHaveExecuted: Bool, isRetryable: Bool? = nil
    ) -> ConnectorError {
        let place = Self.place(of: fault.number)
        return ConnectorError(
            place.kind, code: place.code, "\(what): \(fault.words) (\(fault.name)).", remedy: place.remedy,
            isRetryable: isRetryable, mayHaveExecuted: mayHaveExecuted,
            details: ["error": .string(fault.name), "number": .number(Number(Int64(fault.number.rawValue)))])
    }

    private struct Place {
        let kind: ConnectorError.Kind
        let code: String
        let remedy: String
    }

    private static func place(of number: rd_kafka_resp_err_t) -> Place {
        switch number {
        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__AUTHENTICATION,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            Place(
                kind: .auth, code: Code.credential,
                remedy: "Check sasl.mechanism, username and password of the connection.")
        case RD_KAFKA_RESP_ERR__SSL:
            Place(
                kind: .unavailable, code: Code.untrusted,
                remedy: "Check the broker's certificate and tls.caFile of the connection.")
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED:
            Place(
                kind: .permission, code: Code.notAllowed,
                remedy: "Give the user of the connection the right on this topic, group or transactional id.")
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            Place(
                kind: .notFound, code: Code.notFound,
                remedy: "Correct the topic or partition, or create the topic at the broker.")
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
            RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
            RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
            RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
            Place(
                kind: .validation, code: Code.refused,
                remedy: "Correct the message: its size, timestamp or topic name, as the words say.")
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            Place(
                kind: .timeout, code: Code.notDelivered,
                remedy: "Check that the brokers answer; allow more time if they are known to be slow.")
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__WAIT_COORD:
            Place(
                kind: .unavailable, code: Code.unreachable,
                remedy: "Check that the brokers run and that names and ports in brokers are right.")
        case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
            RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR_INVALID_CONFIG:
            Place(
                kind: .validation, code: Code.setup,
                remedy: "Set sessionTimeout, assignor or group to what the brokers and the group's members use.")
        case RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
            Place(
                kind: .quotaExhausted, code: Code.throttled,
                remedy: "Run fewer consumers of this group, or raise the brokers' limit.")
        case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
            Place(
                kind: .rateLimited, code: Code.throttled,
                remedy: "Send less, or ask for a higher quota of this client.")
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            Place(
                kind: .unavailable, code: Code.queueFull,
                remedy: "Send less at once, or raise producer.queueMessages of the connection.")
        case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED:
            Place(
                kind: .conflict, code: Code.fenced,
                remedy: "Somebody else uses the same transactional or instance id; give each user one of its own.")
        case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__DESTROY:
            Place(
                kind: .unavailable, code: ConnectorError.Code.closed,
                remedy: "Send it again over the connection that replaced this one.")
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR__NO_OFFSET,
            RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            Place(
                kind: .conflict, code: Code.noOffset,
                remedy: "Set the group's offsets at the broker, or set start to earliest or latest.")
        case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
            Place(
                kind: .unsupported, code: Code.unnamed, remedy: "The broker is too old, or set up without it.")
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR__RETRY, RD_KAFKA_RESP_ERR__FAIL, RD_KAFKA_RESP_ERR__STATE,
            RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING,
            RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
            RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
            RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, RD_KAFKA_RESP_ERR__FATAL:
            Place(
                kind: .transient, code: Code.broker,
                remedy: "Usually passes; look at the brokers' logs if it does not.")
        default:
            Place(
                kind: .unknown, code: Code.unnamed,
                remedy: "Look up the name among the error codes of the Kafka protocol.")
        }
    }

    // MARK: - Errors without a number

    static func setup(_ words: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.setup, "The Kafka client cannot be set up: \(words.prefix(500)).",
            remedy: "Correct the parameters of the connection or source named.")
    }

    static func encoding(_ path: String, _ reason: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.encoding, "\(path): \(reason)",
            remedy: "Correct the content, or choose another format or schema.")
    }

    static func schema(_ message: String) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.schema, message,
            remedy: "Add the schema to schemas of the connection, or to its registry.")
    }

    static func timedOut(_ what: String, after timeout: Duration, mayHaveExecuted: Bool, words: String?)
        -> ConnectorError
    {
        ConnectorError(
            .timeout, code: Code.notDelivered,
            "\(what) was not confirmed within \(Quantity.text(timeout))\(words.map { "; last trouble: \($0)" } ?? "").",
            remedy: "Check that the brokers answer; allow more time if they are known to be slow.",
            mayHaveExecuted: mayHaveExecuted)
    }

    static func cancelled(_ what: String, mayHaveExecuted: Bool) -> ConnectorError {
        ConnectorError(
            .timeout, code: ConnectorError.Code.cancelled, "\(what) was cancelled before it ended.",
            remedy: "Nothing, if you cancelled it; otherwise allow more time.", mayHaveExecuted: mayHaveExecuted)
    }
}

extension rd_kafka_resp_err_t {
    /// Whether the credential was not accepted.
    var isAuthentication: Bool {
        self == RD_KAFKA_RESP_ERR__AUTHENTICATION || self == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED
    }
}
