import JunctionClient
import Values

/// Shows one process instance: its path and, when asked, its variables.
struct InstanceView {
    let client: JunctionClient
    let console: Console

    /// Fetches the path.
    func path(_ key: Key) async throws -> Value {
        try await self.client.get("/hub/v1/process-instances/\(key)/path")
    }

    func show(_ key: Key, withVariables: Bool) async throws {
        try self.show(try await self.path(key), variables: withVariables ? try await self.variables(key) : nil)
    }

    func show(_ path: Value, variables: ValueContext?) throws {
        if self.console.isJSON {
            var value = path.asContext ?? ValueContext()
            if let variables { value["variables"] = .context(variables) }
            self.console.print(json: .context(value))
            return
        }
        guard let tree = PathTree(path) else { throw ClientError.unexpectedAnswer("no path") }
        for line in tree.lines(self.console.style, now: Clock.now) { self.console.print(line) }
        guard let variables else { return }
        self.console.print("")
        for line in Details.lines(.context(variables), self.console.style) { self.console.print(line) }
    }

    /// The variables of the instance itself.
    private func variables(_ key: Key) async throws -> ValueContext {
        let filter = ValueContext([
            ("processInstanceKey", .string("\(key)")), ("scopeKey", .string("\(key)")),
        ])
        var variables = ValueContext()
        var cursor: String?
        repeat {
            let page = try await self.client.search(.variables, filter: filter, limit: 1_000, after: cursor)
            for item in page.items {
                guard let name = item["name"]?.asString, let text = item["value"]?.asString else { continue }
                variables[name] = (try? JSON.parse(text)) ?? .string(text)
            }
            cursor = page.items.count == 1_000 ? page.endCursor : nil
        } while cursor != nil
        return variables
    }
}
