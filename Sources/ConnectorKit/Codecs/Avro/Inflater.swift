/// Unpacks DEFLATE data without a header (RFC 1951).
///
/// Bounded by the size of what comes out; every read is checked.
struct Inflater {
    typealias Problem = AvroSchema.Problem

    private let input: ArraySlice<UInt8>
    private let maximum: Int
    private var position: Int
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var output: [UInt8] = []

    private init(_ input: ArraySlice<UInt8>, maximum: Int) {
        self.input = input
        self.maximum = maximum
        self.position = input.startIndex
    }

    /// What `input` unpacks to: at most `maximum` bytes.
    static func inflate(_ input: ArraySlice<UInt8>, maximum: Int) throws(Problem) -> [UInt8] {
        var inflater = Inflater(input, maximum: maximum)
        var isLast = false
        while !isLast {
            isLast = try inflater.take(1) == 1
            switch try inflater.take(2) {
            case 0: try inflater.stored()
            case 1: try inflater.codes(Self.fixedLengths, Self.fixedDistances)
            case 2: try inflater.dynamic()
            default: throw Self.damaged("a block is of no known type")
            }
        }
        return inflater.output
    }

    private static func damaged(_ reason: String) -> Problem {
        Problem(reason: "a block is not valid DEFLATE data: \(reason)")
    }

    // MARK: - Bits

    private mutating func take(_ count: Int) throws(Problem) -> Int {
        while self.bitCount < count {
            guard self.position < self.input.endIndex else { throw Self.damaged("it ends too early") }
            self.bits |= UInt32(self.input[self.position]) << UInt32(self.bitCount)
            self.position += 1
            self.bitCount += 8
        }
        let value = self.bits & ((1 << UInt32(count)) - 1)
        self.bits >>= UInt32(count)
        self.bitCount -= count
        return Int(value)
    }

    private mutating func symbol(_ code: HuffmanCode) throws(Problem) -> Int {
        var (value, first, index) = (0, 0, 0)
        for length in 1...HuffmanCode.lengthMaximum {
            value |= try self.take(1)
            let count = code.counts[length]
            if value - count < first { return code.symbols[index + value - first] }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw Self.damaged("a code is unknown")
    }

    private func checkRoom(_ count: Int) throws(Problem) {
        guard count <= self.maximum - self.output.count else {
            throw Problem(reason: "a block unpacks to more than \(self.maximum) bytes")
        }
    }

    // MARK: - Blocks

    private mutating func stored() throws(Problem) {
        self.bits = 0
        self.bitCount = 0
        let length = try self.take(16)
        guard try self.take(16) == ~length & 0xFFFF else { throw Self.damaged("a length does not fit its check") }
        guard length <= self.input.endIndex - self.position else { throw Self.damaged("it ends too early") }
        try self.checkRoom(length)
        self.output += self.input[self.position..<(self.position + length)]
        self.position += length
    }

    private mutating func codes(_ lengths: HuffmanCode, _ distances: HuffmanCode) throws(Problem) {
        while true {
            let symbol = try self.symbol(lengths)
            if symbol < 256 {
                try self.checkRoom(1)
                self.output.append(UInt8(symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol - 257 < Self.lengthBases.count else { throw Self.damaged("a length is unknown") }
            let length = Self.lengthBases[symbol - 257] + (try self.take(Self.lengthBits[symbol - 257]))
            let place = try self.symbol(distances)
            guard place < Self.distanceBases.count else { throw Self.damaged("a distance is unknown") }
            let distance = Self.distanceBases[place] + (try self.take(Self.distanceBits[place]))
            guard distance <= self.output.count else { throw Self.damaged("a distance leads before the start") }
            try self.checkRoom(length)
            // What is copied may overlap what is written.
            for _ in 0..<length { self.output.append(self.output[self.output.count - distance]) }
        }
    }

    private mutating func dynamic() throws(Problem) {
        let lengthCount = try self.take(5) + 257
        let distanceCount = try self.take(5) + 1
        let codeCount = try self.take(4) + 4
        guard lengthCount <= 286, distanceCount <= 30 else { throw Self.damaged("it has too many codes") }
        var lengths = [Int](repeating: 0, count: 19)
        for index in 0..<codeCount { lengths[Self.order[index]] = try self.take(3) }
        let code = try HuffmanCode(lengths[...])
        lengths = []
        while lengths.count < lengthCount + distanceCount {
            let symbol = try self.symbol(code)
            if symbol < 16 {
                lengths.append(symbol)
                continue
            }
            var repeated = 0
            if symbol == 16 {
                guard let last = lengths.last else { throw Self.damaged("nothing is there to be repeated") }
                repeated = last
            }
            let count = try symbol == 16 ? 3 + self.take(2) : symbol == 17 ? 3 + self.take(3) : 11 + self.take(7)
            lengths += [Int](repeating: repeated, count: count)
        }
        guard lengths.count == lengthCount + distanceCount, lengths[256] != 0 else {
            throw Self.damaged("its code lengths are not right")
        }
        try self.codes(try HuffmanCode(lengths[..<lengthCount]), try HuffmanCode(lengths[lengthCount...]))
    }

    // MARK: - Tables

    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let lengthBases: [Int] = {
        var (bases, next) = ([Int](), 3)
        for bits in Self.lengthBits.dropLast() {
            bases.append(next)
            next += 1 << bits
        }
        // The longest has a symbol of its own.
        return bases + [258]
    }()
    private static let distanceBits = (0..<30).map { max(0, $0 / 2 - 1) }
    private static let distanceBases: [Int] = {
        var (bases, next) = ([Int](), 1)
        for bits in Self.distanceBits {
            bases.append(next)
            next += 1 << bits
        }
        return bases
    }()
    private static let fixedLengths = HuffmanCode(
        complete: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    private static let fixedDistances = HuffmanCode(complete: [Int](repeating: 5, count: 30))
}

/// A canonical Huffman code: how many codes there are of each length, and their symbols in order.
private struct HuffmanCode {
    static let lengthMaximum = 15

    var counts = [Int](repeating: 0, count: Self.lengthMaximum + 1)
    var symbols: [Int] = []

    /// A code that is known to be right.
    init(complete lengths: [Int]) {
        self.fill(lengths[...])
    }

    init(_ lengths: ArraySlice<Int>) throws(Inflater.Problem) {
        self.fill(lengths)
        var free = 1
        for length in 1...Self.lengthMaximum {
            free = free * 2 - self.counts[length]
            guard free >= 0 else {
                throw Inflater.Problem(reason: "a block is not valid DEFLATE data: its codes overlap")
            }
        }
    }

    private mutating func fill(_ lengths: ArraySlice<Int>) {
        for length in lengths where length > 0 { self.counts[length] += 1 }
        for length in 1...Self.lengthMaximum {
            for (symbol, own) in lengths.enumerated() where own == length { self.symbols.append(symbol) }
        }
    }
}
