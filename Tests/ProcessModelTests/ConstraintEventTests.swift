import Testing

@testable import ProcessModel

/// Events by position, their definitions, links and compensation.
@Suite struct ConstraintEventTests {
    private static let timer = ConstraintFlowTests.timer
    private static let message = ConstraintFlowTests.message
    private static let shared = "<terminateEventDefinition id=\"shared\"/><timerEventDefinition id=\"good\"/>"
    private static let byReference = "<eventDefinitionRef>shared</eventDefinitionRef>"

    private static func starting(_ definition: String) -> String {
        shared + executable("<startEvent id=\"x\">\(definition)</startEvent>\(flow("x", "e"))<endEvent id=\"e\"/>")
    }

    private static func ending(_ definition: String, in level: String = "subProcess") -> String {
        shared
            + executable(
                "<\(level) id=\"s\"><startEvent id=\"a\"/>\(flow("a", "x"))<endEvent id=\"x\">\(definition)</endEvent>"
                    + "</\(level)>")
    }

    private static func inner(_ definition: String, _ level: String = "subProcess", _ attributes: String = "")
        -> String
    {
        shared
            + executable(
                "<\(level) id=\"s\" \(attributes)><startEvent id=\"x\">\(definition)</startEvent></\(level)>")
    }

    private static func eventSubProcess(_ start: String) -> String {
        shared + executable("<subProcess id=\"s\" triggeredByEvent=\"true\">\(start)</subProcess>")
    }

    private static func catching(_ definition: String) -> String {
        shared + amid("<intermediateCatchEvent id=\"x\">\(definition)</intermediateCatchEvent>")
    }

    private static func throwing(_ definition: String) -> String {
        shared + amid("<intermediateThrowEvent id=\"x\">\(definition)</intermediateThrowEvent>")
    }

    private static func boundary(
        _ definition: String, host: String = "<task id=\"h\"/>", attributes: String = "", more: String = ""
    ) -> String {
        shared
            + executable(
                "\(host)<boundaryEvent id=\"x\" attachedToRef=\"h\" \(attributes)>\(definition)</boundaryEvent>"
                    + "\(more)<task id=\"t\"/>")
    }

    /// A message flow between event `x` of the process and another pool.
    private static func pools(_ content: String, _ messageFlow: String) -> String {
        """
        <collaboration id="c"><participant id="pool" processRef="p"/><participant id="other"/>
        <messageFlow id="mf" \(messageFlow)/></collaboration>
        """ + executable(content)
    }

    private static func ends(_ source: String, _ target: String) -> String {
        "sourceRef=\"\(source)\" targetRef=\"\(target)\""
    }

