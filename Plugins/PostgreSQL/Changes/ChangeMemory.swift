internal import Values

/// What a source of changes remembers between its lives: everything else the slot does.
struct ChangeMemory: Sendable, Hashable {
    var slot: String
    /// Where the slot began, and the snapshot with it: part of the ids of its rows.
    var origin: LogPosition
    var progress = SnapshotProgress()

    init(slot: String, origin: LogPosition, progress: SnapshotProgress = SnapshotProgress()) {
        self.slot = slot
        self.origin = origin
        self.progress = progress
    }

    /// Reads what `value` wrote; `nil` for anything else.
    init?(_ value: Value?) {
        guard let context = value?.asContext, let slot = context["slot"]?.asString,
            let origin = context["origin"]?.asString.flatMap({ LogPosition($0) })
        else { return nil }
        self.slot = slot
        self.origin = origin
        self.progress = SnapshotProgress(
            table: context["table"]?.asString, after: context["after"]?.asList?.compactMap(\.asString) ?? [],
            isDone: context["isDone"]?.asBoolean ?? false)
    }

    var value: Value {
        [
            "slot": .string(self.slot), "origin": .string(self.origin.description),
            "isDone": .boolean(self.progress.isDone), "table": self.progress.table.map { .string($0) } ?? .null,
            "after": .list(self.progress.after.map { .string($0) }),
        ]
    }
}
