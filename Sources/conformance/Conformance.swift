import ArgumentParser

/// Runs suites that others wrote against the engine, from a folder of the caller's.
@main
struct Conformance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Run third-party conformance suites.",
        discussion: """
            Each suite is read from a folder given on the command line; nothing of it is part of this program. The exit \
            code is 0 only when every case passed.
            """,
        subcommands: [
            MIWGCommand.self, BPMNImportCommand.self, BPMNImportFileCommand.self, BetsyCommand.self,
            ConstraintsSuiteCommand.self, FuzzCommand.self, FuzzBatch.self, DMNTCKCommand.self,
        ])
}
