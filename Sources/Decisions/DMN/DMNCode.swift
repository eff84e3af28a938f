package import Values

/// The codes of what reading and compiling a DMN document finds; each has a page in `docs/errors`.
package enum DMNCode: String, Sendable, CaseIterable {
    // DM00x: the document cannot be read
    case malformedXML = "DM001"
    case notDMN = "DM002"
    case badAttribute = "DM003"
    case tooLarge = "DM005"
    case unknownElement = "DM006"

    // DM01x: references
    case duplicateID = "DM010"
    case unknownReference = "DM011"
    case cyclicRequirements = "DM012"
    case unknownType = "DM013"
    case cyclicType = "DM014"
    case unknownImport = "DM015"
    case unsupportedImport = "DM016"
    case cyclicImports = "DM017"
    case duplicateName = "DM018"

    // DM02x: expressions
    case badExpression = "DM020"
    case unsupportedLanguage = "DM021"
    case externalFunction = "DM022"
    case badTable = "DM023"
    case noLogic = "DM024"

    /// How serious a finding with this code is.
    package var severity: Diagnostic.Severity {
        switch self {
        case .noLogic, .unknownElement, .duplicateName: .warning
        default: .error
        }
    }

    /// Whether a document with such a finding has no model.
    package var isFatal: Bool {
        switch self {
        case .malformedXML, .notDMN, .tooLarge, .cyclicRequirements, .cyclicImports, .unknownImport,
            .unsupportedImport, .cyclicType:
            true
        default: false
        }
    }
}
