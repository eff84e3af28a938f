import ArgumentParser

struct DMNTCKCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dmn-tck",
        abstract: "DMN and FEEL: every decision of every test case is evaluated and compared.",
        discussion: """
            Reads every *-test-*.xml below the folder with the models beside it. Where an error is expected, null alone \
            does not pass: an error must be reported too. How many cases pass without that demand is counted as well.
            """)

    @OptionGroup var options: SuiteOptions

    func run() throws {
        try options.finish(DMNTCKSuite(root: options.root).run())
    }
}
