/// How strictly a document is held to the constraints of BPMN 2.0.2.
///
/// The importer refuses what it cannot execute in every profile; the profile decides about documents that could be
/// executed although they break a rule of the standard.
public enum ImportProfile: String, Sendable, Hashable, CaseIterable {
    /// For models made for other engines: only what would make execution ambiguous or impossible is an error.
    case lenient
    /// The default: rules whose breach changes what a process does are errors, all others are warnings.
    case standard
    /// Every rule is an error.
    case strict
}