    static let starts: [ConstraintRow] =
        [
            .init(
                .startEventWithIncoming, "from a task",
                broken: executable("<startEvent id=\"s\"/>\(flow("s", "t"))<task id=\"t\"/>\(flow("t", "s"))"),
                good: executable("<startEvent id=\"s\"/>\(flow("s", "t"))<task id=\"t\"/>")),
            .init(
                .noStartEvent, "end only", broken: executable("<task id=\"t\"/>\(flow("t", "e"))<endEvent id=\"e\"/>"),
                good: amid("<task id=\"x\"/>")),
            .init(
                .noEndEvent, "start only",
                broken: executable("<startEvent id=\"s\"/>\(flow("s", "t"))<task id=\"t\"/>"),
                good: amid("<task id=\"x\"/>")),
            .init(
                .startEventWithoutOutgoing, "unconnected", broken: executable("<startEvent id=\"s\"/><task id=\"t\"/>"),
                good: amid("<task id=\"x\"/>")),
            .init(
                .startEventSendsMessage, "to a pool",
                broken: pools("<startEvent id=\"x\"/>", ends("x", "other")),
                good: pools("<startEvent id=\"x\">\(message)</startEvent>", ends("other", "x"))),
            .init(
                .startEventReceivesMessage, "timer",
                broken: pools("<startEvent id=\"x\">\(timer)</startEvent>", ends("other", "x")),
                good: pools("<startEvent id=\"x\">\(timer)\(message)</startEvent>", ends("other", "x"))),
            .init(
                .subProcessStartDefinition, "timer", broken: inner(timer), good: inner("")),
            .init(
                .subProcessStartDefinition, "reference in a transaction",
                broken: inner("<eventDefinitionRef>good</eventDefinitionRef>", "transaction"),
                good: inner(timer, "subProcess", "triggeredByEvent=\"true\"")),
            .init(
                .calledWithoutNoneStart, "message start only",
                broken: "<process id=\"q\"><startEvent id=\"s\">\(message)</startEvent></process>"
                    + amid("<callActivity id=\"x\" calledElement=\"q\"/>"),
                good: "<process id=\"q\"><startEvent id=\"s\">\(message)</startEvent><startEvent id=\"t\"/></process>"
                    + amid("<callActivity id=\"x\" calledElement=\"q\"/>")),
        ]
        + ["error", "escalation", "compensate", "cancel", "link", "terminate"].map { kind in
            .init(
                .startEventDefinition, kind, broken: starting("<\(kind)EventDefinition/>"),
                good: starting(timer + message + "<signalEventDefinition/><conditionalEventDefinition/>"))
        } + [
            .init(
                .startEventDefinition, "by reference", broken: starting(byReference),
                good: starting("<eventDefinitionRef>good</eventDefinitionRef>"))
        ]

    static let eventSubProcessStarts: [ConstraintRow] =
        [
            .init(
                .eventSubProcessTrigger, "none", broken: eventSubProcess("<startEvent id=\"x\"/>"),
                good: eventSubProcess("<startEvent id=\"x\">\(timer)</startEvent>")),
            .init(
                .eventSubProcessTrigger, "by reference",
                broken: eventSubProcess("<startEvent id=\"x\">\(byReference)</startEvent>"),
                good: eventSubProcess("<startEvent id=\"x\"><eventDefinitionRef>good</eventDefinitionRef></startEvent>")
            ),
        ]
        + ["cancel", "link", "terminate"].map { kind in
            .init(
                .eventSubProcessTrigger, kind,
                broken: eventSubProcess("<startEvent id=\"x\"><\(kind)EventDefinition/></startEvent>"),
                good: eventSubProcess("<startEvent id=\"x\"><escalationEventDefinition/></startEvent>"))
        }
        + ["error", "compensate"].map { kind in
            .init(
                .eventSubProcessTrigger, "\(kind), not interrupting",
                broken: eventSubProcess(
                    "<startEvent id=\"x\" isInterrupting=\"false\"><\(kind)EventDefinition/></startEvent>"),
                good: eventSubProcess("<startEvent id=\"x\"><\(kind)EventDefinition/></startEvent>"))
        }

