internal import ConnectorKit
internal import PluginHost
internal import Values

/// What a run of a program means.
struct ProgramReport {
    /// How much of the standard error is shown.
    static let errorBytesMax = 4 << 10
    private static let lastWordsMax = 500

    private let name: String
    private let program: ScriptProgram
    private let result: ProgramRun.Result
    private let allowed: Duration
    /// The end of the standard error, without secrets.
    private let errorTail: String

    init(
        _ name: String, _ program: ScriptProgram, _ result: ProgramRun.Result, secrets: [String], allowed: Duration
    ) {
        self.name = name
        self.program = program
        self.result = result
        self.allowed = allowed
        self.errorTail = Self.clean(result.errorTail, secrets)
    }

    /// Text for people: secrets are struck out before the start is cut off, so that no part of one is left.
    private static func clean(_ bytes: [UInt8], _ secrets: [String]) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        for secret in secrets.sorted(by: { $0.utf8.count > $1.utf8.count }) where !secret.isEmpty {
            text = text.replacing(secret, with: "<secret>")
        }
        var shown = Substring(text)
        while shown.utf8.count > Self.errorBytesMax { shown.removeFirst() }
        return String(
            String.UnicodeScalarView(
                shown.unicodeScalars.filter { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control }))
    }

    /// The outcome of the call.
    func outcome(sandbox: String) -> Outcome {
        let (seconds, attoseconds) = self.result.duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        var facts: ValueContext = [
            "program": .string(self.name), "milliseconds": .number(Number(milliseconds)),
            "sandbox": .string(sandbox), "outputBytes": .number(Number(Int64(self.result.output.count))),
        ]
        var details = facts
        if !self.errorTail.isEmpty { details["stderr"] = .string(self.errorTail) }
        switch self.end(isSandboxed: sandbox != "none") {
        case .exited(let code):
            facts["exitCode"] = .number(Number(Int64(code)))
            details["exitCode"] = facts["exitCode"]
            return self.outcome(code, facts: facts, details: details)
        case .timedOut:
            return .failed(
                ScriptErrors.killed(.timeout, self.name, "was killed after \(self.allowed)", details: details))
        case .cancelled:
            var error = ConnectorError(wrapping: CancellationError())
            error.details = details
            return .failed(error)
        case .outputTooLarge:
            return .failed(ScriptErrors.tooLarge(self.name, self.program.outputBytesMax, details: details))
        case .signalled(let number):
            details["signal"] = .number(Number(Int64(number)))
            return .failed(
                ScriptErrors.killed(.unknown, self.name, "was ended by signal \(number)", details: details))
        case .unknown:
            return .failed(ScriptErrors.killed(.unknown, self.name, "ended, nobody knows how", details: details))
        }
    }

    /// How it ended: bubblewrap tells of a signal by a code above 128, as shells do.
    private func end(isSandboxed: Bool) -> ProgramRun.End {
        guard case .exited(let code) = self.result.end, isSandboxed, (129...192).contains(code),
            self.program.exitCodes[code] == nil
        else { return self.result.end }
        return .signalled(code - 128)
    }

    private func outcome(_ code: Int, facts: ValueContext, details: ValueContext) -> Outcome {
        let meaning = code == 0 ? .done : self.program.exitCodes[code] ?? ExitMeaning.conventional(code)
        guard meaning == .done else {
            let last = self.errorTail.split(separator: "\n").last.map { String($0.prefix(Self.lastWordsMax)) }
            let error = ScriptErrors.failed(self.name, code, meaning, lastWords: last ?? "", details: details)
            return switch meaning {
            case .park: .park(error)
            case .reject: .reject(error)
            default: .failed(error)
            }
        }
        do throws(Malformed) {
            let value: Value = [
                "output": try self.parse(), "exitCode": .number(Number(Int64(code))), "stderr": .string(self.errorTail),
            ]
            return .done(value, facts: facts)
        } catch {
            return .failed(ScriptErrors.malformed(self.name, error.reason, details: details))
        }
    }

    private struct Malformed: Error {
        var reason: String
    }

    private func parse() throws(Malformed) -> Value {
        let bytes = self.result.output
        switch self.program.output {
        case .text:
            guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed(reason: "is no UTF-8.") }
            return .string(text)
        case .json:
            return bytes.allSatisfy(Self.isSpace) ? .null : try Self.json(bytes[...], "")
        case .ndjson:
            var values: [Value] = []
            for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                .enumerated()
            where !line.allSatisfy(Self.isSpace) {
                values.append(try Self.json(line, " in line \(index + 1)"))
            }
            return .list(values)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    private static func json(_ bytes: ArraySlice<UInt8>, _ place: String) throws(Malformed) -> Value {
        do throws(JSONError) {
            return try JSON.parse(bytes)
        } catch {
            throw Malformed(reason: "is no JSON\(place): \(error)")
        }
    }
}
