import Foundation
import HubDocuments
import Logging
import Resilience
import Synchronization
import Values

/// What operators imposed on the circuit breakers of connections, kept in a file so that it outlives the hub.
///
/// The file is JSON, replaced as a whole, written before a mode takes effect:
/// `{ format, modes: { CONNECTION: { mode, actor, at } } }`. Safe from any thread.
final class BreakerModes: Sendable {
    private struct Entry {
        var command: BreakerCommand
        var actor: String
        var at: Int64
    }

    private static let format = "junction-breakers/1"
    private static let bytesMax = 1 << 20

    private let path: String?
    private let entries: Mutex<[String: Entry]>

    /// Reads the file at `path`, which need not exist; nil keeps nothing.
    ///
    /// A file that cannot be read is reported and counts as empty: the breakers decide by themselves.
    init(path: String?, logger: Logger) {
        self.path = path
        var entries: [String: Entry] = [:]
        if let path, FileManager.default.fileExists(atPath: path) {
            if let bytes = DiskFile.bytes(path, maximum: Self.bytesMax), let document = try? JSON.parse(bytes),
                document["format"]?.asString == Self.format, let modes = document["modes"]?.asContext
            {
                for (id, value) in modes {
                    guard let command = value["mode"]?.asString.flatMap({ BreakerCommand(rawValue: $0) }) else {
                        continue
                    }
                    entries[id] = Entry(
                        command: command, actor: value["actor"]?.asString ?? "",
                        at: value["at"]?.asString.flatMap { Timestamp.milliseconds($0) } ?? 0)
                }
            } else {
                logger.warning(
                    "the file of imposed breaker modes cannot be read",
                    metadata: ["error.code": "\(HubCode.breakersUnstorable)", "file": "\(path)"])
            }
        }
        self.entries = Mutex(entries)
    }

    /// What was imposed on a connection, and by whom; nil when nothing.
    func imposed(on connection: String) -> (command: BreakerCommand, actor: String)? {
        self.entries.withLock { $0[connection].map { ($0.command, $0.actor) } }
    }

    /// Keeps a command; `reset` forgets what was imposed before.
    ///
    /// Throws `HubError` (`HB318`), with everything as it was.
    func set(
        _ command: BreakerCommand, connection: String, actor: String, at unixMilliseconds: Int64
    ) throws(HubError) {
        try self.entries.withLock { (entries) throws(HubError) in
            var changed = entries
            changed[connection] =
                command == .reset ? nil : Entry(command: command, actor: actor, at: unixMilliseconds)
            if let path { try Self.write(changed, to: path) }
            entries = changed
        }
    }

    private static func write(_ entries: [String: Entry], to path: String) throws(HubError) {
        let modes = entries.sorted { $0.key < $1.key }.map { id, entry in
            (
                id,
                Value.context(
                    ValueContext([
                        ("mode", .string(entry.command.rawValue)), ("actor", .string(entry.actor)),
                        ("at", .string(Timestamp.text(entry.at))),
                    ]))
            )
        }
        let document = Value.context(
            ValueContext([("format", .string(Self.format)), ("modes", .context(ValueContext(modes)))]))
        do {
            try Data(JSON.pretty(document).utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw HubError(
                .breakersUnstorable,
                "The breaker mode cannot be kept in \(path): \((error as NSError).localizedDescription)",
                remedy: "Check the space and the permissions of the data directory; nothing was changed.")
        }
    }
}
