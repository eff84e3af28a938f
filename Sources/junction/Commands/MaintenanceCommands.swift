import ArgumentParser
import Foundation
import JunctionClient
import Logging
import Runtime
import Server
import Storage
import Values

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show and verify the history.", subcommands: [Verify.self, List.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify that the journal is complete and unforged.",
            discussion: """
                Reads the whole retained journal and checks the hash chain of every partition, also while a server \
                runs. Keep the head hashes it prints with --heads somewhere else: whoever can write the file could \
                rewrite the whole chain.
                """)

        @Flag(help: "Print the newest hash of each partition that has events.")
        var heads = false

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                let reports = try await verification(self.options)
                for report in reports { self.show(report, console) }
                let failures = reports.count { $0["failure"] != nil }
                let events = reports.reduce(0) { $0 + ($1["events"]?.asInt64 ?? 0) }
                console.note(
                    failures == 0
                        ? "The journal is whole: \(events) events in \(reports.count) partitions."
                        : "\(failures) of \(reports.count) partitions do not verify.")
                if failures > 0 { throw ExitCode.failure }
            }
        }

        private func show(_ report: Value, _ console: Console) {
            if console.isJSON {
                console.print(json: report)
                return
            }
            let partition = report["partition"]?.asInt64 ?? 0
            if let failure = report["failure"]?.asString {
                console.print("partition \(partition): \(failure)")
            } else if self.heads, let hash = report["hash"]?.asString {
                console.print("\(partition) \(report["lastSequence"]?.asInt64 ?? 0) \(hash)")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List who did what, when, to what; the newest first.")

        @Option(help: ArgumentHelp("Only what this actor did.", valueName: "name"))
        var actor: String?

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = ValueContext()
            if let actor { filter["actorId"] = .string(actor) }
            let listing = Listing(
                resource: .audit, plural: "audit entries",
                fields: [
                    .instant("TIME", "timestamp"), .init(.init("ACTOR", shrinks: true), "actorId"),
                    .init(.init("ACTION"), "operationType"), .init(.init("OBJECT"), "entityKey"),
                    .init(.init("DETAIL", shrinks: true), "detail"),
                ])
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await listing.show(
                        client, console, options: self.list, filter: filter, sort: [("timestamp", true)])
                }
            }
        }
    }
}

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check a data directory: files, positions, counts, the hash chain and the engine's state.",
        discussion: """
            May run while a server has the directory open; the engine's state (every waiting element has a reason to \
            wait, nothing outlives its element) is checked only when none has.
            """)

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let console = self.options.console()
        try await carryOut(console) {
            let directory = try existingData(self.options)
            var problems = try StoreDoctor.examine(directory: directory).map { "\($0)" }
            for report in try await verification(self.options) {
                guard let failure = report["failure"]?.asString else { continue }
                problems.append("partition \(report["partition"]?.asInt64 ?? 0): \(failure)")
            }
            problems += try stateProblems(self.options, directory: directory)
            for problem in problems {
                if console.isJSON {
                    console.print(json: .context(ValueContext([("problem", .string(problem))])))
                } else {
                    console.print(problem)
                }
            }
            console.note(problems.isEmpty ? "\(directory) is healthy." : "\(problems.count) problems found.")
            if !problems.isEmpty { throw ExitCode.failure }
        }
    }
}

/// What is wrong with the engine's state, when no server has the directory open.
private func stateProblems(_ options: GlobalOptions, directory: String) throws -> [String] {
    guard options.server == nil, Environment.current["JUNCTION_SERVER"] == nil,
        !APISocket.answers(join(directory, APISocket.fileName))
    else { return [] }
    let journal = try SQLiteJournalStore(directory: directory)
    defer { journal.close() }
    let records = try SQLiteRecordStore(
        directory: directory, partitionCount: try journal.retainedSequences().count)
    defer { records.close() }
    var logger = Logger(label: "junction.doctor")
    logger.logLevel = .error
    return try WorkflowRuntime(journal: journal, records: records, logger: logger).examine()
}

/// The data directory of a command that reads its files; it must be there.
private func existingData(_ options: GlobalOptions) throws -> String {
    let project = try ProjectConfiguration.load(folder: options.project ?? ".", isRequired: options.project != nil)
    let directory = options.dataDirectory(project: project)
    guard FileManager.default.fileExists(atPath: join(directory, "journal.db")) else {
        throw CommandFailure(
            .noData, "There is no data in \(directory).",
            remedy: "Name the data directory with --data or JUNCTION_DATA, or start `junction serve`.")
    }
    return directory
}

/// Verifies the hash chains: in the server when one has the data, else on the files.
///
/// One report a partition, as the API writes it.
private func verification(_ options: GlobalOptions) async throws -> [Value] {
    let url = options.server ?? Environment.current["JUNCTION_SERVER"]
    let directory = url == nil ? try existingData(options) : ""
    let socket = join(directory, APISocket.fileName)
    if url != nil || APISocket.answers(socket) {
        let client = JunctionClient(endpoint: url.map { .http($0) } ?? .unixSocket(socket))
        defer { Task { await client.shutdown() } }
        let answer = try await client.call("GET", "/hub/v1/audit/verification", waiting: .seconds(3_600))
        return try answer.value["items"]?.asList ?? []
    }
    let journal = try SQLiteJournalStore(directory: directory)
    defer { journal.close() }
    return try journal.verifyChains().map(\.value)
}
