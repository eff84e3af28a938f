import ArgumentParser
import JunctionClient
import Values

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "List, show, assign and complete the tasks of people.",
        subcommands: [List.self, Show.self, Complete.self, Assign.self])

    static let listing = Listing(
        resource: .userTasks, plural: "user tasks",
        fields: [
            .init(.init("KEY"), "userTaskKey"),
            .init(.init("NAME", shrinks: true)) { ($0["name"] ?? $0["elementId"])?.asString },
            .init(.init("STATE", state: true)) { $0["state"]?.asString?.lowercased() },
            .init(.init("ASSIGNEE", shrinks: true), "assignee"),
            .init(.init("GROUPS", shrinks: true), "candidateGroups"), .instant("CREATED", "creationDate"),
            .instant("DUE", "dueDate"), .init(.init("INSTANCE"), "processInstanceKey"),
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List user tasks, the oldest first.")

        @Option(help: ArgumentHelp("Only tasks in this state.", valueName: "created|completed|canceled|all"))
        var state = TaskState.created

        @Option(help: ArgumentHelp("Only tasks of this user.", valueName: "user"))
        var assignee: String?

        @Option(help: ArgumentHelp("Only tasks this group may claim.", valueName: "group"))
        var group: String?

        @Option(help: ArgumentHelp("Only tasks of this instance.", valueName: "key"))
        var instance: Key?

        @OptionGroup var list: ListOptions
        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            var filter = ValueContext()
            if self.state != .all { filter["state"] = .string(self.state.rawValue.uppercased()) }
            if let assignee { filter["assignee"] = .string(assignee) }
            if let group { filter["candidateGroup"] = .string(group) }
            if let instance { filter["processInstanceKey"] = .string("\(instance)") }
            try await carryOut(console) { [filter] in
                try await Session.run(self.options, console) { client in
                    try await listing.show(
                        client, console, options: self.list, filter: filter, sort: [("creationDate", false)])
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one user task.")

        @Argument(help: "The key of the task.")
        var key: Key

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await showDetails(.userTasks, self.key, self.options)
        }
    }

    struct Complete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Complete a user task with its result.")

        @Argument(help: "The key of the task.")
        var key: Key

        @Option(help: ArgumentHelp("The result: a JSON object, or @file.", valueName: "json"))
        var variables: JSONArgument?

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let variables = try self.variables?.object("--variables")
            try await forEach([self.key], self.options, done: "completed") { client, key in
                try await client.completeUserTask(key, variables: variables)
            }
        }
    }

    struct Assign: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a user task to somebody, or take it away.",
            discussion: "Without an assignee, the task is nobody's again.")

        @Argument(help: "The key of the task.")
        var key: Key

        @Argument(help: "Who gets it.")
        var assignee: String?

        @Flag(help: "Fail when somebody has it already.")
        var keep = false

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            try await forEach([self.key], self.options, done: self.assignee == nil ? "unassigned" : "assigned") {
                client, key in
                try await client.assignUserTask(key, to: self.assignee, allowOverride: !self.keep)
            }
        }
    }

    enum TaskState: String, ExpressibleByArgument, CaseIterable {
        case created, completed, canceled, all
    }
}

/// Shows one item in full.
func showDetails(_ resource: SearchResource, _ key: Key, _ options: GlobalOptions) async throws {
    let console = options.console()
    try await carryOut(console) {
        try await Session.run(options, console) { client in
            let item = try await client.get(resource, key)
            if console.isJSON {
                console.print(json: item)
            } else {
                for line in Details.lines(item, console.style) { console.print(line) }
            }
        }
    }
}
