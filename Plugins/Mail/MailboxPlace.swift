internal import ConnectorKit
internal import Values

/// Where a source stands in a mailbox that it only reads: every message up to a UID is done with.
///
/// Moves over what is done without a gap; what is done beyond a gap is remembered, but not saved.
struct MailboxPlace: Sendable {
    private(set) var uidValidity: UInt32
    var uid: UInt32 = 0
    /// When the newest message that is done with was received.
    private var received: Int64?
    /// After the server numbered anew: what was received before this day was done with under the old numbers.
    private var since: String?
    private var found: Set<UInt32> = []
    private var settled: Set<UInt32> = []

    init(uidValidity: UInt32) { self.uidValidity = uidValidity }

    /// Takes up what was saved.
    ///
    /// Throws a `ConnectorError` when it was saved by something else.
    init(_ saved: Value) throws {
        guard saved["version"] == 1, let uidValidity = saved["uidValidity"]?.asInt64, let uid = saved["uid"]?.asInt64
        else {
            throw ConnectorError(
                .conflict, code: MailErrors.Code.foreignPlace, "The saved position is none of a mailbox.",
                remedy: "Give the trigger an id of its own.")
        }
        self.uidValidity = UInt32(clamping: uidValidity)
        self.uid = UInt32(clamping: uid)
        self.received = saved["receivedAtMilliseconds"]?.asInt64
        self.since = saved["since"]?.asString
    }

    var saved: Value {
        var fields: ValueContext = [
            "version": 1, "uidValidity": .number(Number(Int64(self.uidValidity))),
            "uid": .number(Number(Int64(self.uid))),
        ]
        fields["receivedAtMilliseconds"] = self.received.map { .number(Number($0)) }
        fields["since"] = self.since.map { .string($0) }
        return .context(fields)
    }

    /// The server numbers its messages by `uidValidity`.
    ///
    /// When it numbered anew, everything begins again, except what was received days before what was done with: servers
    /// keep that time.
    mutating func note(_ uidValidity: UInt32) {
        guard uidValidity != self.uidValidity else { return }
        self.uidValidity = uidValidity
        self.uid = 0
        self.found = []
        self.settled = []
        // A day earlier: servers search by days of their own zone.
        self.since = self.received.map { String(Timestamp.text($0 - 86_400_000).prefix(10)) }
    }

    func noting(_ uidValidity: UInt32) -> MailboxPlace {
        var place = self
        place.note(uidValidity)
        return place
    }

    /// What a search for new messages has to ask.
    var criteria: [IMAPSession.Part] {
        var parts: [IMAPSession.Part] = []
        if self.uid > 0 { parts.append(.text("UID \(min(self.uid, .max - 1) + 1):*")) }
        if let day = self.since.flatMap({ IMAPText.day($0) }) { parts.append(.text("SINCE \(day)")) }
        return parts
    }

    /// These are in the mailbox; others that were are gone, and hold nothing up.
    mutating func found(_ uids: [UInt32]) {
        // `n:*` finds the last one also when it lies before.
        self.found = Set(uids.filter { $0 > self.uid })
        self.settled.formIntersection(self.found)
    }

    func wants(_ uid: UInt32) -> Bool { uid > self.uid && !self.settled.contains(uid) }

    /// These are done with; returns whether the place has moved.
    mutating func settle(_ uids: [UInt32], received: Int64?) -> Bool {
        self.settled.formUnion(uids.filter { $0 > self.uid })
        let open = self.found.subtracting(self.settled).min() ?? .max
        guard let reached = self.settled.filter({ $0 < open }).max() else { return false }
        self.uid = reached
        if let received { self.received = max(received, self.received ?? received) }
        self.settled = self.settled.filter { $0 > reached }
        self.found = self.found.filter { $0 > reached }
        return true
    }
}
