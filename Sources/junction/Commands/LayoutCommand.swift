import ArgumentParser
import ProcessModel

struct LayoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layout",
        abstract: "Give a BPMN document the diagrams it lacks, or draw it.",
        discussion: """
            Writes the document with a diagram for everything that has none; what is drawn already stays as it is, and \
            so does whatever else the document holds. Needs no server.
            """)

    @Argument(help: ArgumentHelp("The document; - is standard input.", valueName: "file"), completion: .file())
    var file: String

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where to write; without it, standard output.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "Write a picture (SVG) instead of the document.")
    var svg = false

    func run() async throws {
        let console = Console(isJSON: false)
        try await carryOut(console) {
            let bytes = try FileText.bytes(self.file)
            let result = try Self.result(bytes, file: self.file, asPicture: self.svg, console)
            if let output = self.output {
                try FileText.replace(output, with: result)
            } else {
                console.print(bytes: result)
                console.flush()
            }
        }
    }

    private static func result(
        _ bytes: [UInt8], file: String, asPicture: Bool, _ console: Console
    ) throws -> [UInt8] {
        do {
            let document = try BPMNDocument(bytes, file: file).withLayout()
            return asPicture ? Array(document.svg().utf8) : document.export()
        } catch {
            console.note(console.errorStyle.paint("\(error)", .bad))
            throw ExitCode.failure
        }
    }
}
