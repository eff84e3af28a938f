/// One command of the extended protocol.
enum PQCommand: Sendable, Hashable {
    case prepare(name: String, text: String)
    case describe(name: String)
    /// A statement without parameters.
    case statement(String)
    case execute(name: String, parameters: [String?])
    /// The end of what fails together; outside of an explicit transaction, a commit.
    case synchronize
}
