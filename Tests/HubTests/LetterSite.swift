import ConnectorKit
import Engine
import Foundation
import Logging
import ProcessModel
import Resilience
import Runtime
import Storage
import Testing
import Values

@testable import Hub

/// One data directory with a deployed process, and engines and hubs that come and go over it.
final class LetterSite {
    /// One run of the program.
    final class Life {
        let runtime: WorkflowRuntime
        let hub: HubService
        let connector: FakeConnector
        let files: FakeConnector
        let logs = LogCapture()
        let clock: ManualConnectorClock
        private let reader: SQLiteRecordReader
        private let close: () -> Void

        init(
            _ site: LetterSite, vault: SecretVault?,
            _ configure: (inout HubConfiguration, inout DeadLetterSettings) -> Void
        ) throws {
            let journal = try SQLiteJournalStore(directory: site.path, options: .init(partitionCount: 2))
            let records = try SQLiteRecordStore(directory: site.path, partitionCount: 2)
            var engine = RuntimeConfiguration()
            engine.processingThreads = 1
            let runtime = try WorkflowRuntime(
                configuration: engine, journal: journal, records: records, logger: self.logs.logger)
            runtime.start()
            let reader = try SQLiteRecordReader(directory: site.path)
            var profile = ResilienceProfile(name: "test")
            profile.retry = .never
            profile.budget = nil
            profile.breaker?.minimumCalls = 1_000
            var configuration = HubConfiguration()
            configuration.connections = [
                ConnectionDeclaration(id: "inbox", connector: "files", parameters: ["root": "/data"]),
                ConnectionDeclaration(id: "remote", connector: "fake", parameters: [:], profile: profile),
            ]
            configuration.triggers = [try #require(readTrigger(goodTrigger).trigger)]
            var settings = DeadLetterSettings()
            configure(&configuration, &settings)
            self.clock = site.clock
            self.connector = FakeConnector(clock: site.clock)
            self.files = FakeConnector(id: "files")
            self.runtime = runtime
            self.reader = reader
            self.hub = HubService(
                service: runtime, modules: [self.connector, self.files], configuration: configuration,
                clock: site.clock, random: { 0.5 }, vault: vault, records: reader, letters: settings,
                breakerFile: site.path + "/breakers.json", logger: self.logs.logger)
            self.close = {
                runtime.shutdown()
                reader.close()
                records.close()
                journal.close()
            }
        }

        /// Ends the run, as a crash would: nothing is brought to an end.
        func end() async {
            await self.hub.shutdown()
            self.close()
        }

        func read<Result>(_ body: (SQLiteRecordReader) throws -> Result) async throws -> Result {
            try await self.runtime.waitForRecords()
            return try body(self.reader)
        }

        func letters(_ states: [UInt8] = [0, 1, 2, 3, 4]) async throws -> [DeadLetterRecord] {
            try await self.hub.deadLetters.list(DeadLetterSelection(), states: states)
        }

        func instances() async throws -> Int {
            try await self.read { try $0.processInstances(Query()).total }
        }

        /// Waits for a condition on the letters.
        func letters(
            until condition: ([DeadLetterRecord]) -> Bool
        ) async throws -> [DeadLetterRecord] {
            let deadline = ContinuousClock.now + .seconds(30)
            while true {
                let letters = try await self.letters()
                if condition(letters) { return letters }
                guard ContinuousClock.now < deadline else {
                    Issue.record("no end: \(letters.map { "\($0.key) \($0.stateName)" })")
                    return letters
                }
                try await Task.sleep(for: .milliseconds(2))
            }
        }

        /// Waits until a value is there.
        func value<Result>(_ body: () async throws -> Result?) async throws -> Result {
            let deadline = ContinuousClock.now + .seconds(30)
            while ContinuousClock.now < deadline {
                if let value = try await body() { return value }
                try await Task.sleep(for: .milliseconds(2))
            }
            throw Missing()
        }

        struct Missing: Error {}

        /// Records what the pipeline would record about this line of a file.
        @discardableResult
        func park(_ line: Int, payload: String = "o-1", connection: String? = nil) async throws -> Key {
            let trigger = try #require(self.hub.configuration.triggers.first)
            let event = SourceEvent(
                id: "f#\(line)", payload: Array(payload.utf8), contentType: "text/csv",
                body: .undecodable(.init(line: line, reason: "Expected 2 fields.")),
                coordinates: ["file": "f.csv", "line": .number(Number(line))],
                headers: ["columns": ["orderId", "amount"]])
            guard
                case .deadLetter(let letter) = TriggerPipeline(trigger).verdict(
                    on: event, receivedAt: self.clock.unixMilliseconds)
            else { throw Missing() }
            return try await self.runtime.recordDeadLetter(letter)
        }

        func start(_ variables: String) async throws -> Key {
            try await self.runtime.createInstance(
                CreateInstanceRequest(
                    target: .process(id: "order-intake", version: nil), variables: Array(variables.utf8),
                    actor: "test")
            ).key
        }
    }

    let path = FileManager.default.temporaryDirectory.appending(path: "letters-\(UUID().uuidString)").path
    let clock = ManualConnectorClock(unixMilliseconds: Int64(Date().timeIntervalSince1970 * 1_000))

    init() throws {
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    /// Begins a run; the first one deploys the process.
    func life(
        resilience: String = "", vault: SecretVault? = nil,
        _ configure: (inout HubConfiguration, inout DeadLetterSettings) -> Void = { _, _ in }
    ) async throws -> Life {
        let life = try Life(self, vault: vault, configure)
        if life.runtime.definitions.definition(processID: "order-intake", version: nil) == nil {
            _ = try await life.runtime.deploy(
                [DeploymentResource(name: "order-intake.bpmn", bytes: Array(Self.model(resilience).utf8))],
                profile: .standard, actor: "test")
        }
        return life
    }

    private static func model(_ resilience: String) -> String {
        """
        <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:apg="urn:junction:apg:1.0"
            id="d" targetNamespace="urn:test">
          <process id="order-intake" isExecutable="true">
            <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="call"/>
            <serviceTask id="call"><extensionElements>
              <apg:call connector="fake" operation="act" connection="remote">
                <apg:with target="order" source="=order"/>
              </apg:call>\(resilience)
            </extensionElements></serviceTask>
            <sequenceFlow id="f2" sourceRef="call" targetRef="e"/><endEvent id="e"/>
          </process>
        </definitions>
        """
    }

    static func failure(
        _ kind: ConnectorError.Kind, code: String = "FAKE-1", _ message: String = "It said no."
    ) -> Outcome {
        .failed(ConnectorError(kind, code: code, message, remedy: "Look."))
    }
}
