public import ArgumentParser
public import ProcessModel
public import Values

extension Key: ExpressibleByArgument {
    /// A key as the API and the lists show it: digits.
    public init?(argument: String) {
        self.init(argument)
    }
}

extension ImportProfile: ExpressibleByArgument {}

/// Options of every list.
struct ListOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Show at most this many.", valueName: "n"))
    var limit: Int = 100

    @Flag(help: "Show all, page by page.")
    var all = false

    func validate() throws {
        guard (1...10_000).contains(self.limit) else { throw ValidationError("--limit must be 1 to 10000") }
    }
}
