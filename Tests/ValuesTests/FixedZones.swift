import Values

/// A database of two zones: one an hour ahead of UTC with summer time from day 100 to day 200 of 1970, one on UTC.
struct FixedZones: TimeZoneDatabase {
    static let summer = 100 * 86_400..<200 * 86_400

    func contains(zone: String) -> Bool {
        ["Test/Summer", "Etc/UTC"].contains(zone)
    }

    func offsetSeconds(zone: String, epochSeconds: Int64) -> Int? {
        switch zone {
        case "Etc/UTC": 0
        case "Test/Summer": Self.summer.contains(Int(epochSeconds)) ? 7_200 : 3_600
        default: nil
        }
    }

    func offsetSeconds(zone: String, localSeconds: Int64) -> Int? {
        guard let before = self.offsetSeconds(zone: zone, epochSeconds: localSeconds - 7_200) else { return nil }
        return self.offsetSeconds(zone: zone, epochSeconds: localSeconds - Int64(before))
    }
}
