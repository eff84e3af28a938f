import ProcessModel
import Values

/// Message correlation: publication, subscriptions and what partitions tell each other about them (DESIGN §2).
extension PartitionEngine {
    func publishMessage(_ new: NewMessage) -> Reply {
        let hash = MessageHash.of(name: new.name, correlationKey: new.correlationKey)
        if let id = new.messageID, let existing = state.messageIDs[Self.messageIDHash(hash, id)] {
            return .rejected(
                CommandRejection(
                    .alreadyExists,
                    "A message `\(new.name)` with correlation key `\(new.correlationKey)` and id `\(id)` is buffered (\(existing))",
                    remedy: "It was published before: nothing is left to do."))
        }
        let unique = new.uniqueKey.map { Self.eventKey("publish", new.name, new.correlationKey, $0) }
        if let unique, let known = knownEvent(unique) { return .key(known.owner) }
        let key = newKey()
        if let unique { reserve(unique, .published, key, new.uniqueMilliseconds) }
        emit(
            .messagePublished(
                MessagePublished(
                    key: key, name: new.name, correlationKey: new.correlationKey, messageID: new.messageID,
                    expiresAt: time(after: new.timeToLiveMilliseconds), variables: new.variables)))
        startByMessage(key)
        correlate(key)
        expireMessage(key)
        return .key(key)
    }

    /// Starts the newest version of each process that begins with this message.
    private func startByMessage(_ key: UInt64) {
        guard let message = state.messages[key] else { return }
        for (definition, start) in definitions.messageStarts(name: message.published.name) {
            let process = StableHash.fnv1a64(definition.process.id)
            // One that began with another of the events it needs is waiting for this one.
            if needsOthers(definition.process, start),
                state.subscriptions.all(message.hash).contains(where: { $0.process == process && $0.correlating == 0 })
            {
                continue
            }
            let instanceKey = newKey()
            emit(.messageStartedInstance(message: key, process: process, instance: instanceKey))
            startInstance(
                InstanceCreated(
                    key: instanceKey, definitionKey: definition.key.rawValue, parent: 0, parentOrdinal: 0,
                    parentElementKey: 0, depth: 0, businessID: nil),
                start: start, variables: message.published.variables)
        }
    }

    /// Whether a start is one of several events that all belong to one beginning: of a parallel multiple start event or
    /// behind a parallel instantiating gateway.
    private func needsOthers(_ process: ExecutableProcess, _ start: Int) -> Bool {
        let node = process.nodes[start]
        let event = node.triggerOf.map { process.nodes[$0] } ?? node
        if case .multiple(isParallel: true)? = event.event { return true }
        return event.incoming.contains { flow in
            process.nodes[process.flows[flow].source].eventGatewayType == .instantiatingParallel
        }
    }

    /// Sends a message to every process it has not reached, one instance each, the longest waiting first.
    private func correlate(_ key: UInt64) {
        guard let message = state.messages[key] else { return }
        for subscription in state.subscriptions.all(message.hash)
        where subscription.correlating == 0 && state.messages[key]?.reached(subscription.process) == false {
            send(message, to: subscription)
        }
    }

    func send(_ message: MessageState, to subscription: MessageSubscription) {
        emit(
            .messageCorrelating(hash: message.hash, subscription: subscription.key, message: message.published.key))
        send(
            .correlate(
                PartitionMessage.Correlation(
                    instance: subscription.instance, subscription: subscription.key, hash: message.hash,
                    message: message.published.key, name: message.published.name,
                    correlationKey: message.published.correlationKey, variables: message.published.variables)),
            to: Key(rawValue: subscription.instance).partition)
    }

    /// Ends a message whose time is over, unless an instance has not answered yet.
    func expireMessage(_ key: UInt64) {
        guard let message = state.messages[key], message.isOver(at: state.now), message.pending == 0 else { return }
        emit(.messageExpired(key: key))
    }

    // MARK: Between partitions

    func receive(_ payload: [UInt8]) {
        payload.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            while !reader.isAtEnd {
                guard let message = try? PartitionMessage.read(&reader) else {
                    // Written by this program in the sender's transaction: only damage gets here.
                    noteDamage("a message from another partition cannot be decoded at byte \(reader.offset)")
                    return
                }
                beginSteps()
                handle(message)
                runSegment()
            }
        }
    }

    func handle(_ message: PartitionMessage) {
        switch message {
        case .openSubscription(let subscription, let name, let correlationKey):
            emit(.messageSubscriptionCreated(subscription))
            let buffered = state.messagesByHash[subscription.hash] ?? []
            for key in buffered {
                guard let message = state.messages[key], message.published.name == name,
                    message.published.correlationKey == correlationKey, message.published.expiresAt > state.now,
                    message.isFor(subscription.process),
                    let waiting = state.subscriptions.find(subscription.hash, key: subscription.key)
                else { continue }
                send(message, to: waiting)
                return
            }
        case .closeSubscription(let hash, let key):
            if state.subscriptions.find(hash, key: key) != nil {
                emit(.messageSubscriptionClosed(hash: hash, subscription: key))
                unsettle(hash)
            }
        case .correlate(let correlation):
            correlateInstance(correlation)
        case .correlated(let hash, let key, let message, let stays):
            emit(.messageCorrelated(hash: hash, subscription: key, message: message, stays: stays))
            expireMessage(message)
            if stays { offerBuffered(hash, key) } else { unsettle(hash) }
        case .publish(let message):
            // One that is buffered already, by its id, is the one that was published.
            _ = publishMessage(message)
        case .signal(let name, let variables):
            deliver(signal: name, variables)
        case .dataStore(let name, let value):
            keep(dataStore: name, value)
        case .rejected(let hash, let key, let message):
            emit(.messageRejected(hash: hash, subscription: key, message: message))
            if state.messages[message]?.plan == nil {
                correlate(message)
                expireMessage(message)
            }
            // It may have kept others from starting too.
            unsettle(hash, rejected: message)
        }
    }

    /// Gives a subscription that stayed open the next buffered message.
    private func offerBuffered(_ hash: UInt64, _ key: UInt64) {
        guard let subscription = state.subscriptions.find(hash, key: key), subscription.correlating == 0 else { return }
        for candidate in state.messagesByHash[hash] ?? [] {
            guard let message = state.messages[candidate], message.published.expiresAt > state.now,
                message.isFor(subscription.process)
            else { continue }
            send(message, to: subscription)
            return
        }
    }

    /// A message arrives at the instance it is for.
    private func correlateInstance(_ correlation: PartitionMessage.Correlation) {
        guard let instance = instance(correlation.instance),
            let subscription = instance.subscriptions.first(where: { $0.key == correlation.subscription }),
            subscription.name == correlation.name, subscription.correlationKey == correlation.correlationKey
        else {
            send(
                .rejected(hash: correlation.hash, key: correlation.subscription, message: correlation.message),
                hash: correlation.hash)
            return
        }
        let node = instance.process.nodes[Int(subscription.node)]
        let stays = staysOpen(node, in: instance.process)
        emit(
            .subscriptionCorrelated(key: subscription.key, messageKey: correlation.message, stays: stays),
            on: instance)
        send(
            .correlated(
                hash: correlation.hash, key: correlation.subscription, message: correlation.message, stays: stays),
            hash: correlation.hash)
        trigger(node, subscription.ordinal, of: instance, variables: correlation.variables)
    }
}
