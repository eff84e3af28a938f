import ConnectorKit
public import HubDocuments

/// What can be wrong with a connector specification, besides what can be wrong with any document.
extension HubCode {
    /// A name that the specification does not declare: an operation, schema or kind of credential.
    public static let undeclaredName = HubCode(rawValue: "HB501")
    /// A secret, or an expression that reads one, outside `connection`.
    public static let secretOutsideConnection = HubCode(rawValue: "HB502")
    /// An operation that no test calls.
    public static let missingFixture = HubCode(rawValue: "HB503")
    /// An expression reads a variable that does not exist at its place.
    public static let unknownVariable = HubCode(rawValue: "HB504")
    /// A host that `egress.allowHosts` does not list.
    public static let hostNotAllowed = HubCode(rawValue: "HB505")
    /// A test that checks nothing, or cannot be run.
    public static let uselessTest = HubCode(rawValue: "HB506")
    /// A part of an OpenAPI document that was left out of the specification made from it.
    public static let notImported = HubCode(rawValue: "HB507")
    /// A test of a specification failed.
    public static let testFailed = HubCode(rawValue: "HB508")
}

/// The codes of errors at run time; the words of the remote are in their details.
enum SpecErrorCode {
    /// The service answered with a failure that a rule of the specification names.
    static let failed = "CON-6101"
    /// An expression of the specification has no usable value.
    static let expression = "CON-6102"
    /// The answer is not what the specification says: not the declared schema, not JSON, no list of records.
    static let unexpectedAnswer = "CON-6103"
    /// The address is not among those the specification allows.
    static let egress = "CON-6104"
    /// A credential has no such field, or names no kind of credential of the specification.
    static let credential = "CON-6105"
    /// Reading pages did not come to an end.
    static let pagination = "CON-6106"
    /// The cursor of a paginated list expired again and again.
    static let cursorExpired = "CON-6107"
    /// Messages of a queue could not be acknowledged or given back.
    static let queueAction = "CON-6108"
    /// A range of events was asked for again that the remote cannot give again.
    static let replay = "CON-6109"
}
