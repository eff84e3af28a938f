import Values

/// How messages and subscriptions find each other, and their partition.
public enum MessageHash {
    /// The hash of a message name and correlation key.
    public static func of(name: String, correlationKey: String) -> UInt64 {
        StableHash.mixed(StableHash.fnv1a64(correlationKey, state: StableHash.fnv1a64(name) ^ 0x1F))
    }

    /// The partition where a message and its subscriptions meet (DESIGN §2).
    public static func partition(_ hash: UInt64, of count: Int) -> Int {
        Int(hash % UInt64(count))
    }
}

/// A subscription seen from the message's partition.
///
/// Name and correlation key are checked by the instance.
struct MessageSubscription {
    var key: UInt64
    var instance: UInt64
    /// Hash of the process id.
    var process: UInt64
    /// The message that is on its way to the instance; 0 when none.
    var correlating: UInt64 = 0
}

/// Subscriptions of one partition by message hash: nearly always one per hash.
struct MessageSubscriptions {
    private var single: [UInt64: MessageSubscription] = [:]
    private var more: [UInt64: [MessageSubscription]] = [:]
    private(set) var count = 0

    /// All subscriptions of a hash, the one that has waited longest since it opened or took a message first.
    func all(_ hash: UInt64) -> [MessageSubscription] {
        guard let first = single[hash] else { return [] }
        guard let rest = more[hash] else { return [first] }
        return [first] + rest
    }

    func find(_ hash: UInt64, key: UInt64) -> MessageSubscription? {
        guard let first = single[hash] else { return nil }
        return first.key == key ? first : more[hash]?.first { $0.key == key }
    }

    mutating func insert(_ subscription: MessageSubscription, hash: UInt64) {
        count += 1
        if single[hash] == nil { single[hash] = subscription } else { more[hash, default: []].append(subscription) }
    }

    /// Inserts one that was stored, in the order of age: a store tells them in the order of their keys, where the age
    /// counts only within a partition.
    mutating func restore(_ subscription: MessageSubscription, hash: UInt64) {
        insert(subscription, hash: hash)
        guard more[hash] != nil else { return }
        let ordered = all(hash).sorted {
            let (first, second) = (Key(rawValue: $0.key), Key(rawValue: $1.key))
            return (first.milliseconds, first.rawValue) < (second.milliseconds, second.rawValue)
        }
        single[hash] = ordered.first
        more[hash] = Array(ordered.dropFirst())
    }

    mutating func update(_ hash: UInt64, key: UInt64, correlating message: UInt64) {
        if single[hash]?.key == key {
            single[hash]?.correlating = message
        } else if let position = more[hash]?.firstIndex(where: { $0.key == key }) {
            more[hash]?[position].correlating = message
        }
    }

    /// Ends a subscription's correlation and puts it behind the others: one that stays open must not keep every message
    /// from those that wait for their first.
    mutating func requeue(_ hash: UInt64, key: UInt64) {
        guard var subscription = find(hash, key: key) else { return }
        subscription.correlating = 0
        remove(hash, key: key)
        insert(subscription, hash: hash)
    }

    /// Removes a subscription; returns whether it existed.
    @discardableResult
    mutating func remove(_ hash: UInt64, key: UInt64) -> Bool {
        if single[hash]?.key == key {
            if var rest = more[hash] {
                single[hash] = rest.removeFirst()
                more[hash] = rest.isEmpty ? nil : rest
            } else {
                single[hash] = nil
            }
        } else if let position = more[hash]?.firstIndex(where: { $0.key == key }) {
            more[hash]?.remove(at: position)
            if more[hash]?.isEmpty == true { more[hash] = nil }
        } else {
            return false
        }
        count -= 1
        return true
    }

    /// Every subscription with its hash, by key.
    var sorted: [(hash: UInt64, subscription: MessageSubscription)] {
        (single.map { ($0.key, $0.value) } + more.flatMap { hash, rest in rest.map { (hash, $0) } })
            .sorted { $0.1.key < $1.1.key }
    }
}

/// A published message that has not ended.
struct MessageState {
    var published: MessagePublished
    var hash: UInt64
    /// The processes it was sent to, by the hash of their id, and the subscription each time; 0 for a start.
    var sent: [(process: UInt64, subscription: UInt64)] = []
    /// How many instances have not answered yet.
    var pending: Int32 = 0
    /// How it came to be, when an event became it; nil when it was published.
    var plan: CorrelationPlan?

    /// Whether it was sent to this process.
    func reached(_ process: UInt64) -> Bool { sent.contains { $0.process == process } }

    /// Whether a subscription of this process that opened now gets it: one of each process gets a published message, one
    /// alone gets an event.
    func isFor(_ process: UInt64) -> Bool { plan == nil ? !reached(process) : sent.isEmpty }

    /// Whether it is over at this time, once nothing is under way.
    func isOver(at now: Int64) -> Bool { published.expiresAt <= now || (plan != nil && !sent.isEmpty) }
}

/// Instances that were started by an event, and what they keep further events from starting (ADR-0028).
struct StartLocks {
    /// What is locked.
    struct Name: Hashable {
        /// Hash of the process id.
        var process: UInt64
        /// `MessageHash` of message and correlation key.
        var hash: UInt64
    }

    private var instances: [Name: UInt64] = [:]
    private var names: [UInt64: Name] = [:]

    var isEmpty: Bool { names.isEmpty }

    /// The instance that holds a lock.
    func holder(_ name: Name) -> UInt64? { instances[name] }

    /// What an instance holds.
    func name(of instance: UInt64) -> Name? { names[instance] }

    mutating func insert(_ name: Name, instance: UInt64) {
        instances[name] = instance
        names[instance] = name
    }

    /// Gives back what an instance held.
    mutating func remove(instance: UInt64) -> Name? {
        guard let name = names.removeValue(forKey: instance) else { return nil }
        instances[name] = nil
        return name
    }

    /// Every lock, by instance.
    var sorted: [(instance: UInt64, name: Name)] {
        names.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }
}
