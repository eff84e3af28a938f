import ArgumentParser
import Foundation
import Values

struct BPMNImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bpmn-import",
        abstract: "Any folder of models: deployed, refused with a diagnostic, or crashed.",
        discussion: """
            Reads *.bpmn, *.bpmn20.xml and every *.xml with a BPMN root, each in a process of its own. A file passes \
            when it is deployed or refused with a code and a line.
            """)

    @OptionGroup var options: SuiteOptions

    func run() throws {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        try options.finish(BPMNImportSuite(root: options.root, program: program).run())
    }
}

/// Reads one model and prints the verdict; the part of `bpmn-import` that may crash.
struct BPMNImportFileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bpmn-import-file", abstract: "Read one model and print the verdict as JSON.",
        shouldDisplay: false)

    @Argument(help: "The model.")
    var file: String

    func run() throws {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        print(JSON.string(ModelVerdict(bytes, file: file).json))
    }
}
