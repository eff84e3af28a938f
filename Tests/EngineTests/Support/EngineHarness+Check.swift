import ProcessModel
import Testing
import Values

@testable import Engine

extension EngineHarness {
    /// Compares a partition with its shadow and checks its invariants.
    ///
    /// A command without events moves only the clock, which the shadow cannot see.
    func check(_ index: Int, endsWithEvents: Bool = false) {
        let partition = partitions[index]
        for key in liveInstanceKeys(index) {
            _ = partition.engine.instance(key)
            _ = partition.shadow.instance(key)
        }
        if !endsWithEvents {
            partition.shadow.state.now = Swift.max(partition.shadow.state.now, partition.engine.state.now)
        }
        let live = partition.engine.canonicalState()
        let replayed = partition.shadow.canonicalState()
        if live != replayed {
            report(
                """
                replayed state differs from live state in partition \(index)
                live:     \(describe(partition.engine))
                replayed: \(describe(partition.shadow))
                """)
        }
        for problem in Invariants(partition.engine, taken: partition.taken).problems() { report(problem) }
    }

    /// Checks that the events of a batch encode to what they were decoded from.
    func checkEncoding(_ payload: [UInt8]) {
        var codec = EventCodec()
        var writer = ByteWriter(capacity: payload.count)
        for event in (try? decodeEvents(payload)) ?? [] { codec.write(event, into: &writer) }
        if writer.bytes != payload { report("the events of a batch do not encode to what they were decoded from") }
    }

    /// Checks, while no message is on its way, that subscriptions and their counterparts belong together.
    func checkSubscriptions() {
        guard partitions.allSatisfy({ $0.inbox.isEmpty }) else { return }
        var wanted: [UInt64: UInt64] = [:]
        for instance in instances {
            for subscription in instance.subscriptions {
                wanted[subscription.key] = MessageHash.of(
                    name: subscription.name, correlationKey: subscription.correlationKey)
            }
        }
        for (index, partition) in partitions.enumerated() {
            for (hash, subscription) in partition.engine.state.subscriptions.sorted {
                if wanted.removeValue(forKey: subscription.key) != hash
                    || MessageHash.partition(hash, of: partitions.count) != index || subscription.correlating != 0
                {
                    report("partition \(index) holds a subscription nobody has: \(subscription)")
                }
            }
            for message in partition.engine.state.messages.values where message.pending != 0 {
                report("message \(message.published.name) waits for \(message.pending) answers nobody owes")
            }
        }
        if !wanted.isEmpty { report("subscriptions without counterpart: \(wanted.keys.sorted())") }
    }

    /// Live instances of a partition, in memory or not, ascending.
    func liveInstanceKeys(_ index: Int) -> [UInt64] {
        let partition = partitions[index]
        let keys = Set(partition.store.keys(of: EntityKinds.instance)).union(partition.engine.state.instances.keys)
        return keys.sorted().filter { partition.engine.instance($0) != nil }
    }

    private func describe(_ engine: PartitionEngine) -> String {
        let instances = engine.state.instances.values.sorted { $0.key < $1.key }.map { instance in
            "\(instance.key): \(engine.encode(instance))"
        }
        return "keys \(engine.state.keys.last) now \(engine.state.now) live \(engine.state.liveInstances) "
            + "jobs \(engine.state.openJobs) timers \(engine.state.openTimers) "
            + "owners \(engine.state.owners.keys.sorted()) instances \(instances)"
    }
}