    static let endEvents: [ConstraintRow] =
        [
            .init(
                .endEventWithOutgoing, "to a task",
                broken: executable("<endEvent id=\"e\"/>\(flow("e", "t"))<task id=\"t\"/>"),
                good: amid("<task id=\"x\"/>")),
            .init(
                .endEventWithoutIncoming, "unconnected", broken: executable("<endEvent id=\"e\"/>"),
                good: amid("<task id=\"x\"/>")),
            .init(
                .endEventReceivesMessage, "from a pool", broken: pools("<endEvent id=\"x\"/>", ends("other", "x")),
                good: pools("<endEvent id=\"x\">\(message)</endEvent>", ends("x", "other"))),
            .init(
                .endEventSendsMessage, "none", broken: pools("<endEvent id=\"x\"/>", ends("x", "other")),
                good: pools("<endEvent id=\"x\">\(message)</endEvent>", ends("x", "other"))),
            .init(
                .cancelOutsideTransaction, "sub-process", broken: ending("<cancelEventDefinition/>"),
                good: ending("<cancelEventDefinition/>", in: "transaction")),
            .init(
                .errorWithoutCode, "no code",
                broken: "<error id=\"r\"/>" + ending("<errorEventDefinition errorRef=\"r\"/>"),
                good: "<error id=\"r\" errorCode=\"E\"/>" + ending("<errorEventDefinition errorRef=\"r\"/>")),
            .init(
                .escalationWithoutCode, "throw",
                broken: "<escalation id=\"r\"/>" + throwing("<escalationEventDefinition escalationRef=\"r\"/>"),
                good: "<escalation id=\"r\" escalationCode=\"E\"/>"
                    + throwing("<escalationEventDefinition escalationRef=\"r\"/>")),
            .init(
                .escalationWithoutCode, "end, no reference", broken: ending("<escalationEventDefinition/>"),
                good: ending("<signalEventDefinition/>")),
            .init(
                .sharedThrowDefinition, "two throw events",
                broken: "<signalEventDefinition id=\"d\"/>"
                    + executable(
                        ["a", "b"].map {
                            "<endEvent id=\"\($0)\"><eventDefinitionRef>d</eventDefinitionRef></endEvent>"
                        }
                        .joined()),
                good: "<signalEventDefinition id=\"d\"/>"
                    + executable("<endEvent id=\"a\"><eventDefinitionRef>d</eventDefinitionRef></endEvent>")),
            .init(
                .sharedThrowDefinition, "nested and referred to",
                broken: executable(
                    "<endEvent id=\"a\"><signalEventDefinition id=\"d\"/></endEvent>"
                        + "<startEvent id=\"s\"><eventDefinitionRef>d</eventDefinitionRef></startEvent>"),
                good: executable(
                    "<startEvent id=\"a\"><signalEventDefinition id=\"d\"/></startEvent>"
                        + "<startEvent id=\"s\"><eventDefinitionRef>d</eventDefinitionRef></startEvent>")),
        ]
        + ["conditional", "link", "timer"].map { kind in
            .init(
                .endEventDefinition, kind, broken: ending("<signalEventDefinition/><\(kind)EventDefinition/>"),
                good: ending(message + "<terminateEventDefinition/><compensateEventDefinition/>"))
        }

    static let boundaries: [ConstraintRow] =
        [
            .init(
                .boundaryEventWithIncoming, "from a task", broken: boundary(timer, more: flow("t", "x")),
                good: boundary(timer, more: flow("x", "t"))),
            .init(
                .boundaryWithoutOutgoing, "timer", broken: boundary(timer), good: boundary(timer, more: flow("x", "t"))),
            .init(.boundaryWithoutDefinition, "none", broken: boundary(""), good: boundary(timer)),
            .init(
                .cancelBoundary, "task", broken: boundary("<cancelEventDefinition/>"),
                good: boundary("<cancelEventDefinition/>", host: "<transaction id=\"h\"/>")),
            .init(
                .cancelBoundary, "sub-process",
                broken: boundary("<cancelEventDefinition/>", host: "<subProcess id=\"h\"/>"),
                good: boundary("<cancelEventDefinition/>", host: "<transaction id=\"h\"/>")),
            .init(
                .cancelBoundaryByReference, "task",
                broken: "<cancelEventDefinition id=\"k\"/>" + boundary("<eventDefinitionRef>k</eventDefinitionRef>"),
                good: "<cancelEventDefinition id=\"k\"/>"
                    + boundary("<eventDefinitionRef>k</eventDefinitionRef>", host: "<transaction id=\"h\"/>")),
            .init(.boundaryDefinition, "by reference", broken: boundary(byReference), good: boundary(timer)),
        ]
        + ["link", "terminate"].map { kind in
            .init(
                .boundaryDefinition, kind, broken: boundary("<\(kind)EventDefinition/>"),
                good: boundary("<errorEventDefinition/><escalationEventDefinition/>"))
        }
        + ["error", "cancel", "compensate"].map { kind in
            .init(
                .boundaryNotInterrupting, kind,
                broken: boundary("<\(kind)EventDefinition/>", attributes: "cancelActivity=\"false\""),
                good: boundary("<\(kind)EventDefinition/>", attributes: "cancelActivity=\"true\""))
        }

