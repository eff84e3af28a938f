import ArgumentParser
import Foundation

/// `conformance fuzz`: mutated inputs, in child processes with bounded time and memory.
struct FuzzCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz", abstract: "Give mutated inputs to a parser until one of them crashes it or hangs it.",
        discussion: "A failing input is kept in the folder --keep; --seed and --rounds 1 run it again.")

    @Option(help: "What to fuzz: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")).")
    var target: FuzzTarget?

    @Option(help: "The folder of the corpus; its files end with the name of the target.")
    var corpus = "Tests/Corpus"

    @Flag(help: "Print the targets, a line each.")
    var list = false

    @Option(help: "How many inputs.")
    var rounds = 10_000

    @Option(help: "The seed of the first input; the others follow.")
    var seed: UInt64 = 1

    @Option(help: "The folder that keeps failing inputs.")
    var keep = "var/fuzz"

    @Option(help: "How many seconds one input may take.")
    var seconds = 10.0

    func run() throws {
        if list {
            for target in FuzzTarget.allCases { print(target.rawValue) }
            return
        }
        guard let target else { throw ValidationError("Expected --target, one of those --list prints.") }
        try fuzz(target)
    }

    private func fuzz(_ target: FuzzTarget) throws {
        let mutator = try FuzzBatch.mutator(target, corpus: corpus)
        var next = seed
        var failed = 0
        while next < seed + UInt64(rounds) {
            let count = Swift.min(500, Int(seed + UInt64(rounds) - next))
            guard let failure = try runBatch(target, from: next, count: count) else {
                next += UInt64(count)
                continue
            }
            failed += 1
            let folder = URL(filePath: keep, directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appending(path: "\(target.rawValue)-\(failure.seed).\(target.fileExtension)")
            try Data(mutator.input(seed: failure.seed)).write(to: file)
            print("FAILED seed \(failure.seed): \(failure.reason); the input is \(file.path(percentEncoded: false))")
            next = failure.seed + 1
        }
        print("\(rounds) inputs from seed \(seed), \(failed) failed")
        if failed > 0 { throw ExitCode.failure }
    }

    /// Runs a stretch of seeds in a child; the seed at which the child ended otherwise than well.
    private func runBatch(
        _ target: FuzzTarget, from first: UInt64, count: Int
    ) throws -> (seed: UInt64, reason: String)? {
        let child = Process()
        child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = [
            "fuzz-batch", "--target", target.rawValue, "--corpus", corpus, "--seed", "\(first)", "--rounds", "\(count)",
            "--seconds", "\(seconds)",
        ]
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        let progress = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.waitUntilExit()
        guard child.terminationReason != .exit || child.terminationStatus != 0 else { return nil }
        let last = progress.split(separator: "\n").last.flatMap { UInt64($0) } ?? first
        let reason =
            child.terminationReason == .uncaughtSignal
            ? "signal \(child.terminationStatus)" : "exit code \(child.terminationStatus)"
        return (last, reason)
    }
}

/// The child of `conformance fuzz`: prints each seed before it runs it.
struct FuzzBatch: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fuzz-batch", shouldDisplay: false)

    @Option var target: FuzzTarget
    @Option var corpus: String
    @Option var seed: UInt64
    @Option var rounds: Int
    @Option var seconds: Double

    /// No input may need more memory.
    static let addressSpaceMax: UInt = 8 << 30

    func run() throws {
        var limit = rlimit(rlim_cur: Self.addressSpaceMax, rlim_max: Self.addressSpaceMax)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        let mutator = try Self.mutator(target, corpus: corpus)
        for current in seed..<seed + UInt64(rounds) {
            FileHandle.standardOutput.write(Data("\(current)\n".utf8))
            // The kernel ends the process when one input takes too long.
            alarm(UInt32(seconds.rounded(.up)))
            target.run(mutator.input(seed: current))
        }
        alarm(0)
    }

    static func mutator(_ target: FuzzTarget, corpus: String) throws -> Mutator {
        let folder = URL(filePath: corpus, directoryHint: .isDirectory)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == target.fileExtension }
            .sorted { $0.path < $1.path }
        guard !files.isEmpty else {
            throw ValidationError("Expected files *.\(target.fileExtension) in \(corpus), but there are none.")
        }
        return Mutator(corpus: try files.map { [UInt8](try Data(contentsOf: $0)) }, words: target.words)
    }
}
