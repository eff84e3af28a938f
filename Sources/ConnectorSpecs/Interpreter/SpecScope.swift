import ConnectorKit
import Decisions
import Values

/// The variables of one call.
struct SpecScope: Sendable {
    var variables: [String: Value]
    var now: DateTime

    init(input: Value, connection: ValueContext, call: ValueContext, unixMilliseconds: Int64) {
        self.variables = ["input": input, "connection": .context(connection), "call": .context(call), "page": .null]
        self.now = DateTime(epochMilliseconds: unixMilliseconds) ?? .feelEpoch
    }

    func with(_ name: String, _ value: Value) -> SpecScope {
        var scope = self
        scope.variables[name] = value
        return scope
    }

    var map: MapScope { MapScope(self.variables, now: self.now) }
}
