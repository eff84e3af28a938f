internal import ConnectorKit
internal import SQLSupport
internal import Values

/// The parameters of a source of changes, checked.
struct ChangeSettings: Sendable {
    enum Snapshot: String, CaseIterable, Sendable {
        /// The rows that are there, once, then the changes.
        case initial
        /// The changes from now on.
        case never
        /// The rows that are there, and no changes.
        case only
    }

    enum SlotLoss: String, CaseIterable, Sendable {
        /// A person has to decide.
        case fail
        /// A new slot, and all rows again.
        case snapshot
    }

    struct Heartbeat: Sendable, Hashable {
        var every: Duration
        /// Run in place of an empty message to the log.
        var statement: String?
    }

    var slot = ""
    var publication = ""
    var tables: [String] = []
    var snapshot = Snapshot.initial
    var heartbeat: Heartbeat?
    var lagBytesMaximum: Int?
    var createsPublication = true
    var onSlotLoss = SlotLoss.fail
    var outbox: OutboxSettings?

    /// Reads the parameters.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        self.outbox = OutboxSettings(reader.object("outbox"))
        self.tables = reader.strings("tables") ?? []
        self.snapshot = reader.word("snapshot", of: Snapshot.self) ?? self.snapshot
        self.slot = reader.string("slot") ?? ""
        self.publication = reader.string("publication") ?? ""
        self.lagBytesMaximum = reader.bytes("maxLagBytes")
        self.createsPublication = reader.boolean("createPublication") ?? self.createsPublication
        self.onSlotLoss = reader.word("onSlotLoss", of: SlotLoss.self) ?? self.onSlotLoss
        self.heartbeat = Self.heartbeat(reader)
        if self.outbox?.mode != .poll {
            if self.snapshot != .only {
                reader.require("slot")
                reader.require("publication")
            }
            if let outbox, self.tables.isEmpty { self.tables = [outbox.table] }
            if let outbox, self.tables != [outbox.table] {
                reader.add("parameters.tables: with outbox, its table is the only one.", "Leave tables out.")
            }
            if self.snapshot == .only, self.tables.isEmpty { reader.require("tables") }
        } else if reader.keys() != ["outbox"] {
            reader.add(
                "parameters: an outbox of mode poll needs no slot, and nothing else beside it.",
                "Leave everything but outbox out, or use mode: cdc.")
        }
        self.checkNames(reader)
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private static func heartbeat(_ reader: FieldReader) -> Heartbeat? {
        guard let value = reader.value("heartbeat") else { return nil }
        guard value.asContext != nil else {
            guard let every = reader.duration("heartbeat") else { return nil }
            if every < .seconds(1) { reader.add("parameters.heartbeat: expected at least 1s.") }
            return Heartbeat(every: every)
        }
        guard let object = reader.object("heartbeat") else { return nil }
        object.require("every")
        let every = object.duration("every") ?? .seconds(30)
        if every < .seconds(1) { object.add("parameters.heartbeat.every: expected at least 1s.") }
        let statement = object.string("statement")
        if let statement, let problem = PostgresWords.problem(statement, inTransaction: false) {
            object.add("parameters.heartbeat.statement: it \(problem).", "Give one UPDATE or INSERT.")
        }
        object.finish()
        return Heartbeat(every: every, statement: statement)
    }

    private func checkNames(_ reader: FieldReader) {
        let letters = self.slot.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        if !letters || self.slot.utf8.count > 63 {
            reader.add("parameters.slot: expected at most 63 lower-case letters, digits and underscores.")
        }
        if self.publication.utf8.count > 63 || self.publication.utf8.contains(0) {
            reader.add("parameters.publication: expected a name of at most 63 bytes.")
        }
        if self.tables.count > 1_000 { reader.add("parameters.tables: expected at most 1000.") }
        for table in self.tables where !Self.isTable(table) {
            reader.add(
                "parameters.tables: expected names such as public.orders but found \"\(table.prefix(80))\".")
        }
        if let outbox, !Self.isTable(outbox.table) {
            reader.add("parameters.outbox.table: expected a name such as public.outbox.")
        }
    }

    private static func isTable(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count <= 2 && !name.utf8.contains(0)
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.count <= 63 }
    }
}
