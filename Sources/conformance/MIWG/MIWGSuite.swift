import Foundation
import ProcessModel
import Values

/// The interchange suite of the BPMN Model Interchange Working Group: models as many tools wrote them.
///
/// A case is one file of the inventory. A well-formed one passes when it is read, contains what the inventory counts, and
/// says the same after it is written and read again; one that is not well-formed passes when it is refused with a code
/// and a line. A file the inventory does not count (a schema beside the models) passes when it is refused or read.
struct MIWGSuite {
    /// One entry of the inventory.
    struct Case: Sendable {
        let file: String
        let group: String
        /// The name of the model the file shows, when it is one of the suite's.
        let model: String?
        /// Nil when the inventory does not say.
        let isWellFormed: Bool?
        /// Nil when nothing is counted.
        let inventory: Inventory?
    }

    /// The folder the inventory's paths are relative to.
    let root: String
    let cases: [Case]

    /// Reads the inventory.
    init(root: String, inventory path: String) throws {
        let inventory = try JSON.parse(Array(Data(contentsOf: URL(fileURLWithPath: path))))
        guard let files = inventory["files"]?.asList else {
            throw SuiteFailure("Expected \"files\" in \(path), the inventory of the suite, but there is none.")
        }
        self.root = root
        cases = try files.map { entry in
            guard let file = entry["file"]?.asString else {
                throw SuiteFailure("Expected \"file\" in every entry of \(path), but one has none.")
            }
            return Case(
                file: file, group: entry["tool"]?.asString ?? entry["kind"]?.asString ?? "other",
                model: entry["testCase"]?.asString, isWellFormed: entry["wellFormed"]?.asBoolean,
                inventory: MIWGSuite.inventory(entry))
        }
    }

    private static func inventory(_ entry: Value) -> Inventory? {
        guard let counted = entry["elements"]?.asContext else { return nil }
        var elements: [String: Int] = [:]
        for (name, count) in counted { elements[name] = Int(count.asInt64 ?? 0) }
        return Inventory(
            elements: elements, processes: Int(entry["processes"]?.asInt64 ?? 0),
            executableProcesses: Int(entry["executableProcesses"]?.asInt64 ?? 0))
    }

    /// Runs every case.
    func run() -> SuiteReport {
        var report = SuiteReport()
        for suiteCase in cases { report.record(suiteCase.file, in: suiteCase.group, outcome(of: suiteCase)) }
        return report
    }

    /// Reads a case's file.
    func bytes(of suiteCase: Case) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: root).appendingPathComponent(suiteCase.file)))
    }

    /// Runs one case.
    func outcome(of suiteCase: Case) -> SuiteReport.Outcome {
        guard let bytes = try? bytes(of: suiteCase) else { return .failed("the file cannot be read") }
        do {
            let document = try BPMNDocument(bytes, file: suiteCase.file)
            if suiteCase.isWellFormed == false { return .failed("read although it is not well-formed") }
            return try check(document, suiteCase)
        } catch let failure as DocumentFailure {
            if suiteCase.isWellFormed == true { return .failed("\(failure)") }
            return failure.diagnostic.line == nil ? .failed("refused without a line: \(failure)") : .passed
        } catch {
            return .failed("\(error)")
        }
    }

    private func check(_ document: BPMNDocument, _ suiteCase: Case) throws -> SuiteReport.Outcome {
        if let inventory = suiteCase.inventory {
            let differences = Inventory(document).differences(from: inventory)
            guard differences.isEmpty else { return .failed(differences.joined(separator: ", ")) }
        }
        let written = document.export()
        let again = try BPMNDocument(written, file: suiteCase.file)
        if let difference = again.firstDifference(from: document) { return .failed("round trip: \(difference)") }
        guard again.export() == written else { return .failed("round trip: writing it twice gives different bytes") }
        return .passed
    }
}

/// Why a suite cannot be run at all.
struct SuiteFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
