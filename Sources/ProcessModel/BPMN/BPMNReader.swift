import Decisions
import Values

/// Reads one BPMN document: holds what all its processes share, and collects what is found.
final class BPMNReader {
    /// One finding and the element it is about.
    struct Finding {
        let element: Int32
        let diagnostic: Diagnostic
    }

    let document: XMLDocument
    let file: String?
    let profile: ImportProfile
    let languages: LanguageRegistry
    private(set) var findings: [Finding] = []
    private var hasErrors = false
    /// How many findings came after the list was full.
    private var droppedFindings = 0
    private static let findingsMax = 1_000
    /// The elements by id.
    private(set) var elementsByID: [String: Int32] = [:]
    /// Settings and namespaces without effect, counted so that each is mentioned once.
    private var mentions: [Mention: (element: XMLElement, count: Int)] = [:]
    /// The elements of the processes that are executed.
    private(set) var executedProcesses: Set<Int32> = []

    private struct Mention: Hashable {
        let code: BPMNCode
        let what: String
    }

    /// The correlation properties of the document.
    private(set) var correlationProperties: [XMLElement] = []
    /// The first usable name of a reference to each data object, by the element of the object.
    private(set) var referenceNames: [Int32: String] = [:]

    init(document: XMLDocument, file: String?, profile: ImportProfile, languages: LanguageRegistry) {
        self.document = document
        self.file = file
        self.profile = profile
        self.languages = languages
    }

    /// The diagnostics of findings, in document order.
    func inOrder(_ findings: [Finding]) -> [Diagnostic] {
        findings.enumerated()
            .sorted { ($0.element.element, $0.offset) < ($1.element.element, $1.offset) }
            .map(\.element.diagnostic)
    }

    /// The executable processes, or none when anything is wrong.
    func read() -> [ExecutableProcess] {
        let root = document.root
        guard root.tag == .definitions else {
            report(
                .notBPMN, at: root,
                "Expected <definitions> of \(XMLName.bpmnURI), but found <\(root.name.local)> of "
                    + (root.name.uri.isEmpty ? "no namespace" : root.name.uri) + ".",
                remedy: "export the model as BPMN 2.0 XML")
            return []
        }
        indexIDs()
        correlationProperties = root.children.filter { $0.tag == .correlationProperty }
        let readers = processesToExecute(in: root).map { element in
            executedProcesses.insert(element.index)
            return ProcessReader(reader: self, element: element)
        }
        for child in root.children { checkRootElement(child) }
        for reader in readers { reader.read() }
        CallGraph(readers).check(self)
        reportMentions()
        reportDropped()
        return hasErrors ? [] : readers.map { $0.build() }
    }

    // MARK: Findings

    /// Records a finding about an element.
    ///
    /// A document has at most 1,000 findings and one that counts the rest.
    func report(_ code: BPMNCode, at element: XMLElement, _ message: String, remedy: String) {
        let severity = code.severity(in: profile)
        if severity == .error { hasErrors = true }
        guard findings.count < BPMNReader.findingsMax else {
            droppedFindings += 1
            return
        }
        let diagnostic = Diagnostic(
            code: code.rawValue, severity: severity, message: message, remedy: remedy, file: file,
            line: element.line, elementID: nearestID(of: element))
        findings.append(Finding(element: element.index, diagnostic: diagnostic))
    }

    /// Counts something without effect; each is reported once, at its first element.
    func mention(_ code: BPMNCode, _ what: String, at element: XMLElement) {
        mentions[Mention(code: code, what: what), default: (element, 0)].count += 1
    }

    private func reportMentions() {
        let inOrder = mentions.sorted { ($0.value.element.index, $0.key.what) < ($1.value.element.index, $1.key.what) }
        for (mention, place) in inOrder {
            let times = place.count == 1 ? "once" : "\(place.count) times"
            let (what, remedy) = words(mention, times)
            report(mention.code, at: place.element, what, remedy: remedy)
        }
    }

    private func words(_ mention: Mention, _ times: String) -> (message: String, remedy: String) {
        switch mention.code {
        case .foreignExtensionKept:
            ("Extensions of \(mention.what) (\(times)) are kept and not executed.", "nothing needs to change")
        case .vendorFeatureKept:
            (
                "\(mention.what) (\(times)) is kept and not executed.",
                "do what it did in a task of its own, if the process needs it"
            )
        case .impliedName:
            ("A data association (\(times)) reads or writes \(mention.what).", "declare a data object of that id")
        default: ("\(mention.what) (\(times)) has no effect here.", "nothing needs to change")
        }
    }

