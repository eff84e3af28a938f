import ArgumentParser
import Logging
import Runtime
import Server
import UnixSignals
import Values

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the engine, the hub and the API.",
        discussion: """
            Serves the API on the Unix socket junction.sock in the data directory, and on a TCP port of 127.0.0.1 when \
            asked. Deploys the documents of the project and runs its triggers. Ends gracefully on SIGINT and SIGTERM; \
            with --until-idle, when nothing moves any more without a person, a message or a distant timer.
            """)

    @OptionGroup var options: GlobalOptions

    @Option(help: ArgumentHelp("Serve the API on this TCP port of 127.0.0.1 too; 0 chooses one.", valueName: "port"))
    var httpPort: Int?

    @Flag(help: "End when nothing moves any more.")
    var untilIdle = false

    @Option(help: ArgumentHelp("Seconds without movement that count as idle.", valueName: "seconds"))
    var idleAfter = 3.0

    @Option(
        help: ArgumentHelp("Write what became of everything to this file at the end.", valueName: "file"),
        completion: .file())
    var summary: String?

    @Option(help: ArgumentHelp("How progress is shown.", valueName: "auto|live|plain|none"))
    var progress = ProgressOption.auto

    @Option(help: ArgumentHelp("Seconds requests may take to finish at the end.", valueName: "seconds"))
    var drain = 10.0

    @Option(help: ArgumentHelp("Log this level and above.", valueName: "level"))
    var logLevel: LogLevelOption?

    @Option(help: ArgumentHelp("How log lines are written.", valueName: "text|json"))
    var logFormat = ConsoleLogHandler.Format.text

    enum ProgressOption: String, ExpressibleByArgument, CaseIterable {
        case auto, live, plain, none
    }

    enum LogLevelOption: String, ExpressibleByArgument, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    func validate() throws {
        if let httpPort, !(0...65_535).contains(httpPort) { throw ValidationError("--http-port must be 0 to 65535") }
        if self.idleAfter <= 0 { throw ValidationError("--idle-after must be more than 0") }
    }

    func run() async throws {
        let console = self.options.console()
        try await carryOut(console) {
            let environment = Environment.current
            let folder = self.options.project ?? "."
            let project = try ProjectConfiguration.load(folder: folder, isRequired: self.options.project != nil)
            let directory = self.options.dataDirectory(environment, project: project)
            let display = self.display(console)
            let level =
                self.logLevel.flatMap { Logger.Level(rawValue: $0.rawValue) }
                ?? (display == .live ? .warning : .info)
            let format = self.logFormat
            let logger = Logger(label: "junction") { _ in
                ConsoleLogHandler(console: console, format: format, logLevel: level)
            }
            let connectors = try await ModuleTable.load(project, isStarted: true, logger: logger)
            let host = try EngineHost(
                .init(
                    dataDirectory: directory, socketPath: join(directory, APISocket.fileName),
                    port: self.httpPort ?? project?.port, project: project, projectFolder: folder,
                    servesProject: true, connectors: connectors, actor: environment.user),
                logger: logger)
            for warning in host.warnings { console.note("\(warning)") }
            try await self.serve(host, display: display, console)
        }
    }

    private func serve(_ host: EngineHost, display: Watch.Display, _ console: Console) async throws {
        let watch = Watch(
            display: display, endsWhenIdle: self.untilIdle, idleAfter: .seconds(self.idleAfter), console: console,
            snapshot: { seconds in try Snapshot(host.runtime, host.hub, host.records, at: seconds) },
            stoppedBy: { host.runtime.status().stoppedBy })
        let started = ContinuousClock().now
        let closing = ResultBox<Summary>()
        _ = try await host.serve(signals: [.sigint, .sigterm], drain: .seconds(self.drain)) { _ -> Bool in
            defer {
                // Before the stores close, however it ends.
                let seconds = (ContinuousClock().now - started) / .seconds(1)
                let result = Result {
                    Summary(try Snapshot(host.runtime, host.hub, host.records, at: seconds)) as Summary?
                }
                closing.set(result)
            }
            try await watch.run()
            return true
        }
        guard let summary = try closing.value?.get() else { return }
        if let file = self.summary { try FileText.replace(file, with: Array((JSON.pretty(summary.value) + "\n").utf8)) }
        if console.isJSON {
            console.print(json: summary.value)
        } else if self.untilIdle || self.summary != nil {
            for line in summary.lines(console.style) { console.print(line) }
        }
    }

    private func display(_ console: Console) -> Watch.Display {
        switch self.progress {
        case .auto: console.isInteractive && console.errorStyle.hasColour ? .live : .plain
        case .live: .live
        case .plain: .plain
        case .none: .none
        }
    }
}

extension ConsoleLogHandler.Format: ExpressibleByArgument {}
