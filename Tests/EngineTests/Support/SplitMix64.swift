import Foundation

/// Reproducible randomness: SplitMix64.
///
/// A failing test names its seed.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number below `bound`, which must be positive.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// True `percent` times out of a hundred.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// One of the choices.
    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}

/// A number from the environment, for soak runs.
func setting(_ name: String, default value: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? value
}
