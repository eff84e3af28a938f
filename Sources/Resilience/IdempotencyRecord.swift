/// What is remembered of one request that carried an idempotency key, and what that means for the next one with it.
///
/// Pure. Times are Unix milliseconds, because records outlive the process. The store inserts or selects the record in
/// the transaction of the effect; the decision is taken here. Semantics: IETF draft httpapi-idempotency-key-header.
public struct IdempotencyRecord: Sendable, Hashable {
    /// The states a record goes through: `inFlight` → `done`, or `inFlight` → deleted after a failure that may be
    /// tried again.
    public enum State: Sendable, Hashable {
        /// `owner` works on it and has until then.
        case inFlight(owner: String, leaseUntilMilliseconds: Int64)
        /// Finished; the answer is kept, be it success or error.
        case done(StoredAnswer)
    }

    /// The answer replayed to repeated requests.
    public struct StoredAnswer: Sendable, Hashable {
        /// Status code of the answer.
        public var status: Int
        /// Header fields worth repeating, in order.
        public var headers: [Header]
        /// Body, or a reference to it, as the store keeps it.
        public var body: [UInt8]

        /// One header field.
        public struct Header: Sendable, Hashable {
            /// Field name.
            public var name: String
            /// Field value.
            public var value: String
            /// Creates a field.
            public init(name: String, value: String) {
                self.name = name
                self.value = value
            }
        }

        /// Creates an answer.
        public init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// Tenant, principal and operation: keys of different scopes never meet.
    public let scope: String
    /// The client's key.
    public let key: String
    /// Digest of method, canonical path, chosen headers and body.
    public let fingerprint: String
    /// Where it stands.
    public private(set) var state: State
    /// When the first request came.
    public let createdMilliseconds: Int64
    /// From when the key is free again.
    public let expiresMilliseconds: Int64

    /// Restores a record as it was stored.
    public init(
        scope: String, key: String, fingerprint: String, state: State, createdMilliseconds: Int64,
        expiresMilliseconds: Int64
    ) {
        self.scope = scope
        self.key = key
        self.fingerprint = fingerprint
        self.state = state
        self.createdMilliseconds = createdMilliseconds
        self.expiresMilliseconds = expiresMilliseconds
    }
}

extension IdempotencyRecord {
    /// How an operation treats keys.
    public struct Policy: Sendable, Hashable {
        /// Whether a request without a key is refused.
        ///
        /// Default false.
        public var isKeyRequired = false
        /// How long a key is remembered.
        ///
        /// Default 24 h.
        public var retention: Duration = .seconds(86_400)
        /// How long a worker may hold a key without finishing.
        ///
        /// Default 60 s.
        public var lease: Duration = .seconds(60)
        /// Longest key accepted, in UTF-8 bytes.
        ///
        /// Default 255.
        public var keyBytesMaximum = 255

        /// Creates the default policy.
        public init() {}
    }

    /// A request that carries, or lacks, a key.
    public struct Request: Sendable, Hashable {
        /// Tenant, principal and operation.
        public var scope: String
        /// The client's key, if it sent one.
        public var key: String?
        /// Digest of what makes two requests the same.
        public var fingerprint: String
        /// Who is going to carry it out.
        public var owner: String

        /// Creates a request.
        public init(scope: String, key: String?, fingerprint: String, owner: String) {
            self.scope = scope
            self.key = key
            self.fingerprint = fingerprint
            self.owner = owner
        }
    }

    /// What to do with a request.
    public enum Decision: Sendable, Hashable {
        /// No key and none needed: carry it out, remember nothing.
        case executeUnkeyed
        /// Store this record (replacing an expired one) and carry it out.
        case execute(IdempotencyRecord)
        /// The lease of whoever carried it out ran out; find out whether the effect happened before doing anything.
        case recover(IdempotencyRecord)
        /// Answer with this and `Idempotency-Replayed: true`.
        case replay(StoredAnswer)
        /// Refuse.
        case refuse(Refusal)
    }

    /// Why a request is refused.
    public enum Refusal: Sendable, Hashable {
        /// The operation requires a key.
        case keyMissing
        /// The key is empty or too long.
        case keyInvalid
        /// The key was used for a different request.
        case fingerprintDiffers
        /// The first request with this key has not finished.
        case inProgress(retryAfter: Duration)

        /// The HTTP status that says so.
        public var status: Int {
            switch self {
            case .keyMissing, .keyInvalid: 400
            case .fingerprintDiffers: 422
            case .inProgress: 409
            }
        }
    }

    /// Decides what to do with `request`, given the record stored under its key, if there is one.
    public static func decide(
        _ request: Request, existing: IdempotencyRecord?, policy: Policy, atMilliseconds now: Int64
    ) -> Decision {
        guard let key = request.key else {
            return policy.isKeyRequired ? .refuse(.keyMissing) : .executeUnkeyed
        }
        guard !key.isEmpty, key.utf8.count <= policy.keyBytesMaximum else { return .refuse(.keyInvalid) }
        guard let existing, existing.counts(atMilliseconds: now) else {
            return .execute(
                IdempotencyRecord(
                    scope: request.scope, key: key, fingerprint: request.fingerprint,
                    state: .inFlight(
                        owner: request.owner, leaseUntilMilliseconds: now + policy.lease.wholeMilliseconds),
                    createdMilliseconds: now, expiresMilliseconds: now + policy.retention.wholeMilliseconds))
        }
        guard existing.fingerprint == request.fingerprint else { return .refuse(.fingerprintDiffers) }
        switch existing.state {
        case .done(let answer):
            return .replay(answer)
        case .inFlight(_, let leaseUntil):
            guard leaseUntil <= now else {
                return .refuse(.inProgress(retryAfter: .milliseconds(leaseUntil - now)))
            }
            var taken = existing
            taken.state = .inFlight(
                owner: request.owner, leaseUntilMilliseconds: now + policy.lease.wholeMilliseconds)
            return .recover(taken)
        }
    }

    /// Whether the key is taken at `now`: it has not expired, or nobody knows yet what became of the request.
    public func counts(atMilliseconds now: Int64) -> Bool {
        if case .inFlight = self.state { return true }
        return self.expiresMilliseconds > now
    }

    /// Keeps the answer.
    ///
    /// Returns false, and changes nothing, when `owner` no longer holds the record: someone else took it over and their
    /// answer counts.
    public mutating func complete(_ answer: StoredAnswer, owner: String) -> Bool {
        guard case .inFlight(let holder, _) = self.state, holder == owner else { return false }
        self.state = .done(answer)
        return true
    }

    /// Extends the lease.
    ///
    /// Returns false when `owner` no longer holds the record.
    public mutating func renew(owner: String, policy: Policy, atMilliseconds now: Int64) -> Bool {
        guard case .inFlight(let holder, _) = self.state, holder == owner else { return false }
        self.state = .inFlight(owner: owner, leaseUntilMilliseconds: now + policy.lease.wholeMilliseconds)
        return true
    }

    /// Whether `owner` may delete the record after a failure that may be tried again.
    public func mayBeReleased(by owner: String) -> Bool {
        guard case .inFlight(let holder, _) = self.state else { return false }
        return holder == owner
    }
}

extension Duration {
    /// Length in milliseconds, rounded down.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