    static let intermediates: [ConstraintRow] =
        [
            .init(
                .intermediateWithoutIncoming, "throw", broken: executable("<intermediateThrowEvent id=\"x\"/>"),
                good: throwing("")),
            .init(
                .intermediateWithoutOutgoing, "catch",
                broken: executable("<intermediateCatchEvent id=\"x\">\(timer)</intermediateCatchEvent>"),
                good: catching(timer)),
            .init(.catchWithoutDefinition, "none", broken: catching(""), good: catching(timer)),
            .init(.catchDefinition, "none", broken: catching(""), good: catching(timer)),
            .init(.catchDefinition, "by reference", broken: catching(byReference), good: catching(timer)),
            .init(
                .compensationCatch, "catch", broken: catching("<compensateEventDefinition/>"),
                good: throwing("<compensateEventDefinition/>")),
            .init(
                .messageFlowDirection, "into a throw event",
                broken: pools(
                    "<intermediateThrowEvent id=\"x\">\(message)</intermediateThrowEvent>", ends("other", "x")),
                good: pools("<intermediateThrowEvent id=\"x\">\(message)</intermediateThrowEvent>", ends("x", "other"))),
            .init(
                .messageFlowDirection, "from a catch event",
                broken: pools(
                    "<intermediateCatchEvent id=\"x\">\(message)</intermediateCatchEvent>", ends("x", "other")),
                good: pools("<intermediateCatchEvent id=\"x\">\(message)</intermediateCatchEvent>", ends("other", "x"))),
            .init(
                .messageFlowDirection, "from a boundary event",
                broken: pools(
                    "<task id=\"h\"/><boundaryEvent id=\"x\" attachedToRef=\"h\">\(message)</boundaryEvent>",
                    ends("x", "other")),
                good: pools(
                    "<task id=\"h\"/><boundaryEvent id=\"x\" attachedToRef=\"h\">\(message)</boundaryEvent>",
                    ends("other", "x"))),
        ]
        + ["error", "escalation", "cancel", "compensate", "terminate"].map { kind in
            .init(
                .catchDefinition, kind, broken: catching("<\(kind)EventDefinition/>"), good: catching(timer + message))
        }
        + ["error", "cancel", "terminate", "timer", "conditional"].map { kind in
            .init(
                .throwDefinition, kind, broken: throwing("<\(kind)EventDefinition/>"),
                good: throwing(message + "<escalationEventDefinition/><compensateEventDefinition/>"))
        }

    static let definitions: [ConstraintRow] = [
        .init(
            .messageEventWithoutMessage, "catch", broken: catching("<messageEventDefinition/>"),
            good: catching(message)),
        .init(
            .messageEventWithoutOperation, "catch", broken: catching(message),
            good: items
                + catching(
                    "<messageEventDefinition messageRef=\"m\"><operationRef>op</operationRef></messageEventDefinition>")
        ),
        .init(
            .condition, "missing", broken: catching("<conditionalEventDefinition/>"),
            good: catching("<conditionalEventDefinition>\(formal("condition", "a"))</conditionalEventDefinition>")),
        .init(
            .condition, "natural language",
            broken: catching("<conditionalEventDefinition><condition>a</condition></conditionalEventDefinition>"),
            good: catching("<conditionalEventDefinition>\(formal("condition", "a"))</conditionalEventDefinition>")),
        .init(
            .severalTimerValues, "two",
            broken: catching(
                "<timerEventDefinition>\(formal("timeDuration", "PT1S"))\(formal("timeCycle", "R/PT1S"))"
                    + "</timerEventDefinition>"),
            good: catching(timer)),
        .init(
            .timerDate, "text",
            broken: catching("<timerEventDefinition>\(formal("timeDate", "soon"))</timerEventDefinition>"),
            good: catching(
                "<timerEventDefinition>\(formal("timeDate", "2026-06-01T14:37:44"))</timerEventDefinition>")),
        .init(
            .timerCycle, "text",
            broken: catching("<timerEventDefinition>\(formal("timeCycle", "often"))</timerEventDefinition>"),
            good: catching("<timerEventDefinition>\(formal("timeCycle", "R4/PT1S"))</timerEventDefinition>")),
        .init(
            .timerDuration, "text",
            broken: catching("<timerEventDefinition>\(formal("timeDuration", "long"))</timerEventDefinition>"),
            good: catching("<timerEventDefinition>\(formal("timeDuration", "=wait"))</timerEventDefinition>")),
        .init(
            .timerDuration, "date in a duration",
            broken: catching("<timerEventDefinition>\(formal("timeDuration", "2026-06-01"))</timerEventDefinition>"),
            good: catching("<timerEventDefinition>\(formal("timeDuration", "${wait}"))</timerEventDefinition>")),
    ]

