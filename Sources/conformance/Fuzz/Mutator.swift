/// Makes new inputs out of a corpus: the same seed gives the same input.
struct Mutator {
    /// The inputs to begin with; not empty.
    let corpus: [[UInt8]]
    /// Words that mean something in the format.
    let words: [String]

    /// No input grows beyond this.
    static let bytesMax = 256 * 1024

    /// The input of a seed: one of the corpus after one to eight changes.
    func input(seed: UInt64) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        var bytes = corpus[random.below(corpus.count)]
        for _ in 0...random.below(8) { change(&bytes, &random) }
        return Array(bytes.prefix(Self.bytesMax))
    }

    private func change(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        let place = random.below(bytes.count + 1)
        switch random.below(9) {
        case 0 where !bytes.isEmpty: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.removeSubrange(piece(of: bytes, &random))
        case 2: bytes.insert(contentsOf: bytes[piece(of: bytes, &random)], at: place)
        case 3: bytes.insert(contentsOf: words[random.below(words.count)].utf8, at: place)
        case 4:
            let other = corpus[random.below(corpus.count)]
            bytes.insert(contentsOf: other[piece(of: other, &random)], at: place)
        case 5:
            // Nesting and tables come from the same piece many times.
            let part = Array(bytes[piece(of: bytes, &random)].prefix(256))
            let times = [4, 64, 1_024][random.below(3)]
            for _ in 0..<times where bytes.count < Self.bytesMax { bytes.insert(contentsOf: part, at: place) }
        case 6: bytes.removeLast(bytes.count - place)
        case 7: replaceNumber(in: &bytes, &random)
        default: swapPieces(of: &bytes, &random)
        }
    }

    private func piece(of bytes: [UInt8], _ random: inout SplitMix64) -> Range<Int> {
        let start = random.below(bytes.count + 1)
        let length = random.below(random.below(4) == 0 ? 512 : 24) + 1
        return start..<Swift.min(bytes.count, start + length)
    }

    private func replaceNumber(in bytes: inout [UInt8], _ random: inout SplitMix64) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let start = bytes.indices.filter({ digits.contains(bytes[$0]) }).randomElement(using: &random) else {
            return
        }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
        let numbers = [
            "0", "-1", "9223372036854775807", "1e400", "0.1", "99999999999999999999999999999999999", "1e-400",
        ]
        bytes.replaceSubrange(start..<end, with: numbers[random.below(numbers.count)].utf8)
    }

    private func swapPieces(of bytes: inout [UInt8], _ random: inout SplitMix64) {
        let first = piece(of: bytes, &random)
        let part = Array(bytes[first])
        bytes.removeSubrange(first)
        bytes.insert(contentsOf: part, at: random.below(bytes.count + 1))
    }
}

/// Reproducible randomness: SplitMix64.
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
}
