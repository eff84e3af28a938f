import Values

/// The codes of what the BPMN importer finds; each has a page in `docs/errors`.
enum BPMNCode: String, Sendable, CaseIterable {
    // BP1xx: the document cannot be read
    case malformedXML = "BP101"
    case badEncoding = "BP102"
    case documentTooLarge = "BP103"
    case nestedTooDeeply = "BP104"
    case tooManyNodes = "BP105"
    case doctypeRefused = "BP106"
    case constructTooLong = "BP107"
    case notBPMN = "BP108"
    case badAttribute = "BP109"
    case moreFindings = "BP110"

    // BP2xx: references
    case duplicateID = "BP201"
    case missingID = "BP202"
    case danglingFlow = "BP203"
    case flowMismatch = "BP204"
    case unknownError = "BP205"
    case unknownMessage = "BP206"
    case unknownAttachment = "BP207"
    case defaultNotOutgoing = "BP208"
    case errorWithoutCode = "BP209"
    case unknownEventDefinition = "BP210"
    case noCalledElement = "BP211"

    // BP3xx: structure
    case noStartEvent = "BP301"
    case unreachable = "BP302"
    case flowCrossesScope = "BP303"
    case startWithIncoming = "BP304"
    case endWithOutgoing = "BP305"
    case noDefaultFlow = "BP306"
    case boundaryWithIncoming = "BP307"
    case noCorrelation = "BP308"
    case errorNotInterrupting = "BP309"
    case endlessRecursion = "BP310"
    case possibleRecursion = "BP311"
    case emptyProcess = "BP312"
    case severalStartEvents = "BP313"
    case attachedToNonActivity = "BP314"
    case conditionNotAllowed = "BP315"
    case badTimer = "BP316"
    case nothingToExecute = "BP317"
    case processSkipped = "BP318"
    case noJobDefinition = "BP319"
    case unconditionalFlow = "BP320"
    case conditionOnDefault = "BP321"
    case cycleFiresOnce = "BP322"
    case badLoop = "BP323"
    case noScript = "BP324"
    case ambiguousEvents = "BP325"

    // BP4xx: expressions and values
    case badExpression = "BP401"
    case badTimerValue = "BP402"
    case expressionRequired = "BP403"
    case emptyExpression = "BP404"
    case badLiteral = "BP405"
    case badVariableName = "BP406"

    // BP5xx: what is not executed
    case unsupportedElement = "BP501"
    case unsupportedEvent = "BP502"
    case unsupportedMarker = "BP503"
    case unsupportedExpressionLanguage = "BP504"
    case unsupportedScriptFormat = "BP505"
    case unsupportedData = "BP506"
    case unsupportedDecision = "BP507"
    case unknownElement = "BP508"

    // BP6xx: vendor extensions
    case vendorFeatureRefused = "BP601"
    case vendorSettingIgnored = "BP602"
    case unknownVendorExtension = "BP603"
    case foreignLanguageExpression = "BP604"
    case apgNotYet = "BP605"
    case unknownAPG = "BP606"
    case foreignExtensionKept = "BP607"
    case incompleteExtension = "BP608"
    case conflictingDefinitions = "BP609"
    case misplacedExtension = "BP610"

    /// How serious a finding with this code is.
    var severity: Diagnostic.Severity {
        switch self {
        case .flowMismatch, .unreachable, .noDefaultFlow, .possibleRecursion, .unconditionalFlow, .conditionOnDefault,
            .cycleFiresOnce, .unknownVendorExtension:
            .warning
        case .processSkipped, .vendorSettingIgnored, .foreignExtensionKept:
            .info
        default:
            .error
        }
    }
}
