import ArgumentParser
import Foundation
import Hub
import HubDocuments
import Values

struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Keep the secrets of connections in an encrypted vault.",
        discussion: """
            A connection refers to one as { secret: "vault:NAME" }. The vault is the file secrets.json in the data \
            directory, or secrets.vault of the project file; its key the variable JUNCTION_SECRETS_KEY, or a file that is \
            made with the first secret. A running server uses a new secret at once.
            """,
        subcommands: [Set.self, List.self, Remove.self, RotateKey.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Store a secret, read from standard input; one line end at its end does not count.")

        @Argument(help: "The name: letters, digits, -, _, . and /.")
        var name: String

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                if isatty(STDIN_FILENO) == 1 { console.note("Type the secret, then end the input with Ctrl-D.") }
                let input = FileHandle.standardInput.readDataToEndOfFile()
                guard var text = String(validating: input, as: UTF8.self) else {
                    throw CommandFailure(
                        .notText, "The secret is not UTF-8 text.", remedy: "Encode it, for example as base64.")
                }
                if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
                let now = Date(timeIntervalSince1970: Double(Clock.now / 1_000)).formatted(.iso8601)
                try self.options.vault().set(self.name, to: text, now: now)
                console.note("Stored. Refer to it as { secret: \"vault:\(self.name)\" }.")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the names of the secrets; never what they are.")

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                for entry in try self.options.vault().list() {
                    if console.isJSON {
                        console.print(json: ["name": .string(entry.name), "updated": .string(entry.updated)])
                    } else {
                        console.print("\(entry.name)  \(entry.updated)")
                    }
                }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a secret.")

        @Argument(help: "The name.")
        var name: String

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                guard try self.options.vault().remove(self.name) else {
                    throw HubError(
                        .secretVault, "There is no secret \(self.name).", remedy: "See: junction secret list")
                }
                console.note("Removed.")
            }
        }
    }

    struct RotateKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate-key", abstract: "Seal every secret under a new key, in the place of the old one.")

        @OptionGroup var options: GlobalOptions

        func run() async throws {
            let console = self.options.console()
            try await carryOut(console) {
                try self.options.vault().rotateKey()
                console.note("Every secret is sealed under a new key.")
            }
        }
    }
}

extension GlobalOptions {
    /// The vault of the project.
    fileprivate func vault() throws -> SecretVault {
        let project = try ProjectConfiguration.load(folder: self.project ?? ".", isRequired: self.project != nil)
        let directory = self.dataDirectory(project: project)
        if project?.vault == nil {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        return SecretVault(project: project, dataDirectory: directory)
    }
}
