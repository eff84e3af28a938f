internal import ConnectorKit
internal import Values

/// Emits the records of files dropped into a directory.
///
/// A file goes through: seen → stable → claimed (renamed into the processing directory) → read record by record →
/// everything acknowledged → archived. A file left in the processing directory by a crash is read again from its start;
/// its records have the ids they had before. What cannot be read at all becomes one undecodable event, and goes to the
/// failed directory once that is acknowledged. Links and specials are never opened.
actor FileSource: EventSource {
    private let settings: FileSourceSettings
    private let root: RootDirectory
    private let thread: FileThread
    private let clock: any ConnectorClock
    private var watcher: DirectoryWatcher?
    private var isConnected = false
    private var isClosed = false
    private var tracker: StabilityTracker
    private var nextScan = Duration.zero
    /// Claimed files in the order they are read; the first one is being read.
    private var queue: [ClaimedFile] = []
    /// Files that are out with at least one batch, or wait to be moved.
    private var open: [ClaimedFile] = []
    private var batches: [EventBatch.ID: [ClaimedFile]] = [:]
    private var nextBatch: UInt64 = 1

    init(_ settings: FileSourceSettings, root: RootDirectory, thread: FileThread, clock: any ConnectorClock) {
        self.settings = settings
        self.root = root
        self.thread = thread
        self.clock = clock
        self.tracker = StabilityTracker(settings)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    /// Creates the directories that are missing, starts watching, and picks up what a crash left in processing.
    func connect() async throws {
        if self.isClosed { throw ConnectorError.closed("file source") }
        let settings = self.settings
        let left = try self.root.withDirectory(settings.directory, create: true) { directory in
            self.watcher = DirectoryWatcher.watch(directory)
            for name in [settings.archive, settings.failed].compactMap({ $0 }) {
                try self.root.withDirectory(settings.directory + "/" + name, create: true) { _ in }
            }
            return try self.root.withDirectory(settings.directory + "/" + settings.processing, create: true) {
                try RootDirectory.entries($0)
            }
        }
        self.queue = left.sorted { ($0.modifiedNanoseconds, $0.name) < ($1.modifiedNanoseconds, $1.name) }
            .map { ClaimedFile(claimedName: $0.name, entry: $0) }
        self.open.removeAll()
        self.batches.removeAll()
        self.tracker = StabilityTracker(settings)
        self.nextScan = self.clock.now
        self.isConnected = true
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.isConnected, !self.isClosed else {
                throw SourceInterruption.notConnected(reason: "The source is not connected.")
            }
            if self.watcher?.isLost == true { throw self.lost() }
            let now = self.clock.now
            let hasHint = self.watcher?.takeHint() ?? false
            if hasHint || now >= self.nextScan || self.tracker.nextLook.map({ now >= $0 }) ?? false {
                do {
                    try self.scan(at: now)
                } catch let error as ConnectorError where error.kind == .notFound {
                    throw self.lost()
                }
            }
            if let batch = try self.nextBatch(maximum: max(1, maximum), at: now) { return batch }
            guard now < deadline else { return nil }
            var next = min(deadline, self.nextScan)
            if let look = self.tracker.nextLook { next = min(next, look) }
            if let retry = self.queue.compactMap(\.notBefore).min() { next = min(next, retry) }
            try await self.sleep(until: max(next, now + .milliseconds(1)))
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let files = self.batches.removeValue(forKey: batch) else { return }
        for file in files { file.outstandingBatches -= 1 }
        try self.finishFiles()
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let files = self.batches.removeValue(forKey: batch) else { return }
        for file in files {
            file.outstandingBatches -= 1
            switch disposition {
            case .redeliver(let after):
                file.startAgain(notBefore: self.clock.now + after)
                self.open.removeAll { $0 === file }
                if !self.queue.contains(where: { $0 === file }) { self.queue.append(file) }
            case .setAside:
                file.isFailed = true
            }
        }
        try self.finishFiles()
    }

    func close() async {
        self.isClosed = true
        self.isConnected = false
        self.watcher = nil
        self.queue.removeAll()
        self.open.removeAll()
        self.batches.removeAll()
    }

    /// Files seen but not archived yet.
    func backlog() async -> Int? {
        self.tracker.count + self.queue.count + self.open.filter { file in !self.queue.contains { $0 === file } }.count
    }

    private func lost() -> SourceInterruption {
        self.isConnected = false
        return .notConnected(reason: "The directory \(self.settings.directory) is gone.")
    }

    private func sleep(until next: Duration) async throws {
        let duration = next - self.clock.now
        guard duration > .zero else { return }
        guard let watcher = self.watcher else {
            try await self.clock.sleep(for: duration)
            return
        }
        let clock = self.clock
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watcher.hint() }
            group.addTask { try await clock.sleep(for: duration) }
            defer { group.cancelAll() }
            try await group.next()
        }
        try Task.checkCancellation()
    }
}

// MARK: - Finding and claiming

extension FileSource {
    /// Looks at the whole directory and claims what is complete.
    private func scan(at now: Duration) throws {
        self.nextScan = now + self.settings.rescan
        let settings = self.settings
        try self.root.withDirectory(settings.directory) { directory in
            let all = try RootDirectory.entries(directory)
            let names = settings.marker == nil ? [] : Set(all.map(\.name))
            let candidates = all.filter { entry in
                entry.kind != .directory && !settings.isMarker(entry.name)
                    && settings.patterns.contains { $0.matches(entry.name) }
            }
            let complete = self.tracker.look(candidates, at: now) { name in
                settings.markerName(for: name).map { names.contains($0) } ?? false
            }
            guard !complete.isEmpty else { return }
            try self.root.withDirectory(settings.directory + "/" + settings.processing, create: true) { processing in
                // Not synced: a claim that is lost with the power is made again, under the same event ids.
                for entry in complete {
                    let file = ClaimedFile(claiming: entry)
                    do {
                        try RootDirectory.move(directory, entry.name, to: processing, as: file.claimedName)
                    } catch let error as ConnectorError where error.kind == .notFound {
                        // Somebody else was faster.
                        continue
                    }
                    if let marker = settings.markerName(for: entry.name), names.contains(marker) {
                        RootDirectory.remove(directory, marker)
                    }
                    self.queue.append(file)
                }
            }
        }
    }
}

