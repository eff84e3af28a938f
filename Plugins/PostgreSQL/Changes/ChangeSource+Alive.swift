internal import ConnectorKit

extension ChangeSource {
    /// Does what is due: signs of life, confirmations, the heartbeat, a look at the slot.
    func pulse() {
        guard let streams else { return }
        let now = ContinuousClock.now
        do throws(PQFailure) {
            let isNews = self.durable > self.told && now - self.lastStatus >= .milliseconds(100)
            if isNews || now - self.lastStatus >= self.statusInterval { try self.tell() }
            guard now >= self.nextCheck else { return }
            self.nextCheck = now + .seconds(1)
            // A server that shuts down ends this one first, and waits for the other until we have it all.
            guard streams.control.connection.isAlive else {
                self.disconnect("The server ended the connection that watches the slot.")
                return
            }
        } catch {
            self.disconnect("The connection broke: \(error)")
            return
        }
        guard !self.isSnapshotOnly else { return }
        do throws(ConnectorError) {
            if let heartbeat = self.parameters.heartbeat, now >= self.nextHeartbeat {
                self.nextHeartbeat = now + heartbeat.every
                try self.catalog(.seconds(5))?.session.texts(
                    heartbeat.statement ?? "SELECT pg_catalog.pg_logical_emit_message(false, 'junction', '')",
                    limits: .init(deadline: now + .seconds(5), interrupt: Interrupt()))
            }
            if now >= self.nextLagCheck {
                self.nextLagCheck = now + min(.seconds(30), self.parameters.heartbeat?.every ?? .seconds(30))
                try self.checkLag()
            }
        } catch {
            self.alarm = error
        }
    }

    func tell() throws(PQFailure) {
        self.lastStatus = .now
        guard let link = self.streams?.replication, link.isStreaming else { return }
        try link.confirm(self.durable)
        self.told = self.durable
    }

    /// Raises the alarm once when the slot falls behind, and again only after it has caught up.
    func checkLag() throws(ConnectorError) {
        guard let slot = try self.catalog(.seconds(5))?.slot(self.parameters.slot) else { return }
        let maximum = self.parameters.lagBytesMaximum
        let isBehind = slot.status == "unreserved" || maximum.map { slot.lag > $0 } ?? false
        let hasCaughtUp = slot.status != "unreserved" && maximum.map { slot.lag < $0 / 5 * 4 } ?? true
        // Behind from the start is why somebody looks at the trigger already; it must not be kept from catching up.
        if isBehind, self.isLagging == false {
            self.alarm = ChangeErrors.lag(
                self.parameters.slot, bytes: slot.lag, maximum: maximum, status: slot.status)
        }
        if isBehind { self.isLagging = true } else if hasCaughtUp { self.isLagging = false }
    }
}
