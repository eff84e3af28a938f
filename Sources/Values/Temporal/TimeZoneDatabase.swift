import Synchronization

/// What resolves named zones.
///
/// Values itself knows none; whoever has zone files installs a database.
public protocol TimeZoneDatabase: Sendable {
    /// Whether the database knows a zone by this name.
    func contains(zone: String) -> Bool
    /// Seconds east of UTC in `zone` at an instant, or nil for an unknown zone.
    func offsetSeconds(zone: String, epochSeconds: Int64) -> Int?
    /// Seconds east of UTC in `zone` at a local time given as if it were UTC; in a gap the offset before it, in an
    /// overlap the earlier instant's. Nil for an unknown zone.
    func offsetSeconds(zone: String, localSeconds: Int64) -> Int?
}

/// The process-wide time zone database.
public enum TimeZones {
    private static let installed = Mutex<(any TimeZoneDatabase)?>(nil)

    /// Makes `database` resolve named zones from now on.
    ///
    /// Install it once, before anything is evaluated, and use the same data on every node: results that depend on it
    /// are replayed.
    public static func install(_ database: (any TimeZoneDatabase)?) {
        Self.installed.withLock { $0 = database }
    }

    @TaskLocal private static var local: (any TimeZoneDatabase)??

    /// Makes `database`, or none, resolve named zones while `operation` runs, in its task only: for tests and
    /// simulations.
    public static func with<Result>(
        _ database: (any TimeZoneDatabase)?, _ operation: () throws -> Result
    ) rethrows -> Result {
        try Self.$local.withValue(.some(database), operation: operation)
    }

    /// The database in use, or nil.
    public static var current: (any TimeZoneDatabase)? {
        if let local = Self.local { return local }
        return Self.installed.withLock { $0 }
    }
}
