public import Values

extension BPMNReader {
    /// What reading found together with the constraints that the document breaks, in document order.
    ///
    /// To be asked for after reading. What the importer already found, as serious or more, is not said again as a
    /// constraint, except in the strict profile, which is asked for rules.
    ///
    /// - Parameter mentioning: Whether to tell too what does no harm; a deployment need not be told.
    func findingsWithConstraints(mentioning: Bool) -> [Finding] {
        let checker = ConstraintChecker(document: document, profile: profile, file: file)
        var said: [Said: Diagnostic.Severity] = [:]
        for finding in findings {
            let diagnostic = finding.diagnostic
            said[Said(code: diagnostic.code, element: diagnostic.elementID)] = diagnostic.severity
        }
        let constraints = checker.check().filter { finding in
            let diagnostic = finding.diagnostic
            guard profile != .strict else { return true }
            guard mentioning || diagnostic.severity > .info else { return false }
            return !finding.constraint.importerCodes.contains { code in
                said[Said(code: code.rawValue, element: diagnostic.elementID)].map { $0 >= diagnostic.severity }
                    ?? false
            }
        }
        guard !constraints.isEmpty else { return findings }
        return findings + constraints.map { Finding(element: $0.element, diagnostic: $0.diagnostic) }
    }

    private struct Said: Hashable {
        let code: String
        let element: String?
    }
}

extension Constraint {
    /// The codes of the importer that say the same about the same element.
    var importerCodes: [BPMNCode] {
        switch self {
        case .duplicateID: [.duplicateID]
        case .missingID: [.missingID]
        case .informalExpression, .emptyExpression, .condition: [.emptyExpression, .expressionRequired]
        case .errorWithoutCode: [.errorWithoutCode, .unknownError]
        case .escalationWithoutCode: [.escalationWithoutCode, .unknownEscalation]
        case .unlistedFlow: [.flowMismatch]
        case .foreignDefaultFlow: [.defaultNotOutgoing]
        case .flowSource, .flowTarget, .flowToArtifact, .flowFromArtifact: [.danglingFlow, .flowNotAllowed]
        case .flowAcrossPools, .flowAcrossLevels: [.flowCrossesScope]
        case .eventSubProcessWithFlow, .linkWithFlow, .compensationBoundaryFlow: [.flowNotAllowed]
        case .instantiatingReceiveTask, .instantiatingGateway: [.badInstantiation]
        case .noLoopSource, .unresolvedLoopData: [.badLoop, .unknownData]
        case .startEventWithIncoming: [.startWithIncoming]
        case .endEventWithOutgoing: [.endWithOutgoing]
        case .endEventWithoutIncoming, .noIncoming, .intermediateWithoutIncoming: [.unreachable]
        case .boundaryEventWithIncoming: [.boundaryWithIncoming]
        case .boundaryNotInterrupting: [.errorNotInterrupting]
        case .adHocContent: [.startInAdHoc]
        case .choreographyInProcess, .choreographyInSubProcess: [.unsupportedElement]
        case .linkWithoutSource, .linkTargets, .linkAcrossLevels: [.linkWithoutPartner]
        case .compensatedActivity: [.unknownActivity]
        case .noCompensationHandler: [.noCompensationHandler]
        case .messageEventWithoutMessage: [.unknownMessage]
        case .severalTimerValues: [.badTimer]
        case .timerDate, .timerCycle, .timerDuration: [.badTimerValue]
        case .fewEvents, .eventGatewaySuccessor, .mixedReceivers, .receiverWithBoundary, .receiverWithOtherFlows:
            [.badEventGateway]
        case .conditionAfterEventGateway: [.conditionNotAllowed]
        case .eventSubProcessTrigger, .startEventDefinition, .subProcessStartDefinition, .endEventDefinition,
            .catchDefinition, .throwDefinition, .boundaryDefinition, .catchWithoutDefinition,
            .boundaryWithoutDefinition, .cancelOutsideTransaction, .cancelBoundary, .cancelBoundaryByReference,
            .compensationCatch:
            [.unsupportedEvent]
        case .reference:
            [
                .danglingFlow, .unknownError, .unknownMessage, .unknownAttachment, .unknownEventDefinition,
                .unknownEscalation, .unknownSignal, .unknownActivity, .unknownData, .attachedToNonActivity,
                .defaultNotOutgoing,
            ]
        default: []
        }
    }
}

extension BPMNImporter {
    /// The rule of the standard that a finding is about, and the clause of BPMN 2.0.2 that states it; nil when it is
    /// about none.
    public static func rule(of diagnostic: Diagnostic) -> (number: String, clause: String)? {
        ConstraintRule.rule(code: diagnostic.code).map { ($0.constraint.number, $0.clause) }
    }
}
