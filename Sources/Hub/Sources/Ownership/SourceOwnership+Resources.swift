import HubDocuments
public import Values

extension SourceOwnership {
    /// What a source of a type owns beside its trigger: names that no two triggers may share.
    ///
    /// - `file:<connection>/<dir>/<pattern>`, one for each pattern,
    /// - `amqp:<connection>/<queue>`, `redis:<connection>/<stream>/<group>`, `sqs:<connection>/<queueUrl>`,
    ///   `kafka:<connection>/<group>/<topic>`, one for each topic: two triggers would take each other's events away,
    /// - `object:<connection>/<bucket>/<prefix>`, `mailbox:<connection>/<mailbox>`,
    /// - `slot:<connection>/<slot>` of PostgreSQL's logical replication,
    /// - `webhook:<path>`, for CloudEvents too, and `api:<operation>`.
    ///
    /// Types whose events go to everybody who listens own nothing. `parameters` are those of the source, with its
    /// expressions evaluated; what is missing or of the wrong type gives no name.
    public static func resources(of type: String, connection: String?, parameters: Value) -> [String] {
        let at = connection ?? ""
        func text(_ key: String) -> String? { parameters[key]?.asString }
        func texts(_ key: String) -> [String] {
            guard let value = parameters[key] else { return [] }
            return (value.asList ?? [value]).compactMap(\.asString)
        }
        switch type {
        case "file":
            guard let directory = text("dir") else { return [] }
            let patterns = texts("pattern")
            return (patterns.isEmpty ? ["*"] : patterns).map { "file:\(at)/\(Self.folder(directory))\($0)" }
        case "amqp": return text("queue").map { ["amqp:\(at)/\($0)"] } ?? []
        case "redis": return text("stream").map { ["redis:\(at)/\($0)/\(text("group") ?? "")"] } ?? []
        case "sqs": return ["sqs:\(at)/\(text("queueUrl") ?? text("queue") ?? "")"]
        case "kafka": return texts("topics").map { "kafka:\(at)/\(text("group") ?? "")/\($0)" }
        case "objectStore": return text("bucket").map { ["object:\(at)/\($0)/\(text("prefix") ?? "")"] } ?? []
        case "imap": return ["mailbox:\(at)/\(text("mailbox") ?? "INBOX")"]
        case "postgresCdc": return text("slot").map { ["slot:\(at)/\($0)"] } ?? []
        case "webhook", "cloudevents": return text("path").map { ["webhook:\(Self.path($0))"] } ?? []
        case "api": return text("operation").map { ["api:\($0)"] } ?? []
        default: return []
        }
    }

    /// Whether only one node may read a source of a type at a time.
    ///
    /// Not so where the remote shares events out (queues, consumer groups, requests), and where every node may claim
    /// things for itself.
    public static func needsOneReader(_ type: String) -> Bool {
        switch type {
        case "webhook", "cloudevents", "api", "kafka", "amqp", "redis", "sqs": false
        default: true
        }
    }

    /// What is owned by two triggers: HB611, for each resource and each trigger after the first.
    ///
    /// Two patterns for the files of one directory are the same thing when one name can match both.
    public static func conflicts(_ triggers: [(trigger: String, resources: [String])]) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        var owners: [(resource: String, trigger: String)] = []
        for (trigger, resources) in triggers {
            for resource in resources {
                let other = owners.first { $0.trigger != trigger && Self.areSame($0.resource, resource) }
                if let other {
                    let same = other.resource == resource ? resource : "\(resource) (\(other.resource))"
                    diagnostics.append(
                        Diagnostic(
                            code: HubCode.ownedTwice.rawValue, severity: .error,
                            message: "The triggers \(other.trigger) and \(trigger) both read \(same).",
                            remedy: "Let one trigger read it, or give each its own path, queue or slot."))
                }
                owners.append((resource, trigger))
            }
        }
        return diagnostics
    }

    private static func areSame(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        guard one.hasPrefix("file:"), other.hasPrefix("file:"), let slash = one.lastIndex(of: "/"),
            let otherSlash = other.lastIndex(of: "/"), one[...slash] == other[...otherSlash]
        else { return false }
        return PatternOverlap.exists(String(one[slash...].dropFirst()), String(other[otherSlash...].dropFirst()))
    }

    /// A directory below the connection's root in one spelling: empty, or with a slash at its end.
    private static func folder(_ directory: String) -> String {
        let steps = directory.split(separator: "/").filter { $0 != "." }
        let root = directory.hasPrefix("/") ? "/" : ""
        return steps.isEmpty ? root : root + steps.joined(separator: "/") + "/"
    }

    /// A path of a URL in one spelling.
    private static func path(_ path: String) -> String {
        "/" + path.split(separator: "/").joined(separator: "/")
    }
}

/// Whether two patterns for file names (`*`, `?`) have a name in common.
enum PatternOverlap {
    /// Brackets count as any one character, so that the answer may be true for patterns that nearly meet.
    static func exists(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Self.parts(one), Self.parts(other))
        // reach[j]: the first i parts of one and the first j of the other have a text in common.
        var reach = [Bool](repeating: false, count: other.count + 1)
        for i in 0...one.count {
            var row = [Bool](repeating: false, count: other.count + 1)
            for j in 0...other.count {
                if i == 0, j == 0 {
                    row[j] = true
                    continue
                }
                let left = i > 0 ? one[i - 1] : nil
                let right = j > 0 ? other[j - 1] : nil
                if let left, left == .anyText, reach[j] { row[j] = true }
                if let right, right == .anyText, row[j - 1] { row[j] = true }
                guard let left, let right else { continue }
                if left == .anyText, row[j - 1] { row[j] = true }
                if right == .anyText, reach[j] { row[j] = true }
                if left.meets(right), reach[j - 1] { row[j] = true }
            }
            reach = row
        }
        return reach[other.count]
    }

    private enum Part: Hashable {
        case literal(Character)
        case anyCharacter
        case anyText

        /// Whether one character can match both.
        func meets(_ other: Part) -> Bool {
            switch (self, other) {
            case (.literal(let one), .literal(let other)): one == other
            default: true
            }
        }
    }

    private static func parts(_ pattern: String) -> [Part] {
        var parts: [Part] = []
        var rest = pattern[...]
        while let character = rest.popFirst() {
            switch character {
            case "*": parts.append(.anyText)
            case "?": parts.append(.anyCharacter)
            case "\\": if let quoted = rest.popFirst() { parts.append(.literal(quoted)) }
            case "[":
                if let end = rest.dropFirst().firstIndex(of: "]") { rest = rest[rest.index(after: end)...] }
                parts.append(.anyCharacter)
            default: parts.append(.literal(character))
            }
        }
        return parts
    }
}
