import ArgumentParser
import JunctionClient
import Values

extension ConnectionCommand {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a connection: breakers, windows, limits, budgets and settings.")

        @Argument(help: "The name of the connection.")
        var name: String

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    let connection = try await client.connection(self.name)
                    if console.isJSON {
                        console.print(json: connection)
                    } else {
                        for line in ConnectionView.lines(connection, console.style) { console.print(line) }
                    }
                }
            }
        }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse every call of connections until reset; callers are told to come back.",
            discussion: serverNote)

        @OptionGroup var breaker: BreakerOptions

        func run() async throws { try await self.breaker.send("open", done: "opened") }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let every call of connections pass until reset, whatever fails.", discussion: serverNote)

        @OptionGroup var breaker: BreakerOptions

        func run() async throws { try await self.breaker.send("close", done: "closed") }
    }

    struct Isolate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cut connections off until reset: every call is refused, with no time to come back.",
            discussion: serverNote)

        @OptionGroup var breaker: BreakerOptions

        func run() async throws { try await self.breaker.send("isolate", done: "isolated") }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the decision back to the circuit breakers, which begin closed.", discussion: serverNote)

        @OptionGroup var breaker: BreakerOptions

        func run() async throws { try await self.breaker.send("reset", done: "reset") }
    }

    fileprivate static let serverNote = "What is imposed holds until it is changed, over restarts too."

    struct BreakerOptions: ParsableArguments {
        @Argument(help: "The names of the connections.")
        var names: [String]

        @OptionGroup var options: GlobalOptions

        /// Does `command` to each connection, and says so.
        func send(_ command: String, done: String) async throws {
            let console = self.options.console()
            let names = self.names
            try await carryOut(console) {
                try await Session.run(self.options, console) { client in
                    var hasFailed = false
                    for name in names {
                        do {
                            try await client.setBreaker(command, connection: name)
                            console.note("\(name) \(done)")
                        } catch let error as ClientError where error.status != nil {
                            console.show(error)
                            hasFailed = true
                        }
                    }
                    if hasFailed { throw ExitCode.failure }
                }
            }
        }
    }
}

/// A connection for people: what it is, then each guard, then the settings.
enum ConnectionView {
    static func lines(_ connection: Value, _ style: Style) -> [String] {
        guard var members = connection.asContext else { return [] }
        let sections = ["guards", "operations", "settings"]
        for name in sections { members[name] = nil }
        var lines = Details.lines(.context(members), style)
        if let rehearsal = connection["rehearsal"]?.asString {
            lines.insert(
                style.paint("REHEARSAL: faults are injected into this connection (\(rehearsal))", .strong), at: 0)
        }
        for each in connection["guards"]?.asList ?? [] {
            lines += self.section(self.title(of: each), each, without: ["group", "profile"], style)
        }
        for each in connection["operations"]?.asList ?? [] {
            let name = each["operation"]?.asString ?? ""
            lines += self.section("operation \(name)", each, without: ["operation"], style)
        }
        if let settings = connection["settings"] {
            lines += self.section("settings", settings, without: [], style)
        }
        return lines
    }

    private static func title(of guardStatus: Value) -> String {
        let group = guardStatus["group"]?.asString ?? ""
        let profile = guardStatus["profile"]?.asString ?? ""
        return "guard \(group.isEmpty ? "of the connection" : group), profile \(profile)"
    }

    private static func section(_ title: String, _ value: Value, without: [String], _ style: Style) -> [String] {
        guard var members = value.asContext else { return [] }
        for name in without { members[name] = nil }
        // What never happened is no news.
        if let decisions = members["decisions"]?.asContext {
            let happened = decisions.filter { $0.value.asInt64 != 0 }.map { ($0.key, $0.value) }
            members["decisions"] = .context(ValueContext(happened))
        }
        return ["", style.paint(title, .strong)] + Details.lines(.context(members), style).map { "  " + $0 }
    }
}
