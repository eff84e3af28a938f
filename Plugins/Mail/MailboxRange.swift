internal import ConnectorKit
internal import Values

/// The messages to emit again: those of a range of UIDs, or received in a span of time.
struct MailboxRange: Sendable, Hashable {
    private var uids: ClosedRange<UInt32>?
    private var uidValidity: UInt32?
    private var from: Int64?
    private var to: Int64?

    /// Reads `{ from, to }`: `{ uid, uidValidity }`, or a day or moment; `to` may be left out, and a moment is not part
    /// of its range.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ value: Value) throws {
        let reader = FieldReader(value, path: "replay", code: ConnectorError.Code.invalidParameters)
        reader.require("from")
        if case .context? = reader.value("from") {
            let first = self.uid(reader, "from") ?? 1
            let last = reader.has("to") ? self.uid(reader, "to") ?? .max : .max
            if first > last { reader.add("replay: from comes after to.") }
            self.uids = first...max(first, last)
        } else {
            self.from = Self.moment(reader, "from")
            self.to = Self.moment(reader, "to")
            if let from, let to, from >= to { reader.add("replay: from comes after to.") }
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private mutating func uid(_ reader: FieldReader, _ key: String) -> UInt32? {
        guard let fields = reader.object(key) else { return nil }
        fields.require("uid")
        let uid = fields.integer("uid", in: 1...Int(UInt32.max)).map { UInt32(clamping: $0) }
        if let validity = fields.integer("uidValidity", in: 1...Int(UInt32.max)) {
            self.uidValidity = UInt32(clamping: validity)
        }
        fields.finish()
        return uid
    }

    private static func moment(_ reader: FieldReader, _ key: String) -> Int64? {
        guard let text = reader.string(key) else { return nil }
        if let moment = Timestamp.milliseconds(text) ?? Timestamp.milliseconds(text + "T00:00:00Z") { return moment }
        reader.add(
            "replay.\(key): expected { uid }, a day such as 2026-03-07, or a moment such as 2026-03-07T10:00:00Z.")
        return nil
    }

    /// Throws when the server has given its messages other numbers since.
    func check(_ uidValidity: UInt32, of mailbox: String) throws {
        guard let wanted = self.uidValidity, wanted != uidValidity else { return }
        throw ConnectorError(
            .conflict, code: MailErrors.Code.renumbered,
            "The UIDVALIDITY of \"\(mailbox)\" is \(uidValidity), not \(wanted): its messages have other numbers now.",
            remedy: "Replay by the time of receipt instead.")
    }

    /// What a search has to ask: whole days, a day more at each end, since servers count days in zones of their own.
    var criteria: [IMAPSession.Part] {
        if let uids { return [.text("UID \(uids.lowerBound):\(uids.upperBound == .max ? "*" : "\(uids.upperBound)")")] }
        let day: (Int64, Int64) -> String? = { moment, days in
            IMAPText.day(String(Timestamp.text(moment + days * 86_400_000).prefix(10)))
        }
        return [
            self.from.flatMap { day($0, -1) }.map { "SINCE \($0)" },
            self.to.flatMap { day($0, 2) }.map { "BEFORE \($0)" },
        ]
        .compactMap { $0.map { .text($0) } }
    }

    func contains(_ message: IMAPSession.Summary) -> Bool {
        if let uids { return uids.contains(message.uid) }
        guard let received = message.receivedMilliseconds else { return true }
        return received >= self.from ?? .min && received < self.to ?? .max
    }
}
