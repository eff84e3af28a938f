import Foundation
import Testing
import Values

/// What only the program itself shows: pipes, signals, exit codes.
@Suite(.timeLimit(.minutes(1))) struct ProgramTests {
    /// The program built together with these tests.
    private static var program: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "junction").path
    }

    /// Runs a shell command in which `$1` is the program and `$2` a folder; its exit code and output.
    private func shell(_ command: String, _ folder: TemporaryFolder) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", command, "bash", Self.program, folder.path]
        process.standardInput = FileHandle.nullDevice
        let output = URL(fileURLWithPath: folder.path).appending(path: "output")
        try Data().write(to: output)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return (status, String(decoding: try Data(contentsOf: output), as: UTF8.self))
    }

    @Test func aReaderThatClosesThePipeIsNoError() async throws {
        let folder = try TemporaryFolder()
        let events = (0..<2_000).map { "<bpmn:event id=\"event-number-\($0)\"/>" }.joined()
        _ = try folder.write(
            "many.bpmn",
            Model.sequence("order", Model.script).replacing("<bpmn:endEvent", with: events + "<bpmn:endEvent"))
        let run = try await shell(#""$1" lint "$2/many.bpmn" | head -n 1; echo "${PIPESTATUS[0]}""#, folder)
        #expect(run.output.split(separator: "\n").last == "0")
        #expect(run.output.contains("error BP"))
        #expect(!run.output.contains("\u{1B}"))
    }

    @Test(arguments: ["TERM", "INT"])
    func aSignalEndsTheServerGracefully(signal: String) async throws {
        let folder = try TemporaryFolder()
        let run = try await shell(
            """
            "$1" serve --data "$2/data" --progress none --log-level error --json &
            until [ -S "$2/data/junction.sock" ]; do sleep 0.02; done
            "$1" status --data "$2/data" >/dev/null || exit 9
            kill -\(signal) $!
            wait $!
            status=$?
            [ ! -e "$2/data/junction.sock" ] || exit 8
            exit $status
            """, folder)
        #expect(run.status == 0)
        #expect(try JSON.parse(run.output)["unaccounted"] == 0)
    }

    @Test func secretsAreStoredFromStandardInputAndNeverShown() async throws {
        let folder = try TemporaryFolder()
        let run = try await shell(
            """
            exec 2>&1
            printf 'canary-81\\n' | "$1" secret set vendor --data "$2/data" || exit 2
            "$1" secret list --data "$2/data" || exit 3
            "$1" secret rotate-key --data "$2/data" || exit 4
            "$1" secret list --data "$2/data" --json || exit 5
            "$1" secret remove vendor --data "$2/data" || exit 6
            "$1" secret remove vendor --data "$2/data" --json && exit 7
            printf '' | "$1" secret set vendor --data "$2/data" --json && exit 8
            exit 0
            """, folder)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("{ secret: \"vault:vendor\" }"))
        #expect(run.output.contains("\"name\":\"vendor\""))
        #expect(run.output.components(separatedBy: "HB308").count == 3)
        #expect(!run.output.contains("canary"))
    }

    @Test func aServerThatWasKilledLeavesNothingInTheWay() async throws {
        let folder = try TemporaryFolder()
        let run = try await shell(
            """
            "$1" serve --data "$2/data" --progress none --log-level error &
            until [ -S "$2/data/junction.sock" ]; do sleep 0.02; done
            kill -KILL $!
            wait $! 2>/dev/null
            "$1" serve --data "$2/data" --progress none --log-level error --until-idle --idle-after 0.1
            """, folder)
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("RECEIVED"))
    }
}
