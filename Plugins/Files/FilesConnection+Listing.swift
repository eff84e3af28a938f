internal import ConnectorKit
internal import Values

extension FilesConnection {
    /// Lists one directory.
    func list(_ reader: FieldReader) throws -> Outcome {
        let directory = reader.string("dir") ?? ""
        let pattern = reader.string("pattern") ?? "*"
        let limit = reader.integer("limit", in: 1...100_000) ?? 1_000
        let glob = Glob(pattern)
        if glob == nil { reader.add("input.pattern: \"\(pattern.prefix(80))\" is no pattern.") }
        try Self.finish(reader)
        let entries = try self.root.withDirectory(directory) { try RootDirectory.entries($0) }
            .filter { glob?.matches($0.name) ?? false }
            .sorted { $0.name < $1.name }
        let files = entries.prefix(limit).map { entry -> Value in
            [
                "name": .string(entry.name), "kind": .string(entry.kind.rawValue),
                "size": .number(Number(Int64(entry.size))),
                "modified": entry.modified,
            ]
        }
        return .done(
            ["files": .list(files), "isComplete": .boolean(entries.count <= limit)],
            facts: ["entries": .number(Number(Int64(entries.count)))])
    }

    /// Finds files anywhere below the root by a pattern of path components.
    func glob(_ reader: FieldReader) throws -> Outcome {
        reader.require("pattern")
        let pattern = reader.string("pattern") ?? ""
        let limit = reader.integer("limit", in: 1...100_000) ?? 1_000
        let parts = Self.components(pattern)
        if parts == nil {
            reader.add("input.pattern: \"\(pattern.prefix(80))\" is no pattern of a path below the root.")
        }
        try Self.finish(reader)
        var search = GlobSearch(root: self.root, limit: limit)
        try search.run(parts ?? [])
        let files = search.found.sorted { $0.path < $1.path }.map { found -> Value in
            [
                "path": .string(found.path), "size": .number(Number(Int64(found.entry.size))),
                "modified": found.entry.modified,
            ]
        }
        return .done(
            ["files": .list(files), "isComplete": .boolean(search.isComplete)],
            facts: ["entries": .number(Number(Int64(search.seen)))])
    }

    private static func components(_ pattern: String) -> [GlobSearch.Component]? {
        let parts = pattern.split(separator: "/", omittingEmptySubsequences: false)
        guard !pattern.isEmpty, parts.count <= GlobSearch.depthMaximum else { return nil }
        var components: [GlobSearch.Component] = []
        for part in parts {
            if part == "**" {
                components.append(.anyDirectories)
            } else if !part.isEmpty, part != ".", part != "..", let glob = Glob(String(part)) {
                components.append(.name(glob))
            } else {
                return nil
            }
        }
        return components
    }
}

/// A walk through directories that stops at its limits.
private struct GlobSearch {
    enum Component {
        /// One component of the path.
        case name(Glob)
        /// `**`: any number of directories, none included.
        case anyDirectories
    }

    /// The deepest directory looked into.
    static let depthMaximum = 32
    /// How many entries are looked at.
    static let entriesMaximum = 1_000_000

    let root: RootDirectory
    let limit: Int
    var found: [(path: String, entry: RootDirectory.Entry)] = []
    var seen = 0
    var isComplete = true
    private var paths: Set<String> = []

    init(root: RootDirectory, limit: Int) {
        self.root = root
        self.limit = limit
    }

    mutating func run(_ components: [Component]) throws {
        try self.walk("", components[...], depth: 0)
    }

    private mutating func walk(_ directory: String, _ rest: ArraySlice<Component>, depth: Int) throws {
        try Task.checkCancellation()
        guard let first = rest.first, self.isComplete else { return }
        guard depth <= Self.depthMaximum else {
            self.isComplete = false
            return
        }
        if case .anyDirectories = first { try self.walk(directory, rest.dropFirst(), depth: depth) }
        let entries: [RootDirectory.Entry]
        do {
            entries = try self.root.withDirectory(directory) { try RootDirectory.entries($0) }
        } catch let error as ConnectorError where error.kind == .notFound && depth > 0 {
            // Removed since its parent was listed.
            return
        }
        for entry in entries.sorted(by: { $0.name < $1.name }) {
            self.seen += 1
            guard self.seen <= Self.entriesMaximum else {
                self.isComplete = false
                return
            }
            let path = directory.isEmpty ? entry.name : directory + "/" + entry.name
            switch first {
            case .anyDirectories:
                if entry.kind == .directory, !entry.name.hasPrefix(".") {
                    try self.walk(path, rest, depth: depth + 1)
                }
            case .name(let glob):
                guard glob.matches(entry.name) else { continue }
                if rest.count > 1 {
                    if entry.kind == .directory { try self.walk(path, rest.dropFirst(), depth: depth + 1) }
                } else if entry.kind == .file, self.paths.insert(path).inserted {
                    guard self.found.count < self.limit else {
                        self.isComplete = false
                        return
                    }
                    self.found.append((path, entry))
                }
            }
        }
    }
}
