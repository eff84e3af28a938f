/// Commands about dead letters.
extension PartitionEngine {
    func recordDeadLetter(_ letter: DeadLetterRecorded) -> Reply {
        var letter = letter
        if let dedupeKey = letter.dedupeKey {
            let text = "dead-letter:\(letter.origin):\(dedupeKey)"
            if let existing = uniqueOwner(text) { return .key(existing.owner) }
            letter.key = newKey()
            // Kept as long as the same input may come again; ADR-0009.
            emit(.uniqueKeyReserved(key: text, owner: letter.key, expiresAt: time(after: 30 * 86_400_000)))
        } else {
            letter.key = newKey()
        }
        emit(.deadLetterRecorded(letter))
        return .key(letter.key)
    }

    func endDeadLetter(_ key: UInt64, _ outcome: UInt8) -> Reply {
        guard state.deadLetters[key] != nil else { return .rejected(noOpenLetter(key)) }
        emit(.deadLetterEnded(key: key, outcome: outcome))
        return .done
    }

    func changeDeadLetter(_ key: UInt64, _ change: DeadLetterChanged) -> Reply {
        guard state.deadLetters[key] != nil else { return .rejected(noOpenLetter(key)) }
        emit(.deadLetterChanged(key: key, change))
        return .done
    }

    func purgeDeadLetters(_ keys: [UInt64]) -> Reply {
        for key in keys where state.deadLetters[key] == nil { emit(.deadLetterPurged(key: key)) }
        return .done
    }

    private func noOpenLetter(_ key: UInt64) -> CommandRejection {
        CommandRejection(
            .notFound, "There is no waiting dead letter \(key)",
            remedy: "List them with `junction dead-letter list`; one that was resolved or discarded stays so.")
    }
}