    private static func link(_ position: String, _ id: String, _ definition: String) -> String {
        let kind = position == "catch" ? "intermediateCatchEvent" : "intermediateThrowEvent"
        let connection = position == "catch" ? flow(id, "t") : flow("t", id)
        return "<\(kind) id=\"\(id)\">\(definition)</\(kind)>\(connection)"
    }

    private static func named(_ name: String) -> String { "<linkEventDefinition name=\"\(name)\"/>" }

    private static func links(_ content: String) -> String { executable("<task id=\"t\"/>" + content) }

    private static let pair = links(link("throw", "a", named("l")) + link("catch", "b", named("l")))
    private static let referring = links(
        link("throw", "a", "<linkEventDefinition id=\"la\"><target>lb</target></linkEventDefinition>")
            + link("catch", "b", "<linkEventDefinition id=\"lb\"><source>la</source></linkEventDefinition>"))

    static let linkRows: [ConstraintRow] = [
        .init(
            .linkWithFlow, "throw", broken: links(link("throw", "a", named("l")) + flow("a", "t")), good: pair),
        .init(
            .linkWithFlow, "catch", broken: links(link("catch", "a", named("l")) + flow("t", "a")), good: pair),
        .init(
            .linkWithoutSource, "alone", broken: links(link("catch", "a", named("l"))), good: pair),
        .init(
            .linkWithoutSource, "other name",
            broken: links(link("throw", "a", named("k")) + link("catch", "b", named("l"))), good: referring),
        .init(.linkTargets, "none", broken: links(link("throw", "a", named("l"))), good: pair),
        .init(
            .linkTargets, "two",
            broken: links(
                link("throw", "a", named("l")) + link("catch", "b", named("l")) + link("catch", "c", named("l"))),
            good: referring),
        .init(
            .linkTargets, "to something else",
            broken: links(link("throw", "a", "<linkEventDefinition><target>t</target></linkEventDefinition>")),
            good: referring),
        .init(
            .linkAcrossLevels, "into a sub-process",
            broken: links(
                link("throw", "a", named("l"))
                    + "<subProcess id=\"s\"><intermediateCatchEvent id=\"b\">\(named("l"))</intermediateCatchEvent>"
                    + "</subProcess>"), good: pair),
        .init(
            .linkAcrossLevels, "into another process",
            broken: links(link("throw", "a", "<linkEventDefinition><target>lb</target></linkEventDefinition>"))
                + "<process id=\"q\"><intermediateCatchEvent id=\"b\"><linkEventDefinition id=\"lb\"/>"
                + "</intermediateCatchEvent></process>", good: referring),
        .init(
            .linkPartnersDisagree, "source not named",
            broken: links(
                link("throw", "a", "<linkEventDefinition id=\"la\"><target>lb</target></linkEventDefinition>")
                    + link("throw", "c", "<linkEventDefinition id=\"lc\"><target>lb</target></linkEventDefinition>")
                    + link("catch", "b", "<linkEventDefinition id=\"lb\"><source>la</source></linkEventDefinition>")),
            good: referring),
        .init(
            .linkPartnersDisagree, "target elsewhere",
            broken: links(
                link("throw", "a", "<linkEventDefinition id=\"la\"><target>lb</target></linkEventDefinition>")
                    + link("catch", "b", "<linkEventDefinition id=\"lb\"><source>la</source></linkEventDefinition>")
                    + link("catch", "c", "<linkEventDefinition id=\"lc\"><source>la</source></linkEventDefinition>")),
            good: referring),
    ]

