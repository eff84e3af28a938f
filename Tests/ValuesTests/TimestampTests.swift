import Testing
import Values

@Suite struct TimestampTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_769_850_300_250, "2026-01-31T09:05:00.250Z"),
    ])
    func instantsRoundTrip(_ row: (milliseconds: Int64, text: String)) {
        #expect(Timestamp.text(row.milliseconds) == row.text)
        #expect(Timestamp.milliseconds(row.text) == row.milliseconds)
    }

    @Test(arguments: [
        ("2026-01-31t09:05:00z", "2026-01-31T09:05:00Z"), ("2026-01-31T09:05:00.1239Z", "2026-01-31T09:05:00.123Z"),
        ("2026-01-31T09:05:00+05:30", "2026-01-31T03:35:00Z"), ("2026-01-31T00:00:00-01:00", "2026-01-31T01:00:00Z"),
    ])
    func otherFormsOfAnInstantAreRead(_ row: (text: String, same: String)) {
        #expect(Timestamp.milliseconds(row.text) == DateTime(row.same)?.epochMilliseconds)
    }

    @Test(arguments: [
        "", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T09:05:00", "2026-01-31T24:00:00Z",
        "2026-01-31T09:05:00.Z",
        "2026-01-31T09:05:00.1234567890Z", "2026-01-31T09:05:00+24:00", "2026-01-31T09:05:00Zx", "2026-01-31 09:05:00Z",
    ])
    func otherTextsAreRefused(_ text: String) {
        #expect(Timestamp.milliseconds(text) == nil)
    }
}
