import Hub
import Logging
import Runtime
import Storage
import Synchronization

/// What the routes work on.
final class RouteServices: Sendable {
    let workflow: any WorkflowService
    let records: any RecordReader
    let journal: any JournalStore
    let hub: HubService
    /// Where requests to triggers arrive; nil: nowhere.
    let ingress: Ingress?
    let partitionCount: Int
    let limits: APIServerLimits
    let logger: Logger
    private let draining = Atomic(false)
    private let underWay = Atomic(0)

    init(
        workflow: any WorkflowService, records: any RecordReader, journal: any JournalStore, hub: HubService,
        ingress: Ingress?,
        partitionCount: Int, limits: APIServerLimits, logger: Logger
    ) {
        self.workflow = workflow
        self.records = records
        self.journal = journal
        self.hub = hub
        self.ingress = ingress
        self.partitionCount = partitionCount
        self.limits = limits
        self.logger = logger
    }

    /// Whether the server is going down: waits end early and new work is refused.
    var isDraining: Bool { self.draining.load(ordering: .relaxed) }

    func startDraining() {
        self.draining.store(true, ordering: .relaxed)
    }

    /// Counts a request in, or says why it is refused; every accepted one must `leave`.
    func enter(_ admission: Route.Admission) throws(ProblemDetails) {
        let count = self.underWay.add(1, ordering: .relaxed).newValue
        let refusal: ProblemDetails? =
            switch admission {
            case .always: nil
            case .whenIdle where self.isDraining: .shuttingDown
            case .whenIdle where count > self.limits.requestsUnderWay: .overloaded
            case .whenIdle: nil
            }
        if let refusal {
            self.leave()
            throw refusal
        }
    }

    func leave() {
        self.underWay.subtract(1, ordering: .relaxed)
    }
}
