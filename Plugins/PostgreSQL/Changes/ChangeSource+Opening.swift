internal import ConnectorKit
internal import SQLSupport
internal import Values

extension ChangeSource {
    /// Connects, and finds out where to go on.
    func open(
        _ password: Secret?, _ memory: ChangeMemory?, _ confirmed: LogPosition, _ limits: PostgresSession.CallLimits
    ) throws {
        let control = try self.session(password, limits)
        self.streams = Streams(control: control)
        let catalog = ChangeCatalog(session: control, limits: limits)
        if self.isSnapshotOnly {
            try self.openSnapshotOnly(password, memory, catalog, limits)
        } else {
            try self.openSlot(password, memory, confirmed, catalog, limits)
        }
    }

    private func openSnapshotOnly(
        _ password: Secret?, _ memory: ChangeMemory?, _ catalog: ChangeCatalog, _ limits: PostgresSession.CallLimits
    ) throws {
        var known = try memory ?? ChangeMemory(slot: self.parameters.slot, origin: catalog.position())
        if self.isReplay { known.progress = SnapshotProgress() }
        self.isUnsaved = memory == nil
        self.saved = known
        self.tracker = AcknowledgedPosition(.zero)
        guard !known.progress.isDone else { return }
        let tables =
            self.parameters.tables.isEmpty
            ? try catalog.publish([], in: self.parameters.publication, creates: false)
            : try self.parameters.tables.map { try catalog.table(named: $0) }
        try self.openSnapshot(password, exported: nil, tables, limits)
    }

    private func openSlot(
        _ password: Secret?, _ memory: ChangeMemory?, _ confirmed: LogPosition, _ catalog: ChangeCatalog,
        _ limits: PostgresSession.CallLimits
    ) throws {
        let name = self.parameters.slot
        try catalog.checkLogLevel()
        guard try catalog.lock(slot: name) else {
            throw SourceInterruption.notConnected(
                reason: "The slot \(name) is in use by another node; this one stands by.")
        }
        let timeout = try catalog.senderTimeout()
        self.statusInterval = min(.seconds(10), timeout.map { $0 / 4 } ?? .seconds(10))
        let tables = try catalog.publish(
            self.parameters.tables, in: self.parameters.publication, creates: self.parameters.createsPublication)
        for table in tables { try self.checkOutbox(table.shape) }
        // What was remembered of another slot says nothing about this one.
        var known = memory?.slot == name ? memory : nil
        var slot = try self.usable(try catalog.slot(name), &known, catalog)
        let link = try self.replication(password, limits)
        self.streams?.replication = link
        var exported: String?
        if slot == nil {
            let made = try self.makeSlot(link, limits)
            exported = made.snapshot
            slot = ChangeCatalog.Slot(
                plugin: "pgoutput", database: self.settings.database, confirmed: made.position, status: "reserved",
                lag: 0)
            known = nil
        }
        let position = slot?.confirmed ?? .zero
        self.isUnsaved = known == nil
        self.saved =
            known
            ?? ChangeMemory(
                slot: name, origin: position,
                progress: SnapshotProgress(isDone: self.parameters.snapshot == .never))
        // A slot that was made anew may stand before where an earlier one was.
        self.tracker = AcknowledgedPosition(exported == nil ? max(position, confirmed) : position)
        self.assembler = ChangeAssembler(
            slot: name, tables: Set(self.parameters.tables.isEmpty ? [] : tables.map(\.shape.path)),
            outbox: self.parameters.outbox, decoding: self.decoding)
        if self.saved?.progress.isDone == true {
            try self.startStreaming(limits)
        } else {
            try self.openSnapshot(password, exported: exported, tables, limits)
        }
    }

    /// The slot if it can be read; nil when one is to be made.
    private func usable(
        _ slot: ChangeCatalog.Slot?, _ known: inout ChangeMemory?, _ catalog: ChangeCatalog
    ) throws -> ChangeCatalog.Slot? {
        let name = self.parameters.slot
        if let slot, slot.plugin != "pgoutput" || slot.database != self.settings.database {
            throw ChangeErrors.setup(
                "The slot \(name) belongs to \(slot.plugin) of the database \(slot.database).",
                remedy: "Choose another name for the slot, or drop that one.", kind: .conflict)
        }
        let isLost = slot.map { $0.status == "lost" || $0.confirmed == nil } ?? false
        guard isLost || (slot == nil && known != nil) else { return slot }
        guard self.parameters.onSlotLoss == .snapshot else {
            throw ChangeErrors.slotLost(
                name, isLost ? "was given up by the server" : "is gone", since: slot?.confirmed ?? known?.origin)
        }
        if isLost { try catalog.drop(slot: name) }
        known = nil
        return nil
    }

