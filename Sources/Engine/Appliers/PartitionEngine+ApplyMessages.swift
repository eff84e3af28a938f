import Values

/// The appliers of the message side of a partition.
extension PartitionEngine {
    func applyMessageEvent(_ event: Event) {
        switch event {
        case .messagePublished(let published):
            noteKey(published.key)
            let hash = MessageHash.of(name: published.name, correlationKey: published.correlationKey)
            insertMessage(MessageState(published: published, hash: hash))
            changed(EntityKinds.message, published.key)
        case .eventPublished(let published, let plan):
            noteKey(published.key)
            let hash = MessageHash.of(name: published.name, correlationKey: published.correlationKey)
            var message = MessageState(published: published, hash: hash)
            message.plan = plan
            insertMessage(message)
            changed(EntityKinds.message, published.key)
        case .startLocked(let process, let hash, let instance):
            state.startLocks.insert(StartLocks.Name(process: process, hash: hash), instance: instance)
            changed(EntityKinds.startLock, instance)
        case .messageExpired(let key):
            guard let message = state.messages.removeValue(forKey: key) else { return }
            state.messagesByHash[message.hash]?.removeAll { $0 == key }
            if state.messagesByHash[message.hash]?.isEmpty == true { state.messagesByHash[message.hash] = nil }
            if let id = message.published.messageID {
                state.messageIDs[Self.messageIDHash(message.hash, id)] = nil
            }
            changed(EntityKinds.message, key)
        case .messageSubscriptionCreated(let subscription):
            state.subscriptions.insert(
                MessageSubscription(
                    key: subscription.key, instance: subscription.instance, process: subscription.process),
                hash: subscription.hash)
            subscriptionChanged(subscription.hash, subscription.key)
        case .messageCorrelating(let hash, let subscription, let message):
            if let process = state.subscriptions.find(hash, key: subscription)?.process {
                state.messages[message]?.sent.append((process, subscription))
            }
            state.messages[message]?.pending += 1
            changed(EntityKinds.message, message)
            state.subscriptions.update(hash, key: subscription, correlating: message)
            subscriptionChanged(hash, subscription)
        case .messageCorrelated(let hash, let subscription, let message, let stays):
            state.messages[message]?.pending -= 1
            changed(EntityKinds.message, message)
            if stays {
                state.subscriptions.requeue(hash, key: subscription)
            } else {
                state.subscriptions.remove(hash, key: subscription)
            }
            subscriptionChanged(hash, subscription)
        case .messageRejected(let hash, let subscription, let message):
            state.messages[message]?.pending -= 1
            state.messages[message]?.sent.removeAll { $0.subscription == subscription }
            changed(EntityKinds.message, message)
            state.subscriptions.remove(hash, key: subscription)
            subscriptionChanged(hash, subscription)
        case .messageSubscriptionClosed(let hash, let subscription):
            state.subscriptions.remove(hash, key: subscription)
            subscriptionChanged(hash, subscription)
        case .messageStartedInstance(let message, let process, _):
            state.messages[message]?.sent.append((process, 0))
            changed(EntityKinds.message, message)
        default:
            break
        }
    }

    func insertMessage(_ message: MessageState) {
        let key = message.published.key
        state.messages[key] = message
        state.messagesByHash[message.hash, default: []].append(key)
        if let id = message.published.messageID { state.messageIDs[Self.messageIDHash(message.hash, id)] = key }
        state.deadlines.insert(Deadline(at: message.published.expiresAt, key: key, kind: .message))
    }

    static func messageIDHash(_ hash: UInt64, _ id: String) -> UInt64 {
        StableHash.mixed(StableHash.fnv1a64(id, state: hash))
    }

    /// Remembers the hash too: a subscription is found by hash and key.
    private func subscriptionChanged(_ hash: UInt64, _ key: UInt64) {
        changed(EntityKinds.subscription, key)
        changedSubscriptionHashes[key] = hash
    }
}
