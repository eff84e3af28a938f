/// The zone of a time: a fixed distance from UTC, or the name of an IANA zone.
public enum ZoneOffset: Sendable, Hashable {
    /// Seconds east of UTC, −50,400 to 50,400.
    case offset(seconds: Int32)
    /// An IANA zone such as `Europe/Paris`, kept by name.
    case named(String)

    /// Coordinated universal time, written `Z`.
    public static let utc = ZoneOffset.offset(seconds: 0)
    /// The largest distance from UTC: 14 hours.
    public static let secondsMax = 14 * 3_600
}
