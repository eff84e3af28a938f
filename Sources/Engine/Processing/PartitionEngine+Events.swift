import Decisions
import ProcessModel
import Values

/// Where events that wait may have got a way on.
struct Unsettled {
    /// The hash of their message.
    var hash: UInt64
    /// A message that came back from its instance, whose time may be over meanwhile; 0 for none.
    var rejected: UInt64 = 0
}

/// What comes of an event: everything in one batch (ADR-0028).
///
/// The message of an event goes to whoever waits, once. It ends as soon as it was taken or started a process; until then
/// it waits, and whatever gives it a way on is followed up at the end of the command that did.
extension PartitionEngine {
    /// Decides what comes of an event whose message belongs to this partition.
    func correlateEvent(_ new: NewCorrelation) -> Reply {
        let unique = new.uniqueKey.map { Self.eventKey("correlate", new.message, new.correlationKey, $0) }
        if let unique, let known = knownEvent(unique) {
            return .correlation(.decided(known.effect, key: known.owner, alreadyExisted: true))
        }
        let hash = MessageHash.of(name: new.message, correlationKey: new.correlationKey)
        let waiting = state.subscriptions.all(hash)
        let free = Self.firstOfEachInstance(waiting.filter { $0.correlating == 0 })
        if free.count > 1, new.manyMatches == .refuse { return .correlation(.refusedManyMatches) }
        guard free.isEmpty else {
            let message = publish(new, isForAll: new.manyMatches == .all)
            for subscription in new.manyMatches == .all ? free[...] : free.prefix(1) {
                guard let published = state.messages[message] else { break }
                send(published, to: subscription)
            }
            return decided(.correlated, message, new, unique)
        }
        switch new.noMatch {
        case .refuse: return .correlation(.refusedNoMatch)
        case .ignore: return decided(.nothing, 0, new, unique)
        case .buffer: return buffered(new, unique)
        case .start(let id, let version, let businessID, _):
            guard let definition = definitions.definition(processID: id, version: version) else {
                return .rejected(
                    CommandRejection(
                        .notFound, "There is no deployed process `\(id)`\(version.map { " in version \($0)" } ?? "")",
                        remedy: "Deploy it first."))
            }
            guard let start = Self.start(of: definition.process, message: new.message) else {
                return .rejected(
                    CommandRejection(
                        .invalidArgument,
                        "Process \(id) has neither a none start event nor one for the message `\(new.message)`",
                        remedy: "Add one of them to the process."))
            }
            // One that takes a message just now may wait for the next one in a moment.
            if !waiting.isEmpty || isLocked(definition.process, hash, new.correlationKey) {
                return buffered(new, unique)
            }
            let instance = newKey()
            // Before the instance, which may end at once: all of this is about it.
            let reply = decided(.started, instance, new, unique)
            lock(definition.process, hash, new.correlationKey, instance)
            begin(definition, at: start, instance, businessID: businessID, variables: new.variables)
            return reply
        }
    }

    /// Broadcasts a signal, once for its key.
    func broadcastSignal(_ new: NewSignal) -> Reply {
        let unique = new.uniqueKey.map { Self.eventKey("signal", new.name, "", $0) }
        if let unique, let known = knownEvent(unique) { return .key(known.owner) }
        let key = broadcast(new.name, new.variables)
        if let unique { reserve(unique, .signalled, key, new.uniqueMilliseconds) }
        keep(new.received, .signalled, key)
        return .key(key)
    }

    // MARK: Keys

    /// The text of the unique key of an event: for what it is, and the caller's key.
    static func eventKey(_ purpose: String, _ name: String, _ correlationKey: String, _ key: String) -> String {
        "\(purpose):\(name.utf8.count):\(name)\(correlationKey.utf8.count):\(correlationKey):\(key)"
    }

    /// What came of the event with a unique key, as long as that is remembered.
    func knownEvent(_ text: String) -> (effect: EventEffect, owner: UInt64)? {
        guard let hash = uniqueSlot(text), let taken = state.uniqueKeys[hash], taken.expiresAt > state.now else {
            return nil
        }
        return (taken.effect ?? .nothing, taken.owner)
    }

    func reserve(_ text: String, _ effect: EventEffect, _ owner: UInt64, _ milliseconds: Int64) {
        emit(.eventKeyReserved(key: text, effect: effect, owner: owner, expiresAt: time(after: milliseconds)))
    }

    private func decided(_ effect: EventEffect, _ key: UInt64, _ new: NewCorrelation, _ unique: String?) -> Reply {
        if let unique { reserve(unique, effect, key, new.uniqueMilliseconds) }
        keep(new.received, effect, key)
        return .correlation(.decided(effect, key: key, alreadyExisted: false))
    }

