import ArgumentParser
import ProcessModel

struct MIWGCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "miwg",
        abstract: "BPMN interchange: every file is read, counted, written, and read again.",
        discussion: """
            With --across, the models of each test case are also compared over tools: what a tool drew otherwise than \
            the reference model, by kinds of nodes and flows. Differences are a report, not failures.
            """)

    @OptionGroup var options: SuiteOptions

    @Option(help: "The inventory of the suite, a JSON file.")
    var inventory: String

    @Flag(help: "Print how the tools' models of each case differ from the reference.")
    var across = false

    func run() throws {
        let suite = try MIWGSuite(root: options.root, inventory: inventory)
        if across { for line in suite.differencesAcrossTools() { print(line) } }
        try options.finish(suite.run())
    }
}

extension MIWGSuite {
    /// How the models of each test case differ from its reference, a line a difference.
    func differencesAcrossTools() -> [String] {
        let models = Dictionary(grouping: cases.filter { $0.model != nil }) { $0.model ?? "" }
        return models.sorted { $0.key < $1.key }.flatMap { model, variants -> [String] in
            let reference = variants.first { $0.group == "reference" }.flatMap { shape(of: $0) }
            guard let reference else { return ["\(model): no reference in this folder"] }
            return variants.filter { $0.group != "reference" }.flatMap { variant -> [String] in
                guard let shape = shape(of: variant) else { return ["\(variant.file): not read"] }
                let differences = shape.differences(from: reference)
                return differences.isEmpty
                    ? ["\(variant.file): the same"] : differences.map { "\(variant.file): \($0)" }
            }
        }
    }

    private func shape(of suiteCase: Case) -> FlowGraphShape? {
        guard let bytes = try? bytes(of: suiteCase), let document = try? BPMNDocument(bytes) else { return nil }
        return FlowGraphShape(document)
    }
}
