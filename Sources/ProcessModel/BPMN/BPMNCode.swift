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
    case unknownEscalation = "BP212"
    case escalationWithoutCode = "BP213"
    case unknownSignal = "BP214"
    case unknownActivity = "BP215"
    case linkWithoutPartner = "BP216"
    case noCompensationHandler = "BP217"
    case unknownData = "BP218"
    case unknownResource = "BP219"

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
    case severalInnerStartEvents = "BP326"
    case conditionIgnored = "BP327"
    case flowNotAllowed = "BP328"
    case startInAdHoc = "BP329"
    case badInstantiation = "BP330"
    case badEventGateway = "BP331"
    case severalCorrelationProperties = "BP332"

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
    case unknownElement = "BP508"
    case keptForPeople = "BP509"

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
    case delegateAsJob = "BP611"
    case vendorFeatureKept = "BP612"
    case resultMappingIgnored = "BP613"
    case impliedJobType = "BP614"
    case impliedName = "BP615"
    case wrongPolicy = "BP616"

    /// How serious a finding with this code is in a profile.
    ///
    /// Settings of other engines that stand where they mean nothing, and missing ids, do not keep a model out of the
    /// lenient profile.
    func severity(in profile: ImportProfile) -> Diagnostic.Severity {
        if profile == .lenient, self == .misplacedExtension || self == .missingID { return .warning }
        return severity
    }

    /// How serious a finding with this code is in the standard profile.
    var severity: Diagnostic.Severity {
        switch self {
        case .flowMismatch, .unreachable, .noDefaultFlow, .possibleRecursion, .unconditionalFlow, .conditionOnDefault,
            .cycleFiresOnce, .unknownVendorExtension, .severalStartEvents, .conditionIgnored, .noCorrelation,
            .delegateAsJob, .vendorFeatureKept, .resultMappingIgnored, .impliedJobType, .impliedName:
            .warning
        case .processSkipped, .vendorSettingIgnored, .foreignExtensionKept, .keptForPeople:
            .info
        default:
            .error
        }
    }
}
