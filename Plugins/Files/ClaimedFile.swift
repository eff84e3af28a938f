internal import ConnectorKit
internal import Values

/// A file in the processing directory.
///
/// Belongs to its source alone.
final class ClaimedFile {
    /// The content, and how far it was read.
    struct Reader {
        private(set) var decoder: RecordDecoder
        var index = 0
        /// The record after those handed out; `nil` when there is none.
        private var upcoming: DecodedRecord?
        /// Digest of the content, for identities that want it.
        let digest: UInt64

        init(_ bytes: [UInt8], name: String, decoding: RecordDecoding) {
            self.digest = StableHash.fnv1a64(bytes)
            self.decoder = RecordDecoder(bytes, name: name, decoding: decoding)
            self.upcoming = self.decoder.next()
        }

        /// Whether every record was handed out.
        var isAtEnd: Bool { self.upcoming == nil }

        mutating func next() -> DecodedRecord? {
            guard let record = self.upcoming else { return nil }
            self.upcoming = self.decoder.next()
            return record
        }
    }

    /// What it was called when it was dropped.
    let name: String
    /// What it is called now: inode and time of the drop before its name, so that two files of one name do not meet.
    let claimedName: String
    var entry: RootDirectory.Entry
    var reader: Reader?
    var notBefore: Duration?
    var outstandingBatches = 0
    var isRead = false
    var isFailed = false

    private static let separator: Character = "~"

    /// For a file about to be claimed.
    init(claiming entry: RootDirectory.Entry) {
        self.entry = entry
        let token = String(entry.inode, radix: 36) + "-" + String(entry.modifiedNanoseconds, radix: 36)
        // File names have at most 255 bytes; the end, with the extension, is worth more than the start.
        var name = Substring(entry.name)
        while name.utf8.count + token.utf8.count + 1 > 255 { name.removeFirst() }
        self.name = String(name)
        self.claimedName = token + String(Self.separator) + name
    }

    /// For a file found in the processing directory.
    init(claimedName: String, entry: RootDirectory.Entry) {
        self.claimedName = claimedName
        self.entry = entry
        if let separator = claimedName.firstIndex(of: Self.separator) {
            self.name = String(claimedName[claimedName.index(after: separator)...])
        } else {
            // Not put there by a source; read all the same, since nobody else will.
            self.name = claimedName
        }
    }

    /// Forgets what was read.
    func startAgain(notBefore: Duration) {
        self.reader = nil
        self.notBefore = notBefore
        self.isRead = false
        self.isFailed = false
    }

    // MARK: - Events

    func event(_ record: DecodedRecord, _ reader: inout Reader, _ settings: FileSourceSettings) -> SourceEvent {
        reader.index += 1
        var coordinates = self.coordinates(settings)
        coordinates["line"] = .number(Number(Int64(record.line)))
        coordinates["record"] = .number(Number(Int64(reader.index)))
        return SourceEvent(
            id: self.identity(settings, digest: reader.digest) + "#\(reader.index)",
            payload: reader.decoder.payload(of: record), contentType: reader.decoder.contentType,
            body: record.body, coordinates: coordinates, headers: reader.decoder.headers,
            occurredAtMilliseconds: self.entry.modifiedNanoseconds / 1_000_000)
    }

    /// The one event of a file that is not even opened.
    func refusal(_ reason: String, _ settings: FileSourceSettings) -> SourceEvent {
        // The name on disk is of no interest to anybody; the dropped name is.
        let words = reason.replacing(self.claimedName, with: self.name)
        return SourceEvent(
            id: self.identity(settings, digest: 0) + "#0", payload: [], contentType: "application/octet-stream",
            body: .undecodable(.init(line: 1, reason: words)), coordinates: self.coordinates(settings),
            occurredAtMilliseconds: self.entry.modifiedNanoseconds / 1_000_000)
    }

    private func coordinates(_ settings: FileSourceSettings) -> ValueContext {
        [
            "directory": .string(settings.directory), "file": .string(self.name),
            "size": .number(Number(Int64(self.entry.size))), "inode": .string(String(self.entry.inode)),
            "modified": self.entry.modified,
        ]
    }

    private func identity(_ settings: FileSourceSettings, digest: UInt64) -> String {
        settings.identity.map { part in
            switch part {
            case .path: settings.directory + "/" + self.name
            case .size: String(self.entry.size)
            case .mtime: String(self.entry.modifiedNanoseconds)
            case .inode: String(self.entry.inode)
            case .content: String(digest, radix: 16)
            }
        }.joined(separator: "|")
    }
}
