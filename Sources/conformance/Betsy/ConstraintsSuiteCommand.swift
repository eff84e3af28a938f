import ArgumentParser

/// `conformance betsy-refusals`: checks in the strict profile documents that break a rule of the standard.
struct ConstraintsSuiteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "betsy-refusals", abstract: "Run the refusal tests of the betsy BPMN suite.")

    @OptionGroup var options: SuiteOptions

    @Option(help: "The file with the expected traces.")
    var expectations: String

    func run() throws {
        let suite = try BetsySuite(root: options.root, expectations: expectations)
        try options.finish(ConstraintsSuite(suite: suite).report())
    }
}
