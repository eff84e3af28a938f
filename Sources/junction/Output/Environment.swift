import Glibc

/// What the program reads from its surroundings.
struct Environment: Sendable {
    private let lookup: @Sendable (String) -> String?
    private let terminalWidth: @Sendable (Int32) -> Int?

    init(
        lookup: @escaping @Sendable (String) -> String?,
        terminalWidth: @escaping @Sendable (Int32) -> Int? = { _ in nil }
    ) {
        self.lookup = lookup
        self.terminalWidth = terminalWidth
    }

    /// The variables and terminals of this process.
    static let process = Environment(
        lookup: { name in getenv(name).map { String(cString: $0) } },
        terminalWidth: { descriptor in
            guard isatty(descriptor) == 1 else { return nil }
            var size = winsize()
            guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
            return Int(size.ws_col)
        })

    /// The surroundings of this task.
    @TaskLocal static var current = Environment.process

    /// A variable; nil when it is not set or empty.
    subscript(name: String) -> String? {
        self.lookup(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// How the output to a descriptor is marked up: no colour unless it is a terminal, `NO_COLOR` is not set and `TERM`
    /// is not `dumb`.
    func style(of descriptor: Int32) -> Style {
        let width = self.terminalWidth(descriptor)
        let locale = self["LC_ALL"] ?? self["LC_CTYPE"] ?? self["LANG"] ?? "C.UTF-8"
        let isUnicode = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
        return Style(
            hasColour: width != nil && self["NO_COLOR"] == nil && self["TERM"] != "dumb", hasUnicode: isUnicode,
            width: width)
    }

    /// Who runs the program, for the audit log.
    var user: String {
        if let name = self["USER"] ?? self["LOGNAME"] { return name }
        return "uid:\(getuid())"
    }
}
