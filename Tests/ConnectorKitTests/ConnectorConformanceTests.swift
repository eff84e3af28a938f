import ConnectorKit
import Synchronization
import Testing
import Values

struct ConnectorConformanceTests {
    private func findings(_ defect: MemoryConnector.Defect?) async -> [ConnectorConformance.Finding] {
        let module = MemoryConnector(defect: defect)
        let mailbox = module.mailbox
        let suite = ConnectorConformance(
            module: module, configuration: ConnectionConfiguration(id: "m", parameters: [:]),
            calls: [
                .init(OperationCall(operation: "echo", input: ["text": "x"])),
                .init(OperationCall(operation: "wait", input: [:]), waits: true),
            ],
            sources: [
                .init(SourceRequest(event: "mail", parameters: [:]), eventsMinimum: 3) {
                    mailbox.events.withLock { events in
                        let number = mailbox.readings.withLock {
                            $0 += 1; return $0
                        }
                        events += ["a\(number)", "b\(number)", "c\(number)"]
                    }
                }
            ])
        return await suite.run()
    }

    @Test func aConnectorThatKeepsItsPromisesPasses() async {
        #expect(await self.findings(nil) == [])
    }

    /// A suite that finds nothing proves nothing: each broken promise must be found.
    @Test(arguments: MemoryConnector.Defect.allCases)
    func aBrokenPromiseIsFound(_ defect: MemoryConnector.Defect) async {
        let found = await self.findings(defect)
        #expect(!found.isEmpty, "\(defect)")
        #expect(found.allSatisfy { !$0.description.isEmpty && !$0.name.isEmpty })
    }

    @Test func theDefaultsOfTheProtocolsAreCautious() async throws {
        let connection = try await MemoryConnector().connect(ConnectionConfiguration(id: "m", parameters: [:]))
        #expect(await connection.isRepeatable(OperationCall(operation: "echo", input: [:])) == nil)
        let source = try await connection.armSource(SourceRequest(event: "mail", parameters: [:]))
        #expect(await source.backlog() == nil)
        let descriptor = MemoryConnector().descriptor
        #expect(descriptor.operation("echo")?.isRepeatable == true && descriptor.operation("x") == nil)
        var once = try #require(descriptor.operation("echo"))
        once.effect = .create
        once.idempotency = .none
        #expect(!once.isRepeatable)
        once.idempotency = .key(window: nil)
        #expect(once.isRepeatable)
        #expect(descriptor.event("mail")?.holdMaximum == nil)
    }
}
