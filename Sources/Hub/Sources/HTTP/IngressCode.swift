import HubDocuments

extension HubCode {
    /// The parameters of a webhook, API, CloudEvents or capability source are wrong.
    static let invalidIngress = HubCode(rawValue: "HB620")
    /// Two triggers claim one path.
    static let pathTaken = HubCode(rawValue: "HB621")
    /// A request could not be verified.
    static let unverified = HubCode(rawValue: "HB622")
    /// The trigger does not take events now: it is paused, or its source is not armed.
    static let notArmed = HubCode(rawValue: "HB623")
    /// The hub cannot take more events now.
    static let busy = HubCode(rawValue: "HB624")
    /// Requests cannot be verified now: a secret or a key is not to be had.
    static let unverifiable = HubCode(rawValue: "HB625")
    /// The content of a request is not what the trigger takes.
    static let invalidContent = HubCode(rawValue: "HB626")
    /// The content of a request is too large.
    static let contentTooLarge = HubCode(rawValue: "HB627")
    /// An event was taken and is wrong.
    static let eventRejected = HubCode(rawValue: "HB628")
    /// The content has a media type that is not read.
    static let unsupportedContent = HubCode(rawValue: "HB629")
    /// A request to an operation needs an idempotency key.
    static let keyMissing = HubCode(rawValue: "HB630")
    /// The caller may not call an operation.
    static let forbidden = HubCode(rawValue: "HB632")
    /// The answer of a trigger cannot be computed.
    static let answerFailed = HubCode(rawValue: "HB633")
}
