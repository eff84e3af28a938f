/// The marks inside shapes (BPMN 2.0.2 clause 7.2), as SVG drawn around the middle of a 20 × 20 box.
enum DiagramMarkers {
    /// The mark in the upper left corner of a task.
    static let tasks: [String: String] = [
        "serviceTask": """
        <circle r="6"/><circle r="2.5"/><path d="M0-9V-6M0 6V9M-9 0H-6M6 0H9M-6.4-6.4-4.2-4.2M4.2 4.2 6.4 6.4\
        M-6.4 6.4-4.2 4.2M4.2-4.2 6.4-6.4"/>
        """,
        "userTask": "<circle cy=\"-4\" r=\"4\"/><path d=\"M-8 9V6A6 6 0 0 1-2 1H2A6 6 0 0 1 8 6V9Z\"/>",
        "sendTask": "<g class=\"full\">\(envelope)</g>",
        "receiveTask": envelope,
        "scriptTask": "<path d=\"M-5-8H8Q3-4 6 0T5 8H-8Q-3 4-6 0T-5-8ZM-3-4H4M-4 0H3M-3 4H4\"/>",
        "manualTask": "<path d=\"M-8-1-3-7H1L-1-4H8V-1H3H9V2H3H8V5H3H6V8H-4L-8 5Z\"/>",
        "businessRuleTask": "<path d=\"M-8-7H8V7H-8ZM-8-3H8M-8 2H8M-3-3V7\"/>",
    ]

    /// The mark of an event, by the name of its definition.
    static let events: [String: String] = [
        "messageEventDefinition": envelope,
        "timerEventDefinition": "<circle r=\"9\"/><path d=\"M0-7V0L5 2\"/>",
        "errorEventDefinition": "<path d=\"M-8 8-3-7 3 4 8-8 3 8-3-3Z\"/>",
        "signalEventDefinition": "<path d=\"M0-8 8 6H-8Z\"/>",
        "escalationEventDefinition": "<path d=\"M0-8 7 8 0 1-7 8Z\"/>",
        "compensateEventDefinition": compensation,
        "conditionalEventDefinition": "<path d=\"M-6-8H6V8H-6ZM-4-5H4M-4-2H4M-4 2H4M-4 5H4\"/>",
        "linkEventDefinition": "<path d=\"M-8-3H2V-7L9 0 2 7V3H-8Z\"/>",
        "cancelEventDefinition": "<path d=\"M-8-5-5-8 0-3 5-8 8-5 3 0 8 5 5 8 0 3-5 8-8 5-3 0Z\"/>",
        "terminateEventDefinition": "<circle class=\"full\" r=\"10\"/>",
        "multiple": pentagon,
        "parallelMultiple": "<path d=\"M-3-8H3V-3H8V3H3V8H-3V3H-8V-3H-3Z\"/>",
    ]

    /// The mark of a gateway.
    static let gateways: [String: String] = [
        "exclusiveGateway": "<path class=\"thick\" d=\"M-6-8 6 8M6-8-6 8\"/>",
        "parallelGateway": "<path class=\"thick\" d=\"M0-11V11M-11 0H11\"/>",
        "inclusiveGateway": "<circle class=\"thick\" r=\"10\"/>",
        "complexGateway": "<path class=\"thick\" d=\"M0-11V11M-11 0H11M-7-7 7 7M-7 7 7-7\"/>",
        "eventBasedGateway": "<circle r=\"13\"/>\(pentagon)",
    ]

    static let loop = "<path d=\"M-2 6A6 6 0 1 1 3 5.5M-2 6-6 6M-2 6-3 2\"/>"
    static let parallelInstances = "<path class=\"thick\" d=\"M-5-6V6M0-6V6M5-6V6\"/>"
    static let sequentialInstances = "<path class=\"thick\" d=\"M-6-5H6M-6 0H6M-6 5H6\"/>"
    static let collapsed = "<path d=\"M-7-7H7V7H-7ZM0-4V4M-4 0H4\"/>"
    static let adHoc = "<path class=\"thick\" d=\"M-7 2Q-4-5 0 0T7-2\"/>"
    static let compensation = "<path d=\"M0-6V6L-8 0ZM8-6V6L0 0Z\"/>"

    private static let envelope = "<path d=\"M-9-6H9V6H-9ZM-9-6 0 1 9-6\"/>"
    private static let pentagon = "<path d=\"M0-8 8-2 5 7H-5L-8-2Z\"/>"
}
