import Values

/// The constraints of BPMN 2.0.2 on documents: what the schema cannot say and an importer need not care about.
enum BPMNConstraints {
    /// Checks a document; each finding has the code `BC` and the number of its rule.
    ///
    /// Complete and independent of whether the document can be executed. Takes time linear in the document. In the
    /// standard and lenient profiles a rule whose breach does no harm is mentioned once for the whole document.
    static func check(_ document: XMLDocument, profile: ImportProfile, file: String?) -> [Diagnostic] {
        ConstraintChecker(document: document, profile: profile, file: file).check().map(\.diagnostic)
    }
}
