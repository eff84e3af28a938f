import Engine
import Glibc
import Logging
import Runtime
import Storage
import StorageTestSupport
import Synchronization
import Values

/// A runtime on an in-memory journal and a real records file, with a clock that moves when told.
final class RuntimeHarness: Sendable {
    let disk: InMemoryDisk
    let directory: TemporaryDirectory
    let clock: ManualClock
    let configuration: RuntimeConfiguration
    let journal: any JournalStore
    let records: any RecordStore
    let runtime: WorkflowRuntime
    private let reader = Mutex<SQLiteRecordReader?>(nil)

    init(
        disk: InMemoryDisk = InMemoryDisk(partitionCount: 4), directory: TemporaryDirectory = TemporaryDirectory(),
        clock: ManualClock = ManualClock(), configuration: RuntimeConfiguration = RuntimeConfiguration(),
        pacesStarts: Bool = false,
        wrap: (InMemoryJournalStore) -> any JournalStore = { $0 },
        wrapRecords: (SQLiteRecordStore) -> any RecordStore = { $0 }
    ) throws {
        self.disk = disk
        self.directory = directory
        self.clock = clock
        var configuration = configuration
        // A machine that is busy with other tests would only slow down the starts of this one.
        if !pacesStarts { configuration.pacedLagMilliseconds = 1_000_000 }
        self.configuration = configuration
        journal = wrap(try InMemoryJournalStore(disk: disk))
        records = wrapRecords(try SQLiteRecordStore(directory: directory.path, partitionCount: 4))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        do {
            runtime = try WorkflowRuntime(
                configuration: configuration, journal: journal, records: records, clock: clock, logger: logger)
        } catch {
            records.close()
            journal.close()
            throw error
        }
        runtime.start()
    }

    /// Stops everything, as if the process ended; another harness may open the same disk.
    func stop() {
        runtime.shutdown()
        reader.withLock { $0?.close() }
        records.close()
        journal.close()
    }

    /// The next life of the same disk.
    func restarted(configuration: RuntimeConfiguration = RuntimeConfiguration()) throws -> RuntimeHarness {
        stop()
        return try RuntimeHarness(disk: disk, directory: directory, clock: clock, configuration: configuration)
    }

    /// The records, as they show everything committed before the call.
    func read<Result: Sendable>(_ body: (SQLiteRecordReader) throws -> Result) async throws -> Result {
        try await runtime.waitForRecords()
        return try body(
            try reader.withLock { reader in
                if let reader { return reader }
                let opened = try SQLiteRecordReader(directory: directory.path)
                reader = opened
                return opened
            })
    }

    /// Every element instance that the records tell of a process instance.
    func path(_ instance: Key) async throws -> [PathElement] {
        let found = try await read { try $0.processInstance(key: instance.rawValue) }
        guard let record = found?.record else { return [] }
        return try ElementPath.expand(record.path, startedAt: record.startedAt)
    }

    func activate(_ type: String = "work", maximum: Int = 100, lock: Int64 = 60_000, wait: Int64 = 0) async throws
        -> [ActivatedJob]
    {
        try await runtime.activateJobs(
            ActivateJobsRequest(
                type: type, worker: "w", maximum: maximum, timeoutMilliseconds: lock, waitMilliseconds: wait))
    }

    func publish(_ name: String = "wake", _ key: String, timeToLive: Int64 = 0, id: String? = nil) async throws -> Key {
        try await runtime.publishMessage(
            PublishMessageRequest(
                name: name, correlationKey: key, timeToLiveMilliseconds: timeToLive, messageID: id))
    }

    func deploy(_ body: String, name: String = "test.bpmn") async throws -> [DeployedProcess] {
        try await runtime.deploy([DeploymentResource(name: name, bytes: Model.document(body))], actor: "test")
            .definitions
    }

    func start(
        _ process: String, _ variables: String = "{}", key: String? = nil, await milliseconds: Int64? = nil
    ) async throws -> CreatedInstance {
        try await runtime.createInstance(
            CreateInstanceRequest(
                target: .process(id: process, version: nil), variables: Array(variables.utf8), idempotencyKey: key,
                awaitMilliseconds: milliseconds, actor: "test"))
    }

    /// An event that starts the process `chain`, or waits while one runs that an event started.
    func event(_ id: String) async throws -> CorrelationResult {
        try await runtime.correlate(
            CorrelateRequest(
                message: "event", correlationKey: "one", idempotencyKey: id, actor: "test",
                noMatch: .start(process: "chain", version: nil, businessID: id),
                received: ReceivedEvent(
                    trigger: "t", eventID: id, dedupeKey: id, contentType: "text/plain", payload: Array(id.utf8),
                    receivedAt: clock.unixMilliseconds(), retainMilliseconds: 86_400_000)))
    }

