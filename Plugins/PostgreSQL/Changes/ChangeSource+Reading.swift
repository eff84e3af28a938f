internal import ConnectorKit
internal import SQLSupport
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

extension ChangeSource {
    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let batch = try await self.interruptibly { interrupt in
            try self.next(maximum: max(1, min(maximum, 10_000)), deadline: .now + wait, interrupt)
        }
        try await self.save()
        return batch
    }

    func next(
        maximum: Int, deadline: ContinuousClock.Instant, _ interrupt: Interrupt
    ) throws -> EventBatch? {
        while true {
            self.pulse()
            if let alarm {
                self.alarm = nil
                throw alarm
            }
            guard let streams else { throw SourceInterruption.notConnected(reason: self.loss) }
            do {
                if let first = self.again.first {
                    if first.due <= .now { return self.giveAgain() }
                } else if self.tracker.events < Self.eventsMaximum, self.tracker.bytes < Self.bytesMaximum {
                    if let snapshot = streams.snapshot {
                        if let batch = try self.page(snapshot, maximum: maximum, interrupt) { return batch }
                        try self.finishSnapshot(interrupt)
                        continue
                    }
                    if self.isSnapshotOnly { throw SourceInterruption.endOfInput }
                    if let batch = try self.fill(maximum: maximum, interrupt) { return batch }
                }
                guard .now < deadline else { return nil }
                try self.rest(until: deadline, interrupt)
            } catch let failure as PQFailure {
                if failure == .interrupted, !self.isClosed { throw CancellationError() }
                self.disconnect("The connection broke: \(failure)")
                throw SourceInterruption.notConnected(reason: self.loss)
            }
        }
    }

    /// Waits for something to do.
    func rest(until deadline: ContinuousClock.Instant, _ interrupt: Interrupt) throws(PQFailure) {
        guard let streams else { return }
        var limits = PQConnection.Limits(
            deadline: min(deadline, .now + min(.seconds(1), self.statusInterval)), interrupt: interrupt)
        if let due = self.again.first?.due { limits.deadline = min(limits.deadline, due) }
        let isReading =
            self.again.isEmpty && self.tracker.events < Self.eventsMaximum && self.tracker.bytes < Self.bytesMaximum
        do throws(PQFailure) {
            if let link = streams.replication, link.isStreaming, isReading {
                try link.connection.wait(Int16(POLLIN), limits)
            } else {
                try streams.control.connection.wait(0, limits)
            }
        } catch .timedOut {}
    }

    /// Rows of the snapshot; nil at its end.
    func page(_ snapshot: SnapshotReader, maximum: Int, _ interrupt: Interrupt) throws -> EventBatch? {
        do throws(ConnectorError) {
            let limits = PostgresSession.CallLimits(deadline: .now + .seconds(60), interrupt: interrupt)
            guard let page = try snapshot.next(maximum: maximum, limits) else { return nil }
            return self.give(page.events, bytes: page.bytes, position: nil, progress: page.progress)
        } catch {
            if interrupt.isRaised, !self.isClosed {
                self.disconnect("Reading the snapshot was cancelled.")
                throw CancellationError()
            }
            self.disconnect("The snapshot broke off: \(error.message)")
            if error.isRetryable { throw SourceInterruption.notConnected(reason: self.loss) }
            throw error
        }
    }

    func finishSnapshot(_ interrupt: Interrupt) throws {
        self.streams?.snapshot?.close()
        self.streams?.snapshot = nil
        if let progress = self.tracker.reached(SnapshotProgress(isDone: true)) { self.note(progress) }
        if !self.isSnapshotOnly {
            try self.startStreaming(
                PostgresSession.CallLimits(deadline: .now + self.settings.connectTimeout, interrupt: interrupt))
        }
    }

    func note(_ progress: SnapshotProgress) {
        self.saved?.progress = progress
        self.isUnsaved = true
    }

    /// What one frame came to.
    enum Taken {
        case step(ChangeAssembler.Step)
        case keepAlive(LogPosition, wantsReply: Bool)
    }

    func take(_ frame: UnsafeRawBufferPointer) -> Result<Taken, PGOutput.Malformed> {
        do throws(PGOutput.Malformed) {
            switch try ReplicationFrame.incoming(frame) {
            case .data(let bytes): return .success(.step(try self.assembler.take(bytes)))
            case .keepAlive(let end, let wantsReply): return .success(.keepAlive(end, wantsReply: wantsReply))
            }
        } catch {
            return .failure(error)
        }
    }

    /// Takes what has come; nil when there are no events in it.
    func fill(maximum: Int, _ interrupt: Interrupt) throws -> EventBatch? {
        guard let link = self.streams?.replication else { return nil }
        let limits = PQConnection.Limits(deadline: .now + .seconds(10), interrupt: interrupt)
        var events: [SourceEvent] = []
        var bytes = 0
        var position: LogPosition?
        func reached(_ place: LogPosition) {
            if events.isEmpty { self.tracker.reached(place) } else { position = place }
        }
        reading: while events.count < maximum, bytes < Self.batchBytesMaximum {
            let taken: Taken
            switch try link.next(limits, self.take) {
            case .none: break reading
            case .ended(let error):
                self.disconnect("The server ended the stream.")
                if let error { throw ChangeErrors.refusal(error, slot: self.parameters.slot) }
                throw SourceInterruption.notConnected(reason: self.loss)
            case .some(.success(let result)): taken = result
            case .some(.failure(let error)):
                self.disconnect("The server sent what is no \(error.what).")
                throw PostgresErrors.malformed(error.what, mayHaveExecuted: false)
            }
            switch taken {
            case .step(.nothing): break
            case .step(.event(let event)):
                bytes += event.payload.count
                events.append(event)
            case .step(.events(let several)): events += several
            case .step(.committed(let end)): reached(end)
            case .step(.relation(let relation)): try self.install(relation)
            case .keepAlive(let end, let wantsReply):
                // Within a transaction its position may be beyond changes that have not come.
                if !self.assembler.isInTransaction { reached(end) }
                self.settle()
                if wantsReply { try self.tell() }
            }
        }
        self.settle()
        return events.isEmpty ? nil : self.give(events, bytes: bytes, position: position, progress: nil)
    }

    /// With nothing out and nothing to save, what was reached is durable.
    func settle() {
        guard self.tracker.isEmpty, !self.isUnsaved else { return }
        self.durable = max(self.durable, self.tracker.confirmed)
    }

    func install(_ relation: PGOutput.Relation) throws {
        guard self.assembler.wants(relation), let catalog = self.catalog(.seconds(10)) else {
            self.assembler.install(nil, for: relation.id)
            return
        }
        let shape = try catalog.shape(relation)
        try self.checkOutbox(shape)
        self.assembler.install(shape, for: relation.id)
    }

    func checkOutbox(_ shape: TableShape) throws(ConnectorError) {
        guard let outbox = self.parameters.outbox else { return }
        let missing = outbox.missing(in: shape.columns.map(\.name))
        guard missing.isEmpty else {
            throw ChangeErrors.setup(
                "The outbox \(shape.path) has no column \(missing.joined(separator: ", ")).",
                remedy: "Name the columns in outbox as the table has them.")
        }
    }

    func catalog(_ timeout: Duration) -> ChangeCatalog? {
        self.streams.map {
            ChangeCatalog(session: $0.control, limits: .init(deadline: .now + timeout, interrupt: Interrupt()))
        }
    }

    func give(
        _ events: [SourceEvent], bytes: Int, position: LogPosition?, progress: SnapshotProgress?
    ) -> EventBatch {
        let batch = self.nextBatch
        self.nextBatch += 1
        self.tracker.add(
            batch: batch, events: events.count, bytes: bytes, position: position, progress: progress)
        self.out[batch] = events
        return EventBatch(id: EventBatch.ID(rawValue: batch), events: events)
    }

    func giveAgain() -> EventBatch? {
        let batch = self.again.removeFirst().batch
        return self.out[batch].map { EventBatch(id: EventBatch.ID(rawValue: batch), events: $0) }
    }
}
