import ArgumentParser
import Decisions
import Engine
import Hub
import HubDocuments
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
        case measurement = "CL110"
        case refusedModel = "CL111"
        case noDecision = "CL112"
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
        var value: ValueContext
        var diagnostics: [Diagnostic] = []
        switch error {
        case let error as CommandFailure:
            value = Self.value(error.code.rawValue, error.message, error.remedy)
            diagnostics = error.diagnostics
        case let error as CommandRejection:
            value = Self.value(error.code.rawValue, error.message, error.remedy)
            diagnostics = error.diagnostics
        case ClientError.problem(let problem):
            value = Self.value(problem.code, problem.detail, problem.remedy)
            diagnostics = problem.diagnostics
        case let error as ClientError: value = Self.value(error.code, "\(error)", "")
        case let error as FEELError: value = Self.value(error.code.rawValue, "\(error)", error.remedy ?? "")
        case let error as StoreError: value = Self.value(error.code.rawValue, error.message, error.remedy)
        case let error as HubError: value = Self.value(error.code.rawValue, error.message, error.remedy)
        case let error as ServerError: value = Self.value(error.code, error.message, error.remedy)
        default: value = Self.value("", "\(error)", "")
        }
        if !diagnostics.isEmpty { value["diagnostics"] = .list(diagnostics.map(\.wire)) }
        return .context(value)
    }

    private static func value(_ code: String, _ message: String, _ remedy: String) -> ValueContext {
        ValueContext([("error", .string(message)), ("code", .string(code)), ("remedy", .string(remedy))])
    }
}

extension Diagnostic {
    /// The finding as one JSON object.
    var wire: Value {
        var value = ValueContext([
            ("code", .string(self.code)), ("severity", .string(self.severity.rawValue)),
            ("message", .string(self.message)),
        ])
        if let remedy { value["remedy"] = .string(remedy) }
        if let file { value["file"] = .string(file) }
        if let line { value["line"] = .number(Number(line)) }
        if let column { value["column"] = .number(Number(column)) }
        if let elementID { value["elementId"] = .string(elementID) }
        return .context(value)
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