    /// Returns when a condition holds; gives up after half a minute of wall-clock time.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard ContinuousClock.now < end else { throw Timeout(what: what) }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    struct Timeout: Error {
        let what: String
    }
}

/// A clock for tests.
///
/// Monotonic time is real, so that waits with a bound end; the calendar moves when told.
final class ManualClock: RuntimeClock {
    private let milliseconds = Mutex<Int64>(1_800_000_000_000)

    func unixMilliseconds() -> Int64 { milliseconds.withLock { $0 } }

    func monotonicNanoseconds() -> Int64 { SystemClock().monotonicNanoseconds() }

    /// Moves the calendar; a negative amount sets it back.
    func advance(_ amount: Int64) {
        milliseconds.withLock { $0 += amount }
    }
}

/// BPMN text for tests.
enum Model {
    static func document(_ body: String) -> [UInt8] {
        Array(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" \
            xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="urn:test">\(body)</bpmn:definitions>
            """.utf8)
    }

    static func process(_ id: String, _ body: String) -> String {
        "<bpmn:process id=\"\(id)\" isExecutable=\"true\">\(body)</bpmn:process>"
    }

    static func flow(_ source: String, _ target: String) -> String {
        "<bpmn:sequenceFlow id=\"\(source)-\(target)\" sourceRef=\"\(source)\" targetRef=\"\(target)\"/>"
    }

    static func job(_ id: String, type: String, extra: String = "") -> String {
        """
        <bpmn:serviceTask id="\(id)"><bpmn:extensionElements><zeebe:taskDefinition type="\(type)" retries="2"/>\
        </bpmn:extensionElements>\(extra)</bpmn:serviceTask>
        """
    }

    /// A chain of service tasks of one type.
    static func sequence(_ id: String, _ count: Int, type: String = "work") -> String {
        var body = "<bpmn:startEvent id=\"start\"/>"
        var previous = "start"
        for number in 0..<count {
            body += job("task\(number)", type: type) + flow(previous, "task\(number)")
            previous = "task\(number)"
        }
        return process(id, body + "<bpmn:endEvent id=\"end\"/>" + flow(previous, "end"))
    }

    /// Waits for the message `wake` with the variable `id` as its correlation key.
    static func waiting(_ id: String) -> String {
        """
        <bpmn:message id="wake" name="wake"><bpmn:extensionElements><zeebe:subscription correlationKey="=id"/>\
        </bpmn:extensionElements></bpmn:message>
        """
            + process(
                id,
                """
                <bpmn:startEvent id="start"/><bpmn:intermediateCatchEvent id="wait">\
                <bpmn:messageEventDefinition messageRef="wake"/></bpmn:intermediateCatchEvent>\
                <bpmn:endEvent id="end"/>\(flow("start", "wait"))\(flow("wait", "end"))
                """)
    }
}

/// Records whose transactions can be held or refused.
final class FaultyRecords: RecordStore {
    private struct State {
        var isHeld = false
        var holding = 0
        var error: StoreError.Code?
        var failures = 0
        var isVolatile = false
    }

    private let store: any RecordStore
    private let state = Mutex(State())

    init(_ store: any RecordStore) {
        self.store = store
    }

    /// Transactions that wait.
    var holding: Int { state.withLock(\.holding) }
    /// Transactions that were refused.
    var failures: Int { state.withLock(\.failures) }

    func hold() { state.withLock { $0.isHeld = true } }

    func release() { state.withLock { $0.isHeld = false } }

    /// From now on nothing is said to survive a power failure, so that the journal keeps everything.
    func loseOnPowerFailure() { state.withLock { $0.isVolatile = true } }

    /// Refuses transactions with this error; nil lets them pass again.
    func fail(_ code: StoreError.Code?) { state.withLock { $0.error = code } }

    func apply(_ batch: RecordBatch) throws(StoreError) {
        state.withLock { $0.holding += 1 }
        defer { state.withLock { $0.holding -= 1 } }
        while state.withLock(\.isHeld) { usleep(500) }
        let code = state.withLock { state in
            if state.error != nil { state.failures += 1 }
            return state.error
        }
        if let code { throw StoreError(code, "An injected fault refused the rows.", remedy: "None; this is a test.") }
        try store.apply(batch)
    }

    func projectedSequences() throws(StoreError) -> [UInt64] { try store.projectedSequences() }
    func durableSequences() throws(StoreError) -> [UInt64] {
        let sequences = try store.durableSequences()
        return state.withLock(\.isVolatile) ? sequences.map { _ in 0 } : sequences
    }

    func instance(key: UInt64) throws(StoreError) -> ProcessInstanceRecord? { try store.instance(key: key) }
    func purgeInbox(at milliseconds: Int64, limit: Int) throws(StoreError) -> Int {
        try store.purgeInbox(at: milliseconds, limit: limit)
    }
    func sizeBytes() -> Int64 { store.sizeBytes() }
    func close() { store.close() }
}
