/// The codes of the hub's diagnostics, errors and dead letters; each has a page in `docs/errors/`.
///
/// A struct, not an enum: new codes can be added.
public struct HubCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The code as shown.
    public let rawValue: String

    /// A code by its name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The code as shown.
    public var description: String { self.rawValue }

    // MARK: Documents

    /// The text is not YAML.
    public static let syntax = HubCode(rawValue: "HB101")
    /// The document is too large, too deep or repeats itself too often.
    public static let tooLarge = HubCode(rawValue: "HB102")
    /// A feature of YAML that is not read: tags, merge keys, several documents, keys that are not text.
    public static let unsupportedYAML = HubCode(rawValue: "HB103")
    /// A key stands twice in one mapping.
    public static let duplicateKey = HubCode(rawValue: "HB104")
    /// A key that means nothing here.
    public static let unknownKey = HubCode(rawValue: "HB105")
    /// A required key is missing.
    public static let missingKey = HubCode(rawValue: "HB106")
    /// A value of the wrong type, outside its range, or not one of the words allowed.
    public static let invalidValue = HubCode(rawValue: "HB107")
    /// A FEEL expression does not compile.
    public static let invalidExpression = HubCode(rawValue: "HB108")
    /// Right in principle, but not supported by this version.
    public static let notSupported = HubCode(rawValue: "HB109")
    /// Parts of the configuration contradict each other.
    public static let contradiction = HubCode(rawValue: "HB110")
    /// A file could not be read.
    public static let unreadable = HubCode(rawValue: "HB111")

    // MARK: Events

    /// A record or event could not be decoded.
    public static let malformed = HubCode(rawValue: "HB201")
    /// A record does not match the trigger's schema.
    public static let schemaViolation = HubCode(rawValue: "HB203")
    /// The trigger's filter gave no verdict.
    public static let filterFailed = HubCode(rawValue: "HB204")
    /// The dedupe key of a record cannot be computed.
    public static let noDedupeKey = HubCode(rawValue: "HB205")
    /// The start variables of a record cannot be computed.
    public static let transformFailed = HubCode(rawValue: "HB206")
    /// The engine refuses the start for good.
    public static let startRefused = HubCode(rawValue: "HB207")

    /// An event waits behind a dead letter of its ordering key.
    public static let parkedBehind = HubCode(rawValue: "HB208")
    /// Nobody waits for a message that must reach somebody.
    public static let nobodyWaits = HubCode(rawValue: "HB209")
    /// Several instances wait for a message that is for one.
    public static let severalWait = HubCode(rawValue: "HB210")
    /// The instance an event started did not end in the time its source waits.
    public static let notCompleted = HubCode(rawValue: "HB211")
    /// The operation an event calls failed for good.
    public static let callRefused = HubCode(rawValue: "HB212")

    // MARK: Calls and operations

    /// A connection, connector, operation or trigger of this name does not exist.
    public static let unknownName = HubCode(rawValue: "HB301")
    /// A connector call failed for good.
    public static let callFailed = HubCode(rawValue: "HB303")
    /// A dead letter cannot be replayed or discarded in its state.
    public static let deadLetterState = HubCode(rawValue: "HB304")
    /// A call that must not be made twice was interrupted.
    public static let interrupted = HubCode(rawValue: "HB307")
    /// A failure that was injected on purpose.
    public static let injected = HubCode(rawValue: "HB306")
    /// The vault of secrets, or its key, cannot be used.
    public static let secretVault = HubCode(rawValue: "HB308")
    /// There is no dead letter of this key.
    public static let unknownLetter = HubCode(rawValue: "HB311")
    /// A dead letter descends from itself.
    public static let replayCycle = HubCode(rawValue: "HB312")
    /// A patch does not apply to the payload of a dead letter, or what comes out is not what is to be sent.
    public static let patchFailed = HubCode(rawValue: "HB313")
    /// The job of a dead letter has ended.
    public static let jobEnded = HubCode(rawValue: "HB314")
    /// The oldest open dead letter has waited too long.
    public static let lettersTooOld = HubCode(rawValue: "HB315")
    /// Too many dead letters came in a period.
    public static let lettersTooMany = HubCode(rawValue: "HB316")
    /// The records of dead letters cannot be read.
    public static let lettersUnreadable = HubCode(rawValue: "HB317")
    /// What operators imposed on circuit breakers cannot be kept.
    public static let breakersUnstorable = HubCode(rawValue: "HB318")
    /// The engine does not take a replay now.
    public static let replayFailed = HubCode(rawValue: "HB305")
}