    private static let handler = "<task id=\"u\" isForCompensation=\"true\"/>"
    private static let toHandler = "<association id=\"as\" sourceRef=\"x\" targetRef=\"u\"/>"

    private static func compensating(_ activityRef: String, _ more: String = "") -> String {
        executable(
            "<endEvent id=\"e\"><compensateEventDefinition activityRef=\"\(activityRef)\"/></endEvent>"
                + "<task id=\"a\"/><boundaryEvent id=\"x\" attachedToRef=\"a\"><compensateEventDefinition/>"
                + "</boundaryEvent>\(handler)\(toHandler)\(more)")
    }

    static let compensations: [ConstraintRow] = [
        .init(
            .noCompensationHandler, "no association", broken: boundary("<compensateEventDefinition/>"),
            good: boundary("<compensateEventDefinition/>", more: handler + toHandler)),
        .init(
            .noCompensationHandler, "association to a text",
            broken: boundary(
                "<compensateEventDefinition/>", more: "<textAnnotation id=\"u\"/>" + toHandler),
            good: boundary("<compensateEventDefinition/>", more: handler + toHandler)),
        .init(
            .handlerNotMarked, "ordinary task",
            broken: boundary("<compensateEventDefinition/>", more: "<task id=\"u\"/>" + toHandler),
            good: boundary("<compensateEventDefinition/>", more: handler + toHandler)),
        .init(
            .compensationBoundaryFlow, "flow",
            broken: boundary("<compensateEventDefinition/>", more: flow("x", "t")),
            good: boundary("<compensateEventDefinition/>", more: handler + toHandler)),
        .init(
            .compensatedActivity, "without handler", broken: compensating("t", "<task id=\"t\"/>"),
            good: compensating("a")),
        .init(
            .compensatedActivity, "of another level",
            broken: compensating("t", "<subProcess id=\"s\"><task id=\"t\"/></subProcess>"),
            good: compensating("s", "<callActivity id=\"s\"/>")),
        .init(
            .compensatedActivity, "of another process",
            broken: compensating("t") + "<process id=\"q\"><task id=\"t\"/></process>",
            good: executable(
                "<task id=\"a\"/><boundaryEvent id=\"x\" attachedToRef=\"a\"><compensateEventDefinition/>"
                    + "</boundaryEvent>\(handler)\(toHandler)<subProcess id=\"s\" triggeredByEvent=\"true\">"
                    + "<endEvent id=\"e\"><compensateEventDefinition activityRef=\"a\"/></endEvent></subProcess>")),
        .init(
            .compensatedActivity, "event sub-process",
            broken: compensating("s", "<subProcess id=\"s\" triggeredByEvent=\"true\"/>"),
            good: compensating(
                "s",
                "<subProcess id=\"s\"><subProcess id=\"i\" triggeredByEvent=\"true\"><startEvent id=\"is\">"
                    + "<compensateEventDefinition/></startEvent></subProcess></subProcess>")),
    ]

    @Test(arguments: starts + eventSubProcessStarts + endEvents)
    func startsAndEnds(_ row: ConstraintRow) throws { try row.check() }

    @Test(arguments: boundaries + intermediates + definitions)
    func intermediateEvents(_ row: ConstraintRow) throws { try row.check() }

    @Test(arguments: linkRows + compensations)
    func linksAndCompensation(_ row: ConstraintRow) throws { try row.check() }
}
