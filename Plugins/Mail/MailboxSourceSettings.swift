internal import ConnectorKit
internal import Values

/// The parameters of a source, checked.
struct MailboxSourceSettings: Sendable {
    /// What becomes of a message that was taken.
    enum Done: Sendable, Hashable {
        case seen
        case delete
        case move(String)
        /// Nothing: where the source stands is kept on our side.
        case keep
    }

    /// Where a source begins that keeps its place and has none yet.
    enum Start: String, CaseIterable, Sendable {
        case earliest, latest
    }

    var mailbox = "INBOX"
    var poll = Duration.seconds(60)
    var done = Done.seen
    var start = Start.earliest
    /// The messages to emit again, instead of what is new.
    var replay: MailboxRange?
    /// Where messages go that are not taken.
    var failed = "Failed"
    var search: IMAPSearch
    var messageBytesMax: Int
    var attachmentBytesMax = 8 << 20

    init(_ parameters: Value, replay: Value? = nil, messageBytesMax: Int) throws {
        self.messageBytesMax = messageBytesMax
        let range = try replay.map { try MailboxRange($0) }
        self.replay = range
        let reader = FieldReader(parameters, path: "mailbox", code: ConnectorError.Code.invalidParameters)
        self.mailbox = reader.string("mailbox") ?? self.mailbox
        self.poll = reader.duration("poll") ?? self.poll
        if self.poll < .milliseconds(100) { reader.add("mailbox.poll: expected at least 100ms.") }
        self.attachmentBytesMax = reader.bytes("maxAttachments") ?? self.attachmentBytesMax
        // Unless told otherwise, what was seen is done.
        let unseen = reader.boolean("unseen")
        let keeps = reader.value("done")?["keep"] == true
        let takesSeen = unseen == false || (unseen == nil && keeps)
        self.search = IMAPSearch(reader, unseen: takesSeen || range != nil ? nil : true)
        if let done = reader.object("done") {
            let choices = ["seen", "delete", "move", "keep"].filter { done.has($0) }
            if choices.count != 1 { done.add("mailbox.done: expected one of seen, delete, move and keep.") }
            if done.boolean("keep") == true { self.done = .keep }
            if done.boolean("delete") == true { self.done = .delete }
            if let name = done.string("move") { self.done = .move(name) }
            _ = done.boolean("seen")
            done.finish()
        }
        if takesSeen, self.done == .seen {
            reader.add(
                "mailbox.done: with unseen: false, messages must be moved, deleted, or kept with keep; they would come "
                    + "again for ever.")
        }
        if let start = reader.word("start", of: Start.self) {
            self.start = start
            if self.done != .keep { reader.add("mailbox.start needs done: { keep: true }.") }
        }
        if let failed = reader.object("failed") {
            failed.require("move")
            self.failed = failed.string("move") ?? self.failed
            failed.finish()
        }
        for name in [self.mailbox, self.failed] where IMAPText.mailbox(name) == nil {
            reader.add("mailbox: \"\(name.prefix(80).filter { !$0.isNewline })\" is no name of a mailbox.")
        }
        if self.failed == self.mailbox || self.done == .move(self.mailbox) {
            reader.add("mailbox: expected other mailboxes in done and failed.")
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }
}
