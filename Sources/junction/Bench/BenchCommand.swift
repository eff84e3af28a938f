import ArgumentParser
import Foundation
import Values

/// Measures the engine of this build on this machine.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the engine of this build on this machine.",
        discussion: """
            Runs one scenario on an embedded store on disk, always with synchronous=FULL, full history and audit. Use a \
            release build. Scenarios: \(BenchScenario.allCases.map(\.rawValue).joined(separator: ", ")).
            """)

    @Argument(help: "The scenario.")
    var scenario: BenchScenario

    @Option(help: "Instances, or iterations where the scenario says so; each scenario has its own default.")
    var count: Int?

    @Option(help: "Instances that run at the same time.")
    var inFlight = 4_000

    @Option(help: "Partitions of the store.")
    var partitions = 64

    @Option(help: "For ingest: where events come from.")
    var source: IngestSource?

    @Option(help: "For ingest of webhooks: requests a second for 20 s, to see when their first tasks begin.")
    var rate: Double?

    @Option(help: "Where the store lies; emptied first.", completion: .directory)
    var data = "var/bench"

    @Flag(help: "Print one JSON object instead of lines.")
    var json = false

    func run() async throws {
        let console = Console(isJSON: json)
        let settings = BenchSettings(
            count: count, inFlight: max(1, inFlight), partitions: partitions,
            directory: data + "/" + scenario.rawValue, source: source, rate: rate.map { max(1, $0) })
        let report = try await scenario.measure(settings)
        if json {
            console.print(json: .context(report.fields))
        } else {
            for (name, value) in report.fields { console.print("\(name): \(BenchReport.text(value))") }
        }
        console.flush()
    }
}

/// What can be measured.
enum BenchScenario: String, CaseIterable, ExpressibleByArgument {
    case oneTask = "one-task"
    case sequence10
    case sequence10Worker = "sequence10-worker"
    case startLatency = "start-latency"
    case parked
    case fanout100
    case recovery
    case gateways
    case parse
    case feel
    case decisionTable = "decision-table"
    case connectorHTTP = "connector-http"
    case connectorKafka = "connector-kafka"
    case ingest
    /// The part of `sequence10-worker` that runs in its own process.
    case workerProcess = "worker-process"
    /// The part of `recovery` that is killed.
    case recoveryVictim = "recovery-victim"

    func measure(_ settings: BenchSettings) async throws -> BenchReport {
        switch self {
        case .oneTask: try await ThroughputBench(scenario: rawValue, tasks: 1, settings: settings).run()
        case .sequence10: try await ThroughputBench(scenario: rawValue, tasks: 10, settings: settings).run()
        case .sequence10Worker: try await WorkerBench(settings: settings).run()
        case .startLatency: try await StartLatencyBench(settings: settings).run()
        case .parked: try await ParkedBench(settings: settings).run()
        case .fanout100: try await FanOutBench(settings: settings).run()
        case .recovery: try await RecoveryBench(settings: settings).run()
        case .gateways: try await GatewayBench(settings: settings).run()
        case .parse: try await ParseBench(settings: settings).run()
        case .feel: try DecisionBench(settings: settings).conditions()
        case .decisionTable: try DecisionBench(settings: settings).table()
        case .connectorHTTP: try await ConnectorHTTPBench(settings: settings).run()
        case .connectorKafka: try await ConnectorKafkaBench(settings: settings).run()
        case .ingest: try await IngestBench(settings: settings).run()
        case .workerProcess: try await WorkerBench.runWorker(settings)
        case .recoveryVictim: try await RecoveryBench.runVictim(settings)
        }
    }
}

/// How a scenario runs.
struct BenchSettings: Sendable {
    var count: Int?
    var inFlight: Int
    var partitions: Int
    var directory: String
    /// For `ingest`.
    var source: IngestSource?
    /// For `ingest`: requests a second.
    var rate: Double?
}
