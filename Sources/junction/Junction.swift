import ArgumentParser
import Runtime
import Values

/// The command line: a client of the HTTP API, and the program that serves it.
@main
struct Junction: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "junction",
        abstract: "A durable workflow engine and integration hub.",
        discussion: """
            Commands talk to the server that has the data directory open, or open it themselves when there is none.
            Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed or found \
            nothing, 64 wrong usage.
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, RunCommand.self, LintCommand.self, LayoutCommand.self, FEELCommand.self, DMNCommand.self,
            DeployCommand.self, StartCommand.self,
            InstanceCommand.self, JobCommand.self, TaskCommand.self, IncidentCommand.self, MessageCommand.self,
            SignalCommand.self, DecisionCommand.self,
            DeadLetterCommand.self, TriggerCommand.self, ConnectorCommand.self, ConnectionCommand.self,
            SecretCommand.self,
            StatusCommand.self,
            MCPCommand.self, PluginHostCommand.self, AuditCommand.self, DoctorCommand.self, BenchCommand.self,
        ])

    /// Expressions know the zones of the system, in every command.
    static func main() async {
        TimeZones.install(FoundationTimeZones())
        await main(nil)
    }
}

/// The version of this program.
enum Version {
    static let text = "0.1.0"
}
