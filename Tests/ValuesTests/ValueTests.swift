import Testing
import Values

@Suite struct ValueTests {
    @Test func valuesStaySmall() {
        #expect(MemoryLayout<Value>.size <= 24)
        #expect(MemoryLayout<Number>.size <= 16)
        #expect(MemoryLayout<ValueContext>.size <= 16)
    }

    @Test func literalsMakeValues() throws {
        let value: Value = ["flag": true, "count": 3, "text": "x", "list": [1, "a"], "flag": false]
        #expect(value["flag"] == false)
        #expect(value["count"]?.asInt64 == 3)
        #expect(value["count"]?.asNumber == 3)
        #expect(value["text"]?.asString == "x")
        #expect(value["list"]?.asList?.count == 2)
        #expect(value.asContext?.keys == ["flag", "count", "text", "list"])
        #expect(value["flag"]?.asBoolean == false)
        #expect(value["missing"] == nil)
        #expect(Value.null.isNull && !value.isNull)
    }

    @Test func accessorsRefuseOtherTypes() {
        let list: Value = [1]
        #expect(list.asString == nil)
        #expect(list.asBoolean == nil)
        #expect(list.asNumber == nil)
        #expect(list.asInt64 == nil)
        #expect(list.asContext == nil)
        #expect(list["a"] == nil)
        #expect(Value.null.asList == nil)
        #expect(Number("1.5").map { Value.number($0).asInt64 } == .some(nil))
    }

    @Test func typesHaveTheirFEELNames() throws {
        let date = try #require(CalendarDate("2026-01-01"))
        let time = TimeOfDay(nanosecondOfDay: 0)
        let values: [(Value, String)] = [
            (.null, "Null"), (true, "boolean"), (1, "number"), ("", "string"), ([], "list"), ([:], "context"),
            (.date(date), "date"), (.time(time), "time"),
            (.dateTime(DateTime(date: date, time: time)), "date and time"),
            (.yearMonthDuration(YearMonthDuration(months: 1)), "years and months duration"),
            (.dayTimeDuration(DayTimeDuration(seconds: 1)), "days and time duration"),
            (.range(ValueRange(lower: 1, includesLower: true, upper: 2, includesUpper: false)), "range"),
            (.function(FunctionValue(name: "f", parameterNames: [], payload: FunctionPayload())), "function"),
        ]
        for (value, name) in values { #expect(value.typeName == name) }
        #expect(Set(values.map(\.0)).count == values.count)
    }

    @Test func anUnboundedEndIsNeverIncluded() {
        let range = ValueRange(lower: nil, includesLower: true, upper: 5, includesUpper: true)
        #expect(!range.includesLower)
        #expect(range.includesUpper)
        #expect(range != ValueRange(lower: nil, includesLower: false, upper: 5, includesUpper: false))
    }

    @Test func functionsAreEqualByIdentity() {
        let payload = FunctionPayload()
        let function = FunctionValue(name: "f", parameterNames: ["x"], payload: payload)
        let twin = FunctionValue(name: "f", parameterNames: ["x"], payload: payload)
        #expect(function == function)
        #expect(function != twin)
        #expect(Set([function, function, twin]).count == 2)
    }
}
