import Engine
import Foundation
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
    let journal: any JournalStore
    let records: SQLiteRecordStore
    let runtime: WorkflowRuntime

    init(
        disk: InMemoryDisk = InMemoryDisk(partitionCount: 4), directory: TemporaryDirectory = TemporaryDirectory(),
        clock: ManualClock = ManualClock(), configuration: RuntimeConfiguration = RuntimeConfiguration(),
        wrap: (InMemoryJournalStore) -> any JournalStore = { $0 }
    ) throws {
        self.disk = disk
        self.directory = directory
        self.clock = clock
        journal = wrap(try InMemoryJournalStore(disk: disk))
        records = try SQLiteRecordStore(directory: directory.path, partitionCount: 4)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        runtime = try WorkflowRuntime(
            configuration: configuration, journal: journal, records: records, clock: clock, logger: logger)
        runtime.start()
    }

    /// Stops everything, as if the process ended; another harness may open the same disk.
    func stop() {
        runtime.shutdown()
        records.close()
        journal.close()
    }

    func deploy(_ body: String, name: String = "test.bpmn") async throws -> [DeployedProcess] {
        try await runtime.deploy([DeploymentResource(name: name, bytes: Model.document(body))], actor: "test").definitions
    }

    func start(
        _ process: String, _ variables: String = "{}", key: String? = nil, await milliseconds: Int64? = nil
    ) async throws -> CreatedInstance {
        try await runtime.createInstance(
            CreateInstanceRequest(
                target: .process(id: process, version: nil), variables: Array(variables.utf8), idempotencyKey: key,
                awaitMilliseconds: milliseconds, actor: "test"))
    }

    /// Returns when a condition holds; gives up after ten seconds of wall-clock time.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(10)
        while try await !condition() {
            guard ContinuousClock.now < end else { throw Timeout(what: what) }
            await Task.yield()
        }
    }

    struct Timeout: Error {
        let what: String
    }
}

/// A clock for tests. Monotonic time is real, so that waits with a bound end; the calendar moves when told.
final class ManualClock: RuntimeClock {
    private let milliseconds = Mutex<Int64>(1_800_000_000_000)

    func unixMilliseconds() -> Int64 { milliseconds.withLock { $0 } }

    func monotonicNanoseconds() -> Int64 { SystemClock().monotonicNanoseconds() }

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
