import Foundation
import ProcessModel
import Values

/// Any folder of models, each read as for deployment in a process of its own, so that one that crashes or hangs the
/// reader is counted and the others are still read.
///
/// A case is one file; it passes when it is deployed or refused with a code and a line.
struct BPMNImportSuite {
    /// The models, as paths inside the folder.
    let files: [String]
    private let root: URL
    /// The `conformance` program.
    private let program: String
    private let timeLimit: Duration

    init(root: String, program: String, timeLimit: Duration = .seconds(30)) throws {
        self.root = URL(fileURLWithPath: root)
        self.program = program
        self.timeLimit = timeLimit
        guard let walk = FileManager.default.enumerator(atPath: root) else {
            throw SuiteFailure("Expected a folder of models at \(root), but it cannot be read.")
        }
        files = walk.compactMap { $0 as? String }
            .filter { BPMNImportSuite.isModel($0, in: URL(fileURLWithPath: root)) }
            .sorted()
        guard !files.isEmpty else { throw SuiteFailure("Expected BPMN models in \(root), but found none.") }
    }

    /// Runs every case.
    func run() -> SuiteReport {
        var report = SuiteReport()
        for file in files {
            let group = file.contains("/") ? String(file[..<(file.firstIndex(of: "/") ?? file.endIndex)]) : "."
            switch verdict(on: file) {
            case .success(let verdict) where verdict.outcome == .unexplained:
                report.record(file, in: group, .failed(verdict.reason))
            case .success(let verdict):
                report.record(file, in: group, .passed)
                report.count(verdict.outcome.rawValue)
            case .failure(let failure):
                report.record(file, in: group, .failed(failure.description))
            }
        }
        return report
    }

    /// What a child process says of one model.
    private func verdict(on file: String) -> Result<ModelVerdict, SuiteFailure> {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: program)
        child.arguments = ["bpmn-import-file", root.appendingPathComponent(file).path]
        let output = Pipe()
        child.standardOutput = output
        child.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        child.terminationHandler = { _ in ended.signal() }
        do {
            try child.run()
        } catch {
            return .failure(SuiteFailure("\(program) cannot be started: \(error)"))
        }
        let deadline = DispatchTime.now() + .milliseconds(Int(timeLimit.components.seconds) * 1_000)
        guard ended.wait(timeout: deadline) == .success else {
            kill(child.processIdentifier, SIGKILL)
            _ = ended.wait(timeout: .now() + 5)
            return .failure(SuiteFailure("did not end within \(timeLimit)"))
        }
        guard child.terminationReason == .exit, child.terminationStatus == 0 else {
            return .failure(SuiteFailure("crashed with \(child.terminationStatus)"))
        }
        // A verdict is one short line, so it never fills the pipe while nobody reads.
        guard let verdict = ModelVerdict(json: Array(output.fileHandleForReading.readDataToEndOfFile())) else {
            return .failure(SuiteFailure("ended without a verdict"))
        }
        return .success(verdict)
    }

    /// Whether a file is a model: by its name, or by its root when it is some XML.
    private static func isModel(_ path: String, in root: URL) -> Bool {
        let name = path.lowercased()
        if name.hasSuffix(".bpmn") || name.hasSuffix(".bpmn20.xml") { return true }
        guard name.hasSuffix(".xml"),
            let file = FileHandle(forReadingAtPath: root.appendingPathComponent(path).path),
            let start = try? file.read(upToCount: 64 << 10)
        else { return false }
        // Without zero bytes UTF-16 reads like ASCII.
        let text = String(decoding: start.filter { $0 != 0 }, as: UTF8.self)
        return text.contains("http://www.omg.org/spec/BPMN/20100524/MODEL") && text.contains("definitions")
    }
}