    // MARK: Messages

    private func buffered(_ new: NewCorrelation, _ unique: String?) -> Reply {
        let message = publish(new, isForAll: false)
        expireMessage(message)
        return decided(.buffered, message, new, unique)
    }

    private func publish(_ new: NewCorrelation, isForAll: Bool) -> UInt64 {
        let key = newKey()
        var plan = CorrelationPlan(isForAll: isForAll, process: nil, version: 0, businessID: nil)
        var buffer: Int64 = 0
        switch new.noMatch {
        case .start(let id, let version, let businessID, let milliseconds):
            plan.process = id
            plan.version = Int32(clamping: version ?? 0)
            plan.businessID = businessID
            buffer = milliseconds
        case .buffer(let milliseconds): buffer = milliseconds
        case .refuse, .ignore: break
        }
        emit(
            .eventPublished(
                MessagePublished(
                    key: key, name: new.message, correlationKey: new.correlationKey, messageID: nil,
                    expiresAt: time(after: buffer), variables: new.variables), plan))
        return key
    }

    /// One subscription of each instance, the longest waiting.
    private static func firstOfEachInstance(_ subscriptions: [MessageSubscription]) -> [MessageSubscription] {
        guard subscriptions.count > 1 else { return subscriptions }
        var seen: Set<UInt64> = []
        return subscriptions.filter { seen.insert($0.instance).inserted }
    }

    // MARK: Starting

    /// Where a process begins for a message: at the start event for it, else at its none start event, else inside
    /// (a nil in the answer); nil when it cannot.
    private static func start(of process: ExecutableProcess, message: String) -> Int?? {
        let node = process.messageStarts.first { node in
            guard case .message(let event)? = process.nodes[node].event, case .string(let name)? = event.name.constant
            else { return false }
            return name == message
        }
        if let node = node ?? process.noneStart { return .some(node) }
        return process.nodes[0].implicitStarts.isEmpty ? nil : .some(nil)
    }

    private func begin(
        _ definition: DeployedProcess, at start: Int?, _ instance: UInt64, businessID: String?,
        variables: VariableDocument
    ) {
        startInstance(
            InstanceCreated(
                key: instance, definitionKey: definition.key.rawValue, parent: 0, parentOrdinal: 0,
                parentElementKey: 0, depth: 0, businessID: businessID),
            start: start, variables: variables)
    }

    private func isLocked(_ process: ExecutableProcess, _ hash: UInt64, _ correlationKey: String) -> Bool {
        !correlationKey.isEmpty
            && state.startLocks.holder(StartLocks.Name(process: StableHash.fnv1a64(process.id), hash: hash)) != nil
    }

    private func lock(_ process: ExecutableProcess, _ hash: UInt64, _ correlationKey: String, _ instance: UInt64) {
        guard !correlationKey.isEmpty else { return }
        emit(.startLocked(process: StableHash.fnv1a64(process.id), hash: hash, instance: instance))
    }

    // MARK: Following up

    /// Notes that events of a message may go on.
    func unsettle(_ hash: UInt64, rejected: UInt64 = 0) {
        if state.messagesByHash[hash] != nil { unsettled.append(Unsettled(hash: hash, rejected: rejected)) }
    }

    /// Lets events that wait go on: to whoever waits for them, or to the process they start.
    ///
    /// What a started instance does may let the next one go on, so this ends when nothing moves.
    func settleEvents() {
        while let next = unsettled.popLast() {
            for key in state.messagesByHash[next.hash] ?? [] {
                guard let message = state.messages[key], let plan = message.plan else { continue }
                if message.sent.isEmpty, message.published.expiresAt > state.now || key == next.rejected {
                    settle(message, plan)
                }
                expireMessage(key)
            }
        }
    }

    private func settle(_ message: MessageState, _ plan: CorrelationPlan) {
        let waiting = state.subscriptions.all(message.hash)
        if let free = waiting.first(where: { $0.correlating == 0 }) {
            send(message, to: free)
            handleLocalMessages()
            return
        }
        let published = message.published
        guard waiting.isEmpty, let id = plan.process,
            let definition = definitions.definition(
                processID: id, version: plan.version == 0 ? nil : Int(plan.version)),
            !isLocked(definition.process, message.hash, published.correlationKey),
            let start = Self.start(of: definition.process, message: published.name)
        else { return }
        beginSteps()
        let instance = newKey()
        emit(
            .messageStartedInstance(
                message: published.key, process: StableHash.fnv1a64(definition.process.id), instance: instance))
        lock(definition.process, message.hash, published.correlationKey, instance)
        begin(definition, at: start, instance, businessID: plan.businessID, variables: published.variables)
        runSegment()
        handleLocalMessages()
    }
}
