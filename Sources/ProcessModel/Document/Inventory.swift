/// What a document contains, counted.
public struct Inventory: Hashable, Sendable {
    /// How often each element in BPMN's namespace occurs, by its local name, wherever it stands.
    public let elements: [String: Int]
    /// The processes.
    public let processes: Int
    /// The processes marked executable.
    public let executableProcesses: Int

    /// Counts the elements of a document.
    public init(_ document: BPMNDocument) {
        var elements: [String: Int] = [:]
        var executableProcesses = 0
        for id in document.descendants(of: document.root) {
            let element = document[id]
            guard element.isModel else { continue }
            elements[element.name.local, default: 0] += 1
            if element.name.local == "process", ["true", "1"].contains(element.attribute("isExecutable")) {
                executableProcesses += 1
            }
        }
        self.elements = elements
        processes = elements["process"] ?? 0
        self.executableProcesses = executableProcesses
    }

    /// What differs from other counts, in a sentence each, in a fixed order.
    public func differences(from expected: Inventory) -> [String] {
        var found = Set(elements.keys).union(expected.elements.keys).sorted().compactMap { name -> String? in
            let (count, other) = (elements[name] ?? 0, expected.elements[name] ?? 0)
            return count == other ? nil : "\(count) \(name) instead of \(other)"
        }
        if processes != expected.processes { found.append("\(processes) processes instead of \(expected.processes)") }
        if executableProcesses != expected.executableProcesses {
            found.append("\(executableProcesses) executable processes instead of \(expected.executableProcesses)")
        }
        return found
    }

    /// Creates counts known from elsewhere.
    public init(elements: [String: Int], processes: Int, executableProcesses: Int) {
        self.elements = elements
        self.processes = processes
        self.executableProcesses = executableProcesses
    }
}
