import Foundation
import Testing
import Values

/// The scenarios run and report what they promise; how fast they are is no test's business.
@Suite struct BenchTests {
    private static let common = [
        "scenario", "instances_per_second", "elements_per_second", "start_to_first_task_ms", "commits", "events",
        "bytes_per_instance_disk", "rss_bytes", "projector_lag_ms", "fsync", "history",
    ]

    @Test(arguments: [
        (scenario: "one-task", count: 200, own: "tasks_per_second"),
        (scenario: "sequence10", count: 100, own: "events_per_instance"),
        (scenario: "start-latency", count: 5, own: "start_to_first_task_ms"),
        (scenario: "fanout100", count: 2, own: "fan_out_and_join_ms"),
        (scenario: "gateways", count: 2, own: "condition_us"),
        (scenario: "parse", count: 2, own: "parse_and_deploy_ms"),
        (scenario: "parked", count: 1_200, own: "wakes_per_second_1000"),
    ])
    func aScenarioReportsItsFigures(_ row: (scenario: String, count: Int, own: String)) async throws {
        let folder = try TemporaryFolder()
        let result = await junction([
            "bench", row.scenario, "--count", "\(row.count)", "--partitions", "4", "--data", folder.path, "--json",
        ])
        #expect(result.status == 0, "\(result.notes)")
        let report = try #require(result.values.first)
        for field in Self.common + [row.own] { #expect(report[field] != nil, "\(field)") }
        #expect(report["scenario"] == .string(row.scenario))
        #expect(report["fsync"] == "full")
        #expect((report["events"]?.asInt64 ?? 0) > 0)
    }
}
