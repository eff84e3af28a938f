import ArgumentParser
import Foundation
import Values

/// Which dead letters are meant, as far as the search knows.
struct DeadLetterFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only those of this trigger or connector.", valueName: "id"))
    var trigger: String?

    @Option(help: ArgumentHelp("Only those of this connection.", valueName: "id"))
    var connection: String?

    @Option(help: ArgumentHelp("Only those of this error.", valueName: "code"))
    var code: String?

    @Option(
        help: ArgumentHelp(
            "Only those that came so far.", valueName: "decode|validate|filter|transform|correlate|invoke|commit"))
    var stage: String?

    @Option(help: ArgumentHelp("Only events of triggers, or only calls of jobs.", valueName: "trigger|job"))
    var kind: Kind?

    @Option(help: ArgumentHelp("Only those at least this old, such as 10m.", valueName: "duration"))
    var age: String?

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case trigger, job
    }

    /// Whether anything is asked for.
    var isEmpty: Bool {
        self.trigger == nil && self.connection == nil && self.code == nil && self.stage == nil && self.kind == nil
            && self.age == nil
    }

    func validate() throws {
        if let age, Quantity.duration(age) == nil {
            throw ValidationError("--age needs a duration such as 10m, but found \(age)")
        }
    }

    /// The filter of a search.
    func searchFilter() throws -> ValueContext {
        var filter = ValueContext()
        filter["origin"] = self.trigger.map { .string($0) }
        filter["connection"] = self.connection.map { .string($0) }
        filter["errorCode"] = self.code.map { .string($0) }
        filter["stage"] = self.stage.map { .string($0) }
        filter["kind"] = self.kind.map { .string($0.rawValue.uppercased()) }
        if let age = self.age.flatMap({ Quantity.duration($0) }) {
            let seconds = Double(age.components.seconds)
            let moment = Int64((Date().timeIntervalSince1970 - seconds) * 1_000)
            filter["creationTime"] = ["$lte": .string(Timestamp.text(moment))]
        }
        return filter
    }

    /// The members of a request that selects letters.
    func selection() -> ValueContext {
        var members = ValueContext()
        members["origin"] = self.trigger.map { .string($0) }
        members["connection"] = self.connection.map { .string($0) }
        members["errorCode"] = self.code.map { .string($0) }
        members["stage"] = self.stage.map { .string($0) }
        members["kind"] = self.kind.map { .string($0.rawValue.uppercased()) }
        members["minimumAge"] = self.age.map { .string($0) }
        return members
    }
}
