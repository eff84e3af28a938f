import Foundation
import Testing

/// The core is a function: no clock, no randomness, no sleeping, no I/O.
///
/// Replay depends on it.
@Suite struct PurityTests {
    /// A name the core must not use, why, and code that uses it.
    struct Ban: Sendable, CustomTestStringConvertible {
        let pattern: String
        let instead: String
        let example: String

        var testDescription: String { example }

        /// Finds the lines that use the name.
        func violations(in code: String) throws -> [Int] {
            let text = code as NSString
            let found = try NSRegularExpression(pattern: pattern)
                .matches(in: code, range: NSRange(location: 0, length: text.length))
            return found.map { match in
                text.substring(to: match.range.location).count { $0 == "\n" } + 1
            }
        }
    }

    static let bans = [
        Ban(pattern: #"\bDate\("#, instead: "take the time as an argument", example: "let now = Date()"),
        Ban(
            pattern: #"\b(?:Date|ContinuousClock|SuspendingClock|DispatchTime)\b\s*(?:\(\))?\s*\.\s*now\b"#,
            instead: "take the time as an argument", example: "let now = ContinuousClock.now"),
        Ban(
            pattern: #"\b(?:ContinuousClock|SuspendingClock)\b"#, instead: "take the time as an argument",
            example: "let clock = ContinuousClock()"),
        Ban(
            pattern: #"\b(?:clock_gettime|gettimeofday|mach_absolute_time|CFAbsoluteTimeGetCurrent)\b"#,
            instead: "take the time as an argument", example: "clock_gettime(CLOCK_REALTIME, &time)"),
        Ban(
            pattern: #"(?<![\w.])time\(\s*(?:nil|NULL|&)"#, instead: "take the time as an argument",
            example: "let now = time(nil)"),
        Ban(
            pattern: #"\bSystemRandomNumberGenerator\b"#, instead: "take random numbers as arguments",
            example: "var generator = SystemRandomNumberGenerator()"),
        Ban(
            pattern: #"\.(?:random|randomElement|shuffle|shuffled)\((?![^)]*using:)"#,
            instead: "take random numbers as arguments", example: "let jitter = Double.random(in: 0..<1)"),
        Ban(
            pattern: #"(?<![\w.])(?:arc4random\w*|drand48|getrandom|random|rand)\("#,
            instead: "take random numbers as arguments", example: "arc4random_uniform(6)"),
        Ban(pattern: #"\bUUID\(\)"#, instead: "take ids as arguments", example: "let id = UUID()"),
        Ban(
            pattern: #"\.hashValue\b"#, instead: "use StableHash: hash values differ in every process",
            example: "let partition = name.hashValue % 64"),
        Ban(
            pattern: #"\bTask(?:\.detached)?\s*(?:\{|\()|\bTask\.(?:sleep|yield)\b"#, instead: "return an effect",
            example: "try await Task.sleep(for: .seconds(1))"),
        Ban(
            pattern: #"(?<![\w.]|func )(?:sleep|usleep|nanosleep|clock_nanosleep)\("#, instead: "return an effect",
            example: "usleep(1_000)"),
        Ban(
            pattern: #"\b(?:await|async)\b|\bactor\s+[A-Z]"#, instead: "return an effect", example: "func f() async {}"),
        Ban(
            pattern: #"\b(?:getenv|setenv|ProcessInfo)\b"#, instead: "take settings as arguments",
            example: #"getenv("HOME")"#),
        Ban(
            pattern: #"(?<![\w.]|func )(?:print|debugPrint|readLine|fopen|fputs)\("#,
            instead: "return what is to be shown or stored", example: #"print("done")"#),
    ]

    @Test(arguments: LayerMap.pure)
    func coreHasNoClockRandomnessSleepingOrIO(rule: TargetRule) throws {
        for file in try Repository.files(under: rule.folder, endingIn: ".swift") {
            let code = SwiftSource(try Repository.text(file)).code
            for ban in Self.bans {
                for line in try ban.violations(in: code) {
                    Issue.record("\(file):\(line): \(ban.pattern) — \(ban.instead)")
                }
            }
        }
    }

    @Test(arguments: LayerMap.pure)
    func coreImportsNoModuleThatDoesIO(rule: TargetRule) {
        #expect(Set(rule.modules).isDisjoint(with: ["Foundation", "FoundationEssentials", "Dispatch", "Logging"]))
    }

    @Test(arguments: bans)
    func everyBanFindsItsExample(ban: Ban) throws {
        #expect(try ban.violations(in: ban.example) == [1])
    }

    @Test(arguments: [
        "let now = scope.now", "delay.random(in: range, using: &generator)", "state.write(into: &bytes)",
        "timer.sleep(until: deadline)", "let task: UserTask", "mutating func read() -> UInt8", "elapsedTime(nil)",
    ])
    func injectedTimeAndRandomnessAreAllowed(line: String) throws {
        for ban in Self.bans {
            #expect(try ban.violations(in: line) == [], "\(ban.pattern)")
        }
    }
}
