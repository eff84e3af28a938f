import ArgumentParser

/// Options of every command that talks to a server.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The data directory.",
            discussion: "Default: $JUNCTION_DATA, else data: in the project file, else ./var/junction.",
            valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Talk to the server at this URL instead, such as http://127.0.0.1:8080.",
            discussion: "Default: $JUNCTION_SERVER, else the server on the socket in the data directory.",
            valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp("The folder with junction.yaml.", discussion: "Default: here.", valueName: "dir"),
        completion: .directory)
    var project: String?

    @Flag(help: "Print JSON: one object, or one a line for lists.")
    var json = false

    /// The console of the command.
    func console() -> Console { Console(isJSON: self.json) }

    /// The data directory, by the order of precedence.
    func dataDirectory(_ environment: Environment = .current, project: ProjectConfiguration?) -> String {
        self.data ?? environment["JUNCTION_DATA"] ?? project?.data ?? "var/junction"
    }
}
