import ArgumentParser
import Values

/// `conformance betsy`: deploys each document, starts it, advances a virtual clock, and compares the trace.
struct BetsyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "betsy", abstract: "Run the behaviour tests of the betsy BPMN suite.")

    @OptionGroup var options: SuiteOptions

    @Option(help: "The file with inputs and expected traces.")
    var expectations: String

    func run() throws {
        let suite = try BetsySuite(root: options.root, expectations: expectations)
        try options.finish(suite.report())
    }
}
