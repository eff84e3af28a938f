import Testing

@testable import AMQPConnector

@Suite struct ConfirmWindowTests {
    @Test func confirmationsSettleWhatTheyCover() {
        var window = ConfirmWindow<String>()
        for name in ["a", "b", "c", "d", "e"] { window.append(name) }
        #expect(window.settle(2, multiple: false) == ["b"])
        #expect(window.settle(2, multiple: false) == [])
        #expect(window.settle(3, multiple: true) == ["a", "c"])
        #expect(window.count == 2)
        #expect(window.settle(0, multiple: true) == ["d", "e"])
        window.append("f")
        #expect(window.settle(6, multiple: false) == ["f"])
    }

    @Test(arguments: [0, 3, 99, .max] as [UInt64])
    func numbersNobodyWaitsForSettleNothing(_ tag: UInt64) {
        var window = ConfirmWindow<Int>()
        window.append(1)
        window.append(2)
        #expect(window.settle(tag, multiple: false) == [])
        #expect(window.count == 2)
    }

    @Test func allThatIsLeftIsDrainedInOrder() {
        var window = ConfirmWindow<Int>()
        for number in 1...200 { window.append(number) }
        for tag in 1...150 where tag % 3 != 0 { _ = window.settle(UInt64(tag), multiple: false) }
        #expect(window.drain() == (1...200).filter { $0 > 150 || $0 % 3 == 0 })
        #expect(window.count == 0)
    }

    @Test(arguments: 0..<50)
    func agreesWithASetOnRandomConfirmations(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        var window = ConfirmWindow<UInt64>()
        var model: [UInt64] = []
        var next: UInt64 = 1
        for _ in 0..<500 {
            if random.next() % 2 == 0 {
                window.append(next)
                model.append(next)
                next += 1
            } else {
                let tag = random.next() % (next + 2)
                let multiple = random.next() % 4 == 0
                let expected = model.filter { multiple ? tag == 0 || $0 <= tag : $0 == tag }
                #expect(window.settle(tag, multiple: multiple) == expected, "seed \(seed)")
                model.removeAll { expected.contains($0) }
            }
            #expect(window.count == model.count)
        }
    }
}

@Suite struct DeliveryWindowTests {
    @Test func aBatchWithNothingBeforeItIsOneAcknowledgement() {
        var window = DeliveryWindow()
        for tag in 1...6 as ClosedRange<UInt64> { #expect(window.arrive(tag) == true) }
        #expect(window.settle([1, 2, 3]) == [.init(tag: 3, isMultiple: true)])
        #expect(window.settle([5, 6]) == [.init(tag: 5, isMultiple: false), .init(tag: 6, isMultiple: false)])
        #expect(window.settle([4]) == [.init(tag: 4, isMultiple: false)])
        #expect(window.count == 0)
    }

    @Test func whatIsSettledIsNotSettledAgain() {
        var window = DeliveryWindow()
        for tag in 1...3 as ClosedRange<UInt64> { #expect(window.arrive(tag) == true) }
        #expect(window.settle([2]) == [.init(tag: 2, isMultiple: false)])
        #expect(window.settle([2]) == [])
        #expect(window.settle([1, 2, 3]) == [.init(tag: 3, isMultiple: true)])
        #expect(window.settle([1, 7, 0, .max]) == [])
    }

    @Test(arguments: [0, 2, 5, .max] as [UInt64])
    func aMiscountingBrokerIsFoundOut(_ tag: UInt64) {
        var window = DeliveryWindow()
        #expect(window.arrive(tag) == false)
    }

    /// What the acknowledgements cover, as the broker understands them, is exactly what was to be settled.
    @Test(arguments: 0..<50)
    func acknowledgementsCoverExactlyTheBatch(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        var window = DeliveryWindow()
        var unsettled: Set<UInt64> = []
        var next: UInt64 = 1
        for _ in 0..<400 {
            if random.next() % 3 != 0 {
                #expect(window.arrive(next) == true)
                unsettled.insert(next)
                next += 1
            } else {
                let tags = unsettled.filter { _ in random.next() % 2 == 0 }
                var covered: Set<UInt64> = []
                for settlement in window.settle(Array(tags)) {
                    covered.formUnion(
                        settlement.isMultiple ? unsettled.filter { $0 <= settlement.tag } : [settlement.tag])
                }
                #expect(covered == tags, "seed \(seed)")
                unsettled.subtract(tags)
            }
            #expect(window.count == unsettled.count)
        }
    }
}

/// A random number generator that gives the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
