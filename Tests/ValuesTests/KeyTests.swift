import Testing
import Values

@Suite struct KeyTests {
    @Test func partsAreWhatWasPutIn() {
        let key = Key(milliseconds: 123_456_789, partition: 1_023, sequence: 4_095)
        #expect(key.milliseconds == 123_456_789)
        #expect(key.partition == 1_023)
        #expect(key.sequence == 4_095)
        #expect(key.rawValue == 123_456_789 << 22 | 0x3F_FFFF)
        #expect(Key(rawValue: .max).rawValue == UInt64(Int64.max))
        #expect(Key.epochMilliseconds == DateTime("2024-01-01T00:00:00Z")?.epochMilliseconds)
    }

    @Test func textIsADecimalNumber() {
        let key = Key(rawValue: 2_251_799_813_685_251)
        #expect(key.description == "2251799813685251")
        #expect(Key("2251799813685251") == key)
        #expect(Key("9223372036854775807")?.rawValue == UInt64(Int64.max))
        for text in ["", "-1", "+1", "x", "1.0", "9223372036854775808", " 1"] { #expect(Key(text) == nil, "\(text)") }
    }

    @Test func uuidHasVersionAndVariantAndTheUnixTime() {
        let key = Key(milliseconds: 0, partition: 5, sequence: 7)
        let uuid = key.uuid
        #expect(uuid.hasPrefix("018cc251-f400-7"))
        #expect(uuid.utf8.count == 36)
        #expect("89ab".contains(Array(uuid)[19]))
        #expect(Key(uuid: uuid) == key)
        #expect(Key(uuid: uuid.uppercased()) == key)
    }

    @Test(arguments: SeedList.seeds)
    func uuidIsOneToOneAndOrdered(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let (left, right) = (Key(rawValue: random.next()), Key(rawValue: random.next()))
            #expect(Key(uuid: left.uuid) == left, "seed \(seed)")
            #expect((left.uuid < right.uuid) == (left < right), "seed \(seed)")
        }
    }

    @Test(arguments: [
        "", "018cc251-f400-7000", "018cc251xf400-7014-8072-a5c3d961b7e0", "00000000-0000-7000-8000-000000000000",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479", "gggggggg-gggg-7ggg-8ggg-gggggggggggg",
    ])
    func foreignUUIDsAreRefused(_ text: String) {
        #expect(Key(uuid: text) == nil)
    }

    @Test func tamperedUUIDsAreRefused() {
        let uuid = Array(Key(milliseconds: 1, partition: 2, sequence: 3).uuid)
        for (position, replacement) in [(14, "4"), (19, "c"), (35, "0"), (0, "f"), (8, "0")] {
            var changed = uuid
            changed[position] = Character(replacement)
            #expect(Key(uuid: String(changed)) == nil, "position \(position)")
        }
        #expect(Key(uuid: String(uuid) + "0") == nil)
        #expect(Key(uuid: String(uuid.dropLast())) == nil)
        // A time before the key's clock starts.
        #expect(Key(uuid: "0" + "0" + String(uuid.dropFirst(2))) == nil)
    }

    @Test func keysNeverGoBack() {
        var generator = KeyGenerator(partition: 9)
        let start = Key.epochMilliseconds + 1_000
        let first = generator.next(at: start)
        #expect(first == Key(milliseconds: 1_000, partition: 9, sequence: 1))
        let second = generator.next(at: start)
        #expect(second == Key(milliseconds: 1_000, partition: 9, sequence: 2))
        let earlier = generator.next(at: start - 500)
        #expect(earlier == Key(milliseconds: 1_000, partition: 9, sequence: 3))
        #expect(generator.next(at: start + 1) == Key(milliseconds: 1_001, partition: 9, sequence: 0))
        #expect(generator.next(at: 0) == Key(milliseconds: 1_001, partition: 9, sequence: 1))
        #expect(generator.last == Key(milliseconds: 1_001, partition: 9, sequence: 1))
    }

    @Test func aFullMillisecondBorrowsTheNext() {
        var generator = KeyGenerator(partition: 0, last: Key(milliseconds: 5, partition: 0, sequence: 4_095))
        let now = Key.epochMilliseconds + 5
        #expect(generator.next(at: now) == Key(milliseconds: 6, partition: 0, sequence: 0))
        #expect(generator.next(at: now) == Key(milliseconds: 6, partition: 0, sequence: 1))
    }

    @Test(arguments: SeedList.seeds)
    func keysOfAWanderingClockAscend(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var generator = KeyGenerator(partition: 3)
        var last = Key(rawValue: 0)
        var now = Key.epochMilliseconds
        for _ in 0..<20_000 {
            now += Int64(random.int(0...20) == 0 ? random.int(-50...60) : 0)
            let key = generator.next(at: now)
            #expect(key > last && key.partition == 3, "seed \(seed)")
            last = key
        }
    }
}
