internal import CRDKafka
internal import ConnectorKit
internal import Synchronization
internal import Values

/// One life of a consumer: a client of the library and the thread that polls it, from subscription to the end.
///
/// Group events come through the client's own queue, records through one of ours, so that a full buffer stops the
/// records and never the polling. The thread sleeps until either queue, or a caller, writes to its event descriptor.
///
/// `@unchecked Sendable`: `work` belongs to the thread; everything shared is in `shared`.
final class ConsumerLoop: @unchecked Sendable {
    /// What the thread and the source share.
    struct Shared {
        var ledger: RecordLedger
        /// A reader that waits for something to read.
        var reader: CheckedContinuation<Void, Never>?
        var readerDeadline = Duration.zero
        /// Why there will be nothing more to read.
        var failure: (any Error)?
        var isClosing = false
        var hasEnded = false
        var ending: [CheckedContinuation<Void, Never>] = []
        /// Whether the partitions are paused because the buffer is full.
        var isPaused = false
        /// Whether the thread knows that there is something to commit.
        var isCommitDue = false
        /// Records the broker has beyond those fetched, as far as known.
        var remoteBacklog = 0
    }

    let settings: RecordSourceSettings
    let builder: RecordBuilder
    let shared: Mutex<Shared>
    private let options: KafkaOptions
    /// Wakes the thread; closed when it has ended, which `Shared.hasEnded` says before.
    private let wakeup: WakeupDescriptor

    /// Throws a `ConnectorError` when the process may have no more descriptors.
    init(
        _ settings: RecordSourceSettings, _ builder: RecordBuilder, _ options: KafkaOptions, firstBatch: UInt64
    ) throws {
        self.settings = settings
        self.builder = builder
        self.options = options
        self.shared = Mutex(
            Shared(ledger: RecordLedger(firstBatch: firstBatch, outMaximum: settings.unacknowledgedMaximum)))
        self.wakeup = try WakeupDescriptor()
    }

    /// Starts the thread and waits until the brokers have answered.
    ///
    /// Throws `SourceInterruption.notConnected`, or a `ConnectorError` for what a person has to see.
    func start(_ connectTimeout: Duration) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do {
                try KafkaThread.start { self.run(connectTimeout, started: continuation) }
            } catch {
                self.wakeup.close()
                self.shared.withLock { $0.hasEnded = true }
                continuation.resume(throwing: error)
            }
        }
    }

    // MARK: - For the source

    /// Makes the thread look around.
    func wake() {
        self.shared.withLock { shared in
            if !shared.hasEnded { self.wakeup.signal() }
        }
    }

    /// Waits until there may be something to read, or until `deadline`.
    func awaitRecords(until deadline: Duration) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.shared.withLock { shared -> Bool in
                    let isReady =
                        shared.ledger.readyCount > 0 && shared.ledger.outCount < self.settings.unacknowledgedMaximum
                    let isOver =
                        isReady || shared.failure != nil || shared.hasEnded || shared.isClosing || Task.isCancelled
                    if !isOver {
                        shared.reader = continuation
                        shared.readerDeadline = deadline
                    }
                    return isOver
                }
                if isOver { continuation.resume() } else { self.wake() }
            }
        } onCancel: {
            self.resumeReader()
        }
    }

    func resumeReader() {
        self.shared.withLock { shared -> CheckedContinuation<Void, Never>? in
            defer { shared.reader = nil }
            return shared.reader
        }?.resume()
    }

    /// Ends the thread and waits for it.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let hasEnded = self.shared.withLock { shared -> Bool in
                shared.isClosing = true
                if !shared.hasEnded { shared.ending.append(continuation) }
                return shared.hasEnded
            }
            self.resumeReader()
            if hasEnded { continuation.resume() } else { self.wake() }
        }
    }

    // MARK: - The thread

    private func run(_ connectTimeout: Duration, started: CheckedContinuation<Void, any Error>) {
        do {
            let worker = try ConsumerWorker(self, self.options, wakeup: self.wakeup)
            do {
                try worker.connect(connectTimeout)
                started.resume()
            } catch {
                worker.destroy()
                throw error
            }
            while !self.shared.withLock({ $0.isClosing }) { worker.turn() }
            worker.end()
            self.end()
        } catch {
            self.end()
            started.resume(throwing: error)
        }
    }

    private func end() {
        let (reader, ending) = self.shared.withLock { shared in
            shared.hasEnded = true
            defer {
                shared.reader = nil
                shared.ending = []
            }
            return (shared.reader, shared.ending)
        }
        self.wakeup.close()
        reader?.resume()
        for continuation in ending { continuation.resume() }
    }
}
