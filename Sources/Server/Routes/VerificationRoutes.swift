import HTTPTypes
import NIOPosix
public import Storage
public import Values

/// Verifies the hash chains of the journal, while the engine works.
enum VerificationRoutes {
    static let routes: [Route] = [
        Route(
            .get, "/hub/v1/audit/verification", "verifyAudit",
            "Reads the whole retained journal and verifies the hash chain of every partition."
        ) { _, services in
            let journal = services.journal
            let reports = try await NIOThreadPool.singleton.runIfActive { try journal.verifyChains() }
            return .object(capacity: 64 + reports.count * 192) { writer in
                writer.key("items")
                writer.beginArray()
                for report in reports { writer.value(report.value) }
                writer.endArray()
            }
        }
    ]
}

extension ChainReport {
    /// The report as the API writes it.
    public var value: Value {
        var value = ValueContext([
            ("partition", .number(Number(self.partition))),
            ("firstSequence", .number(Number(Int64(clamping: self.firstSequence)))),
            ("lastSequence", .number(Number(Int64(clamping: self.lastSequence)))),
            ("events", .number(Number(self.eventCount))), ("verified", .boolean(self.failure == nil)),
        ])
        if let hash { value["hash"] = .string(hash.map(Self.hexadecimal).joined()) }
        if let failure { value["failure"] = .string("\(failure)") }
        return .context(value)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
