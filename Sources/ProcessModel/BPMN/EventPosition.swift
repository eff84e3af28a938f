/// Where an event stands, which decides what it may wait for or throw (BPMN 2.0.2 tables 10.84 to 10.91).
enum EventPosition {
    case start
    case subProcessStart
    case eventSubProcessStart
    case catching
    case throwing
    case boundary
    case end
    /// Thrown by a multi-instance activity while its instances complete.
    case implicit

    /// What people call an event there.
    var noun: String {
        switch self {
        case .start: "start event"
        case .subProcessStart: "start event of a sub-process"
        case .eventSubProcessStart: "start event of an event sub-process"
        case .catching: "intermediate catch event"
        case .throwing: "intermediate throw event"
        case .boundary: "boundary event"
        case .end: "end event"
        case .implicit: "behaviour event"
        }
    }

    /// Whether an event there throws.
    var isThrowing: Bool { self == .throwing || self == .end || self == .implicit }

    /// Whether an event there must have a definition.
    var requiresDefinition: Bool {
        switch self {
        case .eventSubProcessStart, .catching, .boundary: true
        case .start, .subProcessStart, .throwing, .end, .implicit: false
        }
    }

    /// Whether an event there may have this definition.
    func allows(_ tag: BPMNTag) -> Bool { definitions.contains(tag) }

    /// What to do about a definition that is not allowed.
    var remedy: String {
        guard !definitions.isEmpty else { return "remove it; a sub-process starts when the flow enters it" }
        return "use one of: " + definitions.compactMap(\.eventNoun).joined(separator: ", ")
    }

    private var definitions: [BPMNTag] {
        switch self {
        case .start:
            [.messageEventDefinition, .timerEventDefinition, .conditionalEventDefinition, .signalEventDefinition]
        case .subProcessStart: []
        case .eventSubProcessStart:
            [
                .messageEventDefinition, .timerEventDefinition, .escalationEventDefinition, .errorEventDefinition,
                .compensateEventDefinition, .conditionalEventDefinition, .signalEventDefinition,
            ]
        case .catching:
            [
                .messageEventDefinition, .timerEventDefinition, .conditionalEventDefinition, .linkEventDefinition,
                .signalEventDefinition,
            ]
        case .throwing:
            [
                .messageEventDefinition, .escalationEventDefinition, .linkEventDefinition, .compensateEventDefinition,
                .signalEventDefinition,
            ]
        case .boundary:
            [
                .messageEventDefinition, .timerEventDefinition, .escalationEventDefinition, .errorEventDefinition,
                .cancelEventDefinition, .compensateEventDefinition, .conditionalEventDefinition, .signalEventDefinition,
            ]
        case .implicit:
            [
                .messageEventDefinition, .escalationEventDefinition, .errorEventDefinition, .compensateEventDefinition,
                .signalEventDefinition,
            ]
        case .end:
            [
                .messageEventDefinition, .escalationEventDefinition, .errorEventDefinition, .cancelEventDefinition,
                .compensateEventDefinition, .signalEventDefinition, .terminateEventDefinition,
            ]
        }
    }
}