    private func reportDropped() {
        guard droppedFindings > 0 else { return }
        let last = document.element(at: document.elementCount - 1)
        let diagnostic = Diagnostic(
            code: BPMNCode.moreFindings.rawValue, severity: hasErrors ? .error : .warning,
            message: "There are \(droppedFindings) more findings.", remedy: "repair the first ones and check again",
            file: file, line: last.line)
        findings.append(Finding(element: last.index, diagnostic: diagnostic))
    }

    /// The id of an element or of the nearest one around it that has one.
    private func nearestID(of element: XMLElement) -> String? {
        var next: XMLElement? = element
        while let candidate = next {
            if candidate.space == .bpmn, candidate.tag != .definitions, let id = candidate.attribute("id") {
                return id
            }
            next = candidate.parent
        }
        return nil
    }

    // MARK: Ids and references

    private func indexIDs() {
        elementsByID.reserveCapacity(document.elementCount / 2)
        var references: [XMLElement] = []
        for index in 0..<document.elementCount {
            let element = document.element(at: index)
            guard element.space == .bpmn, let id = element.attribute("id") else { continue }
            if let first = elementsByID.updateValue(element.index, forKey: id) {
                elementsByID[id] = first
                report(
                    .duplicateID, at: element,
                    "Expected ids to be unique, but \(id) also stands in line \(document.element(at: Int(first)).line).",
                    remedy: "give one of the two elements another id")
            }
            if element.tag == .dataObjectReference { references.append(element) }
        }
        for reference in references { nameData(by: reference) }
    }

    /// Keeps the name of a reference for its data object; in tools only the references have labels.
    ///
    /// `Order [paid]` names the object and its state.
    private func nameData(by reference: XMLElement) {
        guard let object = reference.attribute("dataObjectRef").flatMap({ resolve($0, as: .dataObject) }),
            let label = reference.attribute("name"), referenceNames[object.index] == nil
        else { return }
        let name = label.prefix { $0 != "[" && !$0.isWhitespace }
        if name.isVariableName, label.dropFirst(name.count).allSatisfy({ $0.isWhitespace }) || label.hasSuffix("]") {
            referenceNames[object.index] = String(name)
        }
    }

    /// The element a reference names.
    ///
    /// References are qualified names (`prefix:id`); within a document the id decides.
    func resolve(_ reference: String) -> XMLElement? {
        if let index = elementsByID[reference] { return document.element(at: Int(index)) }
        guard let colon = reference.firstIndex(of: ":") else { return nil }
        return elementsByID[String(reference[reference.index(after: colon)...])].map { document.element(at: Int($0)) }
    }

    /// The element a reference names, if it is of this kind.
    func resolve(_ reference: String, as tag: BPMNTag) -> XMLElement? {
        resolve(reference).flatMap { $0.tag == tag ? $0 : nil }
    }

    // MARK: Root elements

    /// The processes to execute: those marked executable, or, when none is marked either way, all.
    private func processesToExecute(in root: XMLElement) -> [XMLElement] {
        let processes = root.children.filter { $0.tag == .process }
        let marks = processes.map { boolean("isExecutable", of: $0) }
        let isAnyMarked = marks.contains(true)
        var executed: [XMLElement] = []
        for (process, mark) in zip(processes, marks) {
            if mark ?? (!isAnyMarked && process.children.contains { $0.tag?.nodeKind != nil }) {
                executed.append(process)
            } else {
                report(
                    .processSkipped, at: process,
                    "Process \(process.attribute("id") ?? "without id") is not marked executable, or is empty, and is skipped.",
                    remedy: "set isExecutable=\"true\" to execute it")
            }
        }
        let globalTasks = root.children.filter { $0.tag?.globalTaskKind != nil }
        if !executed.isEmpty || processes.isEmpty { executed += globalTasks }
        if executed.isEmpty {
            report(
                .nothingToExecute, at: root, "Expected a process to execute, but found none.",
                remedy: "set isExecutable=\"true\" on the process to execute")
        }
        return executed
    }

    /// Checks that a child of the root is something BPMN knows; what is referred to is read on reference.
    private func checkRootElement(_ element: XMLElement) {
        guard element.space == .bpmn else { return }
        switch element.tag {
        case .message: checkExtensions(of: element, on: .message)
        case .error: checkExtensions(of: element, on: .other("error"))
        case .signal: checkExtensions(of: element, on: .other("signal"))
        case .escalation: checkExtensions(of: element, on: .other("escalation"))
        case nil: reportUnknown(element)
        default: return
        }
    }

    // MARK: Plain values

    /// A boolean attribute (xsd:boolean), or nil when absent or wrong.
    func boolean(_ local: String, of element: XMLElement) -> Bool? {
        guard let text = element.attribute(local) else { return nil }
        switch text {
        case "true", "1": return true
        case "false", "0": return false
        default:
            report(
                .badAttribute, at: element, "Expected true or false for \(local), but found \"\(text)\".",
                remedy: "write true or false")
            return nil
        }
    }
}
