public import HubDocuments
import Values

/// Why the hub could not do what it was asked.
///
/// `description` is safe to show.
public struct HubError: Error, Sendable, CustomStringConvertible {
    /// The code, which has a page in `docs/errors/`.
    public let code: HubCode
    /// What happened, with values.
    public let message: String
    /// What to do next.
    public let remedy: String

    /// Creates an error.
    public init(_ code: HubCode, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// Code, message and remedy.
    public var description: String {
        "\(self.code): \(self.message) — \(self.remedy)"
    }

    static func unknownConnection(_ id: String, known: [String]) -> HubError {
        HubError(
            .unknownName, "There is no connection \"\(id)\".",
            remedy: ClosestMatch.of(id, in: known.sorted()).map { "Did you mean \"\($0)\"?" }
                ?? "Declare it in the connections file.")
    }

    static func unknownTrigger(_ id: String, known: [String]) -> HubError {
        HubError(
            .unknownName, "There is no trigger \"\(id)\".",
            remedy: ClosestMatch.of(id, in: known.sorted()).map { "Did you mean \"\($0)\"?" }
                ?? "List the triggers there are.")
    }
}
