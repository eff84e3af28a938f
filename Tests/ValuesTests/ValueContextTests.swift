import Testing
import Values

@Suite struct ValueContextTests {
    @Test(arguments: [0, 1, 16, 17, 33, 1_000])
    func entriesKeepTheirOrder(count: Int) {
        var context = ValueContext()
        context.reserveCapacity(count)
        for index in 0..<count { context["key \(index)"] = .number(Number(index)) }
        #expect(context.count == count)
        #expect(context.isEmpty == (count == 0))
        #expect(context.keys == (0..<count).map { "key \($0)" })
        #expect(context.values == (0..<count).map { .number(Number($0)) })
        #expect(context.map(\.key) == context.keys)
        #expect(context.underestimatedCount == count)
        for index in 0..<count {
            #expect(context["key \(index)"] == .number(Number(index)))
            #expect(context.entry(at: index).key == "key \(index)")
        }
        #expect(context["absent"] == nil)
    }

    @Test(arguments: [3, 17, 18, 80])
    func settingAndRemovingKeepTheOthers(count: Int) {
        var context = ValueContext((0..<count).map { ("\($0)", .number(Number($0))) })
        context["1"] = "changed"
        #expect(context.keys == (0..<count).map(String.init))
        #expect(context.removeValue(forKey: "0") == 0)
        #expect(context.removeValue(forKey: "0") == nil)
        context["absent"] = nil
        #expect(context["1"] == "changed")
        #expect(context.keys == (1..<count).map(String.init))
        for index in 2..<count { #expect(context["\(index)"] == .number(Number(index))) }
        for index in 1..<count { context["\(index)"] = nil }
        #expect(context.isEmpty)
    }

    @Test func equalityIgnoresTheOrder() {
        let forward = ValueContext((0..<20).map { ("\($0)", .number(Number($0))) })
        let backward = ValueContext((0..<20).reversed().map { ("\($0)", .number(Number($0))) })
        #expect(forward == backward)
        #expect(forward.hashValue == backward.hashValue)
        #expect(forward != ValueContext(Array(forward.map { ($0.key, $0.value) }.dropLast())))
        var other = forward
        other["3"] = .null
        #expect(other != forward)
        #expect(forward["3"] == 3)
    }

    @Test func mergingPrefersTheOther() {
        var context: ValueContext = ["a": 1, "b": 2]
        context.merge(["b": 3, "c": 4])
        #expect(context == ["a": 1, "b": 3, "c": 4])
        #expect(context.keys == ["a", "b", "c"])
    }

    @Test(arguments: SeedList.seeds)
    func behavesLikeADictionary(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var context = ValueContext()
        var model: [String: Value] = [:]
        for _ in 0..<2_000 {
            let key = "k\(random.int(0...60))"
            let value: Value? = random.int(0...2) == 0 ? nil : .number(Number(random.int(0...9)))
            context[key] = value
            model[key] = value
            #expect(context[key] == model[key], "seed \(seed)")
            #expect(context.count == model.count, "seed \(seed)")
        }
        #expect(Dictionary(uniqueKeysWithValues: context.map { ($0.key, $0.value) }) == model, "seed \(seed)")
    }
}
