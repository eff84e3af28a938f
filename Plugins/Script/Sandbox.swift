internal import ConnectorKit
internal import PluginHost

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// What confines the programs of a connection.
struct Sandbox: Sendable {
    /// The path of bubblewrap, if it works here.
    let bubblewrap: String?
    /// Why it does not; empty when it does, or is not wanted.
    let reason: String

    /// What of the machine is shown: enough to run and link programs, and nothing that tells of its users.
    private static let folders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"]
    private static let files = [
        "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
        "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates",
    ]
    private static let networkFiles = ["/etc/hosts", "/etc/resolv.conf", "/etc/services"]
    private static let temporaryBytesMax = 64 << 20
    private static let probeTimeout = Duration.seconds(10)

    /// Finds out what works here.
    ///
    /// Throws when the connection wants what does not: a sandbox that is required, or no network without any means to
    /// take it away.
    static func establish(_ settings: ScriptSettings) async throws -> Sandbox {
        var reason = ""
        if settings.sandbox != .none {
            let path = settings.bubblewrap ?? "bwrap"
            if let found = ProgramRun.locate(path, path: ScriptProgram.path) {
                let sandbox = Sandbox(bubblewrap: found, reason: "")
                guard let failure = await sandbox.failure(hasNetwork: false) else { return sandbox }
                reason = "\(found) cannot confine programs here: \(failure)"
            } else {
                reason = "There is no \(path)."
            }
            if settings.sandbox == .required { throw ScriptErrors.noSandbox(reason) }
        }
        let sandbox = Sandbox(bubblewrap: nil, reason: reason)
        if settings.programs.values.contains(where: { $0.network == .none }),
            let failure = await sandbox.failure(hasNetwork: false)
        {
            throw ScriptErrors.noNetworkIsolation([reason, failure].filter { !$0.isEmpty }.joined(separator: " "))
        }
        return sandbox
    }

    /// Why a harmless program cannot be run; nil when it can.
    func failure(hasNetwork: Bool) async -> String? {
        guard let harmless = ProgramRun.locate("true", path: ScriptProgram.path) else {
            return "There is no program true to try it with."
        }
        var program = Launch(command: [harmless], path: harmless)
        program.hasNetwork = hasNetwork
        do throws(ProgramRun.LaunchFailure) {
            let run = ProgramRun(self.specification(program), timeout: Self.probeTimeout)
            let result = try await run.result()
            if result.end == .exited(0) { return nil }
            let words = String(decoding: result.errorTail, as: UTF8.self).split(separator: "\n").last ?? ""
            return words.isEmpty ? "It ended as \(result.end)." : "\(words)."
        } catch {
            return error.reason
        }
    }

    private static func isShown(_ path: String) -> Bool {
        path == "/tmp" || Self.folders.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    /// What is to be run.
    struct Launch: Sendable {
        var command: [String]
        /// Where the program is.
        var path: String
        var directory: String?
        var environment: [String: String] = [:]
        var hasNetwork = false
        var readable: [String] = []
        var writable: [String] = []
        var limits = LaunchSpecification.Limits()
    }

    /// How it is run.
    ///
    /// Values of variables never become arguments: those can be seen by everybody.
    func specification(_ launch: Launch) -> LaunchSpecification {
        let command = [launch.path] + launch.command.dropFirst()
        guard let bubblewrap = self.bubblewrap else {
            return LaunchSpecification(
                command: command, directory: launch.directory ?? "/", environment: launch.environment,
                seesCommonVariables: false, hasNetwork: launch.hasNetwork, limits: launch.limits)
        }
        var arguments = [bubblewrap, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
        if launch.hasNetwork { arguments.append("--share-net") }
        arguments += ["--proc", "/proc", "--dev", "/dev"]
        arguments += ["--size", String(Self.temporaryBytesMax), "--tmpfs", "/tmp"]
        for path in Self.folders + Self.files + (launch.hasNetwork ? Self.networkFiles : []) {
            arguments += ["--ro-bind-try", path, path]
        }
        for path in [launch.path, launch.directory].compactMap({ $0 }) + launch.readable where !Self.isShown(path) {
            arguments += ["--ro-bind", path, path]
        }
        for path in launch.writable { arguments += ["--bind", path, path] }
        arguments += ["--remount-ro", "/", "--chdir", launch.directory ?? "/tmp", "--"]
        return LaunchSpecification(
            command: arguments + command, directory: "/", environment: launch.environment, seesCommonVariables: false,
            limits: launch.limits)
    }
}
