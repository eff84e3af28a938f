/// The elements beyond tasks and plain gateways.
///
/// Ids that begin with `ior` are inclusive gateways, with `gate` event-based ones.
extension Model {
    // MARK: Event definitions

    static func onSignal(_ reference: String) -> String { "<signalEventDefinition signalRef=\"\(reference)\"/>" }

    static func onEscalation(_ reference: String?) -> String {
        "<escalationEventDefinition\(reference.map { " escalationRef=\"\($0)\"" } ?? "")/>"
    }

    static func onCondition(_ expression: String) -> String {
        "<conditionalEventDefinition><condition>\(escape(expression))</condition></conditionalEventDefinition>"
    }

    static func link(_ name: String) -> String { "<linkEventDefinition name=\"\(name)\"/>" }

    static func compensate(_ activity: String? = nil, waits: Bool = true) -> String {
        let reference = activity.map { " activityRef=\"\($0)\"" } ?? ""
        return "<compensateEventDefinition\(reference) waitForCompletion=\"\(waits)\"/>"
    }

    static let cancel = "<cancelEventDefinition/>"

    // MARK: Events

    static func throwing(_ id: String, _ event: String, io: String = "") -> String {
        """
        <intermediateThrowEvent id="\(id)"><extensionElements>\(io)</extensionElements>\(event)</intermediateThrowEvent>
        """
    }

    /// An event that needs all its definitions.
    static func parallel(_ event: String) -> String {
        event.replacingFirst("id=", with: "parallelMultiple=\"true\" id=")
    }

    /// An end event with mappings, whose local variables go with what it throws.
    static func end(_ id: String, _ event: String, io: String) -> String {
        "<endEvent id=\"\(id)\"><extensionElements>\(io)</extensionElements>\(event)</endEvent>"
    }

    // MARK: Gateways

    static func complex(_ id: String, when condition: String?) -> String {
        let activation = condition.map { "<activationCondition>\(escape($0))</activationCondition>" } ?? ""
        return "<complexGateway id=\"\(id)\">\(activation)</complexGateway>"
    }

    /// An event-based gateway that begins a process.
    static func instantiating(_ id: String, parallel: Bool = false) -> String {
        let type = parallel ? "Parallel" : "Exclusive"
        return "<eventBasedGateway id=\"\(id)\" instantiate=\"true\" eventGatewayType=\"\(type)\"/>"
    }

    // MARK: Scopes

    /// An event sub-process; its flows begin with `start`, which gets the event.
    static func handler(
        _ id: String, on event: String, interrupting: Bool = true, _ flows: String, nodes: [String] = [],
        io: String = ""
    ) -> String {
        let start = String(flows.drop { $0 == " " || $0 == "\n" }.prefix { $0 != " " })
        let first =
            "<startEvent id=\"\(start)\" isInterrupting=\"\(interrupting)\"><extensionElements>\(io)</extensionElements>"
            + "\(event)</startEvent>"
        return """
            <subProcess id="\(id)" triggeredByEvent="true">
            \(content(flows, nodes: [first] + nodes))
            </subProcess>
            """
    }

    static func transaction(_ id: String, _ flows: String, nodes: [String] = [], loop: String = "") -> String {
        "<transaction id=\"\(id)\">\(loop)\n\(content(flows, nodes: nodes))\n</transaction>"
    }

    static func adHoc(
        _ id: String, _ flows: String, nodes: [String] = [], sequential: Bool = false, until condition: String? = nil,
        cancelsRemaining: Bool = true, active: String? = nil
    ) -> String {
        let extensions = active.map {
            "<extensionElements><zeebe:adHoc activeElementsCollection=\"\(escape($0))\"/></extensionElements>"
        }
        let completion = condition.map { "<completionCondition>\(escape($0))</completionCondition>" }
        return """
            <adHocSubProcess id="\(id)" ordering="\(sequential ? "Sequential" : "Parallel")" \
            cancelRemainingInstances="\(cancelsRemaining)">\(extensions ?? "")
            \(content(flows, nodes: nodes))\(completion ?? "")
            </adHocSubProcess>
            """
    }

    // MARK: Markers

    static func standardLoop(while condition: String? = nil, testBefore: Bool = false, maximum: String? = nil) -> String
    {
        let limit = maximum.map { " loopMaximum=\"\(escape($0))\"" } ?? ""
        let body = condition.map { "<loopCondition>\(escape($0))</loopCondition>" } ?? ""
        return """
            <standardLoopCharacteristics testBefore="\(testBefore)"\(limit)>\(body)</standardLoopCharacteristics>
            """
    }

    /// An element with more attributes, such as `startQuantity="2"`.
    static func with(_ attributes: String, _ element: String, before attribute: String = " id=") -> String {
        element.replacingFirst(attribute, with: " \(attributes)\(attribute)")
    }

    // MARK: Compensation

    /// The compensation boundary event of an activity, its handler and what connects them.
    static func undo(_ activity: String, by handler: String, as element: String? = nil) -> [String] {
        [
            """
            <boundaryEvent id="undo-\(activity)" attachedToRef="\(activity)"><compensateEventDefinition/></boundaryEvent>
            """,
            with("isForCompensation=\"true\"", element ?? task(handler)),
            """
            <association id="by-\(activity)" associationDirection="One" sourceRef="undo-\(activity)" targetRef="\(handler)"/>
            """,
        ]
    }

    // MARK: Root elements

    static func signal(_ id: String, name: String? = nil) -> String {
        "<signal id=\"\(id)\" name=\"\(escape(name ?? id))\"/>"
    }

    static func escalation(_ id: String, _ code: String? = nil) -> String {
        "<escalation id=\"\(id)\" escalationCode=\"\(code ?? id)\"/>"
    }
}
