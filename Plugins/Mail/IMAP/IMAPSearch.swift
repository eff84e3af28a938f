internal import ConnectorKit
internal import Values

/// Criteria of a search (RFC 3501, 6.4.4), all of which must hold.
struct IMAPSearch: Sendable {
    /// What is sent, in order.
    private(set) var parts: [IMAPSession.Part] = [.text("UNDELETED")]

    private static let textBytesMax = 1_000

    /// JSON Schema of the criteria.
    static let schema: ValueContext = [
        "unseen": ["type": "boolean"], "flagged": ["type": "boolean"],
        "from": ["type": "string"], "to": ["type": "string"], "subject": ["type": "string"],
        "text": ["type": "string", "description": "Anywhere in the message."],
        "since": ["type": "string", "description": "Received on this day or later: 2026-03-07."],
        "before": ["type": "string", "description": "Received before this day."],
        "uidFrom": ["type": "integer", "description": "This UID or a later one."],
    ]

    /// Reads the criteria out of an input; what is wrong is added to `reader`.
    init(_ reader: FieldReader) { self.init(reader, unseen: reader.boolean("unseen")) }

    /// The same, `unseen` being decided.
    init(_ reader: FieldReader, unseen: Bool?) {
        if let unseen { self.parts.append(.text(unseen ? "UNSEEN" : "SEEN")) }
        if let flagged = reader.boolean("flagged") { self.parts.append(.text(flagged ? "FLAGGED" : "UNFLAGGED")) }
        for key in ["from", "to", "subject", "text"] {
            guard let text = reader.string(key) else { continue }
            self.parts.append(.text(key.uppercased()))
            if text.utf8.count > Self.textBytesMax || text.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
                reader.add("\(reader.path).\(key): expected one short line without control characters.")
            } else if let quoted = IMAPText.quoted(text) {
                self.parts.append(.text(quoted))
            } else {
                self.parts.append(.literal(Array(text.utf8)))
            }
        }
        for key in ["since", "before"] {
            guard let text = reader.string(key) else { continue }
            if let day = IMAPText.day(text) {
                self.parts.append(.text("\(key.uppercased()) \(day)"))
            } else {
                reader.add("\(reader.path).\(key): expected a day such as 2026-03-07.")
            }
        }
        if let uid = reader.integer("uidFrom", in: 1...4_294_967_295) { self.parts.append(.text("UID \(uid):*")) }
    }
}
