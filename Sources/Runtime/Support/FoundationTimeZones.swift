import Foundation
public import Values

/// The named time zones of the system, through Foundation: the database of every program of ours.
public struct FoundationTimeZones: TimeZoneDatabase {
    /// Creates the database.
    public init() {}

    /// Whether the system knows a zone by this name.
    public func contains(zone: String) -> Bool { TimeZone(identifier: zone) != nil }

    /// Seconds east of UTC in `zone` at an instant.
    public func offsetSeconds(zone: String, epochSeconds: Int64) -> Int? {
        TimeZone(identifier: zone)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(epochSeconds)))
    }

    /// Seconds east of UTC in `zone` at a local time given as if it were UTC.
    public func offsetSeconds(zone: String, localSeconds: Int64) -> Int? {
        guard let zone = TimeZone(identifier: zone) else { return nil }
        func offset(at epochSeconds: Int64) -> Int {
            zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(epochSeconds)))
        }
        let day: Int64 = 86_400
        let before = offset(at: localSeconds - day)
        let after = offset(at: localSeconds + day)
        for candidate in [before, after] where offset(at: localSeconds - Int64(candidate)) == candidate {
            return candidate
        }
        return before
    }
}
