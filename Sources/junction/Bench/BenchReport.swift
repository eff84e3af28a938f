import Foundation
import Values

/// What a scenario measured, in the order in which it is printed.
struct BenchReport {
    var fields = ValueContext()

    init(_ scenario: String) {
        fields["scenario"] = .string(scenario)
    }

    mutating func set(_ name: String, _ number: Double, digits: Int = 1) {
        fields[name] = .number(Number(Self.rounded(number, digits)) ?? Number(0))
    }

    mutating func set(_ name: String, _ number: Int) {
        fields[name] = .number(Number(Int64(number)))
    }

    mutating func set(_ name: String, _ text: String) {
        fields[name] = .string(text)
    }

    /// Percentiles of samples in nanoseconds, as milliseconds.
    mutating func set(_ name: String, nanoseconds samples: [Int64], _ percentiles: [Int] = [50, 95, 99]) {
        guard !samples.isEmpty else {
            // Nothing of the kind happens in this scenario.
            fields[name] = .null
            return
        }
        let sorted = samples.sorted()
        var values = ValueContext()
        for percentile in percentiles {
            let position = min(sorted.count - 1, sorted.count * percentile / 100)
            values["p\(percentile)"] = .number(Number(Self.rounded(Double(sorted[position]) / 1e6, 3)) ?? Number(0))
        }
        fields[name] = .context(values)
    }

    static func text(_ value: Value) -> String {
        value.asString ?? JSON.string(value)
    }

    private static func rounded(_ number: Double, _ digits: Int) -> Double {
        let scale = pow(10.0, Double(digits))
        return (number * scale).rounded() / scale
    }
}

/// Readings of this process.
enum ProcessReading {
    /// Resident memory in bytes.
    static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Processor time of all threads of this process so far.
    static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Gives freed memory back to the system, so that `residentBytes` tells what is in use.
    static func releaseFreeMemory() {
        // Not in the C library's module map, so looked up.
        typealias Trim = @convention(c) (Int) -> Int32
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: Trim.self)(0)
    }
}