// MARK: - Reading

extension FileSource {
    /// The next events out of the claimed files; a batch may hold the records of several.
    private func nextBatch(maximum: Int, at now: Duration) throws -> EventBatch? {
        var events: [SourceEvent] = []
        var files: [ClaimedFile] = []
        var index = 0
        while events.count < maximum, index < self.queue.count {
            let file = self.queue[index]
            if let notBefore = file.notBefore, notBefore > now {
                index += 1
                continue
            }
            let before = events.count
            let isOver = try self.read(file, maximum: maximum, at: now, into: &events)
            if events.count > before {
                file.outstandingBatches += 1
                files.append(file)
            }
            if !isOver {
                index += 1
            } else {
                self.queue.remove(at: index)
                file.isRead = true
                self.open.append(file)
            }
        }
        // Files without a single record.
        try self.finishFiles()
        guard !events.isEmpty else { return nil }
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        self.batches[id] = files
        return EventBatch(id: id, events: events)
    }

    /// Adds records of `file`.
    ///
    /// Returns whether there are no more.
    private func read(
        _ file: ClaimedFile, maximum: Int, at now: Duration, into events: inout [SourceEvent]
    ) throws -> Bool {
        if file.reader == nil {
            do {
                file.reader = try self.openReader(file, at: now)
                if file.reader == nil { return false }
            } catch let error as ConnectorError where [.validation, .notFound].contains(error.kind) {
                guard error.kind != .notFound else { return true }
                file.isFailed = true
                events.append(file.refusal(error.message, self.settings))
                return true
            }
        }
        guard var reader = file.reader else { return true }
        file.reader = nil
        defer { file.reader = reader }
        while events.count < maximum, let record = reader.next() {
            if record.isWholeDocument, case .undecodable = record.body { file.isFailed = true }
            events.append(file.event(record, &reader, self.settings))
        }
        return reader.isAtEnd
    }

    /// Reads the content.
    ///
    /// `nil` when somebody still writes to it: then it is looked at again later.
    private func openReader(_ file: ClaimedFile, at now: Duration) throws -> ClaimedFile.Reader? {
        let settings = self.settings
        return try self.root.withDirectory(settings.directory + "/" + settings.processing) { directory in
            guard let entry = try RootDirectory.entry(directory, file.claimedName) else {
                throw FileErrors.system(FileFailure.missing(file.name))
            }
            switch entry.kind {
            case .file: break
            case .link: throw FileErrors.notAFile(file.name, "is a symbolic link")
            case .directory, .special: throw FileErrors.notAFile(file.name, "is no regular file")
            }
            guard entry.size <= settings.fileBytesMaximum else {
                throw FileErrors.tooLarge(file.name, entry.size, settings.fileBytesMaximum)
            }
            let (bytes, after) = try RootDirectory.read(
                directory, file.claimedName, maximum: settings.fileBytesMaximum)
            let isSettled =
                after.size == file.entry.size && after.modifiedNanoseconds == file.entry.modifiedNanoseconds
            file.entry = after
            guard isSettled else {
                file.notBefore = now + max(settings.quietFor, .milliseconds(1))
                return nil
            }
            return ClaimedFile.Reader(bytes, name: file.name, decoding: settings.decoding)
        }
    }

    /// Moves away the files that are read to the end and acknowledged, with one sync for all of them.
    ///
    /// Throws after having tried all; what could not be moved is tried again the next time.
    private func finishFiles() throws {
        let done = self.open.filter { $0.isRead && $0.outstandingBatches == 0 }
        guard !done.isEmpty else { return }
        let settings = self.settings
        try self.root.withDirectory(settings.directory + "/" + settings.processing) { processing in
            let failed = done.filter(\.isFailed)
            var failure = self.moveAway(failed, from: processing, to: settings.failed)
            failure = self.moveAway(done.filter { !$0.isFailed }, from: processing, to: settings.archive) ?? failure
            if let failure { throw failure }
        }
    }

    /// Moves `files` to the directory `target`, or deletes them when there is none.
    ///
    /// Returns the last failure.
    private func moveAway(_ files: [ClaimedFile], from processing: Int32, to target: String?) -> (any Error)? {
        guard !files.isEmpty else { return nil }
        var failure: (any Error)?
        func finish(_ file: ClaimedFile, _ body: () throws -> Void) {
            do {
                try body()
            } catch let error as ConnectorError where error.kind == .notFound {
                // Somebody took it away; nothing is left to move.
            } catch {
                failure = error
                return
            }
            self.open.removeAll { $0 === file }
        }
        do {
            guard let target else {
                for file in files { finish(file) { RootDirectory.remove(processing, file.claimedName) } }
                return failure
            }
            try self.root.withDirectory(self.settings.directory + "/" + target, create: true) { directory in
                for file in files {
                    finish(file) {
                        let isTaken = try RootDirectory.entry(directory, file.name) != nil
                        let name = isTaken ? file.claimedName : file.name
                        try RootDirectory.move(processing, file.claimedName, to: directory, as: name)
                    }
                }
                try RootDirectory.sync(directory)
            }
            try RootDirectory.sync(processing)
        } catch {
            failure = error
        }
        return failure
    }
}
