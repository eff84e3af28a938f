import Resilience
public import Storage
import Synchronization
import Values

/// Makes a repeated API request that carries an idempotency key return the first answer, also after a crash.
///
/// Semantics: IETF draft httpapi-idempotency-key-header. Safe from any thread.
public final class RequestGate: Sendable {
    /// A request with a key.
    public struct Request: Sendable {
        /// Principal and operation: keys of different scopes never meet.
        public var scope: String
        /// The client's key.
        public var key: String
        /// What makes two requests the same: path, body.
        public var parts: [[UInt8]]

        /// Creates a request.
        public init(scope: String, key: String, parts: [[UInt8]]) {
            self.scope = scope
            self.key = key
            self.parts = parts
        }
    }

    /// The answer to a request.
    public struct Answer: Sendable, Hashable {
        /// Its HTTP status.
        public var status: Int
        /// The type of its body; nil without one.
        public var contentType: String?
        /// Its body.
        public var body: [UInt8]

        /// Creates an answer.
        public init(status: Int, contentType: String?, body: [UInt8]) {
            self.status = status
            self.contentType = contentType
            self.body = body
        }
    }

    /// The right to carry a request out; `finish` it.
    public struct Ticket: Sendable {
        let scope: String
        let key: String
        let owner: String
    }

    /// Why a request is refused.
    public enum Refusal: Sendable, Hashable {
        /// 400: the key is empty or too long.
        case invalidKey
        /// 422: the key was used for another request.
        case otherRequest
        /// 409: the first request with the key has not finished.
        case inProgress(retryAfterMilliseconds: Int64)
        /// 409: the first request with the key was interrupted; nobody knows what became of it.
        case interrupted
    }

    /// What to do with a request.
    public enum Admission: Sendable {
        /// Carry it out.
        case execute(Ticket)
        /// Answer with this.
        case replay(Answer)
        /// Refuse it.
        case refuse(Refusal)
    }

    /// What becomes of the key.
    public enum Ending: Sendable {
        /// It keeps the answer.
        case answered(Answer)
        /// It is free again: nothing has happened.
        case nothingHappened
        /// Nobody knows: repetitions are refused once the lease is over.
        case unknown
    }

    private let ledger: IdempotencyLedger
    private let requests = Atomic<UInt64>(0)
    private let policy = IdempotencyRecord.Policy()

    /// Answers longer than this are not kept; the key is then used up without one.
    private static let bodyBytesMax = 1 << 20

    init(_ ledger: IdempotencyLedger) {
        self.ledger = ledger
    }

    /// What to do with `request`; the reservation is durable when this returns `execute`.
    public func admit(_ request: Request) async throws(StoreError) -> Admission {
        let number = self.requests.add(1, ordering: .relaxed).newValue
        let owner = "\(self.ledger.owner)/\(number)"
        let decision = try await self.ledger.begin(
            .init(
                scope: request.scope, key: request.key, fingerprint: RequestFingerprint.of(request.parts),
                owner: owner), policy: self.policy)
        switch decision {
        case .execute, .executeUnkeyed:
            return .execute(Ticket(scope: request.scope, key: request.key, owner: owner))
        case .recover:
            return .refuse(.interrupted)
        case .replay(let answer):
            let contentType = answer.headers.first { $0.name == "content-type" }?.value
            return .replay(Answer(status: answer.status, contentType: contentType, body: answer.body))
        case .refuse(.keyMissing), .refuse(.keyInvalid):
            return .refuse(.invalidKey)
        case .refuse(.fingerprintDiffers):
            return .refuse(.otherRequest)
        case .refuse(.inProgress(let wait)):
            return .refuse(.inProgress(retryAfterMilliseconds: wait.wholeMilliseconds))
        }
    }

    /// Says how the request ended.
    public func finish(_ ticket: Ticket, _ ending: Ending) async throws(StoreError) {
        switch ending {
        case .answered(let answer):
            let isShort = answer.body.count <= Self.bodyBytesMax
            let headers = answer.contentType.map {
                [IdempotencyRecord.StoredAnswer.Header(name: "content-type", value: $0)]
            }
            try await self.ledger.complete(
                .init(status: answer.status, headers: headers ?? [], body: isShort ? answer.body : []),
                scope: ticket.scope, key: ticket.key, owner: ticket.owner)
        case .nothingHappened:
            try await self.ledger.release(scope: ticket.scope, key: ticket.key, owner: ticket.owner)
        case .unknown:
            break
        }
    }
}