    private func makeSlot(
        _ link: ReplicationLink, _ limits: PostgresSession.CallLimits
    ) throws -> (position: LogPosition, snapshot: String) {
        let text =
            "CREATE_REPLICATION_SLOT \(SQLText.quotedName(self.parameters.slot)) LOGICAL pgoutput EXPORT_SNAPSHOT"
        let result: Result<PostgresTexts, PQServerError>
        do throws(PQFailure) {
            result = try link.command(text, limits.waiting)
        } catch .timedOut {
            throw ChangeErrors.setup(
                "The slot \(self.parameters.slot) could not be made within "
                    + "\(Quantity.text(self.settings.connectTimeout)).",
                remedy: "The server waits for the end of transactions that were open before: look in pg_stat_activity.",
                kind: .timeout)
        } catch {
            throw PostgresErrors.cut(error, timeout: self.settings.connectTimeout, mayHaveExecuted: true)
        }
        switch result {
        case .failure(let error): throw ChangeErrors.refusal(error, slot: self.parameters.slot)
        case .success(let texts):
            guard texts.rows.count == 1, texts.columns.count >= 3,
                let position = texts.text(0, 1).flatMap({ LogPosition($0) }), let snapshot = texts.text(0, 2)
            else { throw PostgresErrors.malformed("description of a slot", mayHaveExecuted: true) }
            return (position, snapshot)
        }
    }

    private func openSnapshot(
        _ password: Secret?, exported: String?, _ tables: [ChangeCatalog.Table], _ limits: PostgresSession.CallLimits
    ) throws {
        guard let saved = self.saved else { return }
        let session = try self.session(password, limits)
        self.streams?.snapshot = try SnapshotReader(
            session, snapshot: exported, tables: tables, progress: saved.progress, origin: saved.origin,
            slot: self.parameters.slot.isEmpty ? nil : self.parameters.slot, outbox: self.parameters.outbox,
            decoding: self.decoding, limits)
    }

    func startStreaming(_ limits: PostgresSession.CallLimits) throws {
        guard let link = self.streams?.replication else { return }
        let refusal: PQServerError?
        do throws(PQFailure) {
            refusal = try link.start(
                slot: self.parameters.slot, from: self.tracker.confirmed, publication: self.parameters.publication,
                limits.waiting)
        } catch {
            self.disconnect("The stream could not be started.")
            if error == .interrupted { throw CancellationError() }
            throw SourceInterruption.notConnected(reason: "The stream could not be started: \(error)")
        }
        guard let refusal else { return }
        self.disconnect("The stream was refused.")
        throw ChangeErrors.refusal(refusal, slot: self.parameters.slot)
    }

    // MARK: - Connections

    private func session(
        _ password: Secret?, _ limits: PostgresSession.CallLimits
    ) throws(ConnectorError) -> PostgresSession {
        try self.connecting(password) { (text) throws(PQFailure) in
            try PostgresSession.open(self.settings, password: text, limits)
        }
    }

    private func replication(
        _ password: Secret?, _ limits: PostgresSession.CallLimits
    ) throws(ConnectorError) -> ReplicationLink {
        do throws(ConnectorError) {
            return try self.connecting(password) { (text) throws(PQFailure) in
                try ReplicationLink.open(self.settings, password: text, limits.waiting)
            }
        } catch {
            guard error.kind == .permission else { throw error }
            var refused = error
            refused.remedy = ChangeErrors.permissionRemedy
            throw refused
        }
    }

    private func connecting<Result>(
        _ password: Secret?, _ body: (String?) throws(PQFailure) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(PQFailure) {
            guard let password else { return try body(nil) }
            return try password.reveal { (text) throws(PQFailure) in try body(text) }
        } catch {
            throw PostgresErrors.connecting(error, self.settings, timeout: self.settings.connectTimeout)
        }
    }
}
