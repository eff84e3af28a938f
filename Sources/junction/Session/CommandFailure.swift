import ArgumentParser
import Engine
import JunctionClient
import Server
import Storage
import Values

/// Why a command could not do what it was asked; shown with code and remedy, exit code 1.
struct CommandFailure: Error, Sendable, CustomStringConvertible {
    /// What went wrong; each has a page in `docs/errors/`.
    enum Code: String, Sendable, CaseIterable {
        case unreadableFile = "CL101"
        case unwritableFile = "CL102"
        case notText = "CL103"
        case projectFile = "CL104"
        case configuration = "CL105"
        case dataDirectory = "CL106"
        case noData = "CL107"
        case ambiguousProcess = "CL108"
    }

    let code: Code
    let message: String
    let remedy: String
    var diagnostics: [Diagnostic] = []

    init(_ code: Code, _ message: String, remedy: String, diagnostics: [Diagnostic] = []) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.diagnostics = diagnostics
    }

    var description: String {
        (["\(self.code.rawValue): \(self.message) — \(self.remedy)"] + self.diagnostics.map { "  \($0)" })
            .joined(separator: "\n")
    }
}

extension Console {
    /// Shows a failure: one line of JSON in JSON mode, else text.
    func show(_ error: any Error) {
        guard self.isJSON else {
            self.note(self.errorStyle.paint("error:", .bad) + " \(error)")
            return
        }
        self.note(JSON.string(Self.value(of: error)))
    }

    private static func value(of error: any Error) -> Value {
        let (code, message, remedy): (String, String, String) =
            switch error {
            case let error as CommandFailure: (error.code.rawValue, error.message, error.remedy)
            case ClientError.problem(let problem): (problem.code, problem.detail, problem.remedy)
            case let error as StoreError: (error.code.rawValue, error.message, error.remedy)
            case let error as CommandRejection: (error.code.rawValue, error.message, error.remedy)
            case let error as ServerError: (error.code, error.message, error.remedy)
            default: ("", "\(error)", "")
            }
        return .context(
            ValueContext([
                ("error", .string(message)), ("code", .string(code)), ("remedy", .string(remedy)),
            ]))
    }
}

/// Runs the body of a command: failures are shown, and end the program with exit code 1.
func carryOut(_ console: Console, _ body: () async throws -> Void) async throws {
    do {
        try await body()
        console.flush()
    } catch let error where error is ExitCode || error is ValidationError || error is CleanExit {
        console.flush()
        throw error
    } catch {
        console.flush()
        console.show(error)
        throw ExitCode.failure
    }
}
