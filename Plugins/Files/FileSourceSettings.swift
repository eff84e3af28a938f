internal import ConnectorKit
internal import Values

/// The `file` block of a trigger, checked.
struct FileSourceSettings: Sendable {
    /// What of a file makes its records the same as those seen before.
    enum Identity: String, CaseIterable, Sendable {
        case path, size, mtime, inode, content
    }

    /// Relative to the connection's root, or absolute and below it.
    var directory = ""
    var patterns: [Glob] = []
    /// How long a candidate must not have changed.
    var quietFor = Duration.seconds(2)
    /// At how many looks it must have been the same.
    var checks = 2
    /// Instead of both: a file beside it whose name is this around its own.
    var marker: (prefix: String, suffix: String)?
    /// Names of directories inside `directory`.
    var processing = ".processing"
    var archive: String? = "archive"
    var failed = "failed"
    /// Everything is looked at this often, whatever the kernel tells.
    var rescan = Duration.seconds(60)
    var identity: [Identity] = [.path, .size, .mtime, .inode]
    var decoding: RecordDecoding
    var fileBytesMaximum: Int

    /// Reads the parameters.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ parameters: Value, decoding: RecordDecoding, fileBytesMaximum: Int) throws {
        self.decoding = decoding
        self.fileBytesMaximum = fileBytesMaximum
        let reader = FieldReader(parameters, path: "file", code: ConnectorError.Code.invalidParameters)
        reader.require("dir")
        self.directory = reader.string("dir") ?? ""
        for pattern in reader.strings("pattern") ?? ["*"] {
            if let glob = Glob(pattern) {
                self.patterns.append(glob)
            } else {
                reader.add("file.pattern: \"\(pattern.prefix(80))\" is no pattern.")
            }
        }
        if let stable = reader.object("stable") {
            self.quietFor = stable.duration("quietFor") ?? self.quietFor
            self.checks = stable.integer("checks", in: 1...1_000) ?? self.checks
            if let marker = stable.string("orMarker") { self.marker = Self.marker(marker, stable) }
            stable.finish()
        }
        self.processing = Self.name(reader, "claim", "rename") ?? self.processing
        if let done = reader.object("done") {
            if done.boolean("delete") == true {
                if done.has("move") { done.add("file.done: expected either move or delete but found both.") }
                self.archive = nil
            } else {
                self.archive = Self.checked(done.string("move"), done, "move") ?? self.archive
            }
            done.finish()
        }
        self.failed = Self.name(reader, "failed", "move") ?? self.failed
        self.rescan = reader.duration("rescan") ?? self.rescan
        self.identity = reader.words("identity", of: Identity.self) ?? self.identity
        if self.identity.isEmpty || self.rescan <= .zero {
            reader.add("file: expected a rescan above 0 and at least one word in identity.")
        }
        if Set([self.processing, self.archive ?? "", self.failed]).count < 3 {
            reader.add("file: expected different directories in claim, done and failed.")
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    /// Time between looks at a candidate, so that `checks` looks fit into `quietFor`.
    var lookInterval: Duration {
        self.checks > 1 ? self.quietFor / (self.checks - 1) : self.quietFor
    }

    /// The name of the marker that says that `name` is complete.
    func markerName(for name: String) -> String? {
        self.marker.map { $0.prefix + name + $0.suffix }
    }

    /// Whether `name` is that of a marker.
    func isMarker(_ name: String) -> Bool {
        guard let marker = self.marker else { return false }
        return name.count > marker.prefix.count + marker.suffix.count && name.hasPrefix(marker.prefix)
            && name.hasSuffix(marker.suffix)
    }

    private static func marker(_ text: String, _ reader: FieldReader) -> (prefix: String, suffix: String)? {
        let parts = text.split(separator: "{name}", omittingEmptySubsequences: false)
        guard parts.count == 2, text != "{name}", !text.contains("/") else {
            reader.add("file.stable.orMarker: expected a name with {name} in it, such as {name}.done.")
            return nil
        }
        return (String(parts[0]), String(parts[1]))
    }

    private static func name(_ reader: FieldReader, _ block: String, _ key: String) -> String? {
        guard let fields = reader.object(block) else { return nil }
        let name = Self.checked(fields.string(key), fields, key)
        fields.finish()
        return name
    }

    /// A single name: the directories must be on the same file system, right inside the watched one.
    private static func checked(_ name: String?, _ reader: FieldReader, _ key: String) -> String? {
        guard let name else { return nil }
        if name.isEmpty || name == "." || name == ".." || name.contains("/") {
            reader.add(
                "\(reader.path).\(key): expected the name of a directory inside dir but found \"\(name.prefix(80))\".")
            return nil
        }
        return name
    }
}
