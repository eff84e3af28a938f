import Values

/// What a message about the objects of a store says.
enum ObjectNotice: Sendable {
    /// Objects that were made.
    case created([ObjectReference])
    /// Something else that is no news: a test, or that an object is gone.
    case other
    /// No notification at all.
    case unknown

    /// Reads a notification of S3.
    init(_ value: Value) {
        if value["Event"] == "s3:TestEvent" {
            self = .other
            return
        }
        guard let records = value["Records"]?.asList else {
            self = .unknown
            return
        }
        var found: [ObjectReference] = []
        for record in records {
            guard let name = record["eventName"]?.asString, let bucket = record["s3"]?["bucket"]?["name"]?.asString,
                let object = record["s3"]?["object"], let key = object["key"]?.asString
            else {
                self = .unknown
                return
            }
            guard name.hasPrefix("ObjectCreated:") || name.hasPrefix("s3:ObjectCreated:") else { continue }
            found.append(
                ObjectReference(
                    bucket: bucket, key: URLEncoding.decode(key, isForm: true),
                    version: object["versionId"]?.asString.flatMap { $0 == "null" ? nil : $0 },
                    etag: object["eTag"]?.asString.map { ObjectReference.plain(etag: $0) },
                    size: object["size"]?.asInt64,
                    modified: record["eventTime"]?.asString.flatMap { Timestamp.milliseconds($0) },
                    sequencer: object["sequencer"]?.asString))
        }
        self = found.isEmpty ? .other : .created(Self.ordered(found))
    }

    /// In the order they came, those of one key in the order of their sequencers.
    private static func ordered(_ found: [ObjectReference]) -> [ObjectReference] {
        let places = Dictionary(grouping: found.indices) { found[$0].bucket + "/" + found[$0].key }
        var ordered = found
        for indices in places.values where indices.count > 1 {
            let sorted = indices.map { found[$0] }.sorted { $0.rank < $1.rank }
            for (index, reference) in zip(indices, sorted) { ordered[index] = reference }
        }
        return ordered
    }
}

/// One object of a store, as a notification or a listing names it.
struct ObjectReference: Sendable, Hashable {
    var bucket: String
    var key: String
    /// Of a bucket that keeps versions.
    var version: String?
    var etag: String?
    var size: Int64?
    /// When it was made; Unix milliseconds.
    var modified: Int64?
    /// Grows with the writes to one key.
    var sequencer: String?

    /// Sequencers compare as texts of one length, shorter ones filled with zeros in front.
    fileprivate var rank: String {
        let text = self.sequencer ?? ""
        return String(repeating: "0", count: max(0, 64 - text.utf8.count)) + text
    }

    /// An entity tag without quotes.
    static func plain(etag: String) -> String { etag.filter { $0 != "\"" } }

    /// How a listing recognises what is done.
    var mark: String { self.key + "\u{0}" + (self.etag ?? "") }
}
