import Engine
import ProcessModel
import Storage
import Values

/// What the projector knows of a live process instance.
///
/// Rebuilt from the instance's row when it has been forgotten.
final class InstanceProjection {
    /// A live element instance.
    struct Live {
        var ordinal: UInt32
        var node: Int32
        var key: UInt64
        var job: UInt64 = 0
        var userTask: UInt64 = 0
        var incident: UInt64 = 0
        /// Whether its job or user task was answered: what it still waits for is something else.
        var isAnswered = false
        /// Whether its newest incident was just resolved.
        var isResolved = false
    }

    var record: ProcessInstanceRecord
    let definition: DeployedProcess?
    var nextOrdinal: UInt32 = 1
    var live: [Live] = []
    var path = PathWriter()
    /// Timers by owner, to end them with their element.
    var timers: [(key: UInt64, ordinal: UInt32)] = []
    var isChanged = false

    init(record: ProcessInstanceRecord, definition: DeployedProcess?) {
        self.record = record
        self.definition = definition
    }

    func position(of ordinal: UInt32) -> Int? {
        live.firstIndex { $0.ordinal == ordinal }
    }

    /// The key of an element instance, or of the instance itself.
    func key(of ordinal: UInt32) -> UInt64 {
        ordinal == 0 ? record.key : position(of: ordinal).map { live[$0].key } ?? record.key
    }

    func elementID(_ node: Int32) -> String {
        guard let nodes = definition?.process.nodes, nodes.indices.contains(Int(node)) else { return "" }
        return nodes[Int(node)].id
    }

    /// Fills in what the stored path tells of the live element instances.
    func restore(from path: [UInt8]) throws(DecodingFailure) {
        let elements = try ElementPath.expand(path, startedAt: record.startedAt)
        nextOrdinal = UInt32(elements.count + 1)
        for element in elements where element.endedAt == nil {
            live.append(
                Live(
                    ordinal: element.ordinal, node: Int32(element.node), key: element.key.rawValue,
                    job: element.isAnswered ? 0 : element.jobKey?.rawValue ?? 0,
                    userTask: element.isAnswered ? 0 : element.userTaskKey?.rawValue ?? 0,
                    incident: element.incidentKey?.rawValue ?? 0, isAnswered: element.isAnswered))
        }
    }
}
