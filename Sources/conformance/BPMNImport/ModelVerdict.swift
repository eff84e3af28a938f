import ProcessModel
import Values

/// What the importer says of one model.
struct ModelVerdict: Sendable, Equatable {
    enum Outcome: String, Sendable {
        /// Every executable process can be deployed.
        case deployed
        /// Not deployed, for a reason with a code and a line.
        case refused
        /// Not deployed, and nothing says where.
        case unexplained
    }

    let outcome: Outcome
    /// The first error, or that there is none.
    let reason: String

    /// Reads a model as for deployment.
    init(_ bytes: [UInt8], file: String) {
        let result = BPMNImporter.read(bytes, file: file, profile: .lenient)
        let errors = result.diagnostics.filter { $0.severity == .error }
        if let explained = errors.first(where: { !$0.code.isEmpty && $0.line != nil }) {
            self.init(.refused, "\(explained)")
        } else if let first = errors.first {
            self.init(.unexplained, "\(first)")
        } else if result.processes.isEmpty {
            self.init(.unexplained, "neither processes nor errors")
        } else {
            self.init(.deployed, "deployed")
        }
    }

    private init(_ outcome: Outcome, _ reason: String) {
        self.outcome = outcome
        self.reason = reason
    }

    /// Reads what `json` wrote.
    init?(json text: [UInt8]) {
        guard let value = try? JSON.parse(text), let reason = value["reason"]?.asString,
            let outcome = value["outcome"]?.asString.flatMap(Outcome.init(rawValue:))
        else { return nil }
        self.init(outcome, reason)
    }

    /// The verdict as one JSON object.
    var json: Value { ["outcome": .string(outcome.rawValue), "reason": .string(reason)] }
}
