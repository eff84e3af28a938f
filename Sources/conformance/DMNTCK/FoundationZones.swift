import Foundation
import Values

/// The named zones of Foundation, so that cases about zones can be computed.
struct FoundationZones: TimeZoneDatabase {
    func contains(zone: String) -> Bool { TimeZone(identifier: zone) != nil }

    func offsetSeconds(zone: String, epochSeconds: Int64) -> Int? {
        TimeZone(identifier: zone)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(epochSeconds)))
    }

    func offsetSeconds(zone: String, localSeconds: Int64) -> Int? {
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
