import Decisions
import Foundation
import HubDocuments
import Testing
import Values

@testable import Hub

/// What the guide shows must work.
@Suite struct CronGuideTests {
    private static let guide = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/guides/schedules.md")

    /// Monday, 26 January 2026, noon.
    private static let now: Int64 = 1_769_428_800_000

    @Test func theExampleIsATrigger() throws {
        let guide = try String(contentsOf: Self.guide, encoding: .utf8)
        let yaml = try #require(guide.firstMatch(of: /(?s)```yaml\n(.*?)```/)).1
        let log = DiagnosticLog(file: "nightly.yaml")
        let trigger = try #require(
            TriggerDeclaration.read(String(yaml), log: log, schemas: { _ in nil }), "\(log.diagnostics)")
        #expect(log.diagnostics.isEmpty)
        #expect(trigger.source.type == .cron && trigger.source.connection == nil)
        let parameters = try trigger.source.parameters.evaluate(MapScope([:]))
        #expect(CronSource.diagnostics(for: parameters, now: Self.now).isEmpty)
        let next = try CronSource.upcoming(parameters, count: 5, from: Self.now)
        #expect(next.last?.localText == "2026-02-02T02:30:00+01:00")
    }

    /// The first words of each row of the table of clock changes are schedules.
    @Test func theTablesHoldSchedules() throws {
        let guide = try String(contentsOf: Self.guide, encoding: .utf8)
        let section = try #require(guide.split(separator: "## Where local time jumps").last)
        let expressions = section.matches(of: /(?m)^\| `([^`]+)`/).map { String($0.1) }
        #expect(expressions.count == 6)
        for expression in expressions { _ = try CronSchedule(expression) }
    }
}
