/// Why an element cannot begin or end: becomes an incident of this type.
struct EvaluationFailure: Error {
    /// The error type of the Camunda API.
    let type: String
    /// What was expected, what was found, what to do next.
    let message: String
}
