public import HubDocuments

extension HubCode {
    /// The parameters of a schedule are wrong.
    public static let invalidSchedule = HubCode(rawValue: "HB601")
    /// A schedule never fires.
    public static let neverFires = HubCode(rawValue: "HB602")
    /// A schedule restricts both kinds of days: it may fire more often than its author thinks.
    public static let eitherDay = HubCode(rawValue: "HB603")
    /// A range to replay is no range of times.
    public static let invalidScheduleRange = HubCode(rawValue: "HB604")
}
